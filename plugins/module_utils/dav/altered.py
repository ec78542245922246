# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Objects that the target stores otherwise than it was given them, although it said that all was well.

An ETag is no proof: a server may answer a PUT with one and yet keep the first part of a text only. Everything that a
run writes is read back. What lost something is tried once more in the strict form of the standards, and the form stays
that loses less; what differs then is told, and the original is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from ..errors import ObjectChangedError, ObjectRefusedError
from ..ledger_dav import ALTERED, REPAIRED, DavLedger, ObjectRow, RefusedRow
from . import compare
from .identity import IGNORED
from .model import Collection, Finding, Item, Level
from .outcome import Outcome
from .quarantine import Quarantine, Spot
from .repair import strict
from .sides import Source, Target
from .work import Work

#: So many differences of an object are told.
_SHOWN = 5
_ADDED = ": added"
_STRICT = "the target stores its text in the strict form"
_MENDED = "the target would have lost a part of it, so its text was written in the strict form"


@dataclass
class Alterations:
    """Deals with the altered objects of one account."""

    source: Source
    target: Target
    ledger: DavLedger
    quarantine: Quarantine
    outcome: Outcome
    executor: Executor
    repair: bool

    def settle(self, work: Work) -> None:
        """Deal with those that a look at a collection has shown; they are remembered already as they are."""
        source, target = work.pair.source, work.target
        if not work.plan.altered or source is None or target is None:
            return
        known = {row.source_name: row for row in work.plan.records}
        rows = {row.source_name: known.get(row.source_name, row) for row in work.plan.altered}
        mine = {item.name: item for item in self.source.read(source, list(rows))}
        wanted = [str(rows[name].target_name) for name in mine]
        theirs = {item.name: item for item in self.target.read(target, wanted)}
        jobs = [
            partial(self._one, work, target, rows[name], item, theirs[str(rows[name].target_name)])
            for name, item in mine.items()
            if rows[name].target_name in theirs
        ]
        done = [row for row in self.executor.map(lambda job: job(), jobs) if row is not None]
        if done:
            work.plan.again = True
            self.ledger.save(work.number, done)

    def _one(self, work: Work, target: Collection, row: ObjectRow, mine: Item, theirs: Item) -> ObjectRow | None:
        """Deal with one; its new row when it was written once more."""
        wanted = strict(mine.data, work.kind)
        before = compare.differences(wanted, theirs.data, IGNORED)
        stored, written = theirs, None
        if self.repair and wanted != mine.data and _lost(before):
            stored, written = self._again(target, theirs, mine.data, wanted, len(before))
        self._tell(work, mine, stored, written, wanted)
        if written is None and stored is theirs:
            return None
        digest = compare.digest(stored.data, IGNORED)
        return row._replace(target_version=stored.version, target_seen=stored.version, target_digest=digest)

    def _again(
        self, target: Collection, theirs: Item, data: bytes, wanted: bytes, differences: int
    ) -> tuple[Item, bytes | None]:
        """Write the strict form; what the target has then, and what was written if that is kept."""
        stored = self._write(target, theirs, wanted)
        if stored is None:
            return theirs, None
        if len(compare.differences(wanted, stored.data, IGNORED)) < differences:
            return stored, wanted
        return self._write(target, stored, data) or stored, None

    def _write(self, target: Collection, before: Item, data: bytes) -> Item | None:
        """What the target has after a PUT; None when it does not take it, or somebody else was there first."""
        try:
            self.target.put(target, before.name, data, version=before.version)
        except (ObjectRefusedError, ObjectChangedError):
            return None
        return next(iter(self.target.read(target, [before.name])), None)

    def _tell(self, work: Work, mine: Item, stored: Item, written: bytes | None, wanted: bytes) -> None:
        left = compare.differences(wanted, stored.data, IGNORED)
        if left and all(one.endswith(_ADDED) for one in left) and written is None:
            self._find(work, mine, "note", f"the target adds to it ({_some(left)})")
            return
        words = f"the target stores it otherwise ({_some(left)})" if left else _MENDED if written else _STRICT
        if written and left:
            words = f"{_MENDED}; {words}"
        spot = Spot(self.outcome.target_user, work.kind, work.slug, mine.name)
        path = self.quarantine.keep_source(spot, mine.data)
        row = RefusedRow(mine.name, mine.version, ALTERED if left else REPAIRED, words, str(path))
        work.refused[mine.name] = row
        self.ledger.refuse(work.number, row)
        if not left:
            self.outcome.find([Finding("repaired", words, "warning", work.name, mine.name)])
        else:
            self._find(work, mine, "error" if _lost(left) else "warning", words)

    def _find(self, work: Work, item: Item, level: Level, words: str) -> None:
        self.outcome.find([Finding("altered_by_target", words, level, work.name, item.name)])


def _lost(differences: Sequence[str]) -> bool:
    """Whether something is missing, or may have been shortened."""
    return any(not one.endswith(_ADDED) for one in differences)


def _some(differences: Sequence[str]) -> str:
    more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    return "; ".join(differences[:_SHOWN]) + more
