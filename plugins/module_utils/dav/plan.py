# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is to be done with the objects of one collection, from what both sides hold and what is remembered. Pure.

A mirror makes the target what the source is, as far as a mirror brought it. A catch-up brings what is new, and what
changed on the source alone; it removes nothing, and what was changed, moved or removed on the target stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from ..ledger_dav import GONE, ObjectRow
from ..ledger_file import PHASES
from .identity import Facts, free_name
from .model import Finding, Kind, Level

MIRROR, CATCH_UP, CLOSED = PHASES
STOP = "stop"


class Do(StrEnum):
    """What is done to the target; ``overwrite`` and ``discard`` to what somebody else changed, which is saved first."""

    CREATE = "create"
    UPDATE = "update"
    OVERWRITE = "overwrite"
    REMOVE = "remove"
    DISCARD = "discard"


class _Here(Enum):
    """An object on the source, against what is remembered of it."""

    SAME = 1
    CHANGED = 2
    GONE = 3


class _There(Enum):
    """An object on the target, against what a run left there.

    ``ABSENT``: nobody knows that it ever arrived, and it is not there. ``ALTERED``: the server stored something else
    than it was given. ``UNSURE``: it is there, and nobody knows what a run sent.
    """

    SAME = 1
    CHANGED = 2
    GONE = 3
    ABSENT = 4
    ALTERED = 5
    UNSURE = 6


@dataclass(frozen=True)
class Policy:
    """What the operator wants; ``allow_removals`` is a share of what a collection had."""

    phase: str = MIRROR
    used_target: str = STOP
    allow_removals: float = 0.2
    allow_removals_below: int = 10


@dataclass(frozen=True)
class Seen:
    """An object as a side has it now; ``facts`` are None as long as it was not read."""

    version: str
    facts: Facts | None = None


@dataclass(frozen=True)
class Step:
    """Something to be done to one object of the target. ``row`` is what is remembered of it so far.

    ``version`` is the target's version that it is done to, None for what is not there.
    """

    do: Do
    row: ObjectRow
    target_name: str
    version: str | None = None


