# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which record sets have to be changed, and how what was changed is put back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..transport.nameupdate import RrSet, Swap

_STRING = re.compile(r'"((?:[^"\\]|\\[0-9]{3}|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)
#: Name and type of a record set.
Key = tuple[str, str]


@dataclass(frozen=True)
class Wanted:
    """A record set as it is to be. ``values`` None: as they are, with this TTL; none at all: the set is removed.

    With ``replaces`` only those TXT records are replaced that begin so; the others, and the TTL of the set, stay.
    """

    zone: str
    name: str
    kind: str
    ttl: int
    values: tuple[str, ...] | None
    replaces: str = ""
    when: str = ""

    @property
    def key(self) -> Key:
        """What it is the set of."""
        return self.name, self.kind


@dataclass(frozen=True)
class Kept:
    """A record set that we have changed: as it was before the first time, and as we have set it last.

    ``when`` is what that was for: ``now``, or ``cut_over``.
    """

    zone: str
    name: str
    kind: str
    before: RrSet
    after: RrSet
    when: str = ""

    @property
    def key(self) -> Key:
        """What it is the set of."""
        return self.name, self.kind


def plan(wanted: Sequence[Wanted], current: Mapping[Key, RrSet]) -> list[Swap]:
    """The changes of one zone; what is as it should be is not among them."""
    state = dict(current)
    for one in wanted:
        state[one.key] = _applied(one, state[one.key])
    return _swaps(current, state)


def _applied(one: Wanted, now: RrSet) -> RrSet:
    if one.values is None:
        return RrSet(one.ttl, now.values) if now.values else now
    if not one.replaces:
        return RrSet(one.ttl, tuple(sorted(set(one.values)))) if one.values else RrSet()
    others = [value for value in now.values if not text_of(value).lower().startswith(one.replaces.lower())]
    values = tuple(sorted({*others, *one.values}))
    if not values:
        return RrSet()
    return RrSet(now.ttl if now.values else one.ttl, values)


def put_back(kept: Sequence[Kept], current: Mapping[Key, RrSet], most: int | None) -> tuple[list[Swap], list[Kept]]:
    """The changes that undo ours, and those that can't be undone, as somebody else has changed the same since.

    What others have added to a set stays in it. ``most`` is the highest TTL to set, in seconds.
    """
    state = dict(current)
    conflicts: list[Kept] = []
    for one in kept:
        now = current[one.key]
        if not set(one.after.values) <= set(now.values) and set(now.values) != set(one.before.values):
            conflicts.append(one)
        else:
            state[one.key] = _undone(one, now, most)
    return _swaps(current, state), conflicts


def _undone(one: Kept, now: RrSet, most: int | None) -> RrSet:
    ours = set(one.after.values) - set(one.before.values)
    values = tuple(sorted((set(now.values) - ours) | set(one.before.values)))
    ttl = one.before.ttl if one.before.values else now.ttl
    return RrSet(min(ttl, most) if most is not None else ttl, values) if values else RrSet()


def kept_after(kept: Sequence[Kept], wanted: Sequence[Wanted], swaps: Sequence[Swap], zone: str) -> list[Kept]:
    """What is remembered once these changes are made: the first state of each set, and the last that we have set."""
    found = {(one.zone, *one.key): one for one in kept}
    times = {one.key: one.when for one in wanted}
    for swap in swaps:
        key = (zone, swap.name, swap.kind)
        before = found[key].before if key in found else swap.before
        found[key] = Kept(*key, before, swap.after, times.get((swap.name, swap.kind), ""))
    return [found[key] for key in sorted(found)]


def _swaps(before: Mapping[Key, RrSet], after: Mapping[Key, RrSet]) -> list[Swap]:
    return [Swap(*key, before[key], after[key]) for key in sorted(after) if before[key] != after[key]]


def text_of(value: str) -> str:
    """A TXT record in the form of a zone file as the text that it is, byte by byte."""
    return "".join(_ESCAPE.sub(_char, part) for part in _STRING.findall(value))


def _char(match: re.Match[str]) -> str:
    return chr(int(match[1]) & 255) if match[1].isdigit() and len(match[1]) == 3 else match[1]
