# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What both sides of collections hold now: only what changed is asked for and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial

from ..errors import CollectionError
from ..ledger_dav import GONE, REFUSED, DavLedger, ForeignRow
from .identity import Facts, facts
from .model import Changes, Collection, Finding, Item
from .outcome import Outcome
from .plan import Policy, Seen, Sides, to_read
from .sides import Source, Target
from .work import Work

#: So many objects are read by one thread in a row.
_CHUNK = 100
#: So many bytes of what was read to plan with are kept until it is written.
_KEPT_BYTES = 64 * 1024 * 1024


@dataclass
class Looker:
    """Looks at collections of one account."""

    source: Source
    target: Target
    ledger: DavLedger
    policy: Policy
    outcome: Outcome
    executor: Executor
    check_mode: bool = False
    _kept: int = field(default=0, init=False)

    def look(self, works: Sequence[Work], *, first: bool) -> list[Sides]:
        """What both sides of these collections hold; everything that planning needs of it has been read."""
        sides = list(self.executor.map(partial(self._views, first=first), works))
        wishes = [to_read(self.policy, one) for one in sides]
        jobs: list[Callable[[], None]] = []
        facts_here: list[dict[str, Facts]] = [{} for _work in works]
        facts_there: list[dict[str, Facts]] = [{} for _work in works]
        for number, (work, (here, there)) in enumerate(zip(works, wishes, strict=True)):
            jobs += [partial(self._read_source, work, some, facts_here[number]) for some in _chunks(here)]
            facts_there[number] |= _read_back(work, sides[number], there)
            missing = [name for name in there if name not in facts_there[number]]
            jobs += [partial(self._read_target, work, some, facts_there[number]) for some in _chunks(missing)]
        for done in [self.executor.submit(job) for job in jobs]:
            done.result()
        return [
            self._known(work, one, wish, (mine, theirs))
            for work, one, wish, mine, theirs in zip(works, sides, wishes, facts_here, facts_there, strict=True)
        ]

    # versions

    def _views(self, work: Work, *, first: bool) -> Sides:
        try:
            return self._both(work, first=first)
        except CollectionError as error:
            self._failed(work, error)
            return Sides(work.kind, {}, {}, {})

    def _failed(self, work: Work, error: CollectionError) -> None:
        work.failed = True
        self.outcome.fail(error.at(**work.where()))

    def _both(self, work: Work, *, first: bool) -> Sides:
        work.rows = self.ledger.objects(work.number) if work.number else {}
        foreign = self.ledger.foreign(work.number) if work.number else {}
        if work.source is None:
            work.source = self._source_view(work)
        work.target_view = self._target_view(work, foreign, first=first)
        target = {
            name: Seen(version, _cached(foreign.get(name), version)) for name, version in work.target_view.items()
        }
        source = {name: Seen(version) for name, version in work.source.items()}
        return Sides(work.kind, work.rows, source, target, frozenset(work.fresh))

    def _source_view(self, work: Work) -> dict[str, str]:
        collection = work.pair.source
        if collection is None:
            return {}
        known = {name: one.source_version for name, one in work.rows.items() if one.source_version is not None}
        known |= {name: one.source_version for name, one in work.refused.items() if one.kind == REFUSED}
        since = work.source_since
        work.source_state = collection.state
        if since is not None and since == collection.state:
            return known
        changes = self.source.changes(collection, since)
        self.outcome.find(placed(changes.findings, work))
        work.source_state = changes.state or collection.state
        return _applied(known, changes)

    def _target_view(self, work: Work, foreign: Mapping[str, ForeignRow], *, first: bool) -> dict[str, str]:
        collection = work.target
        if collection is None:
            return {}
        known = {name: one.target_version for name, one in foreign.items()}
        for one in work.rows.values():
            if one.target_name is not None and one.target_seen not in (None, GONE):
                known[one.target_name] = str(one.target_seen)
        since = work.target_since if first else work.target_state
        if first and since is not None and since == collection.state:
            work.target_state = since
            return known
        changes = self.target.changes(collection, since)
        self.outcome.find(placed(changes.findings, work))
        work.target_state = changes.state or collection.state
        return _applied(known, changes)

    # what they say

    def _read_source(self, work: Work, names: Sequence[str], found: dict[str, Facts]) -> None:
        if work.pair.source is None:
            return
        try:
            for item in self.source.read(work.pair.source, names):
                if unreadable(item):
                    self.outcome.find(placed(item.findings, work))
                    continue
                found[item.name] = facts(item.data)
                if self._kept < _KEPT_BYTES:
                    self._kept += len(item.data)
                    work.items[item.name] = item
        except CollectionError as error:
            self._failed(work, error)

    def _read_target(self, work: Work, names: Sequence[str], found: dict[str, Facts]) -> None:
        if work.target is None:
            return
        try:
            for item in self.target.read(work.target, names):
                if unreadable(item):
                    self.outcome.find(placed(item.findings, work))
                    continue
                found[item.name] = facts(item.data)
        except CollectionError as error:
            self._failed(work, error)

    def _known(
        self,
        work: Work,
        sides: Sides,
        wish: tuple[list[str], list[str]],
        found: tuple[Mapping[str, Facts], Mapping[str, Facts]],
    ) -> Sides:
        """The views with what was read. What the source does not give out is left alone, not taken for gone."""
        missing = [name for name in wish[0] if name not in found[0]]
        work.unreadable.update(missing)
        work.given_up.update(missing)
        source = dict(sides.source) | {name: Seen(sides.source[name].version, one) for name, one in found[0].items()}
        target = {name: seen for name, seen in sides.target.items() if name not in wish[1]}
        target |= {name: Seen(sides.target[name].version, one) for name, one in found[1].items()}
        after = replace(sides, source=source, target=target)
        work.fresh = set()
        if work.number and not self.check_mode:
            self._remember_foreign(work, after)
        return after

    def _remember_foreign(self, work: Work, sides: Sides) -> None:
        before = self.ledger.foreign(work.number)
        now: dict[str, ForeignRow] = {}
        for name in sides.foreign():
            seen = sides.target[name]
            if seen.facts:
                now[name] = ForeignRow(name, seen.version, seen.facts.uid, seen.facts.digest)
        new = [row for name, row in now.items() if before.get(name) != row]
        gone = [name for name in before if name not in now]
        if new or gone:
            self.ledger.set_foreign(work.number, new, gone)


