# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is tried with an object that the target refuses, and what becomes of it when nothing helps.

As it is → under another name, where its own is odd → after everything else, when it was for its UID: joined to the
series that it is an exception of, else with a UID of its own → mended, rung by rung → its bytes in the quarantine, and
a line that says so. Nothing that was refused is ever forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..errors import ObjectChangedError, ObjectRefusedError
from ..ledger_dav import GONE, REFUSED, REPAIRED, UNSUPPORTED, DavLedger, ObjectRow, RefusedRow
from . import compare
from .identity import IGNORED, facts, is_plain, made_name
from .joining import joined
from .model import Finding, Item
from .outcome import Outcome
from .plan import Do, Step
from .quarantine import Quarantine, Spot
from .repair import Place, Rung, rungs, with_uid
from .sides import Target
from .work import Work

#: Refusals for a UID that another object has: RFC 4791 section 5.3.2.1, RFC 6352 section 6.3.2.1, RFC 6638 section
#: 3.2.4.1.
_UIDS = frozenset({"no-uid-conflict", "unique-scheduling-object-resource"})
_SIZE = "max-resource-size"
#: The collection does not take events, tasks or notes at all (RFC 4791 section 5.3.2.1); a home may take none of them.
_COMPONENT = "supported-calendar-component"
#: Refusals that no other text helps against.
_FINAL = frozenset({_SIZE, "locked", "scheduling"})


