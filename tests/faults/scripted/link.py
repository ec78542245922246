# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's end of a connection: commands come in with their literals, answers go out as the behaviour says."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from .behaviour import Behaviour, Hangup

_LITERAL = re.compile(rb"(~?)\{(\d+)(\+?)\}$")
#: Within a literal's head, after its `{`.
_IN_HEAD = re.compile(rb"(?<=\{)(?=\d+\}\r\n)")
_MAX_LINE = 1 << 24
_GATHER = 1 << 16
#: Between the segments of a split literal head, so that they are not put together again.
_SPLIT_PAUSE = 0.002


@dataclass(frozen=True)
class Text:
    """A string of a command, quoted or literal."""

    data: bytes
    literal: bool = False
    binary: bool = False


@dataclass(frozen=True)
class Raw:
    """A command as it came: the lines between its literals, and those."""

    lines: tuple[bytes, ...]
    literals: tuple[Text, ...]


class Link:
    """One connection. `behaviour` gives the behaviour of the moment; `complain` notes what the client must not do."""

    def __init__(
        self, sock: socket.socket, behaviour: Callable[[], Behaviour], complain: Callable[[str], None]
    ) -> None:
        self._sock, self._behaviour, self._complain = sock, behaviour, complain
        self._file = sock.makefile("rb", buffering=1 << 16)
        self._out: list[bytes] = []
        self._out_size = 0

    # in

    def read(self, refuses: Callable[[bytes, int], bytes]) -> Raw:
        """The next command; `refuses` is asked before a literal is taken (line so far, size): what it gives is said.

        A literal that has been refused is not there; the command ends with it.
        """
        lines: list[bytes] = []
        literals: list[Text] = []
        while True:
            line = self._line()
            lines.append(line)
            match = _LITERAL.search(line)
            if not match:
                return Raw(tuple(lines), tuple(literals))
            free = match[3] == b"+"
            if free and not self._behaviour().has("LITERAL+"):
                self._complain(f"a literal that does not wait, without LITERAL+: {line[:80]!r}")
                raise Hangup
            refusal = b"" if free else refuses(lines[0], int(match[2]))
            if refusal:
                self.answer(refusal)
                self.flush()
                return self.read(refuses)
            if not free:
                self.answer(b"+ go on\r\n")
                self.flush()
            literals.append(Text(self._exactly(int(match[2])), literal=True, binary=bool(match[1])))

    def line(self) -> bytes:
        """One line that belongs to no command (a SASL answer, DONE)."""
        self.flush()
        return self._line()

    def _line(self) -> bytes:
        line: bytes = self._file.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            raise Hangup
        return line.removesuffix(b"\n").removesuffix(b"\r")

    def _exactly(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if len(data) < size:
            raise Hangup
        return data

    # out

    def answer(self, data: bytes) -> None:
        """Queue one whole answer, literals included."""
        mutate = self._behaviour().mutate
        self.raw(mutate(data) if mutate else data)

    def raw(self, data: bytes) -> None:
        """Queue bytes as they are."""
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size >= _GATHER:
            self.flush()

    def flush(self) -> None:
        """Send what is queued, in the segments that the behaviour asks for."""
        data = b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        behaviour = self._behaviour()
        for part in _IN_HEAD.split(data) if behaviour.split_heads else [data]:
            self._send(part, behaviour)
            if behaviour.split_heads:
                time.sleep(_SPLIT_PAUSE)

    def _send(self, data: bytes, behaviour: Behaviour) -> None:
        step = behaviour.segment or len(data)
        for start in range(0, len(data), max(1, step)):
            self._sock.sendall(data[start : start + step])
            if behaviour.pause:
                time.sleep(behaviour.pause)

    def close(self) -> None:
        """Hang up at once."""
        self._file.close()
        self._sock.close()