def read_items(source: Source, collection: Collection, kept: dict[str, Item], names: Iterable[str]) -> Iterator[Item]:
    """Objects by their names: those that were read already, then the others from their side."""
    missing = []
    for name in names:
        item = kept.pop(name, None)
        if item is not None:
            yield item
        else:
            missing.append(name)
    if missing:
        yield from source.read(collection, missing)


def unreadable(item: Item) -> bool:
    """Whether a side lists an object and does not give it out: it comes without data, and with a finding."""
    return not item.data and any(finding.level == "error" for finding in item.findings)


def _applied(known: Mapping[str, str], changes: Changes) -> dict[str, str]:
    if changes.whole:
        return dict(changes.versions)
    after = {name: version for name, version in known.items() if name not in changes.removed}
    return after | dict(changes.versions)


def _cached(row: ForeignRow | None, version: str) -> Facts | None:
    if row is None or row.target_version != version:
        return None
    return Facts(row.uid, b"", row.digest, 0)


def _read_back(work: Work, sides: Sides, names: Iterable[str]) -> dict[str, Facts]:
    """What is known of these objects of the target since they were written, where they are the same still."""
    seen = {name: work.read_back[name] for name in names if name in work.read_back}
    work.read_back = {}
    return {name: one.facts for name, one in seen.items() if one.facts and one.version == sides.target[name].version}


def placed(findings: Iterable[Finding], work: Work) -> Iterator[Finding]:
    """Findings with the collection that they are about."""
    for finding in findings:
        yield (
            finding
            if finding.collection
            else Finding(finding.kind, finding.message, finding.level, work.name, finding.name)
        )


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _CHUNK):
        yield names[start : start + _CHUNK]
