# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The proof for one account: both sides are read whole and compared. Nothing is written.

A ledger is believed in two things only: which collections belong together, and why an object is not there as it is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..ledger_dav import REPAIRED, UNSUPPORTED, RefusedRow
from .compare import SCHEDULE_AGENT, differences, digest
from .model import Changes, Collection, Finding, Item, Kind, Properties
from .pairing import Pair, Pairing
from .sides import Source

#: At most so many differences of an account are listed; all are counted.
MAX_LISTED = 1000
#: Differences that cost nobody any content: what a collection is called by, and what stands in no object.
CONTENT_KEPT = frozenset({"property", "name", REPAIRED, UNSUPPORTED, "collection_extra_empty"})
_AGENT = frozenset({SCHEDULE_AGENT})
_UID = re.compile(rb"^UID(?:;[^:\r\n]*)?:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
#: So many objects are asked for at a time where two versions are looked at side by side.
_TOGETHER = 50


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same.

    ``what``: ``collection_missing``, ``collection_extra``, ``collection_extra_empty``, ``property`` (``detail`` says
    which), ``count`` (with ``counts`` as depth), ``object_missing``, ``object_extra``, ``name`` (the same object goes
    by another one), ``content``, ``unreadable`` (listed and not given out); and of objects that the target did not take
    as they are ``refused``, ``repaired``, and ``unsupported`` (of a kind that it has not: tasks, for example).
    ``detail`` never holds a value of the object, which is nobody's business; ``file`` has the bytes of the original.
    """

    kind: str
    collection: str
    what: str
    name: str = ""
    detail: str = ""
    file: str = ""


@dataclass
class Verdict:
    """What was found for one account.

    ``identical`` counts everything; ``content_identical`` all but names, properties of collections and named repairs.
    ``held_back`` are objects of the target that carry SCHEDULE-AGENT so that nobody was invited again.
    """

    calendars: int = 0
    address_books: int = 0
    events: int = 0
    contacts: int = 0
    held_back: int = 0
    differences: list[Difference] = field(default_factory=list)
    differences_total: int = 0
    content_kept: int = 0
    findings: tuple[Finding, ...] = ()

    def counted(self, collection: Collection, objects: int) -> None:
        """Count a collection of the source and what is in it; tasks and journal entries are events here."""
        if collection.kind is Kind.CALENDAR:
            self.calendars += 1
            self.events += objects
        else:
            self.address_books += 1
            self.contacts += objects

    @property
    def identical(self) -> bool:
        """Whether both sides are the same in everything."""
        return not self.differences_total

    @property
    def content_identical(self) -> bool:
        """Whether both sides hold the same objects in the same collections."""
        return self.differences_total == self.content_kept

    def note(self, found: Iterable[Difference]) -> None:
        """Count differences, and list them as long as there is room."""
        for difference in found:
            self.differences_total += 1
            self.content_kept += difference.what in CONTENT_KEPT
            if len(self.differences) < MAX_LISTED:
                self.differences.append(difference)


@dataclass(frozen=True)
class _Seen:
    """An object as it was read: digests of what it says, with and without the parameter SCHEDULE-AGENT, and its UID."""

    said: bytes
    bare: bytes
    uid: bytes


Pairer = Callable[[Sequence[Collection], Sequence[Collection]], Pairing]
#: What the ledger knows of objects that the target did not take, by the number of the collection and by name.
Refused = Mapping[int, Mapping[str, RefusedRow]]
_NOTHING: Mapping[str, RefusedRow] = {}


def audit_account(
    source: Source, target: Source, pairer: Pairer, *, depth: str = "full", refused: Refused | None = None
) -> Verdict:
    """Compare an account's calendars and address books.

    ``pairer`` says which collections belong together; ``depth`` is ``counts`` (how many objects there are) or ``full``
    (all that they say).

    :raises MigrationError: a side could not be read.
    """
    here, there = source.survey(), target.survey()
    verdict = Verdict(findings=(*here.findings, *there.findings))
    pairing = pairer(here.collections, there.collections)
    extra = list(pairing.others)
    for pair in pairing.pairs:
        if pair.source is None:
            extra += [pair.target] if pair.target else []
        elif pair.target is None:
            verdict.counted(pair.source, len(_listing(source, pair.source).versions))
            verdict.note([_of(pair.source, "collection_missing")])
        else:
            verdict.note(_properties(pair, pair.source, pair.target))
            known = (refused or {}).get(pair.row.id, _NOTHING) if pair.row else _NOTHING
            both = _Pair(source, target, pair.source, pair.target, verdict, known)
            both.count() if depth == "counts" else both.compare()
    for other in extra:
        what = "collection_extra" if _listing(target, other).versions else "collection_extra_empty"
        verdict.note([_of(other, what)])
    return verdict


def _of(collection: Collection, what: str, name: str = "", detail: str = "") -> Difference:
    return Difference(collection.kind.value, collection.slug, what, name, detail)


def _listing(side: Source, collection: Collection) -> Changes:
    return side.changes(collection, None)


def _properties(pair: Pair, source: Collection, target: Collection) -> Iterator[Difference]:
    """What the source's collection says of itself and the target's does not."""
    for one in fields(Properties):
        wanted, seen = getattr(pair.wanted, one.name), getattr(target.properties, one.name)
        if wanted is not None and not _alike(one.name, wanted, seen):
            yield _of(source, "property", detail=one.name)


def _alike(name: str, wanted: Any, seen: Any) -> bool:
    """Whether two values of a property mean the same."""
    if name == "transparent":
        return bool(wanted) == bool(seen)  # without it a calendar is opaque (RFC 6638 section 9.1)
    if name == "timezone" and seen:
        return digest(wanted.encode()) == digest(seen.encode())
    if name == "color" and seen:
        return _color(wanted) == _color(seen)
    return bool(wanted == seen)


def _color(value: str) -> str:
    """A colour without what does not count: its case, and that it is not transparent."""
    upper = value.strip().upper()
    return upper[:7] if len(upper) == 9 and upper.endswith("FF") else upper


@dataclass(frozen=True)
class _Pair:
    """A collection on both sides."""

    source: Source
    target: Source
    collection: Collection
    other: Collection
    verdict: Verdict
    refused: Mapping[str, RefusedRow]

    def count(self) -> None:
        """Compare how many objects there are."""
        here = len(_listing(self.source, self.collection).versions)
        there = len(_listing(self.target, self.other).versions)
        self.verdict.counted(self.collection, here)
        if here != there:
            self.verdict.note([_of(self.collection, "count", detail=f"source {here}, target {there}")])

    def compare(self) -> None:
        """Compare all that they say: by name, then by what they say, then by UID."""
        here = self._seen(self.source, self.collection)
        there = self._seen(self.target, self.other)
        self.verdict.counted(self.collection, len(here))
        others: list[tuple[str, str]] = []
        for name in sorted(here.keys() & there.keys()):
            mine, theirs = here.pop(name), there.pop(name)
            if mine.bare != theirs.bare:
                others.append((name, name))
            elif mine.said != theirs.said:
                self.verdict.held_back += 1
        moved = list(_paired(here, there, lambda seen: seen.bare))
        self.verdict.note(_of(self.collection, "name", name, f"is {other} on the target") for name, other in moved)
        others += _paired(here, there, lambda seen: seen.uid)
        self._look(others)
        self.verdict.note(self._named("object_missing", name, "") for name in sorted(here))
        self.verdict.note(_of(self.collection, "object_extra", name) for name in sorted(there))

    def _seen(self, side: Source, collection: Collection) -> dict[str, _Seen]:
        """Every object of a side. What is listed and not given out is a difference."""
        names = sorted(_listing(side, collection).versions)
        found = {item.name: _seen(item.data) for item in side.read(collection, names)}
        if missing := [name for name in names if name not in found]:
            # gone between the two questions, or not given out: the next listing tells
            still = _listing(side, collection).versions
            self.verdict.note(_of(collection, "unreadable", name) for name in missing if name in still)
        return found

    def _look(self, pairs: list[tuple[str, str]]) -> None:
        """Say what differs in objects that do."""
        for start in range(0, len(pairs), _TOGETHER):
            some = pairs[start : start + _TOGETHER]
            here = _by_name(self.source.read(self.collection, [name for name, _other in some]))
            there = _by_name(self.target.read(self.other, [other for _name, other in some]))
            self.verdict.note(
                self._difference(name, here.get(name, b""), there.get(other, b"")) for name, other in some
            )

    def _difference(self, name: str, here: bytes, there: bytes) -> Difference:
        return self._named("content", name, "; ".join(differences(here, there, _AGENT)))

    def _named(self, what: str, name: str, detail: str) -> Difference:
        """A difference of an object, with what the ledger knows of it."""
        row = self.refused.get(name)
        if row is None:
            return _of(self.collection, what, name, detail)
        words = "; ".join(word for word in (row.reason, detail) if word)
        return replace(_of(self.collection, row.kind, name, words), file=row.file or "")


def _seen(data: bytes) -> _Seen:
    said = digest(data)
    uid = _UID.search(data)
    return _Seen(said, digest(data, _AGENT) if SCHEDULE_AGENT in data.upper() else said, uid[1].strip() if uid else b"")


def _by_name(items: Iterable[Item]) -> dict[str, bytes]:
    return {item.name: item.data for item in items}


def _paired(
    here: dict[str, _Seen], there: dict[str, _Seen], key: Callable[[_Seen], bytes]
) -> Iterator[tuple[str, str]]:
    """Take out pairs that are alike by ``key``, as a multiset; an empty key is like nothing."""
    waiting: Mapping[bytes, list[str]] = _piles(there, key)
    for name in sorted(here):
        names = waiting.get(key(here[name])) if key(here[name]) else None
        if names:
            other = names.pop()
            del here[name], there[other]
            yield name, other


def _piles(seen: Mapping[str, _Seen], key: Callable[[_Seen], bytes]) -> dict[bytes, list[str]]:
    found: dict[bytes, list[str]] = defaultdict(list)
    for name in sorted(seen, reverse=True):
        found[key(seen[name])].append(name)
    return found
