# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A target in memory for the planner's tests: what it can hold, and what it holds after a plan was carried out."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Alias,
    Customer,
    Domain,
    Source,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.plan import Change, Plan, digest
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles.cloud import CLOUD
from ansible_collections.atmail.migration.plugins.module_utils.settings.schemes import for_target
from ansible_collections.atmail.migration.plugins.module_utils.settings.target import Capacity, State, by_kind
from ansible_collections.atmail.migration.plugins.module_utils.settings.things import KINDS, There, things_of

#: A target with a place for everything, and the cloud's limits.
CAPACITY = Capacity(
    {kind: frozenset({each.name for each in attributes} | {"site", "password"}) for kind, attributes in KINDS.items()},
    CLOUD.limits,
)
NOTHING = State({})


def customer(*things: Account | Alias, domains: tuple[str, ...] = ("a.example",), **more: Any) -> Customer:
    """A customer with these accounts and aliases."""
    return Customer(
        "acme",
        Source("atmail"),
        tuple(map(Domain, domains)),
        tuple(each for each in things if isinstance(each, Account)),
        tuple(each for each in things if isinstance(each, Alias)),
        **more,
    )


def state_of(*things: There, notes: dict[str, dict[str, Any]] | None = None) -> State:
    """A target that holds these."""
    return State(by_kind(things), notes=notes or {})


def there(wanted: Account | Alias, applied: dict[str, Any] | None = None, password: str | None = None) -> There:
    """The account or alias as a target holds it."""
    (thing,) = things_of(customer(wanted, domains=()))
    return There(thing.kind, thing.key, thing.fields, applied or {}, password)


def carried_out(plan: Plan, state: State) -> State:
    """What the target holds after the plan; notes go through JSON as in a database."""
    things = {kind: dict(found) for kind, found in state.things.items()}
    notes: dict[str, dict[str, Any]] = {kind: dict(found) for kind, found in state.notes.items()}
    for change in plan.changes:
        found = things.setdefault(change.kind, {})
        kept = notes.setdefault(change.kind, {})
        note = json.loads(json.dumps(change.applied))
        kept.pop(change.key, None)
        before = found.pop(change.key, None)
        assert (before is None) == (change.action == "create" or (change.action == "note" and before is None))
        after = _after(change, before, note)
        if after is not None:
            found[change.key] = after
        elif note:
            kept[change.key] = note
    return State(things, state.foreign, notes)


def _after(change: Change, before: There | None, note: dict[str, Any]) -> There | None:
    if change.action == "remove" or (change.action == "note" and before is None):
        return None
    known = {each.name for each in KINDS[change.kind]}
    fields = {**(before.fields if before else {})}
    for name, (old, new) in change.fields.items():
        if name in known:
            assert change.action == "create" or fields[name] == old
            fields[name] = new
    password, changed = (before.password, before.password_changed) if before else (None, False)
    if change.password is not None:
        password, changed = for_target(change.password, "SSHA512", bytes), False
        note = {**note, "password": digest(password)}
    return There(change.kind, change.key, fields, note, password, changed)
