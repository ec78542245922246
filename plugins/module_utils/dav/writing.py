# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Carrying out the plan of an account's collections: several threads, each with a connection to either side.

The ledger is written twice for some dozens of objects: before they are sent, so that a run that dies leaves word of
what may be there, and when the answers have come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial

from ..errors import CollectionError, ObjectChangedError, ObjectRefusedError
from ..ledger_dav import DavLedger, ObjectRow
from .identity import facts
from .looking import placed, read_items, unreadable
from .model import Item
from .outcome import Outcome
from .plan import Do, Seen, Step
from .quarantine import Quarantine, Spot
from .refusals import Refusals
from .sides import Source, Target
from .task import Meter
from .work import Work

#: Some servers answer 412 to an object that is too large for them.
_NOT_THERE = "the server says again and again that it is there already, and lists no such object: is it too large?"
#: So many objects are read and written by one thread in a row.
_CHUNK = 50


@dataclass
class Writer:
    """Writes the objects of one account."""

    source: Source
    target: Target
    ledger: DavLedger
    refusals: Refusals
    quarantine: Quarantine
    outcome: Outcome
    meter: Meter
    executor: Executor
    threads: int
    _ended: threading.Event = field(default_factory=threading.Event, init=False)

    def carry_out(self, works: Sequence[Work]) -> None:
        """Do what is planned: what is new and what changed, then what goes, then what had to wait for both.

        :raises MigrationError: something that ends the account; what was done until then is remembered.
        """
        for work in works:
            if work.plan.records or work.plan.forget:
                self.ledger.save(work.number, work.plan.records, work.plan.forget)
                self.ledger.accept(work.number, work.plan.forget)
        self._run(self._write_chunk, works, (Do.CREATE, Do.UPDATE, Do.OVERWRITE))
        self._run(self._remove_chunk, works, (Do.REMOVE, Do.DISCARD))
        waiting, self.refusals.waiting = self.refusals.waiting, []
        for work, step, item in sorted(waiting, key=lambda one: (one[0].number, one[2].name)):
            self._come_back(work, step, item)

    def _run(self, what: Callable[[Work, Sequence[Step]], None], works: Sequence[Work], kinds: Iterable[Do]) -> None:
        """Do all steps of these kinds, some at a time; the first thing that ends the account ends it for all."""
        wanted = frozenset(kinds)
        each = [(work, [step for step in work.plan.steps if step.do in wanted]) for work in works]
        total = sum(len(steps) for _work, steps in each)
        size = max(1, min(_CHUNK, total // (self.threads * 3)))
        futures: list[Future[None]] = []
        for work, steps in each:
            for start in range(0, len(steps), size):
                job = partial(self._guarded, what, work, steps[start : start + size])
                futures.append(self.executor.submit(job))
        for future in futures:
            future.result()

    def _guarded(self, what: Callable[[Work, Sequence[Step]], None], work: Work, steps: Sequence[Step]) -> None:
        if self._ended.is_set() or work.failed:
            return
        try:
            what(work, steps)
        except CollectionError as error:
            work.failed = True
            self.outcome.fail(error.at(**work.where()))
        except BaseException:
            self._ended.set()
            raise

    # what is new, and what changed

    def _write_chunk(self, work: Work, steps: Sequence[Step]) -> None:
        if work.pair.source is None:
            return
        todo = {step.row.source_name: step for step in steps}
        announced = [step.row._replace(target_version=None, target_seen=None) for step in steps if step.do is Do.CREATE]
        if announced:
            self.ledger.save(work.number, announced)
        rows: list[ObjectRow] = []
        absent: list[str] = []
        try:
            for item in read_items(self.source, work.pair.source, work.items, list(todo)):
                if unreadable(item):
                    self.outcome.find(placed(item.findings, work))
                    continue
                step = todo.pop(item.name, None)
                if step is None or self._ended.is_set():
                    continue
                row = self._written(work, step, item)
                if row is not None:
                    rows.append(row)
                elif step.do is Do.CREATE:
                    absent.append(item.name)
            if not self._ended.is_set():  # what is left has not been given out
                work.unreadable.update(todo)
                work.given_up.update(todo)
                absent += [name for name, step in todo.items() if step.do is Do.CREATE]
        finally:
            self.ledger.save(work.number, rows, absent)
        self._read_back(work, rows)

    def _read_back(self, work: Work, rows: Sequence[ObjectRow]) -> None:
        """See what the target made of what it was given, while other threads still write."""
        names = [row.target_name for row in rows if row.target_name is not None]
        if not names or work.target is None or self._ended.is_set():
            return
        for item in self.target.read(work.target, names):
            if not unreadable(item):
                work.read_back[item.name] = Seen(item.version, facts(item.data))

    def _written(self, work: Work, step: Step, item: Item) -> ObjectRow | None:
        """Write one object; what is remembered of it then, None when it is not on the target as it should be."""
        self.outcome.find(placed(item.findings, work))
        try:
            if step.do is Do.OVERWRITE:
                self._save_target(work, step)
            row: ObjectRow | None
            try:
                row = self._put(work, step, item)
                self.refusals.taken(work, item)
            except ObjectRefusedError as error:
                row = self.refusals.climb(work, step, item, error)
        except ObjectChangedError:
            if step.do is Do.CREATE and item.name in work.unseen:
                self.refusals.give_up(work, item, ObjectRefusedError(_NOT_THERE))
            work.contested.add(item.name)
            return None
        if row is not None and row.target_name is not None:
            self._count(work, step, item)
        return row

    def _put(self, work: Work, step: Step, item: Item) -> ObjectRow:
        if work.target is None:
            raise CollectionError("the collection is not there")
        limit = work.target.max_size
        if limit is not None and len(item.data) > limit:
            raise ObjectRefusedError(
                f"it has {len(item.data)} bytes, the server takes {limit}", condition="max-resource-size"
            )
        version = None if step.do is Do.CREATE else step.version
        return self.refusals.row(
            step, item, item.data, self.target.put(work.target, step.target_name, item.data, version=version)
        )

    def _count(self, work: Work, step: Step, item: Item) -> None:
        size = len(item.data)
        work.fresh.add(item.name)
        if step.do is Do.CREATE:
            self.outcome.count(objects_copied=1, bytes_copied=size)
        else:
            self.outcome.count(objects_changed=1, bytes_copied=size)
        if work.source is not None and item.name in work.source:
            work.source[item.name] = item.version
        self.meter.take(1, size)

    def _come_back(self, work: Work, step: Step, item: Item) -> None:
        try:
            row = self.refusals.come_back(work, step, item)
        except ObjectChangedError:
            work.contested.add(item.name)
            return
        if row is not None:
            self.ledger.save(work.number, [row])
            self._count(work, step, item)

    # what goes

    def _remove_chunk(self, work: Work, steps: Sequence[Step]) -> None:
        if work.target is None:
            return
        gone: list[str] = []
        try:
            for step in steps:
                if self._ended.is_set():
                    return
                try:
                    if step.do is Do.DISCARD:
                        self._save_target(work, step)
                    self.target.remove(work.target, step.target_name, version=step.version or "")
                except ObjectChangedError:
                    work.contested.add(step.row.source_name)
                    continue
                except ObjectRefusedError as error:
                    work.stuck = True
                    work.given_up.add(step.row.source_name)
                    self.outcome.fail(error.at(**work.where(step.row.source_name)))
                    continue
                gone.append(step.row.source_name)
                self.outcome.count(objects_removed=1)
        finally:
            self.ledger.save(work.number, [], gone)
            self.ledger.accept(work.number, gone)

    def _save_target(self, work: Work, step: Step) -> None:
        """Keep what somebody else wrote before it is overwritten or removed.

        :raises ObjectChangedError: it is another version by now.
        """
        if work.target is None:
            raise CollectionError("the collection is not there")
        item = next(iter(self.target.read(work.target, [step.target_name])), None)
        if item is None or item.version != step.version:
            raise ObjectChangedError("it was changed meanwhile")
        spot = Spot(self.outcome.target_user, work.kind, work.slug, step.target_name)
        path = self.quarantine.keep_target(spot, item.data)
        entry = {
            "collection": work.name,
            "name": step.row.source_name,
            "kind": "target_version",
            "reason": "what the target said before it was overwritten or removed",
            "file": str(path),
        }
        if entry not in self.outcome.quarantined:
            self.outcome.quarantined.append(entry)