@dataclass
class ObjectsPlan:
    """The plan for the objects of one collection.

    ``records`` and ``forget`` are for the ledger alone. ``conflicts`` are objects of the source whose place is taken by
    something else that no run brought; ``altered`` are those that the server stored otherwise. Of ``brought`` objects
    ``gone`` are no longer on the source, and ``lost`` no longer on the target. ``again``: look once more afterwards.
    """

    steps: list[Step] = field(default_factory=list)
    records: list[ObjectRow] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    altered: list[ObjectRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    brought: int = 0
    gone: int = 0
    lost: int = 0
    again: bool = False

    def count(self, *kinds: Do) -> int:
        """How many steps are of these kinds."""
        return sum(step.do in kinds for step in self.steps)


@dataclass(frozen=True)
class Sides:
    """A collection as both sides have it now, by object names, and what is remembered of it by the source's names.

    ``fresh`` are names on the source of objects that this very run has written: nobody else had the time to.
    """

    kind: Kind
    rows: Mapping[str, ObjectRow]
    source: Mapping[str, Seen]
    target: Mapping[str, Seen]
    fresh: Collection[str] = ()

    def foreign(self) -> set[str]:
        """The names of objects on the target that no run brought."""
        return set(self.target) - {row.target_name for row in self.rows.values()}

    def new(self) -> list[str]:
        """The names of objects on the source of which nothing is remembered."""
        return [name for name in self.source if name not in self.rows]


def to_read(policy: Policy, sides: Sides) -> tuple[list[str], list[str]]:
    """The objects of the source and of the target that have to be read before it can be said what is to be done."""
    mirror = policy.phase == MIRROR
    foreign = sides.foreign()
    here: list[str] = []
    there = [name for name in foreign if sides.target[name].facts is None]
    departed = False
    for name, row in sides.rows.items():
        mine = sides.source.get(name)
        theirs = sides.target.get(row.target_name) if row.target_name is not None else None
        departed = departed or mine is None
        changed = mine is not None and mine.version != row.source_version
        if changed:
            here.append(name)
        moved = theirs is not None and theirs.version != row.target_version
        asked = moved and (mirror or changed or row.target_version is None)
        if asked or (theirs is not None and name in sides.fresh):
            there.append(str(row.target_name))
    if foreign or departed or not mirror or any(row.target_name is None for row in sides.rows.values()):
        here += sides.new()
    return here, there


def plan_objects(policy: Policy, sides: Sides, moved: Collection[bytes] = (), *, where: str = "") -> ObjectsPlan:
    """The plan for a collection; everything that :func:`to_read` names has been read, or is gone.

    ``moved`` are digests of UIDs that the account has elsewhere: in other collections of the target, or that were
    removed. ``where`` is the collection's name for findings.
    """
    return _Planner(policy, sides, moved, where).plan()


class _Planner:
    """Goes through the objects of one collection; holds the plan as it grows."""

    def __init__(self, policy: Policy, sides: Sides, moved: Collection[bytes], where: str) -> None:
        self._mirror = policy.phase == MIRROR
        self._overwrites = policy.used_target != STOP
        self._sides, self._moved, self._where = sides, moved, where
        self._rows = dict(sides.rows)
        self._plan = ObjectsPlan()
        self._taken = set(sides.target) | {row.target_name for row in self._rows.values() if row.target_name}

    def plan(self) -> ObjectsPlan:
        """Everything that is to be done."""
        self._follow_renames()
        for name, row in list(self._rows.items()):
            if row.target_name is None:
                self._not_brought(name, row)
            else:
                self._known(name, row)
        self._newcomers([name for name in self._sides.source if name not in self._rows])
        self._join_again()
        return self._plan

    # what is known of an object

    def _here(self, name: str, row: ObjectRow) -> _Here:
        seen = self._sides.source.get(name)
        if seen is None:
            return _Here.GONE
        if seen.version == row.source_version:
            return _Here.SAME
        if seen.facts is not None and seen.facts.source_digest == row.source_digest:
            return _Here.SAME
        return _Here.CHANGED

    def _there(self, row: ObjectRow) -> _There:
        seen = self._sides.target.get(str(row.target_name))
        if seen is None:
            return _There.ABSENT if row.target_version is None else _There.GONE
        if seen.facts is None:
            return _There.SAME if seen.version == row.target_version else _There.CHANGED
        if row.target_digest is not None and seen.facts.digest == row.target_digest:
            return _There.SAME
        if row.source_name in self._sides.fresh:
            return _There.ALTERED
        if seen.version == row.target_version:
            return _There.SAME
        return _There.UNSURE if row.target_version is None and row.target_digest is None else _There.CHANGED

    def _equal(self, name: str, row: ObjectRow) -> bool:
        """Whether both sides say the same now."""
        mine, theirs = self._sides.source.get(name), self._sides.target.get(str(row.target_name))
        if mine is None or theirs is None or mine.facts is None or theirs.facts is None:
            return False
        return mine.facts.digest == theirs.facts.digest

    # objects that runs brought

    def _known(self, name: str, row: ObjectRow) -> None:
        here, there = self._here(name, row), self._there(row)
        if row.source_version is not None and row.target_version is not None and row.target_seen != GONE:
            self._plan.brought += 1
            self._plan.gone += here is _Here.GONE and there is not _There.GONE
            self._plan.lost += there is _There.GONE and here is not _Here.GONE
        if there in (_There.CHANGED, _There.UNSURE) and self._equal(name, row):
            self._record(row, both=True)
        elif self._mirror:
            self._mirrored(row, here, there)
        else:
            self._caught_up(row, here, there)

    def _mirrored(self, row: ObjectRow, here: _Here, there: _There) -> None:
        if here is _Here.GONE:
            self._gone_here(row, there)
        elif there in (_There.GONE, _There.ABSENT):
            if there is _There.GONE:
                self._tell("target_removal_undone", "was removed on the target, and is brought again", row)
            self._step(Do.CREATE, row)
        elif there in (_There.CHANGED, _There.UNSURE):
            self._tell("target_change_undone", "was changed on the target; what it said there is saved", row)
            self._step(Do.OVERWRITE, row)
        elif here is _Here.CHANGED:
            self._step(Do.UPDATE, row)
        else:
            self._settle(row, there)

    def _gone_here(self, row: ObjectRow, there: _There) -> None:
        if there is _There.SAME:
            self._step(Do.REMOVE, row)
        elif there in (_There.GONE, _There.ABSENT):
            self._plan.forget.append(row.source_name)
        else:
            self._tell("target_change_undone", "was changed on the target; what it said there is saved", row)
            self._step(Do.DISCARD, row)

    def _caught_up(self, row: ObjectRow, here: _Here, there: _There) -> None:
        if here is _Here.GONE:
            self._keep(row, row._replace(source_version=None), there)
        elif there is _There.ABSENT:
            self._newcomer(row)
        elif here is _Here.SAME or there is _There.ALTERED:
            if here is _Here.CHANGED:
                self._step(Do.UPDATE, row)
            else:
                self._settle(row, there)
        elif there is _There.SAME:
            self._step(Do.UPDATE, row)
        else:
            if there is _There.GONE:
                self._tell(
                    "removed_on_target", "was removed on the target and changed on the source: it stays away", row
                )
            else:
                self._tell("target_wins", "was changed on both sides: the target's own stays", row)
            seen = self._sides.source[row.source_name]
            digest = seen.facts.source_digest if seen.facts else row.source_digest
            self._keep(row, row._replace(source_version=seen.version, source_digest=digest), there)

    def _settle(self, row: ObjectRow, there: _There) -> None:
        """Nothing is to be written; what was learnt is remembered."""
        mine = self._sides.source[row.source_name]
        if there is _There.SAME:
            self._record(row, both=False)
        elif there is _There.ALTERED:
            self._plan.altered.append(row)
            self._record(row, both=True)
        else:
            self._keep(row, row._replace(source_version=mine.version), there)

    def _keep(self, before: ObjectRow, row: ObjectRow, there: _There) -> None:
        """Remember a row, with the version of the target that was seen, and not as ours."""
        theirs = self._sides.target.get(str(row.target_name))
        after = row._replace(target_seen=theirs.version if theirs else GONE)
        if there is _There.SAME and theirs:
            after = after._replace(target_version=theirs.version)
        if after != before:
            self._plan.records.append(after)

    def _record(self, row: ObjectRow, *, both: bool) -> None:
        """Remember the versions of both sides; with ``both`` what they say is the base from now on."""
        mine, theirs = self._sides.source.get(row.source_name), self._sides.target[str(row.target_name)]
        after = row._replace(target_version=theirs.version, target_seen=theirs.version)
        if mine is not None:
            after = after._replace(source_version=mine.version)
        if both and mine is not None and mine.facts:
            after = after._replace(uid=mine.facts.uid, source_digest=mine.facts.source_digest)
        if both and theirs.facts:
            after = after._replace(target_digest=theirs.facts.digest)
        if after != row:
            self._plan.records.append(after)

    def _not_brought(self, name: str, row: ObjectRow) -> None:
        """An object that is not to be brought, as is remembered: after the cut-over, or joined to another one."""
        here = self._here(name, row)
        if here is _Here.SAME:
            version = self._sides.source[name].version
            if version != row.source_version:
                self._plan.records.append(row._replace(source_version=version))
        elif not self._mirror:
            seen = self._sides.source.get(name)
            after = row._replace(source_version=seen.version if seen else None)
            if seen and seen.facts:
                after = after._replace(source_digest=seen.facts.source_digest)
            if after != row:
                self._plan.records.append(after)
        else:
            # what it was joined to is written anew, without it or with what it is now
            self._plan.again = True
            self._plan.forget.append(name)
            self._plan.records += [
                other._replace(source_version=None, source_digest=None)
                for other in self._rows.values()
                if other.uid is not None and other.uid == row.uid and other.target_name is not None
            ]

    # objects that are new on the source

    def _follow_renames(self) -> None:
        """What is gone and came again under another name within its collection is the same object."""
        gone = {row.uid: name for name, row in self._rows.items() if row.uid and name not in self._sides.source}
        if not gone:
            return
        for name in self._sides.new():
            facts = self._sides.source[name].facts
            before = gone.pop(facts.uid, None) if facts and facts.uid else None
            if before is not None:
                row = self._rows.pop(before)
                self._plan.forget.append(before)
                self._rows[name] = row._replace(source_name=name)
                self._plan.records.append(self._rows[name])

    def _newcomers(self, names: list[str]) -> None:
        mates = _mates(self._sides)
        for name in names:
            facts = self._sides.source[name].facts
            mate = mates(name, facts) if facts else None
            row = ObjectRow(name, uid=facts.uid if facts else None)
            if mate is not None:
                self._meet(row._replace(target_name=mate))
            else:
                target_name = free_name(name, self._sides.kind, self._taken)
                self._taken.add(target_name)
                self._newcomer(row._replace(target_name=target_name))

    def _newcomer(self, row: ObjectRow) -> None:
        """Something that is to be made on the target, unless its user has it elsewhere, or wants it no more."""
        facts = self._sides.source[row.source_name].facts
        if not self._mirror and facts and facts.uid in self._moved:
            self._tell("moved", "has been moved or removed: it stays where it is", row)
            self._leave(row)
        else:
            self._step(Do.CREATE, row)

    def _meet(self, row: ObjectRow) -> None:
        """A new object of the source, and one of the target with the same UID that no run brought."""
        if self._equal(row.source_name, row):
            self._record(row, both=True)
        elif not self._mirror:
            self._tell("target_wins", "is there already and says something else: the target's own stays", row)
            self._leave(row)
        elif self._overwrites:
            self._tell("target_change_undone", "was there already; what it said is saved", row)
            self._step(Do.OVERWRITE, row)
        else:
            self._plan.conflicts.append(row.source_name)

    def _leave(self, row: ObjectRow) -> None:
        """Remember that an object is not to be brought."""
        seen = self._sides.source[row.source_name]
        digest = seen.facts.source_digest if seen.facts else None
        self._plan.records.append(row._replace(target_name=None, source_version=seen.version, source_digest=digest))

    def _join_again(self) -> None:
        """What was joined to an object that is written anew has to be joined to it once more."""
        written = {step.row.uid for step in self._plan.steps if step.do in (Do.CREATE, Do.UPDATE, Do.OVERWRITE)}
        for name, row in self._rows.items():
            if self._mirror and row.target_name is None and row.uid in written and name not in self._plan.forget:
                self._plan.again = True
                self._plan.forget.append(name)

    # the plan

    def _step(self, do: Do, row: ObjectRow) -> None:
        name = str(row.target_name)
        seen = None if do is Do.CREATE else self._sides.target.get(name)
        self._plan.steps.append(Step(do, row, name, seen.version if seen else None))

    def _tell(self, kind: str, words: str, row: ObjectRow) -> None:
        level: Level = "warning" if kind.endswith("undone") else "note"
        self._plan.findings.append(Finding(kind, words, level, self._where, row.source_name))


def _mates(sides: Sides) -> Callable[[str, Facts], str | None]:
    """Finds for a new object of the source the one of the target that is the same thing, each once.

    The same thing has the same UID; among several the one of the same name, then one that says the same.
    """
    by_uid: dict[bytes | None, dict[str, Facts]] = {}
    for name in sorted(sides.foreign()):
        theirs = sides.target[name].facts
        if theirs is not None:
            by_uid.setdefault(theirs.uid, {})[name] = theirs

    def find(name: str, mine: Facts) -> str | None:
        there = by_uid.get(mine.uid, {})
        chosen = next(_preferred(name, mine, there), None)
        if chosen is not None:
            del there[chosen]
        return chosen

    return find


def _preferred(name: str, mine: Facts, there: Mapping[str, Facts]) -> Iterator[str]:
    if name in there:
        yield name
    yield from (other for other, theirs in there.items() if theirs.digest == mine.digest)
    if mine.uid is not None:
        yield from there
