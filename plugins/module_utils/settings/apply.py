# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Make the target match a snapshot: survey, plan, carry out, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..transport.database import Database, quoted, text
from .model import Customer
from .plan import AccountChange, DomainChange, Plan, Wish, digest, plan
from .profiles.shape import BoundTable, Overrides, TargetProfile, bind
from .schemes import HASHES, for_target
from .target import Applied, check_tenant, survey


@dataclass(frozen=True)
class Place:
    """Where on the target a customer goes, and how its passwords and mailboxes are kept there."""

    region: str
    password_scheme: str = HASHES[0]
    mailbox_server: str = ""
    mailbox_type: str = "mdbox"


@dataclass(frozen=True)
class Target:
    """A target's database and what it looks like."""

    database: Database
    profile: TargetProfile
    tables: Mapping[str, BoundTable]


def open_target(database: Database, profile: TargetProfile, overrides: Overrides) -> Target:
    """Find the profile's tables. Raises MissingTableError, MissingColumnError, InputError for a wrong override."""
    return Target(database, profile, bind(profile.tables, overrides, database.columns()))


def preview(target: Target, customer: Customer, wish: Wish, place: Place) -> Plan:
    """The plan, without a write and without a lock. Raises TenantError."""
    check_tenant(target.database, target.tables, wish.subscription, place.region)
    state = survey(target.database, target.profile, target.tables, customer, lock=False)
    return plan(customer, state, target.profile, wish)


def apply(target: Target, customer: Customer, wish: Wish, place: Place, *, random: Callable[[int], bytes]) -> Plan:
    """Plan and carry out; what was done. Everything is written at once or nothing is.

    The customer's rows are locked from the survey on, so that no change made meanwhile is lost. Raises TenantError, and
    DatabaseError when the target refuses.
    """
    with target.database.transaction():
        check_tenant(target.database, target.tables, wish.subscription, place.region)
        state = survey(target.database, target.profile, target.tables, customer, lock=True)
        changes = plan(customer, state, target.profile, wish)
        for domain in changes.domains:
            _write_domain(target, domain, wish.subscription)
        now = text(target.database.all("SELECT CURRENT_TIMESTAMP")[0][0]) or ""
        _write_accounts(target, changes.accounts, _Writing(place, random, now))
    return changes


@dataclass(frozen=True)
class _Writing:
    """What the rows of accounts need besides the plan; ``now`` is the target's own clock."""

    place: Place
    random: Callable[[int], bytes]
    now: str


def summary(changes: Plan) -> dict[str, int]:
    """The plan in numbers."""
    return {
        "domains_created": sum(change.create for change in changes.domains),
        "domains_changed": sum(not change.create for change in changes.domains),
        "accounts_created": sum(change.create for change in changes.accounts),
        "accounts_changed": sum(not change.create for change in changes.accounts),
        "accounts_unchanged": changes.unchanged,
        "passwords_set": sum(change.password is not None for change in changes.accounts),
        "conflicts": changes.conflicts,
    }


def _write_domain(target: Target, change: DomainChange, subscription: str) -> None:
    table = target.tables["domains"]
    values = {"applied": _note(change.applied), **_columns(target.profile, change.fields)}
    if change.create:
        _insert(target.database, table, [{"name": change.name, "subscription": subscription, **values}])
    else:
        _update(target.database, table, "name", change.name, values)


def _write_accounts(target: Target, changes: tuple[AccountChange, ...], write: _Writing) -> None:
    table = target.tables["accounts"]
    made = []
    for change in changes:
        values = _account_values(target.profile, change, write)
        if change.create:
            made.append(values)
        else:
            _update(target.database, table, "address", change.address, values)
    _insert(target.database, table, made)


def _account_values(profile: TargetProfile, change: AccountChange, write: _Writing) -> dict[str, Any]:
    values = _columns(profile, change.fields)
    applied = change.applied
    if change.create:
        values |= {
            "address": change.address,
            "domain": change.address.rpartition("@")[2],
            "migrate_status": profile.provisioned_word,
            "mailbox_server": write.place.mailbox_server,
            "mailbox_type": write.place.mailbox_type,
            "password": None,
            "password_status": profile.none_word,
            "password_set_on": None,
        }
    if change.password is not None:
        stored = for_target(change.password, write.place.password_scheme, write.random)
        values |= {"password": stored, "password_status": profile.migrated_word, "password_set_on": write.now}
        applied = {**applied, "password": digest(stored)}
    return {**values, "applied": _note(applied)}


def _columns(profile: TargetProfile, fields: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Attributes as columns: ``enabled`` is a word of the status column."""
    values = {key: after for key, (dummy, after) in fields.items()}
    if "enabled" in values:
        values["status"] = profile.active if values.pop("enabled") else profile.disabled
    return values


def _insert(database: Database, table: BoundTable, rows: list[dict[str, Any]]) -> None:
    """Rows with the same keys."""
    if not rows:
        return
    columns = ", ".join(map(table.column, rows[0]))
    marks = ", ".join(["%s"] * len(rows[0]))
    sql = f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({marks})"  # noqa: S608 -- names are quoted
    database.execute_many(sql, [list(row.values()) for row in rows])


def _update(database: Database, table: BoundTable, key: str, value: str, values: dict[str, Any]) -> None:
    sets = ", ".join(f"{table.column(name)} = %s" for name in values)
    sql = f"UPDATE {quoted(table.name)} SET {sets} WHERE {table.column(key)} = %s"  # noqa: S608 -- names are quoted
    database.execute(sql, [*values.values(), value])


def _note(applied: Applied) -> str:
    return json.dumps(applied, ensure_ascii=False, sort_keys=True)
