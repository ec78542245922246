# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One folder of a mailbox: look at both sides, plan, carry the plan out, remember message by message."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import (
    FolderError,
    MigrationError,
    TargetMovedError,
)
from ..ledger import FolderRow, Ledger, MessageRow
from ..ledger_refused import EMPTY
from ..transport.wire import quoted
from .attributes import flag_key
from .copying import FolderCopy, Part, delete, last_uid
from .doveadm import Doveadm, MailboxUpdate
from .fetching import MANY_AT_ONCE, DisorderError
from .folders import INBOX, packed, show, wire_to_text
from .ladder import Ladder, Refusals
from .listing import read_some_flags
from .look import Recognised, Seen, examine_source, look_at
from .making import special_use
from .namespaces import Namespace
from .plan import (
    COMPARE,
    FRESH,
    GONE,
    FolderPlan,
    Look,
    Policy,
    Step,
    plan_folder,
    plan_fresh,
)
from .polite import connect, keep_each_other_alive
from .session import Selected, Session
from .source import Source, open_source
from .storing import store_flags
from .survey import Folder, FolderState
from .transfer import (
    ShiftedError,
)
from .twins import copies_too_many
from .uidset import MAX_UID

if TYPE_CHECKING:
    from ..tasks import Task
    from .outcome import Outcome
    from .task import Meter

_TRIES = 5


@dataclass
class SharedState:
    """What the folders of a mailbox share: above all the connections, made anew when one had to be dropped."""

    source: Source
    target: Session
    doveadm: Doveadm | None
    ledger: Ledger
    mailbox: int
    task: Task
    policy: Policy
    meter: Meter
    namespace: Namespace
    refusals: Refusals
    numbers: list[MailboxUpdate] = field(default_factory=list)
    #: Keywords that the target may not store, and that are therefore added to messages only once these are there.
    held_back: set[bytes] = field(default_factory=set)
    #: Whether the source has given messages out of turn.
    disorderly: bool = False

    def renew(self) -> None:
        """Fresh connections: after an error nobody knows what was still under way on the old ones."""
        self.source.close()
        self.target.wire.close()
        self.source = open_source(self.source.server, self.task.source, self.ledger, self.mailbox)
        if self.disorderly:
            self.source.distrust(MANY_AT_ONCE)
        self.target = connect(self.target.server, self.task.target, meanwhile=self.source.keep_alive)
        self.target.dated = self.source.tells_dates
        keep_each_other_alive(self.source, self.target)

    def raise_numbers(self) -> None:
        """Raise UIDNEXT and HIGHESTMODSEQ of the folders that are done to at least the source's, all in one call."""
        updates, self.numbers = self.numbers, []
        if updates and self.doveadm:
            self.doveadm.mailbox_update(self.task.target.user, updates)


