# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Reading what is in a folder: which messages, their flags, dates and sizes, and what they are recognised by."""

from __future__ import annotations

import hashlib
import re
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ..errors import FolderError, ProtocolError
from ..transport.dialogue import Reply
from ..transport.wire import Response, Value
from .attributes import PLACEHOLDER_BODY, flag_key, instant
from .session import Session, folder_refusal, refusal
from .uidset import MAX_MODSEQ, MAX_UID, chunks, number

_IS_FETCH = re.compile(rb"\d+ FETCH \(", re.IGNORECASE)
_ATTRIBUTES_LINE = re.compile(
    rb'\d+ FETCH \(UID (\d{1,10}) FLAGS \(([^()]*)\) INTERNALDATE "([^"]*)" RFC822\.SIZE (\d{1,18})\)'
)
_FLAGS_LINE = re.compile(rb"\* \d+ FETCH \(UID (\d{1,10}) FLAGS \(([^()\r\n]*)\)\)\r\n")


class Listing(Mapping[int, bytes]):
    """UID → flags (as the server wrote them) of a folder's messages, ascending; eight bytes a message.

    A folder of a million messages is no reason to need much memory; the flags are few, and each is kept once.
    """

    def __init__(self) -> None:
        self._uids = array("I")
        self._kinds = array("I")
        self._table: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self._ascending = True

    @classmethod
    def of(cls, flags: Mapping[int, bytes]) -> Self:
        """A listing of what a dictionary holds."""
        made = cls()
        for uid in sorted(flags):
            made.add(uid, flags[uid])
        return made

    def add(self, uid: int, flags: bytes) -> None:
        """Enter a message. Servers give them in ascending order; for what comes out of turn, the last word counts.

        :raises ProtocolError: no server can have such a UID (RFC 3501 section 2.3.1.1).
        """
        if not 0 < uid <= MAX_UID:
            raise ProtocolError(f"the server told a message of UID {uid}")
        kind = self._numbers.get(flags)
        if kind is None:
            kind = self._numbers[flags] = len(self._table)
            self._table.append(flags)
        self._ascending = self._ascending and (not self._uids or uid > self._uids[-1])
        self._uids.append(uid)
        self._kinds.append(kind)

    def _settle(self) -> None:
        """Put in order what came out of turn."""
        if not self._ascending:
            last = dict(zip(self._uids, self._kinds, strict=True))
            self._uids = array("I", sorted(last))
            self._kinds = array("I", (last[uid] for uid in self._uids))
            self._ascending = True

    def index(self, uid: int) -> int:
        """The place of a message in the listing, -1 when it is not there."""
        self._settle()
        at = bisect_left(self._uids, uid)
        return at if at < len(self._uids) and self._uids[at] == uid else -1

    def at(self, index: int) -> tuple[int, bytes]:
        """UID and flags of the message at a place."""
        self._settle()
        return self._uids[index], self._table[self._kinds[index]]

    def __getitem__(self, uid: int) -> bytes:
        at = self.index(uid)
        if at < 0:
            raise KeyError(uid)
        return self._table[self._kinds[at]]

    def __contains__(self, uid: object) -> bool:
        return isinstance(uid, int) and self.index(uid) >= 0

    def __iter__(self) -> Iterator[int]:
        self._settle()
        return iter(self._uids)

    def __len__(self) -> int:
        self._settle()
        return len(self._uids)


def read_flags(session: Session, exists: int) -> Listing:
    """The flags of every message in the selected folder, in which there were ``exists`` when it was opened.

    A message that is left out would count as gone. Where there are fewer, it is searched for those that are there: a
    server that lists fewer than it finds is not believed.

    :raises FolderError: not all messages are listed.
    """
    if not exists:
        return Listing()
    command = b"UID FETCH 1:* (UID FLAGS)"
    found = _listed(session, command)
    if len(found) >= exists:
        return found
    there = search(session, b"UID 1:*")
    if any(uid not in found for uid in there):
        found = _listed(session, command)  # one may just have come
    missing = [uid for uid in there if uid not in found]
    if missing and set(missing) & set(search(session, b"UID 1:*")):  # one may just have gone
        raise FolderError(
            f"the server does not list all messages that it says are there: {len(missing)} left out,"
            f" UID {missing[0]} is the first",
            **session.place(),
        )
    return found


def read_some_flags(session: Session, uids: Iterable[int]) -> dict[int, bytes]:
    """UID → flags of those of some messages in the selected folder that are there; ``uids`` ascending."""
    wanted = list(uids)
    found: dict[int, bytes] = {}
    for some in chunks(wanted):
        found.update(_listed(session, b"UID FETCH " + some + b" (UID FLAGS)"))
    # what nobody asked for may come as well: news of other messages
    return {uid: found[uid] for uid in wanted if uid in found}


def _listed(session: Session, command: bytes) -> Listing:
    found = Listing()
    wire = session.wire
    tag = session.start(command)
    wire.flush()
    while True:
        wire.ensure_line()
        match = wire.match(_FLAGS_LINE)
        if match:
            found.add(int(match[1]), match[2])
            wire.skip(len(match[0]))
            continue
        response = wire.response()
        if response.tag == tag:
            session.answered(tag)
            break
        if response.tag == b"*":
            session.note(response)
            note_flags(response, found)
    if not response.text.upper().startswith(b"OK"):
        raise folder_refusal(Reply.of(response), "list the messages", session)
    return found


