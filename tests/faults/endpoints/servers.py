# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that say what a case wants them to say, in TLS or not, for as many connections as come."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket], None]
#: Longer than any client of the tests waits.
_LONG = 30.0


def context(
    file: Path, least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, most: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """A server's side of TLS with the key and certificates of a file; old versions are really spoken."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if least < ssl.TLSVersion.TLSv1_2:
            made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = least
        made.maximum_version = most or ssl.TLSVersion.TLSv1_3
    return made


class Crowd:
    """Many servers on ports of loopback. What a script raises ends its connection only."""

    def __init__(self) -> None:
        self._listeners: list[socket.socket] = []
        self._connections: list[socket.socket] = []
        self._over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for one in [*self._listeners, *self._connections]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def serve(self, script: Script, tls: ssl.SSLContext | None = None) -> int:
        """Start one; gives back its port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, script, tls), daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket, script: Script, tls: ssl.SSLContext | None) -> None:
        while not self._over.is_set():
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._talk, args=(connection, script, tls), daemon=True).start()

    def _talk(self, connection: socket.socket, script: Script, tls: ssl.SSLContext | None) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            connection.settimeout(_LONG)
            if tls is None:
                script(connection)
                return
            with tls.wrap_socket(connection, server_side=True) as secure:
                script(secure)


def nobody() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def says(greeting: bytes, answers: Mapping[bytes, bytes] | None = None, otherwise: bytes = b"") -> Script:
    """A line protocol: a greeting, and an answer to each line by how it begins; without one the connection ends."""

    def script(sock: socket.socket) -> None:
        sock.sendall(greeting)
        lines = sock.makefile("rb")
        for line in lines:
            found = [answer for start, answer in (answers or {}).items() if line.upper().startswith(start)]
            if not (found or otherwise):
                return
            sock.sendall(found[0] if found else otherwise)

    return script


def silent(sock: socket.socket) -> None:
    """Take everything, say nothing."""
    while sock.recv(65536):
        pass


def closes(sock: socket.socket) -> None:
    """Hang up."""


def resets(sock: socket.socket) -> None:
    """Hang up as a crash does, once something has come."""
    sock.recv(65536)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(sock, ssl.SSLSocket):
        socket.socket(fileno=sock.detach()).close()


def drips(data: bytes, pause: float = 0.05) -> Script:
    """Say it byte by byte, again and again."""

    def script(sock: socket.socket) -> None:
        end = time.monotonic() + _LONG
        while time.monotonic() < end:
            for number in range(len(data)):
                sock.sendall(data[number : number + 1])
                time.sleep(pause)

    return script


def floods(data: bytes) -> Script:
    """Say it without an end."""

    def script(sock: socket.socket) -> None:
        end = time.monotonic() + _LONG
        while time.monotonic() < end:
            sock.sendall(data)

    return script


def echoes(sock: socket.socket) -> None:
    """Say what was said."""
    while data := sock.recv(65536):
        sock.sendall(data)


def answers(data: bytes) -> Script:
    """Wait for something, say this, hang up."""

    def script(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(data)

    return script


def stalls_after(data: bytes) -> Script:
    """Wait for something, say this, and nothing more."""

    def script(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(data)
        silent(sock)

    return script
