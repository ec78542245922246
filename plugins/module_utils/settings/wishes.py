# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What can be wished for on a target: the customer's things without what can't be there, and findings that say so.

Only things that are wrong wherever they go are left out: whatever else is found, the rest is applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..addresses import address_fault, alias_fault, canonical_address, without_tag
from .model import AutoReply, Customer, Finding, Level
from .schemes import PLAIN
from .target import Capacity, State
from .things import (
    ACCOUNTS,
    ALIASES,
    CONTACTS,
    DOMAINS,
    KINDS,
    SENDERS,
    Attribute,
    Thing,
    place_of,
    shown_as,
    things_of,
)

_WORDS = {
    "display_name": "display name",
    "reply_to": "reply address",
    "time_zone": "time zone",
    "auto_reply": "automatic reply",
    "keep_copy": "keeping a copy",
    "allowed": "allowed senders",
    "blocked": "blocked senders",
    "external": "polled mailboxes",
    "quota_bytes": "quota",
}
# These are cut when they are too long; anything else would mean something else then.
_CUT = frozenset({(ACCOUNTS, "display_name"), (CONTACTS, "name")})


@dataclass(frozen=True)
class Wishes:
    """What is wanted, what was found on the way, and which things (kind, key) were refused."""

    things: tuple[Thing, ...]
    findings: tuple[Finding, ...]
    refused: frozenset[tuple[str, str]]


def wishes(customer: Customer, state: State, capacity: Capacity) -> Wishes:
    """The customer's things as this target can have them."""
    work = _Tidying(state, capacity, {each.name for each in customer.domains})
    things = _folded([_canonical(each) for each in things_of(customer.sorted())], work)
    accounts = {each.key for each in things if each.kind == ACCOUNTS}
    routed = accounts | {each.key for each in things if each.kind == ALIASES}
    kept = []
    for each in things:
        placed = work.placed(each)
        if placed is None:
            continue
        if placed.kind == ACCOUNTS:
            placed = work.account(placed, routed)
        elif placed.kind == ALIASES:
            placed = work.alias(placed)
        fitting = work.fitting(placed) if placed else None
        if fitting is not None:
            kept.append(fitting)
    return Wishes(tuple(kept), tuple(work.findings), frozenset(work.refused))


@dataclass
class _Tidying:
    """Gathers findings while things are looked at."""

    state: State
    capacity: Capacity
    domains: set[str]
    findings: list[Finding] = field(default_factory=list)
    refused: set[tuple[str, str]] = field(default_factory=set)

    def say(self, thing: Thing, kind: str, message: str, level: Level = "warning") -> None:
        """A finding about a thing."""
        self.findings.append(Finding(shown_as(thing.kind, thing.key, thing.fields), kind, message, level))

    def refuse(self, thing: Thing, kind: str, message: str) -> None:
        """The thing is left out."""
        self.say(thing, kind, message, "error")
        self.refused.add((thing.kind, thing.key))

    def placed(self, thing: Thing) -> Thing | None:
        """The thing, unless its domain is not the customer's, or the target has no place for its kind."""
        domain = "" if thing.kind == CONTACTS else place_of(thing.kind, thing.key, thing.fields)
        fault = alias_fault(thing.key) if thing.kind == ALIASES else None
        if fault is not None:
            self.refuse(thing, "address_invalid", f"this is not a name for an alias: {fault}")
            return None
        if domain in self.state.foreign:
            if thing.kind != DOMAINS:
                message = f"the domain {domain} belongs to another subscription on the target"
                self.refuse(thing, "foreign_domain", message)
            return None
        if domain and domain not in self.domains and domain not in self.state.kind(DOMAINS):
            self.refuse(thing, "domain_missing", f"the domain {domain} is not among the customer's domains")
            return None
        places = self.capacity.places.get(thing.kind, frozenset())
        if not places or (thing.kind == SENDERS and not thing.key and "site" not in places):
            if not all(each.says_nothing(thing.fields[each.name]) for each in KINDS[thing.kind]):
                self.say(thing, "no_place", f"the target has no place for this: {_described(thing)}")
            return None
        return thing

    def account(self, thing: Thing, routed: Iterable[str]) -> Thing:
        """Without forwards that are none; one to oneself means that a copy is kept."""
        forwards = []
        keep_copy = thing.fields["keep_copy"]
        for target in thing.fields["forwards"]:
            fault = address_fault(target)
            if fault is not None:
                self.say(thing, "address_invalid", f"the forward to {_shown(target)} is left out: {fault}")
            elif target == thing.key or (target not in routed and without_tag(target) == thing.key):
                keep_copy = True
            else:
                forwards.append(target)
        return _with(thing, forwards=tuple(sorted(set(forwards))), keep_copy=keep_copy or not forwards)

    def alias(self, thing: Thing) -> Thing | None:
        """Without targets that are none; None when nothing is left of it."""
        if thing.key in self.state.kind(ACCOUNTS):
            message = (
                "an account on the target has this address, which the snapshot does not know; the alias is left out"
            )
            self.refuse(thing, "address_taken", message)
            return None
        targets = []
        for target in thing.fields["targets"]:
            fault = alias_fault(target) if thing.key.startswith("@") else address_fault(target)
            if fault is None:
                targets.append(target)
            else:
                self.say(thing, "address_invalid", f"the target {_shown(target)} is left out: {fault}")
        if not targets:
            self.refuse(thing, "alias_empty", "the alias has no target left; it is left out")
            return None
        return _with(thing, targets=tuple(sorted(set(targets))))

    def fitting(self, thing: Thing) -> Thing | None:
        """The thing with what its target can hold; None when its very name or password is too long."""
        limit = self.capacity.limit(thing.kind, "key")
        stored = thing.password.stored if thing.password and thing.password.scheme != PLAIN else ""
        longest = self.capacity.limit(thing.kind, "password")
        if (limit and len(thing.key) > limit) or (longest and len(stored) > longest):
            self.refuse(thing, "value_too_long", "the address or the password is longer than the target can hold")
            return None
        places = self.capacity.places[thing.kind]
        fields = dict(thing.fields)
        homeless = []
        for attribute in KINDS[thing.kind]:
            value = fields[attribute.name]
            if attribute.name in places:
                fields[attribute.name] = self._limited(thing, attribute, value)
                continue
            del fields[attribute.name]
            if not attribute.says_nothing(value) and _matters(thing, attribute.name):
                homeless.append(_WORDS.get(attribute.name, attribute.name.replace("_", " ")))
        if homeless:
            self.say(thing, "no_place", f"the target has no place for: {', '.join(homeless)}")
        held = replace(thing, fields=fields, password=thing.password if "password" in places else None)
        fitting, findings = self.capacity.fit(held)
        self.findings += findings
        if fitting is None:
            self.refused.add((thing.kind, thing.key))
        return fitting

    def _limited(self, thing: Thing, attribute: Attribute, value: Any) -> Any:
        limit = self.capacity.limit(thing.kind, attribute.name)
        if limit is None:
            return value
        words = _WORDS.get(attribute.name, attribute.name)
        if attribute.shape != "value":
            values = value if attribute.shape == "map" else {}
            kept = [name for name in value if max(len(name), _length(values.get(name))) <= limit]
            if len(kept) < len(value):
                message = f"{len(value) - len(kept)} of {words} are longer than {limit} characters and left out"
                self.say(thing, "value_too_long", message)
            return tuple(kept) if attribute.shape == "set" else {name: value[name] for name in kept}
        if isinstance(value, AutoReply):
            value = self._with_subject(thing, value)
        if _length(value) <= limit:
            return value
        if (thing.kind, attribute.name) in _CUT:
            self.say(thing, "value_shortened", f"the {words} is cut to {limit} characters")
            return value[:limit]
        self.say(thing, "value_too_long", f"the {words} is longer than {limit} characters and left out")
        return attribute.silent

    def _with_subject(self, thing: Thing, reply: AutoReply) -> AutoReply:
        limit = self.capacity.limit(thing.kind, "auto_reply_subject")
        if limit is None or len(reply.subject) <= limit:
            return reply
        self.say(thing, "value_shortened", f"the subject of the automatic reply is cut to {limit} characters")
        return replace(reply, subject=reply.subject[:limit])


