# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Copying what a folder's plan says: streams that are begun again after a refusal, and the account of what came."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import (
    FolderError,
    MessageUnreadableError,
    MigrationError,
    ServerError,
    ServerFaultError,
    TargetMovedError,
)
from ..ledger import MessageRow
from ..ledger_underway import BatchRow
from .attributes import PLACEHOLDER
from .doveadm import MailboxUpdate
from .folders import show, wire_to_text
from .ladder import Ladder
from .listing import read_fingerprints, search
from .plan import match
from .session import Selected, Session, refusal
from .soundness import PROBE, is_sound
from .transfer import BATCH_MESSAGES, HOPELESS, Appender, BatchRefusedError, copy_messages
from .twins import surplus
from .uidset import MAX_UID, chunks, outside, ranges

if TYPE_CHECKING:
    from .folder import SharedState
    from .folders import Path
    from .outcome import Outcome


#: So many messages of a folder may each be to blame for a fault that the target calls its own; with one more it is not
#: they (a disk that is nearly full takes small messages and refuses others).
_MAX_FAULTS = 2


@dataclass
class Part:
    """Messages to copy in one go, and how far that is. ``uids`` are source UIDs, None for all up to ``last``."""

    uids: Sequence[int] | None
    last: int
    keep_uids: bool
    first: int = 1
    limit: int = BATCH_MESSAGES
    done: bool = False

    def todo(self) -> list[int] | None:
        """The source UIDs still to be copied; None for all from ``first`` on."""
        return None if self.uids is None else [uid for uid in self.uids if uid >= self.first]


