# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The hot path: an IMAP connection as bytes, lines and literals (RFC 3501 sections 2.2 and 4.3, RFC 7888).

A literal is handed on in the pieces in which it arrives, so that memory does not grow with the size of a message.
Everything that comes from the server is bounded: lines, literals outside message bodies, the depth of lists.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import ConnectionLostError, ProtocolError, TimedOutError
from .deflate import Stream

#: A value of a parsed response: an atom or a string, NIL, or a list.
Value: TypeAlias = "bytes | list[Value] | None"

MAX_LINE = 16 * 1024 * 1024
MAX_LITERAL = 4 * 1024 * 1024
MAX_DEPTH = 32
_BUFFER = 256 * 1024
_SEND_AT = 64 * 1024
#: A server that sends fewer bytes a second than this, for longer than our patience, only pretends to answer.
SLOWEST = 64
#: A whole command may take so many times as long as a line of its answer: some servers say "still here" meanwhile.
COMMAND = 10

_LITERAL_END = re.compile(rb"~?\{(\d{1,20})\+?\}$")
_TOKEN = re.compile(
    rb"[ ]*(?:"
    rb"(?P<open>\()|(?P<close>\))"
    rb'|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    rb"|(?P<literal>~?\{\d+\+?\}$)"
    rb"|(?P<atom>[^ ()\"\[]*\[[^\]]*\][^ ()]*|[^ ()\"]+)"
    rb")"
)
_UNQUOTE = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Literal:
    """A string that goes out as a literal because it can't be quoted."""

    data: bytes


@dataclass(frozen=True)
class Response:
    """One response line, its literals included.

    ``tag`` is ``b"*"``, ``b"+"`` or a command's tag; ``lines`` are the pieces between the literals.
    """

    tag: bytes
    lines: tuple[bytes, ...]
    literals: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        """The first line after the tag: all there is unless literals follow."""
        return self.lines[0]

    def values(self, skip: int = 0) -> list[Value]:
        """The response as values; ``skip`` bytes of the first line are left out.

        :raises ProtocolError: unbalanced or too deep lists, or something that is no token.
        """
        return parse(self.lines, self.literals, skip)


def parse(lines: tuple[bytes, ...], literals: tuple[bytes, ...], skip: int = 0) -> list[Value]:
    """Response pieces to values: quoted strings and literals as bytes, ``NIL`` as None, lists as lists."""
    stack: list[list[Value]] = [[]]
    for number, line in enumerate(lines):
        position = skip if number == 0 else 0
        end = len(line.rstrip(b" "))
        while position < end:
            match = _TOKEN.match(line, position)
            if not match:
                raise ProtocolError(f"the server sent something unreadable: {line[position : position + 60]!r}")
            position = match.end()
            _take(stack, match, literals, number)
    if len(stack) != 1:
        raise ProtocolError("the server sent a list without an end")
    return stack[0]


def _take(stack: list[list[Value]], match: re.Match[bytes], literals: tuple[bytes, ...], number: int) -> None:
    kind = match.lastgroup
    if kind == "open":
        if len(stack) > MAX_DEPTH:
            raise ProtocolError(f"the server sent lists nested deeper than {MAX_DEPTH}")
        inner: list[Value] = []
        stack[-1].append(inner)
        stack.append(inner)
    elif kind == "close":
        if len(stack) == 1:
            raise ProtocolError("the server sent a ) without a (")
        stack.pop()
    elif kind == "quoted":
        stack[-1].append(_UNQUOTE.sub(rb"\1", match["quoted"]))
    elif kind == "literal" and number < len(literals):
        stack[-1].append(literals[number])
    else:
        atom = match["atom"] or match[0]
        stack[-1].append(None if atom.upper() == b"NIL" else atom)


def quoted(value: bytes) -> bytes | Literal:
    """A string as an argument: quoted, or as a literal when quoting can't express it (RFC 3501 section 4.3)."""
    if any(byte < 0x20 or byte > 0x7E for byte in value):
        return Literal(value)
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


