# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Copying messages: one stream from the source's FETCH into the target's APPEND, nothing waited for in between.

Exactly once, by construction. Messages go out in MULTIAPPEND batches (RFC 3502), each of which is there or is not. The
line end that makes a batch complete is held back until the batch before it has been confirmed: should that one fail,
the connection is dropped and the incomplete batch never happens, so that no message can take another's UID.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from ..errors import (
    ConnectionLostError,
    DayBudgetError,
    DiskFullError,
    FolderGoneError,
    MessageRefusedError,
    MessageUnreadableError,
    MigrationError,
    OverQuotaError,
    ProtocolError,
    ServerError,
    ServerFaultError,
    TargetMovedError,
    ThrottledError,
)
from ..hints import read_hint
from ..ledger import DIGEST_SIZE, MessageRow
from ..transport.dialogue import Reply
from ..transport.wire import Literal, Response, quoted
from .attributes import PLACEHOLDER, PLACEHOLDER_BODY, flag_key, instant, storable, unstorable
from .fetching import Message, ReadingThrottledError, read_over
from .nuls import may_hide
from .session import Selected, Session, refusal
from .uidset import MAX_MODSEQ, expand, number

#: A batch ends with this many messages or bytes; measured: more of either gains nothing (BENCH: 100 to 500).
BATCH_MESSAGES = 500
BATCH_BYTES = 4 * 1024 * 1024
#: Up to this many UIDs a gap is filled with placeholders (24 µs each); above, doveadm skips it (12 ms, and a stop).
GAP_PLACEHOLDERS = 500
#: Single APPENDs that may be under way where the target has no MULTIAPPEND and UIDs are free.
SINGLE_WINDOW = 64

#: What fills a gap in the UIDs.
_GAP = Message(0, b"", b"", len(PLACEHOLDER_BODY), lambda: (PLACEHOLDER_BODY,))
_APPENDUID = re.compile(rb"\[APPENDUID (\d+) ([0-9:,]+)\]", re.IGNORECASE)


class Pacer(Protocol):
    """What slows us down: waits until so much is due."""

    def take(self, messages: int, size: int) -> None:
        """Wait until ``messages`` messages of ``size`` bytes together may be read."""


@dataclass
class Batch:
    """Messages of one APPEND command; a row's target UID is set when the server has told it. None = a placeholder."""

    tag: bytes
    rows: list[MessageRow | None] = field(default_factory=list)
    size: int = 0

    @property
    def source_uids(self) -> list[int]:
        """The source UIDs in it."""
        return [row.source_uid for row in self.rows if row]


class BatchRefusedError(MigrationError):
    """The target refused a batch; nothing of it is there. ``source_uids`` are the messages that were in it."""

    def __init__(self, cause: ServerError, source_uids: list[int]) -> None:
        super().__init__(cause.message)
        self.where = dict(cause.where)
        self.cause = cause
        self.source_uids = source_uids


class ShiftedError(TargetMovedError):
    """A batch got other UIDs than it must have; ``uids`` are those it got: they have to be taken back."""

    def __init__(self, message: str, uids: list[int]) -> None:
        super().__init__(message)
        self.uids = uids


#: A refusal that is about the account or the server, not about one message: there is no use in trying the others.
HOPELESS = (OverQuotaError, DiskFullError, ThrottledError, FolderGoneError, DayBudgetError)