@dataclass
class Refusals:
    """The refused objects of one account."""

    target: Target
    ledger: DavLedger
    quarantine: Quarantine
    outcome: Outcome
    repair: bool
    #: What waits until everything else is done: its place may be free then.
    waiting: list[tuple[Work, Step, Item]] = field(default_factory=list)

    def climb(self, work: Work, step: Step, item: Item, error: ObjectRefusedError) -> ObjectRow | None:
        """Try what there is to be tried; what is remembered of the object then, None when it is not on the target.

        :raises ObjectChangedError: somebody else wrote it meanwhile.
        """
        if condition(error) == _COMPONENT:
            return self._not_supported(work, step, item)
        if condition(error) in _UIDS:
            self.waiting.append((work, step, item))
            return None
        if step.do is Do.CREATE and (condition(error) == "name" or not is_plain(step.target_name)):
            name = made_name(step.target_name, work.kind)
            try:
                version = self._put(work, name, item.data, None)
            except ObjectRefusedError as again:
                error = again
            else:
                self.outcome.find([Finding("renamed", f"is called {name} there", "note", work.name, item.name)])
                return self.row(step, item, item.data, version)._replace(target_name=name)
            step = replace(step, target_name=name)
        return self._mended(work, step, item, Rung(item.data, ()), error)

    def come_back(self, work: Work, step: Step, item: Item) -> ObjectRow | None:
        """Try once more what was refused for its UID, now that everything else is done."""
        try:
            return self.row(step, item, item.data, self._put_step(work, step, item.data))
        except ObjectRefusedError as error:
            if condition(error) not in _UIDS:
                return self._mended(work, step, item, Rung(item.data, ()), error)
            if not self.repair:
                self.give_up(work, item, error)
                return None
            if self._join(work, step, item):
                row = ObjectRow(item.name, None, item.version, uid=facts(item.data).uid)
                return row._replace(source_digest=facts(item.data).source_digest)
            uid = Place(self.outcome.target_user, work.slug, item.name).uid
            words = "its UID is another object's, so it got one of its own"
            return self._mended(work, step, item, Rung(with_uid(item.data, uid), (words,)), error)

    def taken(self, work: Work, item: Item) -> None:
        """Note that the target took an object as it is."""
        if work.refused.pop(item.name, None):
            self.ledger.accept(work.number, [item.name])
            self.quarantine.release(self._spot(work, item.name))

    @staticmethod
    def row(step: Step, item: Item, data: bytes, version: str | None) -> ObjectRow:
        """What is remembered of an object that was written as ``data``."""
        mine = facts(item.data)
        digest = mine.digest if data is item.data else compare.digest(data, IGNORED)
        return step.row._replace(
            target_name=step.target_name,
            source_version=item.version,
            target_version=version,
            target_seen=version,
            uid=mine.uid,
            source_digest=mine.source_digest,
            target_digest=digest,
        )

    # the ladder

    def _mended(self, work: Work, step: Step, item: Item, start: Rung, error: ObjectRefusedError) -> ObjectRow | None:
        if not self.repair or condition(error) in _FINAL:
            self.give_up(work, item, error)
            return None
        for rung in self._rungs(work, item, start):
            try:
                version = self._put_step(work, step, rung.data)
            except ObjectRefusedError as again:
                error = again
                continue
            self._told(work, item, rung.done, error)
            return self.row(step, item, rung.data, version)
        self.give_up(work, item, error)
        return None

    def _rungs(self, work: Work, item: Item, start: Rung) -> Iterator[Rung]:
        if start.done:
            yield start
        place = Place(self.outcome.target_user, work.slug, item.name)
        for rung in rungs(start.data, work.kind, place):
            yield Rung(rung.data, (*start.done, *rung.done))

    def _join(self, work: Work, step: Step, item: Item) -> bool:
        """Whether the object was joined to the one that has its UID."""
        uid = facts(item.data).uid
        holder = next(
            (
                row
                for row in self.ledger.objects(work.number).values()
                if uid and row.uid == uid and row.target_name and row.target_seen not in (None, GONE)
                if row.source_name != step.row.source_name
            ),
            None,
        )
        if holder is None or holder.target_name is None or work.target is None:
            return False
        theirs = next(iter(self.target.read(work.target, [holder.target_name])), None)
        whole = joined(theirs.data, item.data) if theirs and theirs.version == holder.target_version else None
        if theirs is None or whole is None:
            return False
        try:
            version = self.target.put(work.target, holder.target_name, whole, version=theirs.version)
        except (ObjectRefusedError, ObjectChangedError):
            return False
        digest = compare.digest(whole, IGNORED)
        self.ledger.save(
            work.number, [holder._replace(target_version=version, target_seen=version, target_digest=digest)]
        )
        work.fresh.add(holder.source_name)
        words = f"it was joined to {holder.source_name}, which has the same UID and is its series"
        self._told(work, item, (words,), ObjectRefusedError("the UID is in use"))
        return True

    def _put_step(self, work: Work, step: Step, data: bytes) -> str | None:
        return self._put(work, step.target_name, data, None if step.do is Do.CREATE else step.version)

    def _put(self, work: Work, name: str, data: bytes, version: str | None) -> str | None:
        if work.target is None:
            raise ObjectRefusedError("its collection is not there")
        return self.target.put(work.target, name, data, version=version)

    # what is said

    def _told(self, work: Work, item: Item, done: tuple[str, ...], error: ObjectRefusedError) -> None:
        path = self.quarantine.keep_source(self._spot(work, item.name), item.data)
        reason = f"{error.message.rstrip('.')}; {', '.join(done)}"
        row = RefusedRow(item.name, item.version, REPAIRED, reason, str(path))
        work.refused[item.name] = row
        self.ledger.refuse(work.number, row)
        self.outcome.find([Finding("repaired", reason, "warning", work.name, item.name)])

    def give_up(self, work: Work, item: Item, error: ObjectRefusedError) -> None:
        """Keep what the target does not take, and say so."""
        path = self.quarantine.keep_source(self._spot(work, item.name), item.data)
        row = RefusedRow(item.name, item.version, REFUSED, error.message, str(path))
        work.refused[item.name] = row
        work.given_up.add(item.name)
        self.ledger.refuse(work.number, row)
        self.outcome.fail(error.at(**work.where(item.name)))

    def _not_supported(self, work: Work, step: Step, item: Item) -> ObjectRow | None:
        """The target has no room for this kind of object: it is told in every run, and not tried again."""
        reason = "the target's calendars do not take this kind of entry (a task or a note, say)"
        row = RefusedRow(item.name, item.version, UNSUPPORTED, reason)
        work.refused[item.name] = row
        self.ledger.refuse(work.number, row)
        if step.do is not Do.CREATE:
            work.given_up.add(item.name)
            return None
        mine = facts(item.data)
        return ObjectRow(item.name, None, item.version, uid=mine.uid, source_digest=mine.source_digest)

    def _spot(self, work: Work, name: str) -> Spot:
        return Spot(self.outcome.target_user, work.kind, work.slug, name)


def condition(error: ObjectRefusedError) -> str:
    """The precondition of the standards that a server named in a refusal; nothing when it named none."""
    return str(error.where.get("condition") or "")
