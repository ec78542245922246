# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer that says exactly the bytes of a script, for what no real server does on demand."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class Talk:
    """One connection: what the client says by lines, and the script's own words."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.said: list[bytes] = []
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Say something."""
        self.sock.sendall(data)

    def line(self) -> bytes:
        """The client's next line without its end; nothing when it has hung up."""
        while b"\n" not in self._buffer:
            data = self.sock.recv(65536)
            if not data:
                return b""
            self._buffer += data
        line, _end, self._buffer = self._buffer.partition(b"\n")
        self.said.append(line.rstrip(b"\r"))
        return self.said[-1]

    def take(self, count: int) -> bytes:
        """So many bytes of a literal."""
        while len(self._buffer) < count:
            data = self.sock.recv(65536)
            if not data:
                return b""
            self._buffer += data
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        self.said.append(data)
        return data

    def answer(self, command: bytes, before: bytes = b"", after: bytes = b"OK done") -> bytes:
        """Read a line, which must hold this command, and answer it; gives the line."""
        line = self.line()
        tag, _blank, rest = line.partition(b" ")
        if not rest.upper().startswith(command.upper()):
            self.send(tag + b" BAD expected " + command + b"\r\n")
            raise AssertionError(f"{command!r} was due, {line!r} came")
        self.send(before + tag + b" " + after + b"\r\n")
        return rest

    def listen(self) -> None:
        """Say nothing until the client has gone."""
        while self.line():
            continue

    def reset(self) -> None:
        """End the connection by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@dataclass
class Peer:
    """Where the script listens, what came of it, and who came."""

    port: int
    talks: list[Talk] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def peer(script: Callable[[Talk], None], *, host: str = "127.0.0.1") -> Iterator[Peer]:
    """A server that plays the script to every client; a script's AssertionError is the test's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        known = Peer(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def play(talk: Talk) -> None:
            # the client may hang up at any moment: that is one of the things it does
            with contextlib.suppress(OSError):
                try:
                    script(talk)
                except AssertionError as error:
                    known.errors.append(str(error))
                finally:
                    talk.sock.close()

        def serve() -> None:
            while True:
                try:
                    sock, _address = listener.accept()
                except OSError:
                    return
                sock.settimeout(20)
                known.talks.append(Talk(sock))
                threads.append(threading.Thread(target=play, args=(known.talks[-1],), daemon=True))
                threads[-1].start()

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        try:
            yield known
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            server.join(5)
            for talk in known.talks:
                with contextlib.suppress(OSError):
                    talk.sock.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)
    assert not known.errors, known.errors
