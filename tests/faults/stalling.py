# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback on which the server falls silent, or nearly so, and the connection stays."""

from __future__ import annotations

import contextlib
import socket
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .relay import Link, Relay, relaying

#: Seconds between two bytes of a trickle: far less than any time limit.
_BETWEEN = 0.2


@dataclass(frozen=True)
class Stall:
    """Fall silent after so many bytes from the server, or go on byte by byte; the first `times` connections only."""

    after: int
    trickle: bool = False
    times: int = 1


class Stalling(Relay):
    """`stalled` counts the connections that it held up."""

    def __init__(self, port: int, stall: Stall) -> None:
        super().__init__(port)
        self._stall = stall
        self.stalled = 0

    def from_server(self, link: Link, data: bytes) -> bool:
        """Pass it on up to the byte after which there is silence."""
        rest = self._stall.after - link.passed[link.server]
        if len(data) <= rest or not self._may_stall():
            return super().from_server(link, data)
        link.client.sendall(data[: max(0, rest)])
        self._hold(link.client, data[max(0, rest) :])
        return False

    def _may_stall(self) -> bool:
        with self.lock:
            if self.stalled >= self._stall.times:
                return False
            self.stalled += 1
            return True

    def _hold(self, client: socket.socket, rest: bytes) -> None:
        """Keep the connection open without a word, or with a word now and then, until the client goes."""
        client.settimeout(_BETWEEN)
        for number in range(10_000):
            if self.stopped.is_set():
                return
            with contextlib.suppress(TimeoutError):
                if not client.recv(65536):
                    return
            if self._stall.trickle and number < len(rest):
                client.sendall(rest[number : number + 1])


def stalling(port: int, stall: Stall) -> AbstractContextManager[Stalling]:
    """A proxy before a port of 127.0.0.1, for a while."""
    return relaying(Stalling(port, stall))