def _canonical(thing: Thing) -> Thing:
    """Addresses that others may have put into a snapshot as they are written."""
    name = {ACCOUNTS: "forwards", ALIASES: "targets"}.get(thing.kind)
    return thing if name is None else _with(thing, **{name: tuple(map(canonical_address, thing.fields[name]))})


def _folded(things: list[Thing], work: _Tidying) -> list[Thing]:
    """Aliases that have an account's address become forwards of it: the account comes first where mail arrives."""
    accounts = {each.key: each for each in things if each.kind == ACCOUNTS}
    rest = []
    for each in things:
        account = accounts.get(each.key) if each.kind == ALIASES else None
        if account is None:
            rest.append(each)
            continue
        work.say(each, "alias_is_account", _fold_message(each))
        if each.fields["enabled"]:
            accounts[each.key] = _with_targets(account, each.fields["targets"])
    return [accounts.get(each.key, each) if each.kind == ACCOUNTS else each for each in rest]


def _with_targets(account: Thing, targets: tuple[str, ...]) -> Thing:
    """The account with an alias's targets as forwards; it keeps a copy unless it kept none so far."""
    forwards = account.fields["forwards"]
    keeps = account.fields["keep_copy"] or not forwards or account.key in targets
    return _with(account, forwards=(*forwards, *targets), keep_copy=keeps)


def _fold_message(alias: Thing) -> str:
    if not alias.fields["enabled"]:
        return "an account has this address, too; the alias is disabled and left out"
    return "an account has this address, too: the alias's targets become forwards of the account"


def _matters(thing: Thing, name: str) -> bool:
    """Would anybody miss it? Keeping a copy is nothing without forwards, and True what every target does."""
    return name != "keep_copy" or not (thing.fields["keep_copy"] or not thing.fields["forwards"])


def _with(thing: Thing, **fields: Any) -> Thing:
    return replace(thing, fields={**thing.fields, **fields})


def _described(thing: Thing) -> str:
    if thing.kind == SENDERS:
        return f"{len(thing.fields['allowed'])} allowed and {len(thing.fields['blocked'])} blocked senders"
    if thing.kind == ALIASES:
        return f"alias to {', '.join(thing.fields['targets'])}"
    return f"{thing.kind[:-1]} {thing.fields.get('name', thing.key)}"


def _length(value: Any) -> int:
    """Characters of the longest text in a value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return max(map(_length, value.values()), default=0)
    if isinstance(value, tuple | list):
        return max(map(_length, value), default=0)
    return _length([each for each in vars(value).values() if each is not None]) if hasattr(value, "__dict__") else 0


def _shown(value: str) -> str:
    return value if value.isprintable() and len(value) < 100 else ascii(value[:100])[1:-1]
