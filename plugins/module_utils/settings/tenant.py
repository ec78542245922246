# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer's tenant on the target, and whether a migration may write to it: nobody else's word counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..errors import TenantElsewhereError, TenantError, TenantSuspendedError, TenantUnknownError
from ..platforms.shape import BoundTable
from ..transport.database import Database, quoted, text

State = Literal["enabled", "disabled"]


@dataclass(frozen=True)
class Tenant:
    """A subscription as the target has it; ``status`` is ``active`` or the target's word for what else it is."""

    subscription: str
    region: str
    status: str
    migration_enabled: bool

    def as_dict(self) -> dict[str, str | bool]:
        """For results."""
        return {
            "subscription": self.subscription,
            "region": self.region,
            "status": self.status,
            "migration_enabled": self.migration_enabled,
        }


def find_tenant(
    database: Database, table: BoundTable, subscription: str, region: str, *, lock: Literal["", "read", "write"] = ""
) -> Tenant:
    """The subscription, which has to be in this region. Raises TenantUnknownError and TenantElsewhereError.

    On a target without regions the subscription's is empty. ``lock`` keeps it as it is until the transaction ends:
    ``read`` lets others look and lock it likewise.
    """
    suffix = {"": "", "read": " LOCK IN SHARE MODE", "write": " FOR UPDATE"}[lock]
    sql = f"{table.select('region', 'status', 'migration_enabled')} WHERE {table.column('subscription')} = %s{suffix}"
    rows = database.all(sql, (subscription,))
    if not rows:
        raise TenantUnknownError("the target does not know this subscription", subscription=subscription)
    its_region, status, enabled = map(text, rows[0])
    if its_region and its_region != region:
        message = f"the subscription is in region {its_region}, not {region}"
        raise TenantElsewhereError(message, subscription=subscription)
    return Tenant(subscription, its_region or "", status or "", enabled not in (None, "", "0"))


def check_tenant(
    database: Database, tables: Mapping[str, BoundTable], subscription: str, region: str, *, lock: bool = False
) -> None:
    """Raises a TenantError unless the subscription is known, in that region, active and enabled for migration (H16).

    With ``lock`` nobody can disable it until the transaction ends.
    """
    tenant = find_tenant(database, tables["tenants"], subscription, region, lock="read" if lock else "")
    _active(tenant)
    if not tenant.migration_enabled:
        raise TenantError("the subscription is not enabled for migration", subscription=subscription)


def plan_state(tenant: Tenant, state: State) -> Tenant:
    """The tenant as it is to be. Raises TenantSuspendedError: nobody can migrate to a tenant that is not active."""
    if state == "enabled":
        _active(tenant)
    return Tenant(tenant.subscription, tenant.region, tenant.status, state == "enabled")


def write_state(database: Database, table: BoundTable, wanted: Tenant) -> None:
    """Write whether a migration may write to the tenant; nothing else of it."""
    database.execute(
        f"UPDATE {quoted(table.name)} SET {table.column('migration_enabled')} = %s"  # noqa: S608 -- quoted names
        f" WHERE {table.column('subscription')} = %s",
        (int(wanted.migration_enabled), wanted.subscription),
    )


def _active(tenant: Tenant) -> None:
    if tenant.status != "active":
        raise TenantSuspendedError(f"the subscription is {tenant.status}", subscription=tenant.subscription)
