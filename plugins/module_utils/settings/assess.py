# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is there to migrate, and what will not: counts from the source's database (H39, H40)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..transport.database import Database, quoted, text
from .document import public_account
from .extract import Site
from .model import Customer, failing
from .profiles.shape import Schema


def assess(database: Database, site: Site, customer: Customer) -> dict[str, Any]:
    """The assessment as a plain value: platform, capabilities, counts, schemes, accounts, what stays behind."""
    extras = {extra: count_rows(database, site, extra.table) for extra in site.profile.extras}
    return {
        "platform": {
            "profile": site.profile.name,
            "version": customer.source.version,
            "generation": _generation(site),
            "database_version": database.version(),
            "password_type": site.settings.get("password_type", ""),
            "auth_type": site.settings.get("auth_type", ""),
        },
        "capabilities": capabilities(site),
        "counts": {
            **counts(customer),
            **{extra.name: number for extra, number in extras.items() if extra.reason is None and number is not None},
        },
        "password_schemes": dict(
            sorted(
                Counter(
                    account.password.scheme if account.password else "none" for account in customer.accounts
                ).items()
            )
        ),
        "accounts": [public_account(account) for account in customer.accounts],
        "not_migrated": [
            {"what": extra.name, "count": number, "reason": extra.reason}
            for extra, number in extras.items()
            if extra.reason is not None and number
        ],
        "read_only_enforced": database.enforced_read_only,
    }


def counts(customer: Customer) -> dict[str, int]:
    """The customer in numbers; ``left_out`` are accounts that a run fails for."""
    enabled = sum(account.enabled for account in customer.accounts)
    return {
        "domains": len(customer.domains),
        "accounts": len(customer.accounts),
        "accounts_enabled": enabled,
        "accounts_disabled": len(customer.accounts) - enabled,
        "left_out": len({finding.account for finding in failing(customer.findings)}),
    }


def capabilities(site: Site) -> list[str]:
    """Names of the profile's capabilities that the site has."""
    found = []
    for capability in site.profile.capabilities:
        table = _table(site.schema, capability.table)
        columns = {column.lower() for column in site.schema[table]} if table else set()
        if table and (capability.column is None or capability.column.lower() in columns):
            found.append(capability.name)
    return sorted(found)


def count_rows(database: Database, site: Site, name: str) -> int | None:
    """The rows of a table, None when it is not there."""
    table = _table(site.schema, name)
    if table is None:
        return None
    sql = f"SELECT COUNT(*) FROM {quoted(table)}"  # noqa: S608 -- the name is quoted
    return int(text(database.all(sql)[0][0]) or 0)


def _generation(site: Site) -> str:
    there = capabilities(site)
    return next((name for capability, name in site.profile.generations if capability in there), "")


def _table(schema: Schema, name: str) -> str | None:
    """The table's own spelling: its case differs between versions, and matters on Linux."""
    if name in schema:
        return name
    return next((table for table in schema if table.lower() == name.lower()), None)