class FolderRun:
    """The steps on one folder."""

    def __init__(self, step: Step, shared: SharedState, row: FolderRow | None, outcome: Outcome) -> None:
        self.step = self._step = step
        self._shared, self._row, self._outcome = shared, row, outcome
        self._source: Selected | None = None
        self._look = Look({}, {})
        self._recognised = Recognised()
        self._reused = False
        #: The folder's number in the ledger and the UIDVALIDITY it is written to under.
        self._target_folder = (0, 0)
        self._known_before = 0
        #: Whether the target has refused to make the folder anew.
        self._kept = False

    # looking and planning

    def decide(self) -> FolderPlan:
        """Look at both sides and plan; writes nothing."""
        step, shared = self._step, self._shared
        if step.action == FRESH and step.source and step.source.state:
            self._source = self._examine_source()
            self._look = Look({}, {}, target_uidnext=1)
            return plan_fresh(step.source.state, shared.policy.of(step.target_path))
        seen = look_at(shared, step, self._row, self._target_name())
        self._source, self._look, self._recognised = seen.source, self._but_empty(seen), seen.recognised
        self._reused = seen.reused
        source = seen.source
        state = FolderState(source.exists, source.uidnext, source.uidvalidity) if source else FolderState()
        replaceable = step.target_path != INBOX and not self._kept
        policy = shared.policy.of(step.target_path, step.source or step.target)
        return plan_folder(self._look, state, policy, replaceable=replaceable)

    def _but_empty(self, seen: Seen) -> Look:
        """What was seen, but for messages of which it is known that they have no bytes: there is nothing to copy."""
        row, source = self._row, seen.source
        if row is None or source is None or row.source_uidvalidity != source.uidvalidity:
            return seen.look
        empty = {uid for uid, one in self._shared.ledger.refused(row.id).items() if one.kind == EMPTY}
        if not empty:
            return seen.look
        return replace(seen.look, source={uid: flags for uid, flags in seen.look.source.items() if uid not in empty})

    def _examine_source(self) -> Selected:
        return examine_source(self._shared, self._step)

    def _target_name(self) -> bytes:
        return self._step.target.name if self._step.target else self._shared.namespace.name(self._step.target_path)

    # doing

    def work(self) -> FolderPlan:
        """Plan and do; when the target folder changes under our hands, plan again from what it holds then."""
        attempt = 0
        self._finish_taking_back()
        while True:
            attempt += 1
            plan = self.decide()
            if plan.trouble:
                raise plan.trouble
            try:
                self._apply(plan)
            except (TargetMovedError, DisorderError) as error:
                self._shared.disorderly = self._shared.disorderly or isinstance(error, DisorderError)
                self._take_back(error.uids if isinstance(error, ShiftedError) else [])
                if attempt == _TRIES:
                    raise
                # two runs that got into each other's way must not do so again in step
                time.sleep(random.uniform(0.0, 0.3) * attempt)  # noqa: S311 - a pause, not a secret
                self._as_found()
            else:
                return plan

    def _take_back(self, uids: list[int]) -> None:
        """On fresh connections, remove messages that this run has just added and that got UIDs they must not have.

        It is tried again and again, and by the next run if need be: what is left here might be there twice in the end.
        """
        if uids:
            self._shared.ledger.withdraw(*self._target_folder, uids)
        for attempt in range(1, _TRIES + 1):
            try:
                self._shared.renew()
                self._undo(*self._target_folder)
            except MigrationError:
                if attempt == _TRIES:
                    raise
                time.sleep(attempt)
            else:
                return

    def _finish_taking_back(self) -> None:
        """Do first what an earlier run was kept from."""
        if self._row and self._step.target:
            self._undo(self._row.id, self._row.target_uidvalidity)

    def _undo(self, folder: int, uidvalidity: int) -> None:
        """Remove what a run has added that must not stay: under UIDs that are known, or as copies too many.

        Nobody knows what became of a batch that was under way when a connection broke or the run was killed, nor which
        UIDs hold after somebody changed the folder's UIDVALIDITY. Then only copies too many are removed.
        """
        ledger, shared = self._shared.ledger, self._shared
        uids, batches = ledger.withdrawals(folder, uidvalidity), ledger.underway(folder)
        if not uids and not batches:
            return
        target = shared.target.select(self._target_name(), read_only=False)
        if uids and target.uidvalidity == uidvalidity:
            delete(shared.target, sorted(read_some_flags(shared.target, uids)))
        elif batches and self._step.source:
            source = self._examine_source()
            row = self._remembered_row()
            if row and row.source_uidvalidity == source.uidvalidity:
                delete(shared.target, copies_too_many(shared, folder, batches, target.uidvalidity))
        ledger.settled(folder)

    def _as_found(self) -> None:
        """From now on the folder is one that exists: what it holds is read again."""
        name = self._target_name()
        target = self._step.target or Folder(name=name, path=self._step.target_path, selectable=True)
        self._step = replace(self._step, action=COMPARE, target=target)
        self._row = self._remembered_row()

    def _remembered_row(self) -> FolderRow | None:
        path = packed(self._step.path)
        rows = self._shared.ledger.folders(self._shared.mailbox)
        return next((row for row in rows if row.source_path == path), None)

    def _apply(self, plan: FolderPlan) -> None:
        target = self._open_target(plan)
        folder = self._begin(plan, target)
        self._target_folder = (folder, target.uidvalidity)
        delete(self._shared.target, plan.placeholders)
        self._remove(plan, folder)
        self._set_flags(plan, target, folder)
        self._known_before = self._shared.ledger.message_count(folder)
        if self._source is None:
            self._remove_folder(plan)
            return
        self._copy(plan, self._source, target, folder)
        self._note_numbers(plan, self._source)

    def _open_target(self, plan: FolderPlan) -> Selected:
        """Open the target folder for writing; one that is to be faithful must have the source's UIDVALIDITY."""
        shared, name = self._shared, self._target_name()
        text = wire_to_text(name)
        if plan.replace:
            self._make_anew(name)
        elif plan.set_uidvalidity and self._step.action == COMPARE and plan.remove:
            # what must go goes first: under the source's UIDVALIDITY nobody could tell that it came from there
            shared.target.select(name, read_only=False)
            delete(shared.target, plan.remove)
        wanted = plan.set_uidvalidity if self._step.action == COMPARE else None
        if plan.renew_uidvalidity:
            wanted = self._new_uidvalidity()
        if wanted and shared.doveadm and text:
            shared.target.unselect()
            shared.doveadm.mailbox_update(shared.task.target.user, [MailboxUpdate(text, uidvalidity=wanted)])
        target = shared.target.select(name, read_only=False)
        if plan.keep_uids and self._source:
            wanted = self._source.uidvalidity
        if self._step.action != GONE and target.uidnext != self._look.target_uidnext:
            raise TargetMovedError("the target folder got other mail since it was looked at")
        if wanted and target.uidvalidity != wanted:
            raise FolderError(
                f"the target folder has UIDVALIDITY {target.uidvalidity} although {wanted} was set by doveadm"
            )
        return target

    def _make_anew(self, name: bytes) -> None:
        """Remove the target folder and make it again; all its messages came from the source, and come again.

        :raises TargetMovedError: the target would not; the folder is then planned as it is.
        """
        target = self._shared.target
        target.unselect()
        removed = target.run(b"DELETE ", quoted(name))
        if not removed.ok:
            self._kept = True
            raise TargetMovedError(f"the target would not remove the folder: {removed.said}")
        target.must("create the folder", b"CREATE ", quoted(name), special_use(self._step, target))
        if self._step.target and self._step.target.subscribed:
            target.must("subscribe", b"SUBSCRIBE ", quoted(name))
        self._look = Look({}, {}, target_uidnext=1)
        self._recognised = Recognised()

    def _new_uidvalidity(self) -> int:
        """A UIDVALIDITY that neither side has had: greater than the old one, as RFC 3501 section 2.3.1.1 wants it."""
        before = self._source.uidvalidity if self._source else 0
        return min(max(int(time.time()), before + 1), MAX_UID)

    def _begin(self, plan: FolderPlan, target: Selected) -> int:
        """Note in the ledger that work on the folder begins, what was recognised, and what no longer holds."""
        row, ledger = self._row, self._shared.ledger
        source = self._source.uidvalidity if self._source else (row.source_uidvalidity if row else 0)
        now = (source, target.uidvalidity)
        before = (row.source_uidvalidity, row.target_uidvalidity) if row else now
        path = packed(self._step.path)
        forget = self._step.action == FRESH or plan.replace or (before != now and not plan.renew_uidvalidity)
        folder = ledger.begin_folder(
            self._shared.mailbox,
            path,
            now,
            plan.fidelity,
            target_path=packed(self._step.target_path),
            reasons=plan.reasons,
            forget=forget or self._reused,
        )
        if self._recognised.uids:
            ledger.add_messages(folder, self._recognised.rows())
        if plan.adopt:
            rows = [MessageRow(uid, pair.target_uid, pair.flags, None) for uid, pair in plan.adopt.items()]
            ledger.add_messages(folder, rows)
        return folder

    def _remove(self, plan: FolderPlan, folder: int) -> None:
        if plan.remove:
            if not plan.replace:
                delete(self._shared.target, plan.remove)
            self._outcome.messages_removed += len(plan.remove)
        if plan.forget:
            self._shared.ledger.forget_messages(folder, plan.forget)

    def _set_flags(self, plan: FolderPlan, target: Selected, folder: int) -> None:
        changed, lost = store_flags(self._shared.target, target, plan.flags)
        self._outcome.flags_changed += changed
        self._lost(lost)
        look = self._look
        now = {uid: flag_key(look.source[uid]) for uid in look.pairs if uid in look.source}
        self._shared.ledger.set_flags(folder, [(uid, key) for uid, key in now.items() if key != look.pairs[uid].flags])

    def _lost(self, flags: set[bytes]) -> None:
        if flags:
            shown = ", ".join(sorted(one.decode("ascii", "replace") for one in flags))
            self._outcome.find(f"{show(self._step.target_path)}: the target can't store the flags {shown}")

    def _remove_folder(self, plan: FolderPlan) -> None:
        """A folder that is gone from the source: removed when nothing but what a run brought was in it."""
        shared, path = self._shared, self._step.target_path
        if plan.foreign or path == INBOX:
            self._outcome.find(f"{show(path)} is gone from the source and kept: it holds {plan.foreign} other messages")
        else:
            shared.target.unselect()
            shared.target.must("remove the folder", b"DELETE ", quoted(self._target_name()))
            self._outcome.folders_removed += 1
        shared.ledger.drop_folder(shared.mailbox, packed(self._step.path))

    def _note_numbers(self, plan: FolderPlan, source: Selected) -> None:
        text = wire_to_text(self._target_name())
        if plan.keep_uids and text and source.uidnext:
            self._shared.numbers.append(
                MailboxUpdate(text, min_next_uid=source.uidnext, min_highest_modseq=source.highestmodseq or None)
            )

    # copying

    def _copy(self, plan: FolderPlan, source: Selected, target: Selected, folder: int) -> None:
        """Copy what the plan says: first what gets its own UID, then what no longer can."""
        shared, name = self._shared, self._target_name()
        ladder = Ladder(shared, self._step.path, folder, source.uidvalidity, self._outcome, self._examine_source)
        copy = FolderCopy(shared, self._step.path, name, folder, self._outcome, self._examine_source, ladder)
        try:
            due = target.uidnext
            if plan.copy or (plan.copy is None and source.exists):
                # a source may tell a UIDNEXT that is too low: what is there is asked for, whatever its UID
                last = MAX_UID if plan.copy is None else last_uid(source)
                due = copy.run(Part(plan.copy, last, plan.keep_uids), target)
            if plan.late:
                if shared.doveadm and source.uidnext > due:
                    copy.opened(due)
                    copy.skip_to(source.uidnext)
                    due = source.uidnext
                copy.run(Part(plan.late, last_uid(source), keep_uids=False), copy.opened(due))
        finally:
            self._lost(copy.lost_flags)
            ladder.close()
        if plan.copy is None:
            copy.account(source.exists, 0, last_uid(source), None)
        else:
            copy.account(plan.copy_count, self._known_before, last_uid(source), (*plan.copy, *plan.late))
