# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What has to change on a target so that it matches a snapshot: pure, from plain values to a plain value.

For every attribute three values are compared: what the target has, what the snapshot wants, and what a migration wrote
last (:mod:`.merge`, docs/cloud-schema.md). Only where the target differs from both has somebody else been at it: a
policy decides. Domains and accounts are never removed. Other things, and words of sets, are removed when a migration
wrote them and the source dropped them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .checks import after_all
from .merge import POLICIES, Applied, Merged, Policy, merge_map, merge_set, merge_value, noted
from .model import Customer, Finding, Level, Password
from .routes import Hop, Loop, Routes, breaking
from .schemes import same
from .target import Capacity, State
from .things import (
    ACCOUNTS,
    ALIASES,
    CONTACTS,
    DOMAINS,
    KINDS,
    SENDERS,
    WORDS,
    Attribute,
    There,
    Thing,
    place_of,
    shown_as,
)
from .wishes import Wishes, wishes

Action = Literal["create", "change", "remove", "note"]
Phase = Literal["mirror", "catch_up", "closed"]
PHASES: tuple[Phase, ...] = ("mirror", "catch_up", "closed")
Fields = Mapping[str, Any]

_OUTCOMES: Mapping[Policy, tuple[Level, str]] = {
    "replace": ("warning", "it is replaced"),
    "keep": ("note", "it is kept"),
    "keep_and_warn": ("warning", "it is kept"),
    "keep_and_fail": ("error", "nothing of this is changed"),
}
_REMOVABLE = (ALIASES, SENDERS, CONTACTS)


@dataclass(frozen=True)
class Wish:
    """What a run is asked for: whose subscription, and what to do where somebody else changed the target.

    ``on_conflicts`` has policies by the words of :data:`things.WORDS`; what is not in it follows the other two.
    ``allow_removals`` is the share of what migrations wrote of a kind that may go at once; ``allow_removals_below`` so
    many may always. After the cut-over (``phase`` is not ``mirror``) nothing is replaced that was changed there.
    """

    subscription: str
    on_conflict: Policy = "replace"
    on_password_conflict: Policy = POLICIES[2]
    on_conflicts: Mapping[str, Policy] = field(default_factory=dict)
    allow_removals: float = 0.2
    allow_removals_below: int = 10
    phase: Phase = "mirror"

    def policy(self, word: str) -> Policy:
        """The policy for a kind of object."""
        default = self.on_password_conflict if word == "passwords" else self.on_conflict
        policy = self.on_conflicts.get(word, default)
        return "keep_and_warn" if policy == "replace" and self.phase != "mirror" else policy


@dataclass(frozen=True)
class Change:
    """Something to make, change or remove; ``fields``: attribute → (before, after), whole values.

    ``applied`` is the note to write with it; an action ``note`` writes nothing else. ``password`` is what to set, None
    to leave it.
    """

    kind: str
    key: str
    action: Action
    fields: Mapping[str, tuple[Any, Any]]
    applied: Applied
    password: Password | None = None
    old_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Plan:
    """Everything that is to be done, in order, and what is to be said about the rest.

    ``unchanged`` counts by kind; ``refused`` are the things (kind, key) of which nothing is changed.
    """

    changes: tuple[Change, ...]
    unchanged: Mapping[str, int]
    conflicts: int
    findings: tuple[Finding, ...]
    refused: frozenset[tuple[str, str]] = frozenset()

    @property
    def changed(self) -> bool:
        """Is there anything to write that can be seen?"""
        return any(change.action != "note" for change in self.changes)

    def of(self, kind: str) -> list[Change]:
        """The visible changes of a kind."""
        return [change for change in self.changes if change.kind == kind and change.action != "note"]


def digest(stored: str) -> str:
    """What is noted of a stored password, to know it again."""
    return hashlib.sha256(stored.encode()).hexdigest()


def plan(customer: Customer, state: State, capacity: Capacity, wish: Wish) -> Plan:
    """The plan for one customer."""
    asked = wishes(customer, state, capacity)
    keeping = {finding.account for finding in customer.findings if finding.level == "error"}
    work = _Planner(state, wish, asked, keeping)
    work.go()
    work.hold = _too_many(work, wish)
    if work.hold:
        work.go()
    refused, left = breaking(_routes(work.final), work.writes)
    if refused:
        work.asked = _without(asked, {loop.hop for loop in refused})
        work.go()
    findings = [
        *asked.findings,
        *work.findings,
        *_held(work.hold),
        *(_loop_finding(loop, "error", "; it is left out") for loop in refused),
        *(_loop_finding(loop, "warning", ", which was made on the target") for loop in left),
        *_unknown(customer, state),
        *after_all(work.asked.things, work.final, _routes(work.final)),
    ]
    return Plan(
        changes=tuple(work.changes),
        unchanged=work.unchanged,
        conflicts=work.conflicts,
        findings=tuple(sorted(set(findings))),
        refused=asked.refused | work.refused,
    )


