# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback, of which others decide what becomes of the bytes that pass."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True)
class Link:
    """A connection that passes through: both its ends, and how many bytes came from each so far."""

    client: socket.socket
    server: socket.socket
    passed: dict[socket.socket, int]


class Relay:
    """Passes bytes on between its own port and another one of 127.0.0.1; `connections` counts those it has taken."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._threads: list[threading.Thread] = []
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def from_client(self, link: Link, data: bytes) -> bool:
        """Do with the client's bytes what is to be done; False ends the connection."""
        link.server.sendall(data)
        return True

    def from_server(self, link: Link, data: bytes) -> bool:
        """The same for the server's."""
        link.client.sendall(data)
        return True

    def serve(self) -> None:
        """Take connections until `stopped` is set."""
        while not self.stopped.is_set():
            with contextlib.suppress(TimeoutError):
                client, _address = self._listener.accept()
                client.settimeout(30)
                self.connections += 1
                self._threads.append(threading.Thread(target=self._relay, args=(client,), daemon=True))
                self._threads[-1].start()

    def close(self) -> None:
        """Close everything, when `serve` has ended."""
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _relay(self, client: socket.socket) -> None:
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._target)) as server,
            selectors.DefaultSelector() as ready,
        ):
            link = Link(client, server, {client: 0, server: 0})
            for one in (client, server):
                ready.register(one, selectors.EVENT_READ)
            while not self.stopped.is_set():
                for key, _events in ready.select(0.1):
                    source, pass_on = (
                        (client, self.from_client) if key.fileobj is client else (server, self.from_server)
                    )
                    data = source.recv(65536)
                    if not data or not pass_on(link, data):
                        return
                    link.passed[source] += len(data)


_Relay = TypeVar("_Relay", bound=Relay)


@contextmanager
def relaying(relay: _Relay) -> Iterator[_Relay]:
    """A relay at work, for a while."""
    thread = threading.Thread(target=relay.serve, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.stopped.set()
        thread.join()
        relay.close()
