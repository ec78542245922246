# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is in a POP3 maildrop (RFC 1939): UIDLs, sizes, headers, and messages as a stream."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from ..errors import ProtocolError, ServerError
from ..transport.pop import Pop
from ..transport.wire import MAX_LITERAL
from .fetching import WHOLE
from .spool import Spool

#: More lines than any message has, and a number that every server can read.
_ALL_LINES = 2**31 - 1
_HEADER_END = re.compile(rb"(?:\A|\n)\r?\n")
_COUNT = re.compile(rb"(\d{1,10})(?: |\Z)")
#: What follows a size is left to the servers (RFC 1939 section 5, scan listing).
_LISTED = re.compile(rb"(\d{1,10})(?: +([^ \0]*)(?: .*)?)?", re.DOTALL)


@dataclass(frozen=True)
class Body:
    """A message whole: its bytes, which can be read more than once, their number, and its header (4 MiB at most).

    ``lines`` is the number of its line ends.
    """

    size: int
    lines: int
    header: bytes
    pieces: Callable[[], Iterable[bytes]]


# reading a maildrop


def list_uidls(pop: Pop) -> tuple[bytes, ...]:
    """The UIDLs of all messages in the server's order; empty ones where it tells none. Costs STAT and UIDL."""
    try:
        return _listed(pop, b"UIDL")
    except ServerError as error:
        if error.kind != ServerError.kind:
            raise
    return (b"",) * len(list_sizes(pop))  # an optional command (RFC 1939 section 7)


def list_sizes(pop: Pop) -> tuple[int, ...]:
    """The sizes of all messages in the server's order, in bytes as it counts them: not all count CRLF as two."""
    told = _listed(pop, b"LIST")
    if not all(size.isdigit() for size in told):
        raise ProtocolError("the server's LIST answer does not fit its STAT", **pop.server.place)
    return tuple(int(size) for size in told)


def _listed(pop: Pop, command: bytes) -> tuple[bytes, ...]:
    """What a list says of each of the messages that STAT counts; empty where it says nothing."""
    commands = pop.each((b"STAT", command))
    next(commands)
    match = _COUNT.match(pop.status("count the messages (STAT)"))
    if not match:
        raise ProtocolError("the server's STAT answer is unreadable", **pop.server.place)
    found = [b""] * int(match[1])
    next(commands)
    pop.status(f"list the messages ({command.decode()})")
    for line in pop.lines():
        one = _LISTED.fullmatch(line.strip())
        if not one or not 1 <= int(one[1]) <= len(found):
            raise ProtocolError(f"the server lists {line[:80]!r} of {len(found)} messages", **pop.server.place)
        found[int(one[1]) - 1] = one[2] or b""
    return tuple(found)


def read_headers(pop: Pop, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Message number and header of some messages, without marking them as seen (TOP); those not given out are left out.

    :raises ServerError: the server has no TOP.
    """
    if pop.capabilities and not pop.has(b"TOP"):
        raise ServerError("the server has no TOP, and so does not show headers", **pop.server.place)
    for command in pop.each(b"TOP %d 0" % one for one in numbers):
        try:
            pop.status("show a header (TOP)")
        except ServerError as error:
            if error.kind != ServerError.kind:
                raise
            continue
        yield int(command.split()[1]), _header(_body(pop.message(), None).header)


def read_bodies(pop: Pop, wanted: Iterable[tuple[int, int | None]]) -> Iterator[tuple[int, Body | None]]:
    """Message number and message for each number, with the size that the server lists (None: not known).

    The message is None where the server does not give it out. They are asked for by TOP with more lines than there can
    be, because RETR marks them as seen on servers such as Dovecot, and hides them from later sessions on others. Where
    what TOP gives can't be the whole message, or the server has none, the connection goes on with RETR.
    """
    rest = iter(wanted)
    waiting: deque[tuple[int, int | None]] = deque()
    window = pop.window
    while True:
        for one in islice(rest, window - len(waiting)):
            pop.send(b"TOP %d %d" % (one[0], _ALL_LINES) if pop.whole_by_top else b"RETR %d" % one[0])
            waiting.append(one)
        if not waiting:
            return
        number, listed = waiting.popleft()
        body = _taken(pop, listed)
        if pop.whole_by_top and not (body and _plausible(body, listed)):
            for _answer in waiting:
                _taken(pop, None)
            pop.whole_by_top = False
            rest = chain(((number, listed), *waiting), rest)
            waiting.clear()
            continue
        yield number, body


def _taken(pop: Pop, listed: int | None) -> Body | None:
    try:
        pop.status("give out a message")
    except ServerError as error:
        if error.kind != ServerError.kind:
            raise
        return None
    return _body(pop.message(), listed)


def _plausible(body: Body, listed: int | None) -> bool:
    """Whether this is as much as the server lists, with line ends of two bytes or of one."""
    return listed is None or listed in (body.size, body.size - body.lines)


def _body(pieces: Iterator[bytes], listed: int | None) -> Body:
    """Take a message off the wire: POP3 tells its size only by its end, and APPEND wants it before. See :class:`Spool`.

    A message that does not end with a line end gets one on the way. It is taken off again where the size that the
    server lists says so: two bytes less, and line ends enough that it can't be their other way of counting.
    """
    head: list[bytes] = []
    size = 0
    for piece in pieces:
        head.append(piece)
        size += len(piece)
        if size > WHOLE:
            return _large(b"".join(head), pieces, listed)
    data = b"".join(head)
    lines = data.count(b"\n")
    if _completed(size, lines, listed):
        data = data[:-2]
    return Body(len(data), lines, _header(data), lambda: (data,))


def _completed(size: int, lines: int, listed: int | None) -> bool:
    """Whether the line end at the end is not the message's own; ``lines`` counts line ends."""
    return listed == size - 2 and lines != 2


def _large(start: bytes, rest: Iterator[bytes], listed: int | None) -> Body:
    header = bytearray()
    size = lines = 0

    def counted() -> Iterator[bytes]:
        nonlocal size, lines
        for piece in chain((start,), rest):
            size += len(piece)
            lines += piece.count(b"\n")
            if len(header) < MAX_LITERAL:
                header.extend(piece[: MAX_LITERAL - len(header)])
            yield piece

    spool = Spool(counted(), 0)
    spool.size = size - 2 if _completed(size, lines, listed) else size
    return Body(spool.size, lines, _header(bytes(header)), lambda: _first(spool.pieces(), spool.size))


def _first(pieces: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The first so many bytes."""
    for piece in pieces:
        yield piece[:count]
        count -= len(piece)
        if count <= 0:
            return


def _header(data: bytes) -> bytes:
    """A message's header with the blank line that ends it (RFC 5322 section 2.1), if there is one."""
    end = _HEADER_END.search(data)
    return data[: end.end()] if end else data
