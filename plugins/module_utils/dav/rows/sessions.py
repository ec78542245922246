# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Some sessions of one database for many threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ...errors import ConnectionLostError
from ...transport.database import Database

Result = TypeVar("Result")

#: A session sees the database as it was when its transaction began; after so many seconds it looks anew.
FRESH_SECONDS = 30.0


@dataclass
class _Session:
    database: Database
    since: float


class Sessions:
    """At most ``most`` sessions, opened when they are needed. Close it, which ends them."""

    def __init__(self, connect: Callable[[], Database], most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._connect = connect
        self._clock = clock
        self._free: list[_Session] = []
        self._places = threading.BoundedSemaphore(max(1, most))
        self._lock = threading.Lock()

    def run(self, work: Callable[[Database], Result]) -> Result:
        """What ``work`` gives back. It gets a session of its own, only reads, and reads every query to its end.

        A session that has been idle may have been ended by the server: then the work is done once more, in a new one.
        Raises the errors of connecting and of the work.
        """
        with self._places:
            kept = self._kept()
            if kept is not None:
                try:
                    return self._done(kept, work)
                except ConnectionLostError:
                    pass
            return self._done(_Session(self._connect(), self._clock()), work)

    def close(self) -> None:
        """End the sessions that nobody uses."""
        with self._lock:
            free, self._free = self._free, []
        for each in free:
            each.database.close()

    def _kept(self) -> _Session | None:
        with self._lock:
            return self._free.pop() if self._free else None

    def _done(self, session: _Session, work: Callable[[Database], Result]) -> Result:
        try:
            if self._clock() - session.since > FRESH_SECONDS:
                session.database.refresh()
                session.since = self._clock()
            result = work(session.database)
        except BaseException:
            # whatever it was, there may be an answer on its way that nobody waits for
            session.database.close()
            raise
        with self._lock:
            self._free.append(session)
        return result