class Appender:
    """Writes messages to the selected folder of the target, in batches, one of which may be under way unconfirmed.

    ``faithful`` gives every message the UID it has on the source; ``skip_to`` raises the folder's UIDNEXT for a big
    gap; ``confirmed`` gets the rows of each batch that the server has confirmed; ``dropped`` is told of a message that
    was refused alone, where that costs no other message anything.

    Unless it is ``alone``, a user works in the folder: then no gap is filled with placeholders, and messages that came
    between ours only mean that those after them get other UIDs.
    """

    def __init__(
        self,
        session: Session,
        selected: Selected,
        *,
        faithful: bool,
        skip_to: Callable[[int], None],
        confirmed: Callable[[list[MessageRow], int], None],
        dropped: Callable[[int, MigrationError], None],
        limit: int = BATCH_MESSAGES,
        held_back: AbstractSet[bytes] = frozenset(),
    ) -> None:
        self._session, self._wire, self._selected = session, session.wire, selected
        #: Whether nobody else works in the folder.
        self.alone = True
        self._faithful, self._skip_to, self._confirmed, self._dropped = faithful, skip_to, confirmed, dropped
        #: Told of a batch before it is complete: the UID due to its first message, and whose messages are in it.
        self.announce: Callable[[int, list[int]], None] = lambda _due, _source_uids: None
        self._now = time.time()
        self._most = append_limit(session.capabilities)
        self._next_uid = selected.uidnext
        #: The UID that the next confirmed message must have got; 0 where the server does not tell such things.
        self.expected_uid = selected.uidnext
        self._limit = limit if session.has(b"MULTIAPPEND") else 1
        self._window = 1 if faithful or session.has(b"MULTIAPPEND") else SINGLE_WINDOW
        self._free_literals = session.has(b"LITERAL+")
        self._binary = session.has(b"BINARY")
        self._held_back = held_back
        self._folder = quoted(session.selected or b"INBOX")
        self._batch: Batch | None = None
        self._waiting: deque[Batch] = deque()
        #: The message that is being sent: a server may refuse it at the head of its literal already.
        self._arriving = 0
        self._flags: dict[bytes, tuple[bytes, bytes, tuple[bytes, ...]]] = {}
        self.placeholders = 0
        self.unplaced: list[MessageRow] = []
        self.lost_flags: set[bytes] = set()
        #: Keywords that were not sent with their messages, and the source UIDs of these.
        self.without: dict[bytes, list[int]] = {}
        #: How many messages had a date later than now, which servers such as Dovecot do not store (APPEND sets now).
        self.from_the_future = 0
        #: How many messages had no date that can be sent (the target then takes the time of the copy).
        self.undated = 0
        #: Source UID → size of messages in which a NUL may have been given out as 0x80 (:mod:`nuls`).
        self.odd: dict[int, int] = {}

    def add(self, message: Message) -> None:
        """Send a message; its batch is complete when it is full."""
        if self._most and message.size > self._most:
            read_over(message)
            self._dropped(message.uid, too_large(message.size, self._most))
            return
        if self._faithful:
            self._fill_gap(message.uid)
        flags, key, without = self._flags.get(message.flags) or self._translate(message.flags)
        for keyword in without:
            self.without.setdefault(keyword, []).append(message.uid)
        if message.careful:
            self._complete()
        self._arriving = message.uid
        batch = self._begin(flags, message.date, message)
        digest = blake2b(digest_size=DIGEST_SIZE)
        for piece in message.pieces():
            digest.update(piece)
            self._wire.send(piece)
            if b"\x80" in piece and may_hide(piece):
                self.odd.setdefault(message.uid, message.size)
        batch.rows.append(MessageRow(message.uid, 0, key, digest.digest()))
        self._arriving = 0
        batch.size += message.size
        self._next_uid += 1
        if len(batch.rows) >= self._limit or batch.size >= BATCH_BYTES or message.careful:
            self._complete()

    def finish(self) -> None:
        """Complete the last batch and wait for every confirmation."""
        if self._batch:
            self._complete()
        self._wire.flush()
        while self._waiting:
            self._confirm_next()

    def _translate(self, flags: bytes) -> tuple[bytes, bytes, tuple[bytes, ...]]:
        """Flags as APPEND takes them here, as the ledger remembers them, and keywords that are held back for now."""
        wanted = storable(flags)
        kept = [one for one in wanted if self._selected.allows(one)]
        self.lost_flags.update({*wanted, *unstorable(flags)} - set(kept))
        now = [one for one in kept if one.lower() not in self._held_back]
        without = tuple(one for one in kept if one not in now)
        self._flags[flags] = (b" ".join(now), flag_key(flags), without)
        return self._flags[flags]

    # gaps

    def _fill_gap(self, uid: int) -> None:
        gap = uid - self._next_uid
        if not self.alone:
            self._skip_gap(uid)
            return
        if gap < 0:
            raise TargetMovedError(f"the target folder's next UID is {self._next_uid}, but UID {uid} is to be written")
        if gap > GAP_PLACEHOLDERS:
            self.finish()
            self._skip_to(uid)
            self._next_uid = self.expected_uid = uid
            return
        for _number in range(gap):
            batch = self._begin(b"\\Deleted " + PLACEHOLDER, b"", _GAP)
            self._wire.send(PLACEHOLDER_BODY)
            batch.rows.append(None)
            self.placeholders += 1
            self._next_uid += 1
            if self._limit == 1:
                self._complete()

    def _skip_gap(self, uid: int) -> None:
        """Where others write, too: skip a gap if the UID is still free then; else the target chooses from here on."""
        if uid != self._next_uid:
            self.finish()
            if self._faithful and uid > self.expected_uid:
                self._skip_to(uid)
                self._next_uid = self.expected_uid = uid
            else:
                self._faithful = False

    # the APPEND command

    def _begin(self, flags: bytes, date: bytes, message: Message) -> Batch:
        """Start a message: the command when there is none, then its flags, date and the literal's head."""
        if self._batch is None:
            self._batch = Batch(self._session.next_tag())
            self._wire.send(self._batch.tag + b" APPEND ")
            if isinstance(self._folder, Literal):
                self._literal_head(len(self._folder.data), b"", wait=False)
                self._wire.send(self._folder.data)
            else:
                self._wire.send(self._folder)
        received = instant(date)
        self.from_the_future += received is not None and received > self._now
        self.undated += received is None and message is not _GAP
        stamp = b' "' + date + b'"' if received is not None else b""
        kind = b" ~" if message.literal8 and self._binary else b" "
        self._literal_head(message.size, b" (" + flags + b")" + stamp + kind, wait=message.careful)
        return self._batch

    def _literal_head(self, size: int, before: bytes, *, wait: bool) -> None:
        if not wait and (self._free_literals or (size <= 4096 and self._session.has(b"LITERAL-"))):
            self._wire.send(before + b"{%d+}\r\n" % size)
            return
        self._wire.send(before + b"{%d}\r\n" % size)
        self._wire.flush()
        while True:
            response = self._wire.response()
            if response.tag == b"+":
                return
            if self._batch and response.tag == self._batch.tag:
                self._refused(self._batch, response)
            self._take(response)

    def _complete(self) -> None:
        """Make the batch complete, once those before it are confirmed as far as they must be."""
        batch, self._batch = self._batch, None
        if batch is None:
            return
        while len(self._waiting) >= self._window:
            self._confirm_next()
        if batch.source_uids:
            self.announce(self._next_uid - len(batch.rows), batch.source_uids)
        self._wire.send(b"\r\n")
        self._wire.flush()
        self._waiting.append(batch)

    # the server's answers

    def _confirm_next(self) -> None:
        waiting = len(self._waiting)
        while len(self._waiting) == waiting:
            self._take(self._wire.response())

    def _take(self, response: Response) -> None:
        if response.tag == b"*":
            if response.text[:4].upper() == b"BYE ":
                raise self._hung_up(response)
            self._session.note(response)
            return
        if not self._waiting or response.tag != self._waiting[0].tag:
            raise ProtocolError(f"the target answered {response.tag[:40]!r}, which was not asked")
        batch = self._waiting.popleft()
        self._session.answered(batch.tag)
        if response.text[:3].upper() != b"OK ":
            self._refused(batch, response)
        else:
            self._place(batch, response)

    def _hung_up(self, response: Response) -> MigrationError:
        """The error for a good-bye in the middle of an APPEND: it may be for the sake of a message in it."""
        error = self._session.ended(response.text)
        batch = self._waiting[0] if self._waiting else self._batch
        if batch is None or not isinstance(error, ConnectionLostError) or read_hint(error.message):
            return error
        return BatchRefusedError(error.become(ServerFaultError), self._uids_of(batch))

    def _uids_of(self, batch: Batch) -> list[int]:
        """Whose messages are in a batch, that which is just arriving among them."""
        return [*batch.source_uids, *([self._arriving] if self._arriving and batch is self._batch else [])]

    def _refused(self, batch: Batch, response: Response) -> None:
        status, _blank, text = response.text.partition(b" ")
        cause = refusal(Reply(status.upper(), text, ()), "store the message", self._session, writing=True)
        alone = self._window > 1 and batch is not self._batch and not isinstance(cause, (*HOPELESS, ServerFaultError))
        if not alone:
            raise BatchRefusedError(cause, self._uids_of(batch))
        for uid in batch.source_uids:
            self._dropped(uid, cause.become(MessageRefusedError))

    def _place(self, batch: Batch, response: Response) -> None:
        """Give the batch's rows their UIDs (RFC 4315 section 3) and hand them on.

        :raises ShiftedError: they are not the next UIDs, so that somebody else has written to the folder meanwhile.
        """
        uids = _given(batch, response)
        if uids is None:
            if self._faithful:
                raise ProtocolError("the target does not tell the UIDs it gave (no APPENDUID)")
            self.unplaced += [row for row in batch.rows if row]
            self.expected_uid = 0
            return
        due = self.expected_uid or uids[0]
        if uids[0] < due:
            raise ProtocolError(f"the target says that it gave UID {uids[0]}, which had been given out before")
        if uids != list(range(due, due + len(uids))) and not self.alone:
            self._faithful = False
        elif uids != list(range(due, due + len(uids))):
            raise ShiftedError(
                f"other mail arrived in the target folder: UID {uids[0]} was given where {due} was due",
                [*uids, *self._rest()],
            )
        self.expected_uid = uids[-1] + 1 if self.expected_uid else 0
        rows = [row._replace(target_uid=uid) for row, uid in zip(batch.rows, uids, strict=True) if row]
        self._confirmed(rows, batch.size)

    def _rest(self) -> Iterator[int]:
        """The UIDs of what is still under way, when all of it is going to be taken back."""
        while self._waiting:
            response = self._wire.response()
            if response.tag == self._waiting[0].tag:
                batch = self._waiting.popleft()
                yield from (_given(batch, response) or ()) if response.text[:3].upper() == b"OK " else ()


