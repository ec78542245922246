# SPDX-License-Identifier: GPL-3.0-or-later
"""Taps on everything that leaves the engine: bytes to and from servers, requests to doveadm, commits to the ledger.

Each time something passes, a *step* is told to the `Tap` of the thread, which may end the run there. What follows is
what would follow a kill -9: sockets are closed at once with whatever is unread, the ledger's files stay as they are at
that moment (a copy of them is taken: SQLite's own tidying in this process does not count), and whatever the engine's
`except` and `finally` try then finds that nothing answers any more.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.atmail.migration.plugins.module_utils.transport import wire

_here = threading.local()
_create_connection = socket.create_connection
_connect_database = sqlite3.connect


def here() -> Tap | None:
    """The tap that listens to this thread."""
    tap: Tap | None = getattr(_here, "tap", None)
    return tap


class Stopped(BaseException):
    """The run is over, at a step that we chose."""


class Tap:
    """What listens to one run. `decide` is told each step's number (from 1 on) and name; True ends the run there.

    A step that is a sending is asked twice: when a part of the bytes is to go out, and when all have. `until` are
    bytes of an answer that end the run, too; `hide_appenduid` makes every server one without UIDPLUS.
    """

    def __init__(
        self, ledger: Path, decide: Callable[[int, str], bool], *, hide_appenduid: bool = False, until: bytes = b""
    ) -> None:
        self.ledger = ledger
        self.steps = 0
        self.dead = False
        self.stopped_at = ""
        self.hide_appenduid, self.until = hide_appenduid, until
        self._decide = decide
        self._sockets: list[Any] = []

    @property
    def crashed_ledger(self) -> Path:
        """The ledger as the run left it when it was ended."""
        return self.ledger.with_name(self.ledger.name + ".crashed")

    def step(self, name: str, last: Callable[[], object] = lambda: None) -> None:
        """Something has happened, or is about to; `last` is what is still done when the run ends here."""
        self.check()
        self.steps += 1
        if self._decide(self.steps, name):
            last()
            self.stop(name)

    def check(self) -> None:
        """A run that is over does nothing any more."""
        if self.dead:
            raise Stopped

    def stop(self, name: str) -> None:
        """End the run here."""
        self.dead = True
        self.stopped_at = name
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{self.ledger}{suffix}", f"{self.crashed_ledger}{suffix}")
        for sock in self._sockets:
            sock.close()
        raise Stopped

    def register(self, sock: Any) -> None:
        """A connection that ends with the run."""
        self._sockets.append(sock)


class TappedSocket:
    """A socket that tells its tap what passes."""

    def __init__(self, sock: Any, tap: Tap) -> None:
        self._sock, self._tap = sock, tap
        tap.register(sock)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: Any) -> None:
        size = len(data)
        # anywhere within the bytes, always at the same place for the same step; half a command is no command
        part = 1 + (self._tap.steps * 7919) % size
        self._tap.step("send a part", lambda: self._sock.sendall(bytes(data[:part])) if part < size else None)
        self._sock.sendall(data)
        self._tap.step("send")

    def recv_into(self, buffer: Any, *arguments: Any) -> int:
        self._tap.check()
        count: int = self._sock.recv_into(buffer, *arguments)
        if self._tap.hide_appenduid:
            _blank_out(buffer, count)
        if self._tap.until and self._tap.until in bytes(buffer[:count]):
            self._tap.stop("read")
        self._tap.step("read")
        return count

    def close(self) -> None:
        self._sock.close()


def _blank_out(buffer: Any, count: int) -> None:
    """Make the answers those of a server without UIDPLUS: no APPENDUID in them."""
    data = bytes(buffer[:count])
    if b"[APPENDUID " in data:
        buffer[:count] = data.replace(b"[APPENDUID ", b"[NOTAPPUID ")


class TappedDatabase(sqlite3.Connection):
    """An SQLite connection that tells its tap before and after everything that is to last."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._tap = here()
        super().__init__(*arguments, **options)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if self._tap is None:
            return super().execute(statement, *values)
        self._tap.check()
        lasting = _lasting(statement, in_transaction=self.in_transaction)
        if lasting:
            self._tap.step("before a commit")
        cursor = super().execute(statement, *values)
        if lasting:
            self._tap.step("after a commit")
        return cursor

    def executemany(self, statement: str, values: Any) -> sqlite3.Cursor:
        if self._tap is not None:
            self._tap.check()
        return super().executemany(statement, values)


def _lasting(statement: str, *, in_transaction: bool) -> bool:
    words = statement.split(None, 1)
    verb = words[0].upper() if words else ""
    return verb == "COMMIT" or (not in_transaction and verb in ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE"))


def _tapped_database(*arguments: Any, **options: Any) -> sqlite3.Connection:
    return _connect_database(*arguments, factory=TappedDatabase, **options)


def _tapped_connection(*arguments: Any, **options: Any) -> socket.socket:
    tap = here()
    if tap is None:
        return _create_connection(*arguments, **options)
    tap.step("connect")
    sock = _create_connection(*arguments, **options)
    tap.register(sock)
    return sock


class _Http:
    """The two halves of a doveadm call."""

    request = http.client.HTTPConnection.request
    getresponse = http.client.HTTPConnection.getresponse


def _tapped_request(self: http.client.HTTPConnection, *arguments: Any, **options: Any) -> None:
    tap = here()
    if tap is not None:
        tap.step("before doveadm is asked")
    _Http.request(self, *arguments, **options)
    if tap is not None:
        tap.step("doveadm is asked")


def _tapped_response(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
    response = _Http.getresponse(self)
    tap = here()
    if tap is not None:
        tap.step("doveadm has answered")
    return response


_wire_init = wire.Wire.__init__


def _tapped_wire(self: wire.Wire, sock: Any, *arguments: Any, **options: Any) -> None:
    tap = here()
    between: Any = sock if tap is None else TappedSocket(sock, tap)
    _wire_init(self, between, *arguments, **options)


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """The taps are in place; threads without a `Tap` of their own do not notice."""
    with (
        mock.patch.object(wire.Wire, "__init__", _tapped_wire),
        mock.patch.object(sqlite3, "connect", _tapped_database),
        mock.patch.object(socket, "create_connection", _tapped_connection),
        mock.patch.object(http.client.HTTPConnection, "request", _tapped_request),
        mock.patch.object(http.client.HTTPConnection, "getresponse", _tapped_response),
    ):
        yield


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """For a while nothing that this thread does is told to its tap: it plays somebody else."""
    tap = here()
    _here.tap = None
    try:
        yield
    finally:
        _here.tap = tap


@contextlib.contextmanager
def listening(tap: Tap) -> Iterator[Tap]:
    """What this thread does is told to the tap."""
    _here.tap = tap
    try:
        yield tap
    finally:
        _here.tap = None