class Wire:
    """A connection (TLS or plain) read by lines and literals and written through a small buffer.

    ``patience`` is how long, in seconds, a line or a literal may take that comes too slowly to be meant (``SLOWEST``).
    Silence is what the stream's own timeout ends.
    """

    def __init__(self, stream: Stream, leftover: bytes = b"", *, patience: float = 120.0) -> None:
        self._stream = stream
        self._patience = patience
        self._waited = 0.0
        self._came = 0
        self._unit = (0.0, 0)
        self._deadline: float | None = None
        self._buffer = bytearray(max(_BUFFER, len(leftover)))
        self._buffer[: len(leftover)] = leftover
        self._start = 0
        self._end = len(leftover)
        self._out: list[bytes | memoryview] = []
        self._out_size = 0
        #: Called when the connection is closed.
        self.closed: Callable[[], None] = lambda: None
        self._timeout = stream.gettimeout() or float("inf")
        self._elsewhere: Callable[[], None] | None = None
        self._beat = self._beat_at = 0.0
        #: When something was last sent (monotonic seconds).
        self.sent_at = time.monotonic()
        #: Bytes of a message that are still to be read.
        self.owing = 0
        #: Whether the other side has closed the connection, in an orderly way.
        self.ended = False

    # reading

    def _fill(self) -> None:
        """Read more from the socket into the buffer."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == len(self._buffer):
            self._make_room()
        began = time.monotonic()
        count = self._receive(memoryview(self._buffer)[self._end :])
        if not count:
            self.ended = True
            raise ConnectionLostError("the server closed the connection")
        self._end += count
        self._waited += time.monotonic() - began
        self._came += count
        self._check_speed()

    def _check_speed(self) -> None:
        """Only time that was spent waiting counts: pauses of our own, and what a paced run waits for, do not.

        :raises TimedOutError: the server sends on and on, and gets nowhere.
        """
        waited, came = self._waited - self._unit[0], self._came - self._unit[1]
        if waited > self._patience + came / SLOWEST:
            raise TimedOutError(f"the server sent only {came} bytes of its answer in {waited:.0f} seconds")
        if self._waited > COMMAND * self._patience + self._came / SLOWEST:
            raise TimedOutError(f"the server gave no answer in {self._waited:.0f} seconds, only {self._came} bytes")

    def asked(self) -> None:
        """A command goes out, or one is answered: how long an answer takes is counted from here."""
        self._waited, self._came, self._unit = 0.0, 0, (0.0, 0)

    def until(self, deadline: float | None, timeout: float) -> None:
        """Everything that is read or sent from now on must be over at a time (monotonic, seconds); None ends that."""
        self._deadline, self._timeout = deadline, timeout
        if deadline is None:
            self._stream.settimeout(timeout)

    @property
    def arrived(self) -> int:
        """How many bytes have arrived that nobody has read yet."""
        return self._end - self._start

    def through(self, layer: Callable[[Stream, bytes], Stream]) -> None:
        """Put a layer (compression) between us and the stream; it gets what has already arrived."""
        rest = bytes(self._buffer[self._start : self._end])
        self._start = self._end = 0
        self._stream = layer(self._stream, rest)

    def _receive(self, room: memoryview) -> int:
        """Read what has arrived, or wait for it; whoever wants to know meanwhile that time goes by is told."""
        left = self._timeout
        while True:
            if self._elsewhere and time.monotonic() >= self._beat_at:
                self._elsewhere()
                self._beat_at = time.monotonic() + self._beat
            if self._deadline is not None:
                self._stream.settimeout(max(0.001, self._deadline - time.monotonic()))
            try:
                return self._stream.recv_into(room)
            except TimeoutError as error:
                left -= self._stream.gettimeout() or left
                if left <= 0 or self._deadline is not None:
                    raise TimedOutError("no answer from the server within the time limit") from error
            except OSError as error:
                raise ConnectionLostError(f"the connection broke: {error}") from error

    def while_waiting(self, elsewhere: Callable[[], None] | None, every: float = 0.0) -> None:
        """Call ``elsewhere`` about every so many seconds while this connection is waited for; None ends that."""
        self._elsewhere, self._beat, self._beat_at = elsewhere, every, time.monotonic() + every
        left = min(self._timeout, every) if elsewhere else self._timeout
        self._stream.settimeout(None if left == float("inf") else left)

    def _make_room(self) -> None:
        rest = self._buffer[self._start : self._end]
        if len(rest) > MAX_LINE:
            raise ProtocolError(f"the server sent a line of more than {MAX_LINE} bytes")
        if len(rest) * 2 > len(self._buffer):
            self._buffer = bytearray(len(self._buffer) * 2)
        self._buffer[: len(rest)] = rest
        self._start, self._end = 0, len(rest)

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """The pattern at the read position within what has already arrived; does not move."""
        return pattern.match(self._buffer, self._start, self._end)

    def skip(self, count: int) -> None:
        """Move on by bytes that a :meth:`match` has seen."""
        self._start += count

    def ensure_line(self) -> None:
        """Wait until a whole line has arrived."""
        if self._buffer.find(b"\n", self._start, self._end) >= 0:
            return
        self._unit = (self._waited, self._came)
        while True:
            seen = self._end - self._start
            self._fill()
            if self._buffer.find(b"\n", self._start + seen, self._end) >= 0:
                return

    def line(self) -> bytes:
        """The next line without its line end."""
        self.ensure_line()
        at = self._buffer.find(b"\n", self._start, self._end)
        end = at - 1 if at > self._start and self._buffer[at - 1] == 13 else at
        text = bytes(self._buffer[self._start : end])
        self._start = at + 1
        return text

    def take(self, count: int) -> bytes:
        """Exactly ``count`` bytes in one piece."""
        if self._end - self._start >= count:
            data = bytes(self._buffer[self._start : self._start + count])
            self._start += count
            return data
        return b"".join(self.pieces(count))

    def expect(self, count: int) -> None:
        """Note that ``count`` bytes of a message come next, to be read by :meth:`pieces`."""
        self.owing = count

    def pieces(self, count: int) -> Iterator[bytes]:
        """Exactly ``count`` bytes in the pieces in which they arrive."""
        self._unit = (self._waited, self._came)
        while count > 0:
            if self._start == self._end:
                self._fill()
            size = min(count, self._end - self._start)
            data = bytes(self._buffer[self._start : self._start + size])
            self._start += size
            count -= size
            self.owing = max(0, self.owing - size)
            yield data

    def peek(self, count: int) -> bytes:
        """The next ``count`` bytes, waited for; does not move."""
        while self._end - self._start < count:
            self._fill()
        return bytes(self._buffer[self._start : self._start + count])

    def up_to(self, mark: bytes) -> Iterator[bytes]:
        """Everything up to and with ``mark`` in the pieces in which it arrives; the last one ends with the mark.

        A piece never ends within what may turn out to be the mark: what follows it always starts the next one.
        """
        self._unit = (self._waited, self._came)
        while True:
            at = self._buffer.find(mark, self._start, self._end)
            stop = at + len(mark) if at >= 0 else self._end - self._begun(mark)
            if stop > self._start:
                piece = bytes(self._buffer[self._start : stop])
                self._start = stop
                yield piece
            if at >= 0:
                return
            self._fill()

    def _begun(self, mark: bytes) -> int:
        """How many bytes at the end of what has arrived are a beginning of ``mark``."""
        most = min(len(mark) - 1, self._end - self._start)
        sizes = range(most, 0, -1)
        return next((n for n in sizes if self._buffer.endswith(mark[:n], self._start, self._end)), 0)

    def bounded(self, count: int) -> bytes:
        """A literal that is no message, in one piece.

        :raises ProtocolError: it is longer than such a literal can be.
        """
        if count > MAX_LITERAL:
            raise ProtocolError(f"the server sent a literal of more than {MAX_LITERAL} bytes where none belongs")
        return self.take(count)

    def response(self) -> Response:
        """The next response with its literals (bounded: not for message bodies)."""
        lines: list[bytes] = []
        literals: list[bytes] = []
        tag, _blank, rest = self.line().partition(b" ")
        while True:
            lines.append(rest)
            match = _LITERAL_END.search(rest)
            if not match:
                if tag != b"*":
                    self.asked()
                return Response(tag, tuple(lines), tuple(literals))
            literals.append(self.bounded(int(match[1])))
            rest = self.line()

    # writing

    def send(self, data: bytes) -> None:
        """Queue bytes; they go out when enough have gathered, or with :meth:`flush`."""
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size >= _SEND_AT:
            self.flush()

    def flush(self) -> None:
        """Send what is queued."""
        if not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        self.sent_at = time.monotonic()
        try:
            if self._deadline is not None:
                self._stream.settimeout(max(0.001, self._deadline - self.sent_at))
            elif self._elsewhere:
                self._stream.settimeout(None if self._timeout == float("inf") else self._timeout)
            self._stream.sendall(data)
            if self._elsewhere:
                self._stream.settimeout(min(self._timeout, self._beat))
        except TimeoutError as error:
            raise TimedOutError("the server does not take what we send within the time limit") from error
        except OSError as error:
            raise ConnectionLostError(f"the connection broke: {error}") from error

    def close(self) -> None:
        """Close the connection; a command that is not complete is thus never carried out by the server."""
        self.closed()
        try:
            self._stream.close()
        except OSError:
            return
