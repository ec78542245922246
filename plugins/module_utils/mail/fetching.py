# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Reading messages: the answer to one FETCH of many messages, as they arrive and in any legal form."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..errors import MessageUnreadableError, ProtocolError, ThrottledError
from ..hints import EXPIRED, read_hint
from ..transport.wire import Value, parse
from .listing import flag_text
from .session import Session
from .spool import Spool
from .uidset import MAX_MODSEQ, chunks, number

#: A message up to this size is handed on in one piece, a larger one as it arrives.
WHOLE = 256 * 1024

_FETCH = {
    section: re.compile(
        rb'\* \d+ FETCH \(UID (\d{1,10}) FLAGS \(([^()\r\n]*)\) INTERNALDATE "([^"\r\n]*)" '
        + (rb"RFC822\.SIZE (\d{1,18}) BODY\[" if section else rb"()BODY\[")
        + section
        + rb"\] \{(\d{1,18})\}\r\n"
    )
    for section in (b"", b"HEADER")
}
_LITERAL = re.compile(rb"~?\{(\d{1,20})\}$")


#: A way of asking that a source can lose our trust in: for many messages at once.
MANY_AT_ONCE = "many at once"
#: So many messages may be under way of which one answer has come and another has not.
_PARTS = 1000


class DisorderError(ProtocolError):
    """The source gave a message out of turn, or twice: it can't be asked for many at once."""


class ReadingThrottledError(ThrottledError):
    """The source asks for patience instead of giving out all messages; those that it gave out are whole."""


@dataclass(frozen=True)
class Message:
    """A message on its way: what FETCH told of it, and its bytes, which have to be read before the next message.

    ``literal8``: it is sent as one (RFC 3516) where the target knows that. ``careful``: it is sent in a command of its
    own, whose literal waits for the target's word.
    """

    uid: int
    flags: bytes
    date: bytes
    size: int
    pieces: Callable[[], Iterable[bytes]]
    literal8: bool = False
    careful: bool = False
    #: Its RFC822.SIZE, where only a section of it was asked for.
    octets: int = 0


def read_over(message: Message) -> None:
    """Read a message that is not wanted to its end."""
    for _piece in message.pieces():
        continue


def in_turn(messages: Iterator[Message], uids: Iterable[int] | None) -> Iterator[Message]:
    """The messages, which must come in the order of their UIDs, and be among those asked for (None: any).

    :raises DisorderError: one is not. What is under way then must not be completed: it may hold a message twice.
    """
    before = 0
    asked = None if uids is None else iter(uids)
    for message in messages:
        if message.uid <= before:
            raise DisorderError(f"the source sent message UID {message.uid} after UID {before}")
        if asked is not None and next((uid for uid in asked if uid >= message.uid), 0) != message.uid:
            raise DisorderError(f"the source sent message UID {message.uid}, which was not asked for")
        before = message.uid
        yield message


def fetch_messages(
    session: Session, uids: Iterable[int] | None, first: int, last: int, section: bytes = b""
) -> Iterator[Message]:
    """Messages of the selected folder in the order the server sends them: ``uids``, or all from ``first`` to ``last``.

    ``section`` is empty for whole messages, or ``HEADER`` for their headers only. Where the server is not to be asked
    for many at once, ``uids`` are asked for one by one.

    :raises MessageUnreadableError: the server ended with NO or BAD; what it sent before has been given out.
    :raises ReadingThrottledError: the same, because it wants us to slow down.
    """
    if uids is None:
        sets: Iterator[bytes] = iter((b"%d:%d" % (first, last),)) if first <= last else iter(())
    elif MANY_AT_ONCE in session.distrusted:
        sets = (b"%d" % uid for uid in uids)
    else:
        sets = chunks(uids)
    parts: dict[int, _Part] = {}
    tags: deque[bytes] = deque()
    refused: list[bytes] = []
    body = b"BODY[" + section + b"]"
    items = b"UID FLAGS INTERNALDATE " + (b"RFC822.SIZE " if section else b"") + b"BODY.PEEK[" + section + b"]"
    while _ask(session, sets, tags, items):
        session.wire.ensure_line()
        match = session.wire.match(_FETCH[section])
        if match:
            size = int(match[5])
            yield _arriving(session, match, size)
            _end_of_message(session, size)
            continue
        message = _other_line(session, tags, refused, body, parts)
        if message:
            yield message
    _all_whole(parts, body)
    if refused:
        words = refused[0][:200].decode("utf-8", "replace")
        hint = read_hint(words)
        if hint and hint.meaning != EXPIRED:
            raise ReadingThrottledError(f"the source would not give out all messages: {words}", **session.place())
        raise MessageUnreadableError(f"the source would not give out all messages: {refused[0][:200]!r}")


