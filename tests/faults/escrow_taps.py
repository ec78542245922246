# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Ends a run of the escrow at a step: each SQL statement sent, in part or whole, or answered, and each call on files.

``kill`` is what kill -9 leaves: nothing that the program has not done yet is done, its connections are closed, its
locks are gone. ``cut`` breaks the connection to the database, and ``fail`` is a disk that refuses; the program goes on
after both and does what it does about errors.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pymysql

KILL, CUT, FAIL = "kill", "cut", "fail"
#: Steps that are calls on files.
FILES = ("open", "fsync", "unlink", "rename")
#: Of an answer that nobody reads, the server may need this long to have done what it was asked, in seconds.
_PATIENCE = 5.0


class Killed(BaseException):
    """The process is no more."""


class Steps:
    """Counts what a run does; ends it at step ``at`` (0: never) in the way ``how``."""

    def __init__(self, at: int = 0, how: str = KILL) -> None:
        self.at, self.how = at, how
        self.names: list[str] = []
        self.dead = False
        self.ended_at = ""
        self.connections: list[Any] = []

    def step(self, name: str, connection: Any = None, *, sent: bool = False) -> None:
        """Something is about to happen (or has, by its name). ``sent``: the server may be at work on a statement."""
        if self.dead:
            raise Killed
        self.names.append(name)
        if len(self.names) == self.at:
            self.ended_at = name
            self._end(connection, sent=sent)

    def _end(self, connection: Any, *, sent: bool) -> None:
        if self.how == FAIL:
            if connection is None:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return
        if self.how == CUT:
            if connection is not None:
                _hang_up(connection, sent=sent)
            return
        self.dead = True
        for each in self.connections:
            if each._result is not None:
                each._result.unbuffered_active = False  # the dead read no more; or its destructor complains
            _hang_up(each, sent=sent and each is connection)
        raise Killed


def _hang_up(connection: Any, *, sent: bool) -> None:
    """Close the socket. A statement that was sent is let come to its end first, so that it counts for certain."""
    sock = connection._sock
    if sock is None:
        return
    if sent:
        sock.settimeout(_PATIENCE)
        with contextlib.suppress(OSError):
            sock.recv(1)
    with contextlib.suppress(OSError):
        sock.shutdown(2)
    sock.close()


_Connection: Any = pymysql.connections.Connection
_execute, _read, _init = _Connection._execute_command, _Connection._read_query_result, _Connection.__init__


@contextlib.contextmanager
def watched(steps: Steps) -> Iterator[Steps]:
    """What happens inside is told to ``steps``, and ended by them."""

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        _init(self, *arguments, **options)
        steps.connections.append(self)

    def execute(self: Any, command: int, sql: Any) -> None:
        name = bytes(sql[:7]).decode("ascii", "replace") if isinstance(sql, bytes) else str(sql)[:7]
        steps.step(f"before {name}", self)
        _execute(self, command, sql)
        steps.step(f"sent {name}", self, sent=True)

    def read(self: Any, *arguments: Any, **options: Any) -> Any:
        result = _read(self, *arguments, **options)
        steps.step("answered", self)
        return result

    def told(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            steps.step(f"before {name}")
            result = real(*arguments, **options)
            steps.step(f"after {name}")
            return result

        return call

    real_open, real_unlink, real_replace = os.open, Path.unlink, Path.replace

    def opened(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            steps.step("before open")
        return real_open(path, flags, *arguments, **options)

    with (
        mock.patch.object(_Connection, "__init__", init),
        mock.patch.object(_Connection, "_execute_command", execute),
        mock.patch.object(_Connection, "_read_query_result", read),
        mock.patch.object(os, "fsync", told("fsync", os.fsync)),
        mock.patch.object(os, "open", opened),
        mock.patch.object(Path, "unlink", told("unlink", real_unlink)),
        mock.patch.object(Path, "replace", told("rename", real_replace)),
    ):
        yield steps
