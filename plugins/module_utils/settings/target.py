# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the target holds of a customer now: the survey that a plan is made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import TenantError
from ..transport.database import Database, text
from .model import Customer
from .profiles.shape import BoundTable, TargetProfile

_CHUNK = 500
Applied = Mapping[str, Any]


@dataclass(frozen=True)
class TargetDomain:
    """A domain on the target; ``applied`` is what a migration wrote last, by attribute."""

    name: str
    subscription: str
    enabled: bool
    applied: Applied = field(default_factory=dict)


@dataclass(frozen=True)
class TargetAccount:
    """An account on the target; ``password`` with its prefix, as stored."""

    address: str
    domain: str
    display_name: str
    enabled: bool
    quota_bytes: int | None
    password: str | None = field(repr=False)
    password_status: str
    migrate_status: str
    applied: Applied = field(default_factory=dict)


@dataclass(frozen=True)
class TargetState:
    """The part of the target that a customer's plan is about."""

    domains: Mapping[str, TargetDomain]
    accounts: Mapping[str, TargetAccount]


def check_tenant(database: Database, tables: Mapping[str, BoundTable], subscription: str, region: str) -> None:
    """Raises TenantError unless the subscription is known, in that region, active and enabled for migration (H16)."""
    table = tables["tenants"]
    sql = f"{table.select('region', 'status', 'migration_enabled')} WHERE {table.column('subscription')} = %s"
    rows = database.all(sql, (subscription,))
    where = {"subscription": subscription}
    if not rows:
        raise TenantError("the target does not know this subscription", **where)
    its_region, status, enabled = map(text, rows[0])
    if its_region != region:
        raise TenantError(f"the subscription is in region {its_region}, not {region}", **where)
    if status != "active":
        raise TenantError(f"the subscription is {status}", **where)
    if enabled in (None, "", "0"):
        raise TenantError("the subscription is not enabled for migration", **where)


def survey(
    database: Database,
    profile: TargetProfile,
    tables: Mapping[str, BoundTable],
    customer: Customer,
    *,
    lock: bool,
) -> TargetState:
    """The customer's domains, and every account in them. ``lock`` holds these rows until the transaction ends."""
    suffix = " FOR UPDATE" if lock else ""
    names = sorted({domain.name for domain in customer.domains} | {account.domain for account in customer.accounts})
    domains = {}
    table = tables["domains"]
    select = table.select("name", "subscription", "status", "applied")
    for name, owner, status, applied in _rows(database, select, table.column("name"), names, suffix):
        domains[name or ""] = TargetDomain(name or "", owner or "", status == profile.active, _applied(applied))
    accounts = {}
    table = tables["accounts"]
    select = table.select(
        "address",
        "domain",
        "display_name",
        "status",
        "quota_bytes",
        "password",
        "password_status",
        "migrate_status",
        "applied",
    )
    for row in _rows(database, select, table.column("domain"), names, suffix):
        account = _account(profile, row)
        accounts[account.address] = account
    return TargetState(domains, accounts)


def _account(profile: TargetProfile, row: tuple[str | None, ...]) -> TargetAccount:
    address, domain, display_name, status, quota, password, password_status, migrate_status, applied = row
    return TargetAccount(
        address=address or "",
        domain=domain or "",
        display_name=display_name or "",
        enabled=status == profile.active,
        quota_bytes=int(quota) if quota else None,
        password=password or None,
        password_status=password_status or "",
        migrate_status=migrate_status or "",
        applied=_applied(applied),
    )


def _rows(
    database: Database, select: str, column: str, names: list[str], suffix: str
) -> Iterator[tuple[str | None, ...]]:
    for chunk in _chunks(names):
        marks = ", ".join(["%s"] * len(chunk))
        for row in database.rows(f"{select} WHERE {column} IN ({marks}){suffix}", chunk):
            yield tuple(map(text, row))


def _chunks(names: list[str]) -> Iterable[list[str]]:
    return (names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK))


def _applied(value: str | None) -> Applied:
    """What a migration noted; a note that is not ours counts as none, so that nothing is taken for our own work."""
    try:
        found = json.loads(value or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