@dataclass
class FolderCopy:
    """The copying into one folder. ``folder`` is its number in the ledger, ``reopen`` opens the source folder again.

    Unless it is ``alone`` there, users work in the target folder, and what they do to it is no reason to stop.
    """

    shared: SharedState
    path: Path
    target_name: bytes
    folder: int
    outcome: Outcome
    reopen: Callable[[], Selected]
    ladder: Ladder
    skip: set[int] = field(default_factory=set)
    lost_flags: set[bytes] = field(default_factory=set)
    placeholders: bool = False
    alone: bool = True
    _next: int = 0
    _uidvalidity: int = 0
    _underway: set[int] = field(default_factory=set)
    #: Messages that were given up because the target named a fault of its own, and whether the last one was such.
    _faulty: list[int] = field(default_factory=list)
    _in_a_row: bool = False
    _from_the_future: int = 0
    _undated: int = 0
    _empty: set[int] = field(default_factory=set)
    _unplaced: list[MessageRow] = field(default_factory=list)
    _dropped: dict[int, MigrationError] = field(default_factory=dict)
    _without: dict[bytes, list[int]] = field(default_factory=dict)
    _odd: dict[int, int] = field(default_factory=dict)

    def run(self, part: Part, target: Selected) -> int:
        """Copy a part; a refused batch is halved until the one message is found that is to blame.

        Gives the UID that the target must give out next, 0 where it does not tell its UIDs.

        :raises TargetMovedError: somebody else wrote to the target folder; nothing of this run has been added twice.
        :raises ServerError: a refusal that is about the account or the server; no placeholder is left behind.
        """
        before = target.uidnext
        try:
            self._streams(part, target)
            while again := self._climbed():
                self._streams(Part(again, part.last, keep_uids=False), self.opened(self._next))
        except HOPELESS:
            self._tidy()
            raise
        self._place(before)
        self._add_keywords()
        self._tell_nuls()
        if self._from_the_future:
            count = f"{self._from_the_future} message(s) have a date in the future"
            self.outcome.find(f"{show(self.path)}: {count}, for which the target may have set the time of the copy")
        if self._undated:
            what = f"{self._undated} message(s) have no date on the source, and got the time of the copy"
            self.outcome.find(f"{show(self.path)}: {what}")
        if self.placeholders:
            self._expunge_placeholders()
        if self._underway:
            self._underway.clear()  # refused, or found without having been confirmed one by one
            self.shared.ledger.settled(self.folder)
        return self._next

    def _streams(self, part: Part, target: Selected) -> None:
        while not part.done:
            target = self._one_stream(part, target)

    def _climbed(self) -> list[int]:
        """Messages that were dropped on the way, as far as there is another way to send them; the others are told."""
        dropped, self._dropped = self._dropped, {}
        if dropped:
            self.reopen()
        again = [uid for uid, error in sorted(dropped.items()) if self.ladder.climb(uid, error)]
        self.skip.update(dropped.keys() - again)
        return again

    def _one_stream(self, part: Part, target: Selected) -> Selected:
        """Copy until the part is done or the target refuses a batch; gives the target folder as it is then."""
        self._uidvalidity = target.uidvalidity
        appender = Appender(
            self.shared.target,
            target,
            faithful=part.keep_uids,
            skip_to=self.skip_to,
            confirmed=self._confirmed,
            dropped=self._dropped.__setitem__,
            limit=part.limit,
            held_back=self.shared.held_back,
        )
        appender.alone = self.alone
        appender.announce = self._announced
        messages = self.shared.source.messages(part.todo(), part.first, part.last)
        refused: BatchRefusedError | None = None
        try:
            self._empty.update(copy_messages(messages, appender, self.shared.meter, self.skip, self.ladder.sent))
        except MessageUnreadableError as error:
            self.outcome.find(f"{show(self.path)}: {error.message}")
        except BatchRefusedError as error:
            refused = error
        finally:
            self._next = appender.expected_uid
            self._unplaced += appender.unplaced
            self._from_the_future += appender.from_the_future
            self._undated += appender.undated
            self._odd.update(appender.odd)
            self.lost_flags |= appender.lost_flags
            for keyword, uids in appender.without.items():
                self._without.setdefault(keyword, []).extend(uids)
            self.placeholders = self.placeholders or appender.placeholders > 0
        if refused:
            return self._after_refusal(part, refused)
        part.done = True
        return target

    def _after_refusal(self, part: Part, error: BatchRefusedError) -> Selected:
        self.shared.renew()
        if isinstance(error.cause, HOPELESS) or not self._next:
            # without the UIDs nobody can tell what of that which was under way has been stored: the next run looks
            raise error.cause
        if not error.source_uids:
            if isinstance(error.cause, ServerFaultError):
                self._absolve()
            raise error.cause  # a placeholder: without it there is no way on
        part.first = error.source_uids[0]
        self.reopen()
        if len(error.source_uids) > 1:
            part.limit = max(1, len(error.source_uids) // 2)
        else:
            self._refused_alone(part, part.first, error.cause)
            self.reopen()
        return self.opened(self._next)

    def _refused_alone(self, part: Part, uid: int, error: ServerError) -> None:
        """One message was refused by itself. A server's fault may be its doing; with a second in a row it is not.

        The source folder has to be open.
        """
        part.limit = BATCH_MESSAGES
        if not isinstance(error, ServerFaultError):
            if not self.ladder.climb(uid, error):
                self.skip.add(uid)
            return
        part.limit = 1
        if self._in_a_row or len(self._faulty) >= _MAX_FAULTS or (part.keep_uids and not self._sound_but_for(uid)):
            self._absolve()
            raise error
        self.ladder.give_up(uid, error)
        self.skip.add(uid)
        self._faulty.append(uid)
        self._in_a_row = True

    def _sound_but_for(self, uid: int) -> bool:
        """Whether the target stores other messages: where UIDs are kept, leaving one out costs its UID for good."""
        sent = self.shared.source.fingerprints([uid]).get(uid)
        return is_sound(self.shared.target, self.shared.namespace.name(PROBE), sent.size if sent else 0)

    def _absolve(self) -> None:
        """The messages that were blamed for faults are not to blame: the server is."""
        self.outcome.failures[:] = [one for one in self.outcome.failures if one.get("uid") not in self._faulty]
        for uid in self._faulty:
            self.ladder.take_back(uid)
        self._tidy()

    def opened(self, uidnext: int) -> Selected:
        """Open the target folder, which must be as it was left: with this UIDNEXT, where it is known.

        :raises TargetMovedError: it is not.
        """
        target = self.shared.target.select(self.target_name, read_only=False)
        if uidnext and target.uidnext != uidnext and self.alone:
            raise TargetMovedError(f"the target folder's next UID is {target.uidnext}, and {uidnext} was due")
        return target

    def _announced(self, due: int, source_uids: list[int]) -> None:
        self._underway.add(source_uids[0])
        self.shared.ledger.announce(self.folder, BatchRow(self._uidvalidity, due, tuple(source_uids)))

    def _confirmed(self, rows: list[MessageRow], size: int) -> None:
        self._in_a_row = False
        self.shared.ledger.arrived(self.folder, rows)
        self._underway.difference_update(row.source_uid for row in rows[:1])
        self.outcome.messages_copied += len(rows)
        self.outcome.bytes_copied += size
        self.ladder.arrived(row.source_uid for row in rows)

    def _tell_nuls(self) -> None:
        """Find the messages whose NULs the source has given out as 0x80, and keep their true bytes."""
        odd, self._odd = self._odd, {}
        if not odd:
            return
        digests = {row.source_uid: row.digest or b"" for row in self.shared.ledger.messages_of(self.folder, odd)}
        for one in self.shared.source.reveal(odd, digests):
            self.ladder.nuls_hidden(one.uid, one.data)

    def _add_keywords(self) -> None:
        """Store the keywords that were held back; what the target does not take of them is told, and nothing more."""
        without, self._without = self._without, {}
        for keyword, uids in sorted(without.items()):
            rows = self.shared.ledger.messages_of(self.folder, uids)
            for some in chunks(sorted(row.target_uid for row in rows if row.target_uid)):
                reply = self.shared.target.run(b"UID STORE " + some + b" +FLAGS.SILENT (" + keyword + b")")
                if not reply.ok:
                    self.lost_flags.add(keyword)

    def skip_to(self, uid: int) -> None:
        """Raise the target's UIDNEXT to at least ``uid``."""
        text = wire_to_text(self.target_name)
        if self.shared.doveadm is None or text is None:
            raise FolderError("a big gap in the UIDs can't be made without doveadm")
        self.shared.doveadm.mailbox_update(self.shared.task.target.user, [MailboxUpdate(text, min_next_uid=uid)])

    def _place(self, uidnext: int) -> None:
        """Find the UIDs of messages for which the target told none, by what they are (RFC 4315 is not there)."""
        unplaced, self._unplaced = self._unplaced, []
        if not unplaced:
            return
        source, target = self.shared.source, self.shared.target
        new = [uid for uid in search(target, b"UID %d:*" % max(1, uidnext)) if uid >= uidnext]
        rows = {row.source_uid: row for row in unplaced}
        sent, there = source.fingerprints(sorted(rows)), read_fingerprints(target, new)
        # another run may have brought them as well, and nothing else would tell
        twins = surplus(Counter(sent.values()), there) if self.alone else []
        delete(target, twins)
        found = match(sent, {uid: print_ for uid, print_ in there.items() if uid not in twins})
        self._confirmed([rows[uid]._replace(target_uid=there) for uid, there in found.items()], 0)
        if len(found) < len(rows):
            raise FolderError(f"{len(rows) - len(found)} messages were stored but can't be found again on the target")

    def account(self, wanted: int, before: int, last: int, uids: Iterable[int] | None) -> None:
        """Every message that should have come has come, has been refused, or is no longer on the source.

        ``wanted`` messages were to come, ``before`` were in the ledger before; ``uids`` are those wanted, None for all
        up to ``last``.
        """
        come = self.shared.ledger.message_count(self.folder) - before
        if come + len(self.skip) >= wanted and not len(self.ladder) > len(self.skip):
            return
        # opened anew: a message that somebody has just expunged is still in the old view of the folder
        self.reopen()
        here = self.shared.source.flags()
        self.ladder.gone(here)
        wanted_uids = here if uids is None else [uid for uid in sorted(uids) if uid in here]
        for uid in list(outside(wanted_uids, ranges(self.shared.ledger.each_uid(self.folder, "source")))):
            if uid in self.skip:
                continue
            if uid in self._empty:
                self.ladder.empty(uid)
            elif uid <= last:
                error = MessageUnreadableError("the source lists the message but does not give it out")
                self.outcome.fail(error.at(folder=show(self.path), uid=uid))

    # placeholders

    def _tidy(self) -> None:
        """Remove placeholders before giving up on a folder; if that fails, the next run does it."""
        with contextlib.suppress(MigrationError):
            self.shared.target.select(self.target_name, read_only=False)
            self._expunge_placeholders()

    def _expunge_placeholders(self) -> None:
        expunge(self.shared.target, search(self.shared.target, b"DELETED KEYWORD " + PLACEHOLDER))


def last_uid(source: Selected) -> int:
    """The highest UID that the source folder can hold now."""
    return source.uidnext - 1 if source.uidnext else MAX_UID


def delete(session: Session, uids: Sequence[int]) -> None:
    """Mark messages of the selected folder as deleted and expunge exactly these; ``uids`` ascending."""
    for some in chunks(uids):
        session.must("mark messages as deleted", b"UID STORE " + some + b" +FLAGS.SILENT (\\Deleted)")
    expunge(session, uids)


def expunge(session: Session, uids: Sequence[int]) -> None:
    """Expunge exactly these messages, which are marked as deleted (UID EXPUNGE, RFC 4315); ``uids`` ascending.

    :raises FolderError: the server has no UIDPLUS, and others are marked as well: they would go too.
    """
    if not uids:
        return
    if session.has(b"UIDPLUS"):
        replies = list(session.pipeline((b"UID EXPUNGE " + some,) for some in chunks(uids)))
        if replies[0].status != b"BAD":
            for reply in replies:
                if not reply.ok:
                    raise refusal(reply, "expunge", session)
            return
        session.disbelieve(b"UIDPLUS")
    if search(session, b"DELETED") == list(uids):
        session.must("expunge", b"EXPUNGE")
    else:
        raise FolderError("the target has no UIDPLUS, and other messages here are marked as deleted too")
