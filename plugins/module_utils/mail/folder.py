# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One folder of a mailbox: look at both sides, plan, carry the plan out, remember message by message."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import (
    FolderError,
    MessageRefusedError,
    MessageUnreadableError,
    MigrationError,
    TargetMovedError,
)
from ..ledger import FolderRow, Ledger, MessageRow
from .attributes import PLACEHOLDER, flag_key
from .doveadm import Doveadm, MailboxUpdate
from .folders import INBOX, Namespace, show, wire_to_text
from .plan import (
    COMPARE,
    FAITHFUL,
    FRESH,
    GONE,
    FolderPlan,
    Look,
    Pair,
    Policy,
    Step,
    match,
    plan_folder,
    plan_fresh,
    unknown,
)
from .session import Selected, Session, connect, refusal
from .survey import Fingerprint, Folder, FolderState, read_fingerprints, read_flags, search
from .transfer import (
    BATCH_MESSAGES,
    HOPELESS,
    Appender,
    BatchRefusedError,
    ShiftedError,
    copy_messages,
    fetch_messages,
)
from .uidset import chunks
from .wire import quoted

if TYPE_CHECKING:
    from .mailbox import Meter, Outcome, Task

_TRIES = 3


@dataclass
class SharedState:
    """What the folders of a mailbox share: above all the connections, made anew when one had to be dropped."""

    source: Session
    target: Session
    doveadm: Doveadm | None
    ledger: Ledger
    mailbox: int
    task: Task
    policy: Policy
    meter: Meter
    namespace: Namespace
    numbers: list[MailboxUpdate] = field(default_factory=list)

    def renew(self) -> None:
        """Fresh connections: after an error nobody knows what was still under way on the old ones."""
        self.source.wire.close()
        self.target.wire.close()
        self.source = connect(self.source.server, self.task.source)
        self.target = connect(self.target.server, self.task.target)

    def raise_numbers(self) -> None:
        """Raise UIDNEXT and HIGHESTMODSEQ of the folders that are done to at least the source's, all in one call."""
        updates, self.numbers = self.numbers, []
        if updates and self.doveadm:
            self.doveadm.mailbox_update(self.task.target.user, updates)