class _Planner:
    """Goes through all things once; what comes of it is in its attributes. It can go again with other wishes."""

    def __init__(self, state: State, wish: Wish, asked: Wishes, keeping: Iterable[str]) -> None:
        self.state, self.wish, self.asked = state, wish, asked
        self.keeping = frozenset(keeping)
        self.hold: frozenset[str] = frozenset()
        self.wanted: dict[tuple[str, str], Thing] = {}

    def go(self) -> None:
        """Everything anew."""
        self.changes: list[Change] = []
        self.findings: list[Finding] = []
        self.refused: set[tuple[str, str]] = set()
        self.unchanged = dict.fromkeys(KINDS, 0)
        self.conflicts = 0
        self.removed: dict[str, int] = dict.fromkeys(WORDS, 0)
        self.final: dict[str, dict[str, Fields]] = {
            kind: {key: there.fields for key, there in self.state.kind(kind).items()} for kind in KINDS
        }
        self.wanted = {(thing.kind, thing.key): thing for thing in self.asked.things}
        for thing in self.asked.things:
            self._wanted(thing)
        domains = {thing.key for thing in self.asked.things if thing.kind == DOMAINS}
        for there in self.state:
            if there.kind in _REMOVABLE and (there.kind, there.key) not in self.wanted:
                self._not_wanted(there, domains)
        for kind, notes in self.state.notes.items():
            self.changes += [
                Change(kind, key, "note", {}, {})
                for key in sorted(notes.keys())
                if (kind, key) not in self.wanted and place_of(kind, key, {}) in domains
            ]
        order = {kind: number for number, kind in enumerate(KINDS)}
        self.changes.sort(key=lambda change: (order[change.kind], change.key))

    def writes(self, hop: Hop) -> bool:
        """Is the hop one that this run would write, or take away if it were not wanted?"""
        thing = self.wanted.get((hop.kind, hop.owner))
        name = "forwards" if hop.kind == ACCOUNTS else "targets"
        if thing is None or hop.target not in thing.fields.get(name, ()) or (hop.kind, hop.owner) in self.refused:
            return False
        there = self.state.kind(hop.kind).get(hop.owner)
        if there is None or hop.target not in there.fields.get(name, ()):
            return True
        return hop.target in (there.applied.get(name) or ()) and _word(hop.kind, name) not in self.hold

    def _wanted(self, thing: Thing) -> None:
        there = self.state.kind(thing.kind).get(thing.key)
        if there is None:
            self._missing(thing)
            return
        fields, applied = self._merged(thing, there)
        password = thing.password if self._sets_password(thing, there) else None
        if (thing.kind, thing.key) in self.refused:
            return
        self.final[thing.kind][thing.key] = {**there.fields, **fields}
        changes = _differences(there.fields, fields)
        if changes or password is not None or there.due:
            action: Action = "change"
        elif applied != there.applied and _sets_of(thing.kind, applied) != _sets_of(thing.kind, there.applied):
            action = "note"
        else:
            self.unchanged[thing.kind] += 1
            return
        self.unchanged[thing.kind] += action == "note"
        change = Change(thing.kind, thing.key, action, {**changes, **there.due}, applied, password, there.password)
        self.changes.append(change)

    def _missing(self, thing: Thing) -> None:
        """To be made, unless it was there already and the target's people removed it."""
        note = self.state.notes.get(thing.kind, {}).get(thing.key, {})
        gone = There(thing.kind, thing.key, {**thing.fields, **_empty(thing)}, note)
        fields, applied = self._merged(thing, gone) if note else (thing.fields, _notes(thing))
        if (thing.kind, thing.key) in self.refused:
            return
        if note and not any(fields[name] for name in _empty(thing)):
            self.unchanged[thing.kind] += 1
            return
        self.final[thing.kind][thing.key] = fields
        made = {name: (None, value) for name, value in fields.items()}
        self.changes.append(Change(thing.kind, thing.key, "create", made, applied, thing.password))

    def _not_wanted(self, there: There, domains: set[str]) -> None:
        """What a migration wrote and the source has dropped goes; whatever else is on the target stays."""
        place = place_of(there.kind, there.key, there.fields)
        if not there.applied or (place and place not in domains) or self._unsure(there):
            return
        if there.kind == CONTACTS:
            self._contact_dropped(there)
            return
        names = {each.name: () for each in KINDS[there.kind] if each.shape == "set"}
        fields, applied = self._merged(Thing(there.kind, there.key, {**there.fields, **names}), there)
        changes = _differences(there.fields, fields)
        note = {name: value for name, value in applied.items() if value} if any(map(applied.get, names)) else {}
        left = any(fields[name] for name in names)
        self.final[there.kind][there.key] = fields
        if not left:
            del self.final[there.kind][there.key]
        action: Action = "note" if not changes else "change" if left else "remove"
        if action != "note" or note != there.applied:
            self.changes.append(Change(there.kind, there.key, action, changes, note))

    def _unsure(self, there: There) -> bool:
        """Is it perhaps not in the snapshot because it, or something of the site, could not be read or was refused?"""
        named = shown_as(there.kind, there.key, there.fields)
        return "" in self.keeping or named in self.keeping or (there.kind, there.key) in self.asked.refused

    def _contact_dropped(self, there: There) -> None:
        word = "contacts"
        if word in self.hold:
            return
        untouched = all(
            there.applied.get(name) == noted(value) for name, value in there.fields.items() if name != "permissions"
        )
        if untouched or self._conflict(there, "the entry", word):
            self.removed[word] += 1
            gone = {name: (value, None) for name, value in there.fields.items()}
            self.changes.append(Change(there.kind, there.key, "remove", gone, {}))

    def _merged(self, thing: Thing, there: There) -> tuple[dict[str, Any], dict[str, Any]]:
        """The attributes as they will be, and what is noted of them."""
        fields: dict[str, Any] = {}
        applied = dict(there.applied)
        for attribute in KINDS[thing.kind]:
            if attribute.name not in thing.fields:
                continue
            now = there.fields[attribute.name]
            merged = self._attribute(attribute, now, thing.fields, fields, there)
            if merged.conflict:
                self._conflict(there, merged.conflict, attribute.word)
            fields[attribute.name] = merged.value
            if attribute.shape == "value" and merged.value == now:
                continue
            if merged.note or attribute.shape == "value" or attribute.name in applied:
                applied[attribute.name] = merged.note
        return fields, applied

    def _attribute(self, attribute: Attribute, now: Any, wanted: Fields, so_far: Fields, there: There) -> Merged:
        name, policy = attribute.name, self.wish.policy(attribute.word)
        want = wanted[name]
        if attribute.shape == "value":
            if name == "keep_copy":
                return _keep_copy(now, wanted, so_far, there, policy)
            return merge_value(name, now, want, there.applied, policy, silent=attribute.silent)
        removing = attribute.word not in self.hold
        if attribute.shape == "set":
            merged = merge_set(name, now, want, there.applied, policy, removing=removing)
        else:
            want = {key: _with_old_secret(value, now.get(key)) for key, value in want.items()}
            merged = merge_map(name, now, want, there.applied, policy, removing=removing)
        self.removed[attribute.word] += len(set(now) - set(merged.value))
        return merged

    def _sets_password(self, thing: Thing, there: There) -> bool:
        if thing.password is None or same(thing.password, there.password):
            return False
        note = there.applied.get("password")
        never_had_one = there.password is None and note is None
        ours = there.password is not None and note == digest(there.password) and not there.password_changed
        return never_had_one or ours or self._conflict(there, "password", "passwords")

    def _conflict(self, there: There, what: str, word: str) -> bool:
        """Say so; True when the target's value is to be replaced all the same."""
        self.conflicts += 1
        policy = self.wish.policy(word)
        level, outcome = _OUTCOMES[policy]
        kind = "password_changed_on_target" if word == "passwords" else "changed_on_target"
        name = f" of {there.key}" if there.kind == CONTACTS else ""
        message = f"{what}{name} on the target is not what a migration wrote: {outcome}"
        self.findings.append(Finding(shown_as(there.kind, there.key, there.fields), kind, message, level))
        if policy == "keep_and_fail":
            self.refused.add((there.kind, there.key))
        return policy == "replace"


