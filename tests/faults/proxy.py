# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback that cuts connections at a byte of our choice."""

from __future__ import annotations

import socket
import struct
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .relay import Link, Relay, relaying


@dataclass(frozen=True)
class Cut:
    """Cut after so many bytes from the `client` or the `server`; `hard` by RST, else by FIN; the first `times` only."""

    after: int
    towards: str
    hard: bool = False
    times: int = 1


class Proxy(Relay):
    """`cuts` counts what it has cut."""

    def __init__(self, port: int, cut: Cut) -> None:
        super().__init__(port)
        self._cut = cut
        self.cuts = 0

    def from_client(self, link: Link, data: bytes) -> bool:
        """Pass it on, up to the cut when that is towards the server."""
        if self._cut.towards == "client":
            return super().from_client(link, data)
        return self._up_to_the_cut(link, link.client, link.server, data)

    def from_server(self, link: Link, data: bytes) -> bool:
        """The same the other way."""
        if self._cut.towards != "client":
            return super().from_server(link, data)
        return self._up_to_the_cut(link, link.server, link.client, data)

    def _up_to_the_cut(self, link: Link, source: socket.socket, other: socket.socket, data: bytes) -> bool:
        rest = self._cut.after - link.passed[source]
        if len(data) < rest or not self._may_cut():
            other.sendall(data)
            return True
        other.sendall(data[:rest])
        self._end(link.client, link.server)
        return False

    def _may_cut(self) -> bool:
        with self.lock:
            if self.cuts >= self._cut.times:
                return False
            self.cuts += 1
            return True

    def _end(self, *sockets: socket.socket) -> None:
        """Close both; with RST when it has to be hard."""
        for one in sockets:
            if self._cut.hard:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def cutting(port: int, cut: Cut) -> AbstractContextManager[Proxy]:
    """A proxy before a port of 127.0.0.1, for a while."""
    return relaying(Proxy(port, cut))
