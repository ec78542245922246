# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One account: survey both sides, plan, carry the plan out, look again until nothing is left to do, remember.

A collection's failure stays that collection's, an object's stays that object's; what concerns the account or a server
ends the account; nothing here ends the run.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from ..errors import (
    CollectionError,
    ConnectionLostError,
    InternalError,
    MigrationError,
    ObjectChangedError,
    ObjectUnreadableError,
    TargetInUseError,
    TimedOutError,
)
from ..ledger_dav import GONE, REFUSED, UNSUPPORTED, CollectionRow, DavLedger, RefusedRow, Settled
from ..tasks import Task
from .altered import Alterations
from .guards import Loss, check_losses
from .looking import Looker
from .model import Collection, Finding, Kind, Properties, Survey
from .outcome import Outcome
from .pairing import Pair, Pairing, free_slug, named, pair, to_amend
from .plan import MIRROR, Do, ObjectsPlan, Sides, plan_objects
from .quarantine import Spot
from .refusals import Refusals
from .sides import Source, Target
from .task import Meter, Setting
from .work import Work
from .writing import Writer

#: So often an account is looked at and written to before it is said that somebody else keeps changing it.
_ROUNDS = 5
#: So often a connection may break without anything having been written in between.
_BREAKS = 2
_SHOWN = 5


def sync_account(task: Task, setting: Setting, ledger: DavLedger, meter: Meter) -> Outcome:
    """Make the target account the same as its source, or plan it in check mode; never raises for the account's sake."""
    outcome = Outcome(task.source.user, task.target.user)
    began = time.monotonic()
    try:
        account = ledger.account(task.source.user, task.target.user)
        with ledger.claimed(account):
            ledger.check_phase(setting.policy.phase)  # another run may have gone on to the next one meanwhile
            try:
                _with_reconnects(task, setting, ledger, account, meter, outcome)
            finally:
                _tell_refused(ledger, account, outcome)
    except MigrationError as error:
        outcome.fail(error)
    except Exception as error:  # noqa: BLE001 - one account's trouble must not be the others'
        outcome.fail(InternalError.of(error))
    outcome.unchanged = not outcome.changed and not outcome.failures
    outcome.seconds = round(time.monotonic() - began, 3)
    return outcome


def _with_reconnects(
    task: Task, setting: Setting, ledger: DavLedger, account: int, meter: Meter, outcome: Outcome
) -> None:
    """Plan anew from what both sides hold when a connection breaks in the middle of the work."""
    breaks, written = 0, 0
    while True:
        try:
            with contextlib.ExitStack() as stack:
                source = setting.open_source(task.source)
                stack.callback(source.close)
                target = setting.open_target(task.target)
                stack.callback(target.close)
                executor = stack.enter_context(ThreadPoolExecutor(setting.connections))
                AccountRun(setting, ledger, account, (source, target), outcome, meter, executor).work()
                return
        except (ConnectionLostError, TimedOutError):
            breaks = 1 if outcome.written > written else breaks + 1
            written = outcome.written
            if breaks > _BREAKS or not written:
                raise


def _tell_refused(ledger: DavLedger, account: int, outcome: Outcome) -> None:
    names = {row.id: row for row in ledger.collections(account)}
    for number, rows in ledger.refused(account).items():
        for row in rows.values():
            where = _shown(names.get(number))
            if row.kind == UNSUPPORTED:
                outcome.find([Finding("component_not_supported", row.reason, "warning", where, row.source_name)])
                continue
            outcome.quarantined.append(
                {
                    "collection": where,
                    "name": row.source_name,
                    "kind": row.kind,
                    "reason": row.reason,
                    "file": row.file or "",
                }
            )


def _shown(row: CollectionRow | None) -> str:
    if row is None:
        return ""
    known = row.source_properties.name if row.source_properties else None
    return known or row.source_key or ""