def _keep_copy(now: Any, wanted: Fields, so_far: Fields, there: There, policy: Policy) -> Merged:
    """Without forwards a copy is always kept; without forwards of the source it is the target's own affair."""
    name = "keep_copy"
    if not so_far.get("forwards"):
        return Merged(True, there.applied.get(name, True))
    if not wanted["forwards"]:
        return Merged(now, there.applied.get(name))
    if not there.fields["forwards"] and now:
        return Merged(wanted[name], wanted[name])  # it meant nothing so far
    return merge_value(name, now, wanted[name], there.applied, policy)


def _with_old_secret(value: Any, now: Any) -> Any:
    """A polled mailbox whose password the source does not tell keeps the one it has."""
    if getattr(value, "password", "") is None and now is not None:
        return replace(value, password=now.password)
    return value


def _differences(before: Fields, after: Fields) -> dict[str, tuple[Any, Any]]:
    return {name: (before[name], value) for name, value in after.items() if before[name] != value}


def _empty(thing: Thing) -> dict[str, Any]:
    """The sets of a thing whose note outlives it, as they are when there is nothing."""
    if thing.kind not in (ALIASES, SENDERS):
        return {}
    return {each.name: () for each in KINDS[thing.kind] if each.shape == "set" and each.name in thing.fields}


