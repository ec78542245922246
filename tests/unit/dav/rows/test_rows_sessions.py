# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Sessions are shared, refreshed when they are old, and opened anew when a server has ended them."""

from __future__ import annotations

import threading
from typing import cast

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.sessions import FRESH_SECONDS, Sessions
from ansible_collections.atmail.migration.plugins.module_utils.errors import ConnectionLostError, DatabaseError
from ansible_collections.atmail.migration.plugins.module_utils.transport.database import Database


class Fake:
    """Stands for a database's session, of which only the end and the refreshing are asked."""

    def __init__(self) -> None:
        self.closed = self.refreshed = 0

    def close(self) -> None:
        self.closed += 1

    def refresh(self) -> None:
        self.refreshed += 1


class Pool:
    def __init__(self, most: int = 2) -> None:
        self.now = 0.0
        self.opened: list[Fake] = []
        self.sessions = Sessions(self._connect, most, clock=lambda: self.now)

    def _connect(self) -> Database:
        self.opened.append(Fake())
        return cast("Database", self.opened[-1])


def lost(_database: Database) -> str:
    raise ConnectionLostError("gone")


def test_a_session_is_used_again() -> None:
    pool = Pool()
    assert [pool.sessions.run(lambda _database: "done") for _number in range(3)] == ["done"] * 3
    assert len(pool.opened) == 1
    pool.sessions.close()
    assert pool.opened[0].closed == 1


def test_an_old_session_looks_anew() -> None:
    pool = Pool()
    for now in (0, FRESH_SECONDS, FRESH_SECONDS + 1, FRESH_SECONDS + 2):
        pool.now = now
        pool.sessions.run(lambda _database: None)
    assert [each.refreshed for each in pool.opened] == [1]


def test_a_session_that_was_ended_is_replaced_once() -> None:
    pool = Pool()
    pool.sessions.run(lambda _database: None)
    first = pool.opened[0]
    calls: list[object] = []

    def work(database: Database) -> str:
        calls.append(database)
        return lost(database) if calls[-1] is first else "done"

    assert pool.sessions.run(work) == "done"
    assert (len(calls), first.closed) == (2, 1)
    with pytest.raises(ConnectionLostError):
        pool.sessions.run(lost)
    # the kept one and the new one were tried, and none is kept
    assert [each.closed for each in pool.opened] == [1, 1, 1]


def test_a_session_with_an_error_is_not_used_again() -> None:
    pool = Pool()

    def refuse(_database: Database) -> None:
        raise DatabaseError("no")

    with pytest.raises(DatabaseError):
        pool.sessions.run(refuse)
    assert [each.closed for each in pool.opened] == [1]


def test_there_are_never_more_than_may_be() -> None:
    pool = Pool(most=2)
    inside, most = 0, 0
    lock, both = threading.Lock(), threading.Barrier(2)

    def work(_database: Database) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        both.wait(5)
        with lock:
            inside -= 1

    threads = [threading.Thread(target=pool.sessions.run, args=(work,)) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, len(pool.opened)) == (2, 2)