def note_flags(response: Response, found: Listing) -> None:
    """Enter what a FETCH response tells of a message's flags, in whatever order it has its items."""
    items = fetch_items(response)
    uid, flags = items.get(b"UID"), items.get(b"FLAGS")
    if isinstance(uid, bytes) and uid.isdigit() and isinstance(flags, list):
        found.add(number(uid), flag_text(flags))


def search(session: Session, criteria: bytes) -> list[int]:
    """The UIDs of the messages in the selected folder that meet the criteria, ascending."""
    reply = session.must("search", b"UID SEARCH " + criteria)
    found: list[int] = []
    for response in reply.untagged:
        if response.text[:6].upper() == b"SEARCH":
            found += [number(word) for word in response.text[6:].split() if word.isdigit()]
    return sorted(found)


@dataclass(frozen=True)
class Attributes:
    """What a message is beside its bytes: flags (as :func:`flag_key`), received (epoch seconds), size in bytes."""

    flags: bytes
    received: int | None
    size: int


def each_attributes(session: Session) -> Iterator[tuple[int, Attributes]]:
    """UID and attributes of every message in the selected folder, as they arrive.

    :raises FolderError: the server would not list them all.
    """
    tag = session.start(b"UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)")
    session.wire.flush()
    while True:
        response = session.wire.response()
        if response.tag == tag:
            session.answered(tag)
            break
        match = _ATTRIBUTES_LINE.fullmatch(response.text)
        if match:
            yield int(match[1]), Attributes(flag_key(match[2]), instant(match[3]), int(match[4]))
            continue
        session.note(response)
        items = fetch_items(response)
        uid, flags, size = (items.get(key) for key in (b"UID", b"FLAGS", b"RFC822.SIZE"))
        date = items.get(b"INTERNALDATE") or b""
        if isinstance(uid, bytes) and isinstance(flags, list) and isinstance(date, bytes) and isinstance(size, bytes):
            yield number(uid), Attributes(flag_key(flag_text(flags)), instant(date), number(size, MAX_MODSEQ))
    if not response.text.upper().startswith(b"OK"):
        raise folder_refusal(Reply.of(response), "list the messages", session)


@dataclass(frozen=True)
class Fingerprint:
    """What a message is recognised by when UIDs can't tell: time received (epoch seconds), size, header digest.

    ``received`` is None where it is not known, or still to come: a copy then has another (Dovecot's APPEND makes a date
    to come today's).
    """

    received: int | None
    size: int
    header: bytes

    def copied_as(self, copy: Fingerprint | None) -> bool:
        """Whether ``copy`` can be what a copy of this message looks like."""
        return copy is not None and (self.received in (None, copy.received), self.size, self.header) == (
            True,
            copy.size,
            copy.header,
        )


def read_fingerprints(session: Session, uids: Iterable[int]) -> dict[int, Fingerprint]:
    """UID → fingerprint of messages in the selected folder."""
    found: dict[int, Fingerprint] = {}
    wanted = list(uids)
    items = b" (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])"
    commands = [(b"UID FETCH " + some + items,) for some in chunks(wanted)]
    for reply in session.pipeline(commands):
        if not reply.ok:
            raise refusal(reply, "give the messages' headers", session)
        for response in reply.untagged:
            _note_fingerprint(fetch_items(response), found, dated=session.dated)
    _all_told(session, wanted, found)
    return found


def _all_told(session: Session, uids: Sequence[int], found: Mapping[int, Fingerprint]) -> None:
    """Stop where a message is there and its fingerprint was not told: it would be taken for another one."""
    untold = [uid for uid in uids if uid not in found]
    if untold and read_some_flags(session, untold):
        raise FolderError(f"the server does not tell what message UID {untold[0]} is", **session.place())


def _note_fingerprint(items: dict[bytes, Value], found: dict[int, Fingerprint], *, dated: bool) -> None:
    uid, size = items.get(b"UID"), items.get(b"RFC822.SIZE")
    date, header = items.get(b"INTERNALDATE"), items.get(b"BODY[HEADER]")
    if not isinstance(uid, bytes) or not isinstance(size, bytes) or not (uid + size).isdigit():
        return
    received = instant(date if dated and isinstance(date, bytes) else b"")
    if received is not None and received > time.time():
        received = None
    digest = header_digest(header if isinstance(header, bytes) else b"")
    found[number(uid)] = Fingerprint(received, number(size, MAX_MODSEQ), digest)


def header_digest(header: bytes) -> bytes:
    """A header's part of a fingerprint; the kind of its line ends does not count."""
    return hashlib.blake2b(header.replace(b"\r", b"").rstrip(b"\n"), digest_size=16).digest()


def is_gap(print_: Fingerprint) -> bool:
    """Whether a message is a placeholder of ours by what it is, whatever its flags are."""
    return print_.size == len(PLACEHOLDER_BODY) and print_.header == header_digest(PLACEHOLDER_BODY)


def fetch_items(response: Response) -> dict[bytes, Value]:
    """The items of a ``n FETCH (…)`` response; none for any other response."""
    if not _IS_FETCH.match(response.text):
        return {}
    values = response.values()
    items = values[2] if len(values) == 3 else None
    if not isinstance(items, list):
        raise ProtocolError("the server's FETCH answer is unreadable")
    return {key.upper(): value for key, value in zip(items[::2], items[1::2], strict=False) if isinstance(key, bytes)}


def flag_text(flags: list[Value]) -> bytes:
    """A parsed flag list as the bytes between its parentheses; a keyword may well be called NIL."""
    return b" ".join(b"NIL" if one is None else one for one in flags if not isinstance(one, list))