class AccountRun:
    """The steps on one account, with its connections."""

    def __init__(
        self,
        setting: Setting,
        ledger: DavLedger,
        account: int,
        sides: tuple[Source, Target],
        outcome: Outcome,
        meter: Meter,
        executor: Executor,
    ) -> None:
        self._setting, self._ledger, self._account = setting, ledger, account
        self._source, self._target = sides
        self._outcome, self._meter, self._executor = outcome, meter, executor
        self._policy = setting.policy
        self._mirror = setting.policy.phase == MIRROR
        self._looker = Looker(
            self._source, self._target, ledger, self._policy, outcome, executor, check_mode=setting.check_mode
        )
        self._refusals = Refusals(self._target, ledger, setting.quarantine, outcome, setting.repair)
        self._altered = Alterations(
            self._source, self._target, ledger, setting.quarantine, outcome, executor, setting.repair
        )
        self._there: tuple[Collection, ...] = ()

    def work(self) -> None:
        """Do everything, or plan it in check mode."""
        here, there = self._survey()
        rows = self._ledger.collections(self._account)
        pairing = pair(self._setting.rules, rows, here.collections, there.collections)
        counts = self._ledger.counts(self._account)
        works = self._works(pairing, self._ledger.refused(self._account))
        busy = [work for work in works if self._needs_a_look(work, counts)]
        needed = set(busy)
        idle = [work for work in works if work not in needed]
        busy += self._others(pairing, rows) if busy and not self._mirror else []
        self._link(busy)
        self._count_collections(here, idle, counts)
        sides = self._looker.look(busy, first=True)
        self._forget_refused(busy)
        self._outcome.count(objects=sum(len(one.source) for one in sides))
        self._plan(busy, sides)
        self._check(busy, idle, counts)
        self._tell_plan(busy)
        if self._setting.check_mode:
            self._count_plan(busy)
            return
        self._carry_out(busy)
        self._settle(busy)

    # both sides

    def _survey(self) -> tuple[Survey, Survey]:
        """Both sides at once; the accounts' collections and what there is to say of them."""
        there = self._executor.submit(self._target.survey)
        here = self._source.survey()
        self._there = there.result().collections
        self._outcome.find(here.findings)
        self._outcome.find(there.result().findings)
        return here, there.result()

    def _works(self, pairing: Pairing, refused: Mapping[int, dict[str, RefusedRow]]) -> list[Work]:
        works = []
        for one in pairing.pairs:
            number = one.row.id if one.row else 0
            work = Work(one, number, one.target, refused=dict(refused.get(number, {})))
            if one.target is not None and not one.target.writable and one.source is not None:
                work.failed = True
                self._outcome.fail(CollectionError("the target does not let it be written", collection=one.name))
                continue
            work.amend = to_amend(self._policy.phase, one)
            works.append(work)
        return works

    def _others(self, pairing: Pairing, rows: Sequence[CollectionRow]) -> list[Work]:
        """The target's own collections, after the cut-over: what was moved there is not brought again."""
        known = {row.target_key: row for row in rows if row.source_key is None}
        return [
            Work(Pair(row, None, one), row.id if row else 0, one)
            for one in pairing.others
            for row in [known.get(one.key)]
            if row is None or row.target_state is None or row.target_state != one.state
        ]

    def _link(self, works: Sequence[Work]) -> None:
        """Enter collections that are there on both sides, so that what is seen of them can be remembered."""
        for work in works:
            source, target, row = work.pair.source, work.target, work.pair.row
            key = source.key if source else None
            if row is not None and target is not None and row.target_key == target.key:
                work.target_since = row.target_state
            if row is not None and row.source_key == key:
                work.source_since = row.source_state
            if target is None or self._setting.check_mode or (row is not None and source is None):
                continue
            if row is None or (row.source_key, row.target_key) != (key, target.key):
                work.number = self._ledger.link(self._account, target.kind, key, target.key, row.id if row else None)

    def _forget_refused(self, works: Sequence[Work]) -> None:
        """What was refused and is gone from the source is not to be kept any longer."""
        for work in works:
            gone = [name for name in work.refused if work.source is not None and name not in work.source]
            if not gone or work.failed or self._setting.check_mode:
                continue
            self._ledger.accept(work.number, gone)
            for name in gone:
                del work.refused[name]
                self._setting.quarantine.release(Spot(self._outcome.target_user, work.kind, work.slug, name))

    def _needs_a_look(self, work: Work, counts: Mapping[int, int]) -> bool:
        row, source, target = work.pair.row, work.pair.source, work.target
        if row is None:
            return True
        if source is None:
            return bool(counts.get(work.number))
        if target is None or row.target_key != target.key or row.source_key != source.key:
            return True
        same = source.state is not None and source.state == row.source_state
        same = same and target.state is not None and target.state == row.target_state
        return not same or work.amend != Properties() or self._has_refused(work)

    @staticmethod
    def _has_refused(work: Work) -> bool:
        return any(row.kind == REFUSED for row in work.refused.values())

    def _count_collections(self, here: Survey, idle: Sequence[Work], counts: Mapping[int, int]) -> None:
        calendars = sum(one.kind is Kind.CALENDAR for one in here.collections)
        self._outcome.count(
            calendars=calendars - self._outcome.calendars,
            address_books=len(here.collections) - calendars - self._outcome.address_books,
            objects=sum(counts.get(work.number, 0) for work in idle) - self._outcome.objects,
        )

    # the plan

    def _plan(self, works: Sequence[Work], sides: Sequence[Sides]) -> None:
        moved = frozenset() if self._mirror else self._moved(works, sides)
        for work, one in zip(works, sides, strict=True):
            work.plan = plan_objects(self._policy, one, moved, where=work.name)
            work.plan.steps = [step for step in work.plan.steps if step.row.source_name not in work.given_up]
            work.plan.records = [row for row in work.plan.records if row.source_name not in work.given_up]
            if work.failed:
                work.plan = ObjectsPlan()
            self._outcome.find(work.plan.findings)

    def _moved(self, works: Sequence[Work], sides: Sequence[Sides]) -> frozenset[bytes]:
        """UIDs that the account has elsewhere: in other collections of the target, moved or removed."""
        found = {uid for _number, uid in self._ledger.uids(self._account)}
        for work, one in zip(works, sides, strict=True):
            for name, row in one.rows.items():
                away = row.target_seen is not None and (row.target_seen == GONE or row.target_name not in one.target)
                if row.uid and (away or name not in one.source):
                    found.add(row.uid)
            if work.pair.source is None or not work.number:
                own = (one.target[name].facts for name in one.foreign())
                found |= {facts.uid for facts in own if facts and facts.uid}
        return frozenset(found)

    def _check(self, busy: Sequence[Work], idle: Sequence[Work], counts: Mapping[int, int]) -> None:
        """Stop before anything is written where that would do harm.

        :raises RemovalsError: too much is gone from a side.
        :raises TargetInUseError: something else is where an object should go.
        """
        losses = [Loss(work.name, work.plan.brought, work.plan.gone, work.plan.lost) for work in busy]
        losses += [Loss(work.name, counts.get(work.number, 0)) for work in idle]
        check_losses(self._policy, losses)
        error = self._taken(busy)
        if error:
            raise error

    @staticmethod
    def _taken(works: Sequence[Work]) -> TargetInUseError | None:
        """The error for objects whose place is taken by others; None when there are none."""
        taken = [(work.name, name) for work in works for name in work.plan.conflicts]
        if not taken:
            return None
        shown = ", ".join(f"{name} in {where}" for where, name in taken[:_SHOWN])
        more = f" and {len(taken) - _SHOWN} more" if len(taken) > _SHOWN else ""
        return TargetInUseError(
            f"the target has {len(taken)} objects with the same UID that no run brought and that say something "
            f"else: {shown}{more}",
            collection=taken[0][0],
        )

    def _tell_plan(self, works: Sequence[Work]) -> None:
        for work in works:
            words = []
            if work.target is None and self._makes(work):
                words.append("make")
            if named(work.amend):
                words.append(f"set {', '.join(named(work.amend))}")
            new, changed = work.plan.count(Do.CREATE), work.plan.count(Do.UPDATE, Do.OVERWRITE)
            gone = work.plan.count(Do.REMOVE, Do.DISCARD)
            words += [
                f"{number} {what}"
                for number, what in ((new, "to copy"), (changed, "to change"), (gone, "to remove"))
                if number
            ]
            if words:
                self._outcome.plan.append(f"{work.kind.value.replace('_', ' ')} {work.name}: {', '.join(words)}")

    def _count_plan(self, works: Sequence[Work]) -> None:
        """What a run would do; what was refused before may well be refused again."""
        for work in works:
            again = {name for name, row in work.refused.items() if row.kind == REFUSED}
            steps = [step for step in work.plan.steps if step.row.source_name not in again]
            self._outcome.count(
                objects_copied=sum(step.do is Do.CREATE for step in steps),
                objects_changed=sum(step.do in (Do.UPDATE, Do.OVERWRITE) for step in steps),
                objects_removed=sum(step.do in (Do.REMOVE, Do.DISCARD) for step in steps),
                collections_created=int(work.target is None and self._makes(work)),
                collections_changed=int(bool(named(work.amend))),
            )

    def _makes(self, work: Work) -> bool:
        """Whether a collection that the target does not have is to be made: not an empty one that its user removed."""
        if work.pair.source is None:
            return False
        return self._mirror or work.pair.row is None or any(step.do is Do.CREATE for step in work.plan.steps)

    # doing it

    def _carry_out(self, busy: list[Work]) -> None:
        """Write until a look at the target shows nothing that is left to do."""
        works = list(busy)
        for _round in range(_ROUNDS):
            self._make_and_amend(works)
            works = [work for work in works if not work.failed]
            self._write(works)
            for work in works:
                self._altered.settle(work)
            works = [work for work in works if not work.failed and (work.plan.steps or work.plan.again)]
            if not works:
                return
            self._resurvey(works)
            for work in works:
                work.unseen, work.contested = work.contested, set()
            self._plan(works, self._looker.look(works, first=False))
            self._fail_taken(works)
        for work in works:
            left = sorted({step.row.source_name for step in work.plan.steps})
            if left:
                work.failed = True
                self._outcome.fail(
                    ObjectChangedError(
                        f"{len(left)} objects were changed by somebody else again and again while they were written: "
                        f"{', '.join(left[:_SHOWN])}",
                        **work.where(),
                    )
                )

    def _fail_taken(self, works: Sequence[Work]) -> None:
        """Somebody made an object while it was about to be brought; everything else goes on."""
        for work in works:
            error = self._taken([work])
            if error:
                work.failed = True
                self._outcome.fail(error)

    def _write(self, works: Sequence[Work]) -> None:
        setting = self._setting
        self._meter.expect(sum(work.plan.count(Do.CREATE, Do.UPDATE, Do.OVERWRITE) for work in works))
        Writer(
            self._source,
            self._target,
            self._ledger,
            self._refusals,
            setting.quarantine,
            self._outcome,
            self._meter,
            self._executor,
            setting.connections,
        ).carry_out(works)

    def _make_and_amend(self, works: Sequence[Work]) -> None:
        for work in works:
            if work.failed:
                continue
            try:
                self._make(work)
                self._amend(work)
            except CollectionError as error:
                work.failed = True
                self._outcome.fail(error.at(**work.where()))

    def _make(self, work: Work) -> None:
        source = work.pair.source
        if work.target is None and source is not None and self._makes(work):
            slug = free_slug(source, self._there)
            work.target = self._target.make(source.kind, slug, work.pair.wanted)
            self._there = (*self._there, work.target)
            self._outcome.count(collections_created=1)
            key, known = work.target.key, work.number or None
            work.number = self._ledger.link(self._account, source.kind, source.key, key, known)
            work.plan.again = True
        if work.target is None:
            work.plan.steps = []

    def _amend(self, work: Work) -> None:
        wanted = named(work.amend)
        if not wanted or work.target is None:
            return
        work.plan.again = True
        refused = self._target.amend(work.target, work.amend)
        self._outcome.count(collections_changed=int(bool(set(wanted) - refused)))
        for name in sorted(refused):
            self._outcome.find(
                [Finding("property_refused", f"the target does not take its {name}", "warning", work.name)]
            )
        work.amend = Properties()

    def _resurvey(self, works: Sequence[Work]) -> None:
        """The target's collections as they are now that they were written to."""
        self._there = self._target.survey().collections
        by_key = {one.key: one for one in self._there}
        for work in works:
            if work.target is not None:
                work.target = by_key.get(work.target.key)

    # the end

    def _check_unreadable(self, works: Sequence[Work]) -> None:
        """What the source did not give out may be gone meanwhile; what it lists all the same is a failure."""
        for work in works:
            if not work.unreadable or work.pair.source is None or work.failed:
                continue
            listed = self._source.changes(work.pair.source).versions
            for name in sorted(work.unreadable & listed.keys()):
                self._outcome.fail(
                    ObjectUnreadableError("the source lists it and does not give it out", **work.where(name))
                )

    def _settle(self, busy: Sequence[Work]) -> None:
        """Remember both sides of what is the same now, and forget what is gone on both."""
        self._check_unreadable(busy)
        settled = [
            Settled(
                work.number,
                None if work.unreadable or work.stuck else work.source_state,
                work.target_state,
                work.pair.wanted,
                work.target.properties,
            )
            for work in busy
            if work.number and work.target is not None and not work.failed
        ]
        gone = [work.number for work in busy if work.number and self._is_over(work)]
        self._ledger.settle(self._account, settled, self._outcome.objects)
        if gone:
            self._ledger.drop(gone)

    def _is_over(self, work: Work) -> bool:
        """Whether there is nothing left to be remembered of a collection; an empty one may have been left behind."""
        if work.pair.source is not None or work.pair.row is None or work.pair.row.source_key is None or work.failed:
            return False
        if not self._mirror or self._ledger.objects(work.number):
            return False
        if work.target is not None:
            words = "is gone from the source; on the target it stays, without what runs had brought"
            self._outcome.find([Finding("collection_left", words, "note", work.name)])
        return True