def _notes(thing: Thing) -> dict[str, Any]:
    """The note of something that is made."""
    shapes = {each.name: each.shape for each in KINDS[thing.kind]}
    found: dict[str, Any] = {}
    for name, value in thing.fields.items():
        if shapes[name] == "value":
            found[name] = noted(value)
        elif value:
            is_set = shapes[name] == "set"
            found[name] = sorted(value) if is_set else {key: noted(each) for key, each in sorted(value.items())}
    return found


def _sets_of(kind: str, applied: Applied) -> dict[str, Any]:
    return {each.name: applied.get(each.name) or None for each in KINDS[kind] if each.shape != "value"}


def _word(kind: str, name: str) -> str:
    return next(each.word for each in KINDS[kind] if each.name == name)


def _too_many(work: _Planner, wish: Wish) -> frozenset[str]:
    """Words of which more would go at once than is allowed."""
    written = dict.fromkeys(WORDS, 0)
    for there in work.state:
        for each in KINDS[there.kind]:
            if each.shape != "value":
                written[each.word] += len(there.applied.get(each.name) or ())
    written["contacts"] = sum(bool(each.applied) for each in work.state.kind(CONTACTS).values())
    return frozenset(
        word
        for word, gone in work.removed.items()
        if gone > wish.allow_removals_below and gone > wish.allow_removals * written[word]
    )


def _held(words: Iterable[str]) -> list[Finding]:
    message = "more {} than allow_removals would be removed; none is: look at the source, and allow it if that is right"
    return [Finding("", "too_many_removals", message.format(word.replace("_", " ")), "error") for word in sorted(words)]


def _routes(final: Mapping[str, Mapping[str, Fields]]) -> Routes:
    return Routes(
        {key: fields.get("forwards", ()) for key, fields in final[ACCOUNTS].items()},
        {key: fields["targets"] for key, fields in final[ALIASES].items() if fields["targets"]},
    )


def _without(asked: Wishes, hops: Iterable[Hop]) -> Wishes:
    """The same without what would make mail go round."""
    gone: dict[tuple[str, str], set[str]] = {}
    for hop in hops:
        gone.setdefault((hop.kind, hop.owner), set()).add(hop.target)
    things = []
    for thing in asked.things:
        out = gone.get((thing.kind, thing.key))
        if out:
            name = "forwards" if thing.kind == ACCOUNTS else "targets"
            left = tuple(each for each in thing.fields[name] if each not in out)
            if not left and thing.kind == ALIASES:
                continue
            fields = {**thing.fields, name: left}
            if not left and "keep_copy" in fields:
                fields["keep_copy"] = True
            things.append(replace(thing, fields=fields))
        else:
            things.append(thing)
    return replace(asked, things=tuple(things))


def _loop_finding(loop: Loop, level: Level, outcome: str) -> Finding:
    what = "forward" if loop.hop.kind == ACCOUNTS else "alias"
    way = " → ".join(loop.way)
    return Finding(
        loop.hop.owner, "loop", f"the {what} to {loop.hop.target} makes mail go round: {way}{outcome}", level
    )


def _unknown(customer: Customer, state: State) -> list[Finding]:
    """Accounts of the customer's domains that are on the target only."""
    domains = {domain.name for domain in customer.domains}
    known = {account.address for account in customer.accounts} | {finding.account for finding in customer.findings}
    return [
        Finding(key, "not_in_snapshot", "the account is on the target only; it is left as it is")
        for key in state.kind(ACCOUNTS)
        if key not in known and place_of(ACCOUNTS, key, {}) in domains
    ]