def _ask(session: Session, sets: Iterator[bytes], tags: deque[bytes], items: bytes) -> bool:
    """Keep two FETCH commands under way; whether any is."""
    while len(tags) < 2:
        some = next(sets, None)
        if some is None:
            break
        tags.append(session.start(b"UID FETCH " + some + b" (" + items + b")"))
    session.wire.flush()
    return bool(tags)


def _arriving(session: Session, match: re.Match[bytes], size: int) -> Message:
    wire = session.wire
    uid, flags, date, octets = number(match[1]), match[2], match[3], int(match[4] or size)
    wire.skip(len(match[0]))
    if size <= WHOLE:
        data = wire.take(size)
        return Message(uid, flags, date, size, lambda: (data,), b"\0" in data, octets=octets)
    wire.expect(size)
    return Message(uid, flags, date, size, lambda: wire.pieces(size), octets=octets)


def _end_of_message(session: Session, size: int) -> None:
    if session.wire.owing:
        raise ProtocolError(f"a message of {size} bytes was not read to its end")
    if not session.wire.line().endswith(b")"):
        raise ProtocolError("the source's FETCH answer has no end", **session.place())


@dataclass(frozen=True)
class _Part:
    """What a server has told of a message so far; it may do so in several answers (RFC 9051 section 7.5.2)."""

    items: dict[bytes, Value]
    spool: Spool | None


def _all_whole(parts: dict[int, _Part], body: bytes) -> None:
    for uid, part in parts.items():
        if part.items.get(body) is not None:
            raise ProtocolError(f"the source sent message UID {uid} without its flags or its date")


def _other_line(
    session: Session, tags: deque[bytes], refused: list[bytes], body: bytes, parts: dict[int, _Part]
) -> Message | None:
    """A line that is not the usual FETCH answer: the end of a command, news, or a FETCH in another order."""
    line = session.wire.line()
    if line.startswith(b"* "):
        if line[2:6].upper() == b"BYE ":
            raise session.ended(line[2:])
        return _unusual_fetch(session, line[2:], body, parts)
    tag, _blank, rest = line.partition(b" ")
    if not tags or tag != tags.popleft():
        raise ProtocolError(f"the source sent {line[:60]!r} out of turn", **session.place())
    session.answered(tag)
    if not rest.upper().startswith(b"OK"):
        refused.append(rest)
    return None


def _unusual_fetch(session: Session, line: bytes, body: bytes, parts: dict[int, _Part]) -> Message | None:
    """Any other legal form: items in another order or in several answers, a body as a string, news of flags.

    A literal is spooled.
    """
    lines, literals, spool = [line], [], None
    while match := _LITERAL.search(lines[-1]):
        size = int(match[1])
        if lines[-1][: match.start()].upper().endswith(body + b" "):
            spool = Spool(session.wire.pieces(size), size)
            literals.append(b"")
        else:
            literals.append(session.wire.bounded(size))
        lines.append(session.wire.line())
    if not re.match(rb"\d+ FETCH \(", line, re.IGNORECASE):
        return None
    values = parse(tuple(lines), tuple(literals))
    items = values[2] if len(values) == 3 and isinstance(values[2], list) else []
    told = dict(_pairs(items))
    if spool is None and isinstance(told.get(body), bytes) and body + b' "' not in b"".join(lines).upper():
        # a garbled literal's head would else be taken for the message (RFC 3501 section 9: body is an nstring)
        raise ProtocolError("the source sent a message that is no string")
    uid = told.get(b"UID")
    if not isinstance(uid, bytes) or not uid.isdigit():
        return None
    named = number(uid)
    before = parts.pop(named, _Part({}, None))
    part = _Part(before.items | told, spool or before.spool)
    if not {b"FLAGS", b"INTERNALDATE", body} <= part.items.keys():
        parts[named] = part
        if len(parts) > _PARTS:
            del parts[next(iter(parts))]  # news of flags, most likely
        return None
    return _from_items(named, part, body)


def _pairs(items: list[Value]) -> Iterator[tuple[bytes, Value]]:
    for key, value in zip(items[::2], items[1::2], strict=False):
        if isinstance(key, bytes):
            yield key.upper(), value


def _from_items(uid: int, part: _Part, name: bytes) -> Message | None:
    flags, date, body, told = (part.items.get(key) for key in (b"FLAGS", b"INTERNALDATE", name, b"RFC822.SIZE"))
    if not isinstance(flags, list):
        raise ProtocolError(f"the source sent message UID {uid} without its flags or its date")
    octets = number(told, MAX_MODSEQ) if isinstance(told, bytes) and told.isdigit() else -1
    when = date if isinstance(date, bytes) else b""  # NIL: the source knows none
    if part.spool is not None:
        size = part.spool.size
        return Message(uid, flag_text(flags), when, size, part.spool.pieces, octets=size if octets < 0 else octets)
    if not isinstance(body, bytes):
        return None  # NIL: listed, and not given out; it may just have been expunged by somebody
    size = len(body)
    return Message(uid, flag_text(flags), when, size, lambda: (body,), octets=size if octets < 0 else octets)