def _given(batch: Batch, response: Response) -> list[int] | None:
    """The UIDs that a batch's messages got, ascending as RFC 4315 has it; None when the server does not tell."""
    match = _APPENDUID.search(response.text)
    if match is None:
        return None
    uids = expand(match[2], len(batch.rows))
    if len(uids) != len(batch.rows):
        raise ProtocolError(f"the target confirmed {len(uids)} messages where {len(batch.rows)} were sent")
    return uids


def append_limit(capabilities: Iterable[bytes]) -> int:
    """The most bytes that a message may have (RFC 7889 section 2); 0 where the server does not tell for all folders."""
    limits = (one.partition(b"=")[2] for one in capabilities if one.startswith(b"APPENDLIMIT="))
    return min((number(limit, MAX_MODSEQ) for limit in limits if limit.isdigit()), default=0)


def too_large(size: int, most: int) -> MessageRefusedError:
    """The error for a message that the target is not even asked to take."""
    return MessageRefusedError(
        f"the message is too large: it has {size} bytes, and the target takes {most} (APPENDLIMIT)"
    )


def copy_messages(
    messages: Iterator[Message],
    target: Appender,
    pacer: Pacer,
    skip: Container[int],
    sent: Callable[[Message], Message] = lambda message: message,
) -> list[int]:
    """Send messages to the target. ``skip`` are UIDs not to be sent; ``sent`` gives a message as it is to be sent.

    Gives the UIDs of messages of no bytes at all: those can't be appended (RFC 3502 has that mean "none").
    """
    empty: list[int] = []
    try:
        for message in messages:
            if message.uid in skip:
                read_over(message)
                continue
            if message.size == 0:
                empty.append(message.uid)
                continue
            pacer.take(1, message.size)
            target.add(sent(message))
    except (MessageUnreadableError, ReadingThrottledError, DayBudgetError):
        target.finish()
        raise
    target.finish()
    return empty