class FolderRun:
    """The steps on one folder."""

    def __init__(self, step: Step, shared: SharedState, row: FolderRow | None, outcome: Outcome) -> None:
        self._step, self._shared, self._row, self._outcome = step, shared, row, outcome
        self._source: Selected | None = None
        self._look = Look({}, {})

    # looking and planning

    def decide(self) -> FolderPlan:
        """Look at both sides and plan; writes nothing."""
        step, shared = self._step, self._shared
        if step.action != GONE:
            self._source = self._examine_source()
        if step.action == FRESH and step.source and step.source.state:
            return plan_fresh(step.source.state, shared.policy.of(step.target_path))
        source = self._source
        here = read_flags(shared.source, source.exists) if source else {}
        target = shared.target.select(self._target_name(), read_only=True)
        pairs, ours = self._remembered(source, target)
        look = Look(
            source=here,
            target=read_flags(shared.target, target.exists),
            pairs=pairs,
            ours=ours,
            same_uidvalidity=source is not None and source.uidvalidity == target.uidvalidity,
            target_uidnext=target.uidnext,
        )
        self._look = self._recognised(look)
        state = FolderState(uidvalidity=source.uidvalidity) if source else FolderState()
        return plan_folder(self._look, state, shared.policy.of(step.target_path))

    def _examine_source(self) -> Selected:
        folder = self._step.source
        if folder is None:
            raise FolderError("the folder is not on the source")
        selected = self._shared.source.select(folder.name, read_only=True)
        if folder.state and selected.uidvalidity != folder.state.uidvalidity:
            raise FolderError("the folder's UIDVALIDITY changed on the source while it was read")
        return selected

    def _target_name(self) -> bytes:
        return self._step.target.name if self._step.target else self._shared.namespace.name(self._step.target_path)

    def _remembered(self, source: Selected | None, target: Selected) -> tuple[dict[int, Pair], frozenset[int]]:
        """The ledger's pairs as far as they still hold, and the target UIDs that are ours all the same."""
        row = self._row
        if row is None or row.target_uidvalidity != target.uidvalidity:
            return {}, frozenset()
        rows = self._shared.ledger.messages(row.id)
        if source is not None and row.source_uidvalidity != source.uidvalidity:
            return {}, frozenset(one.target_uid for one in rows)
        return {one.source_uid: Pair(one.target_uid, one.flags) for one in rows}, frozenset()

    def _recognised(self, look: Look) -> Look:
        """Match messages of which no pair is known by what they are: first those with the same UID, then the rest."""
        here, there = unknown(look)
        matched: dict[int, int] = {}
        if look.same_uidvalidity and here & there:
            both = sorted(here & there)
            found = match(*self._fingerprints(both, both))
            matched = {uid: other for uid, other in found.items() if uid == other}
            here, there = here - set(matched), there - set(matched)
        if here and there:
            matched |= match(*self._fingerprints(sorted(here), sorted(there)))
        return replace(look, matched=matched)

    def _fingerprints(self, here: list[int], there: list[int]) -> tuple[dict[int, Fingerprint], dict[int, Fingerprint]]:
        return read_fingerprints(self._shared.source, here), read_fingerprints(self._shared.target, there)

    # doing

    def work(self) -> FolderPlan:
        """Plan and do; when the target folder changes under our hands, plan again from what it holds then."""
        attempt = 0
        while True:
            attempt += 1
            plan = self.decide()
            if plan.trouble:
                raise plan.trouble
            try:
                self._apply(plan)
            except TargetMovedError as error:
                self._shared.renew()
                if isinstance(error, ShiftedError):
                    self._take_back(error.uids)
                if attempt == _TRIES:
                    raise
                self._as_found()
            else:
                return plan

    def _take_back(self, uids: list[int]) -> None:
        """Remove messages that this run has just added and that got UIDs they must not have."""
        self._shared.target.select(self._target_name(), read_only=False)
        self._delete(uids)

    def _as_found(self) -> None:
        """From now on the folder is one that exists: what it holds is read again."""
        name = self._target_name()
        target = self._step.target or Folder(name=name, path=self._step.target_path, selectable=True)
        self._step = replace(self._step, action=COMPARE, target=target)
        self._row = self._remembered_row()

    def _remembered_row(self) -> FolderRow | None:
        path = b"\0".join(self._step.path)
        rows = self._shared.ledger.folders(self._shared.mailbox)
        return next((row for row in rows if row.source_path == path), None)

    def _apply(self, plan: FolderPlan) -> None:
        target = self._open_target(plan)
        folder = self._begin(plan, target)
        self._expunge(plan.placeholders)
        self._remove(plan, folder)
        self._set_flags(plan, target, folder)
        if self._source is None:
            self._remove_folder(plan)
            return
        if plan.copy or (plan.copy is None and self._source.exists):
            self._copy(plan, self._source, target, folder)
        self._note_numbers(plan, self._source)

    def _open_target(self, plan: FolderPlan) -> Selected:
        """Open the target folder for writing; one that is to be faithful must have the source's UIDVALIDITY."""
        shared, name = self._shared, self._target_name()
        text = wire_to_text(name)
        if plan.set_uidvalidity and self._step.action == COMPARE and shared.doveadm and text:
            update = MailboxUpdate(text, uidvalidity=plan.set_uidvalidity)
            shared.target.unselect()
            shared.doveadm.mailbox_update(shared.task.target.user, [update])
        target = shared.target.select(name, read_only=False)
        wanted = self._source.uidvalidity if self._source else 0
        if plan.fidelity == FAITHFUL and self._source and target.uidvalidity != wanted:
            raise FolderError(
                f"the target folder has UIDVALIDITY {target.uidvalidity} although {wanted} was set by doveadm"
            )
        return target

    def _begin(self, plan: FolderPlan, target: Selected) -> int:
        """Note in the ledger that work on the folder begins, what was recognised, and what no longer holds."""
        row, ledger = self._row, self._shared.ledger
        source = self._source.uidvalidity if self._source else (row.source_uidvalidity if row else 0)
        now = (source, target.uidvalidity)
        before = (row.source_uidvalidity, row.target_uidvalidity) if row else now
        path = b"\0".join(self._step.path)
        folder = ledger.begin_folder(self._shared.mailbox, path, now, plan.fidelity, forget=before != now)
        if plan.adopt:
            rows = [MessageRow(uid, pair.target_uid, pair.flags, None) for uid, pair in plan.adopt.items()]
            ledger.add_messages(folder, rows)
        return folder

    def _remove(self, plan: FolderPlan, folder: int) -> None:
        if plan.remove:
            self._delete(plan.remove)
            self._outcome.messages_removed += len(plan.remove)
        if plan.forget:
            self._shared.ledger.forget_messages(folder, plan.forget)

    def _delete(self, uids: Sequence[int]) -> None:
        """Mark messages as deleted and expunge exactly these."""
        for some in chunks(uids):
            self._shared.target.must("mark messages as deleted", b"UID STORE " + some + b" +FLAGS.SILENT (\\Deleted)")
        self._expunge(uids)

    def _expunge(self, uids: Iterable[int]) -> None:
        """Expunge exactly these messages, which are marked as deleted (UID EXPUNGE, RFC 4315)."""
        target, wanted = self._shared.target, sorted(uids)
        if not wanted:
            return
        if not target.has(b"UIDPLUS"):
            if set(search(target, b"DELETED")) != set(wanted):
                raise FolderError("the target has no UIDPLUS, and other messages here are marked as deleted too")
            target.must("expunge", b"EXPUNGE")
            return
        for some in chunks(wanted):
            target.must("expunge", b"UID EXPUNGE " + some)

    def _set_flags(self, plan: FolderPlan, target: Selected, folder: int) -> None:
        session = self._shared.target
        for change in plan.flags:
            add = [one for one in change.add if target.allows(one)]
            self._lost(set(change.add) - set(add))
            verbs = [(b"+FLAGS.SILENT", add), (b"-FLAGS.SILENT", list(change.remove))]
            commands = [
                (b"UID STORE " + some + b" " + verb + b" (" + b" ".join(flags) + b")",)
                for some in chunks(change.uids)
                for verb, flags in verbs
                if flags
            ]
            for reply in session.pipeline(commands):
                if not reply.ok:
                    raise refusal(reply, "store flags", session)
            self._outcome.flags_changed += len(change.uids) if commands else 0
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
        shared.ledger.drop_folder(shared.mailbox, b"\0".join(self._step.path))

    def _note_numbers(self, plan: FolderPlan, source: Selected) -> None:
        text = wire_to_text(self._target_name())
        if plan.fidelity == FAITHFUL and text and source.uidnext:
            self._shared.numbers.append(
                MailboxUpdate(text, min_next_uid=source.uidnext, min_highest_modseq=source.highestmodseq or None)
            )

    # copying

    def _copy(self, plan: FolderPlan, source: Selected, target: Selected, folder: int) -> None:
        """Copy what the plan says; a refused batch is halved until the one message is found that is to blame."""
        copy = _Copy(plan, self._last_uid(source), folder, target)
        try:
            while not copy.done:
                self._one_stream(copy)
        except HOPELESS:
            self._tidy()
            raise
        finally:
            self._lost(copy.lost_flags)
        if copy.placeholders:
            self._expunge(search(self._shared.target, b"DELETED KEYWORD " + PLACEHOLDER))
        self._account(copy, source)

    def _last_uid(self, source: Selected) -> int:
        return source.uidnext - 1 if source.uidnext else 2**32 - 1

    def _one_stream(self, copy: _Copy) -> None:
        shared = self._shared
        faithful = copy.plan.fidelity == FAITHFUL
        before = copy.target.uidnext
        appender = Appender(
            shared.target,
            copy.target,
            faithful=faithful,
            skip_to=self._skip_to,
            confirmed=lambda rows, size: self._confirmed(copy.folder, rows, size),
            dropped=lambda uid, error: self._dropped(copy, uid, error),
            limit=copy.limit,
        )
        messages = fetch_messages(shared.source, copy.todo(), copy.first, copy.last)
        try:
            copy_messages(messages, appender, shared.meter, copy.skip)
            copy.done = True
        except MessageUnreadableError as error:
            copy.done = True
            self._outcome.find(f"{show(self._step.path)}: {error.message}")
        except BatchRefusedError as error:
            self._after_refusal(copy, error)
        finally:
            copy.lost_flags |= appender.lost_flags
            copy.placeholders = copy.placeholders or appender.placeholders > 0
        self._place(appender.unplaced, before, copy.folder)

    def _after_refusal(self, copy: _Copy, error: BatchRefusedError) -> None:
        self._shared.renew()
        if isinstance(error.cause, HOPELESS):
            raise error.cause
        if len(error.source_uids) > 1:
            copy.limit = max(1, len(error.source_uids) // 2)
        else:
            copy.limit = BATCH_MESSAGES
            for uid in error.source_uids:
                self._dropped(copy, uid, error.cause.become(MessageRefusedError))
        copy.first = error.source_uids[0] if error.source_uids else copy.first
        self._examine_source()
        copy.target = self._shared.target.select(self._target_name(), read_only=False)

    def _confirmed(self, folder: int, rows: list[MessageRow], size: int) -> None:
        self._shared.ledger.add_messages(folder, rows)
        self._outcome.messages_copied += len(rows)
        self._outcome.bytes_copied += size

    def _dropped(self, copy: _Copy, uid: int, error: MigrationError) -> None:
        copy.skip.add(uid)
        self._outcome.fail(error.at(folder=show(self._step.path), uid=uid))

    def _skip_to(self, uid: int) -> None:
        """Raise the target's UIDNEXT over a big gap."""
        shared, text = self._shared, wire_to_text(self._target_name())
        if shared.doveadm is None or text is None:
            raise FolderError("a big gap in the UIDs needs doveadm")
        shared.doveadm.mailbox_update(shared.task.target.user, [MailboxUpdate(text, min_next_uid=uid)])

    def _place(self, unplaced: list[MessageRow], uidnext: int, folder: int) -> None:
        """Find the UIDs of messages for which the target told none, by what they are (RFC 4315 is not there)."""
        if not unplaced:
            return
        shared = self._shared
        new = [uid for uid in search(shared.target, b"UID %d:*" % max(1, uidnext)) if uid >= uidnext]
        rows = {row.source_uid: row for row in unplaced}
        found = match(*self._fingerprints(sorted(rows), new))
        placed = [rows[uid]._replace(target_uid=there) for uid, there in found.items()]
        self._confirmed(folder, placed, 0)
        if len(found) < len(rows):
            raise FolderError(f"{len(rows) - len(found)} messages were stored but can't be found again on the target")

    def _account(self, copy: _Copy, source: Selected) -> None:
        """Every message that should have come has come, has been refused, or is no longer on the source."""
        shared = self._shared
        wanted = copy.plan.copy_count if copy.plan.copy is not None else source.exists
        come = shared.ledger.message_count(copy.folder) - (0 if copy.plan.copy is None else len(self._alive()))
        if come + len(copy.skip) >= wanted:
            return
        here = read_flags(shared.source, 1)
        known = {row.source_uid for row in shared.ledger.messages(copy.folder)} | copy.skip
        asked = set(here) if copy.plan.copy is None else set(copy.plan.copy)
        for uid in sorted(asked & set(here) - known):
            if uid <= copy.last:
                error = MessageUnreadableError("the source lists the message but does not give it out")
                self._outcome.fail(error.at(folder=show(self._step.path), uid=uid))

    def _alive(self) -> set[int]:
        return {uid for uid in (*self._look.pairs, *self._look.matched) if uid in self._look.source}

    def _tidy(self) -> None:
        """Remove placeholders before giving up on a folder; if that fails, the next run does it."""
        with contextlib.suppress(MigrationError):
            self._shared.target.select(self._target_name(), read_only=False)
            self._expunge(search(self._shared.target, b"DELETED KEYWORD " + PLACEHOLDER))


@dataclass
class _Copy:
    """How far the copying of one folder is."""

    plan: FolderPlan
    last: int
    folder: int
    target: Selected
    first: int = 1
    limit: int = BATCH_MESSAGES
    skip: set[int] = field(default_factory=set)
    lost_flags: set[bytes] = field(default_factory=set)
    placeholders: bool = False
    done: bool = False

    def todo(self) -> list[int] | None:
        """The source UIDs still to be copied; None for all from ``first`` on."""
        return None if self.plan.copy is None else [uid for uid in self.plan.copy if uid >= self.first]
