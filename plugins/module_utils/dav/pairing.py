# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which collection of the source goes to which of the target, and what its properties should be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from ..ledger_dav import CollectionRow
from .model import Collection, Properties
from .plan import MIRROR

#: Of a collection that exists this can't be changed (RFC 4791 section 5.2.3).
_FIXED = frozenset({"components"})


@dataclass(frozen=True)
class Rules:
    """What the operator wants with collections; names are display names or the ends of URLs, ``*`` stands for any."""

    exclude: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    def excluded(self, collection: Collection) -> bool:
        """Whether a collection of the source is left alone."""
        names = [name.casefold() for name in _names(collection)]
        return any(fnmatchcase(name, pattern.casefold()) for name in names for pattern in self.exclude)

    def wanted(self, collection: Collection) -> Properties:
        """The properties that a collection of the source should have on the target."""
        new = next((self.rename[name] for name in _names(collection) if name in self.rename), None)
        return collection.properties if new is None else replace(collection.properties, name=new)


@dataclass(frozen=True)
class Pair:
    """A collection on both sides: None where it is not there (any more, yet). ``row`` is what is remembered of it.

    ``wanted`` are the properties that it should have.
    """

    row: CollectionRow | None
    source: Collection | None
    target: Collection | None
    wanted: Properties = field(default_factory=Properties)

    @property
    def name(self) -> str:
        """What it is called, for people."""
        known = self.source or self.target
        if known is None:
            return str(self.row.source_key if self.row else "")
        return (self.wanted.name if self.source else known.properties.name) or known.slug or known.key


@dataclass(frozen=True)
class Pairing:
    """All pairs of an account, and the collections of the target that belong to none."""

    pairs: tuple[Pair, ...]
    others: tuple[Collection, ...]


def pair(
    rules: Rules, rows: Sequence[CollectionRow], source: Sequence[Collection], target: Sequence[Collection]
) -> Pairing:
    """Put both sides together: as they are remembered, else by the ends of their URLs, else by display name."""
    return _Pairer(rules, rows, source, target).pairing()


class _Pairer:
    def __init__(
        self, rules: Rules, rows: Sequence[CollectionRow], source: Sequence[Collection], target: Sequence[Collection]
    ) -> None:
        self._rules, self._source, self._target = rules, source, target
        self._rows = {row.source_key: row for row in rows if row.source_key is not None}
        self._there = {collection.key: collection for collection in target}
        here = {collection.key for collection in source}
        #: The collections of the target that belong to what is still on the source.
        self._used = {
            row.target_key for key, row in self._rows.items() if key in here and row.target_key in self._there
        }
        #: Remembered collections whose source is gone, by where they went.
        self._left = {row.target_key: row for key, row in self._rows.items() if key not in here}

    def pairing(self) -> Pairing:
        """The pairs in the order of the source, then those that are gone there."""
        pairs = [self._pair(one) for one in self._source if not self._rules.excluded(one)]
        pairs += [Pair(row, None, self._there.get(str(row.target_key))) for row in self._left.values()]
        own = {one.target.key for one in pairs if one.target}
        own |= {str(row.target_key) for row in self._rows.values()}
        return Pairing(tuple(pairs), tuple(one for one in self._target if one.key not in own))

    def _pair(self, source: Collection) -> Pair:
        wanted, row = self._rules.wanted(source), self._rows.get(source.key)
        if row is not None and row.target_key in self._there:
            return Pair(row, source, self._there[str(row.target_key)], wanted)
        found = next(self._candidates(source, wanted), None)
        if found is not None:
            self._used.add(found.key)
            # the same thing, called otherwise on the source now
            row = row or self._left.pop(found.key, None)
        return Pair(row, source, found, wanted)

    def _candidates(self, source: Collection, wanted: Properties) -> Iterator[Collection]:
        free = [one for one in self._target if one.kind is source.kind and one.key not in self._used]
        renamed = wanted.name != source.properties.name
        if not renamed:
            yield from (one for one in free if one.slug == source.slug)
        yield from (one for one in free if wanted.name and wanted.name in (one.properties.name, one.slug))


def free_slug(source: Collection, target: Sequence[Collection]) -> str:
    """The end of the URL for a collection that is to be made: the source's, or one like it that is free."""
    taken = {one.slug for one in target}
    wanted = source.slug.strip("/") or source.kind.value
    if wanted in (".", "..") or "/" in wanted:
        wanted = source.kind.value
    slug, number = wanted, 2
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    return slug


def to_amend(phase: str, one: Pair) -> Properties:
    """The properties that should be set on the target, None for all others.

    In a mirror those that differ, where nothing is remembered; else those that changed on one of the sides since. After
    the cut-over only those that changed on the source, and not on the target.
    """
    if one.source is None or one.target is None:
        return Properties()
    before_here = one.row.source_properties if one.row else None
    before_there = one.row.target_properties if one.row else None
    changes: dict[str, Any] = {}
    for name in (each.name for each in fields(Properties) if each.name not in _FIXED):
        mine, theirs = getattr(one.wanted, name), getattr(one.target.properties, name)
        if before_here is None or before_there is None:
            wanted = phase == MIRROR and mine != theirs
        else:
            here, there = mine != getattr(before_here, name), theirs != getattr(before_there, name)
            wanted = (here or there) if phase == MIRROR else (here and not there)
        if wanted and mine is not None:
            changes[name] = mine
    return Properties(**changes)


def named(properties: Properties) -> list[str]:
    """The names of the properties that are not None."""
    return [each.name for each in fields(Properties) if getattr(properties, each.name) is not None]


def _names(collection: Collection) -> list[str]:
    return [name for name in (collection.properties.name, collection.slug) if name]
