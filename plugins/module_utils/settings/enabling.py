# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What tenant_migration does: options in, result out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import MigrationError
from ..platforms.options import database_server, overrides, ssh_server
from ..platforms.shape import BoundTable, Overrides, Table, bind_columns, check_keys, find_table, missing_table
from ..transport.database import Database
from ..transport.ssh import maybe_tunnel
from .profiles.cloud import CLOUD
from .profiles.postfixadmin_target import TABLES as POSTFIXADMIN
from .tenant import Tenant, find_tenant, plan_state, write_state

#: Profile → what the target's database looks like.
_TABLES: Mapping[str, Mapping[str, Table]] = {"cloud": CLOUD.tables, "postfixadmin": POSTFIXADMIN}


def tenant_migration(params: Mapping[str, Any], *, check_mode: bool, diff_mode: bool = False) -> dict[str, Any]:
    """Enable a customer's tenant for migration, or disable it; in check mode only say what would be done.

    Raises the errors of connecting, of missing tables and columns, and those of kind ``tenant_…``.
    """
    try:
        with (
            maybe_tunnel(ssh_server(params)) as tunnel,
            Database(database_server(params), tunnel, read_only=check_mode) as database,
        ):
            table = _table(database, _TABLES[params["profile"]], overrides(params))
            before, after = _carried_out(database, table, params, check_mode=check_mode)
    except MigrationError as error:
        raise error.at(customer=params["customer"]) from error.__cause__
    result: dict[str, Any] = {
        "changed": before != after,
        "tenant": after.as_dict(),
        "was_enabled": before.migration_enabled,
    }
    if diff_mode:
        name = f"tenant {after.subscription}"
        shown = {"before_header": name, "after_header": name}
        result["diff"] = {**shown, "before": before.as_dict(), "after": after.as_dict()}
    return result


def _carried_out(
    database: Database, table: BoundTable, params: Mapping[str, Any], *, check_mode: bool
) -> tuple[Tenant, Tenant]:
    """The tenant before and after."""
    subscription, region = params["subscription"], params["region"]
    if check_mode:
        before = find_tenant(database, table, subscription, region)
        return before, plan_state(before, params["state"])
    with database.transaction():
        before = find_tenant(database, table, subscription, region, lock="write")
        after = plan_state(before, params["state"])
        if after != before:
            write_state(database, table, after)
    return before, after


def _table(database: Database, tables: Mapping[str, Table], names: Overrides) -> BoundTable:
    """The table of tenants alone: whoever may enable them need not see the others."""
    check_keys(tables, names)
    table, schema = tables["tenants"], database.columns()
    name = find_table("tenants", table, names.tables.get("tenants"), schema)
    if name is None:
        raise missing_table("tenants", table.names[0])
    return bind_columns(table, name, names.columns.get("tenants", {}), schema[name], "tenants")
