# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback on which the server falls silent, or nearly so, and the connection stays."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: Seconds between two bytes of a trickle: far less than any time limit.
_BETWEEN = 0.2


@dataclass(frozen=True)
class Stall:
    """Fall silent after so many bytes from the server, or go on byte by byte; the first `times` connections only."""

    after: int
    trickle: bool = False
    times: int = 1


class Stalling:
    """Passes bytes on between its own port and another one; `stalled` counts the connections that it held up."""

    def __init__(self, port: int, stall: Stall) -> None:
        self._target, self._stall = port, stall
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.stalled = 0

    def serve(self) -> None:
        """Take connections until `stop`."""
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                client, _address = self._listener.accept()
                client.settimeout(30)
                self._threads.append(threading.Thread(target=self._relay, args=(client,), daemon=True))
                self._threads[-1].start()

    def stop(self) -> None:
        """Take no more connections, and end those that there are."""
        self._stop.set()

    def close(self) -> None:
        """Close everything, when `serve` has ended."""
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _relay(self, client: socket.socket) -> None:
        passed = 0
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._target)) as server,
            selectors.DefaultSelector() as ready,
        ):
            for one in (client, server):
                ready.register(one, selectors.EVENT_READ)
            while not self._stop.is_set():
                for key, _events in ready.select(0.1):
                    source = client if key.fileobj is client else server
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is client:
                        server.sendall(data)
                        continue
                    rest = self._stall.after - passed
                    passed += len(data)
                    if len(data) > rest and self._may_stall():
                        client.sendall(data[: max(0, rest)])
                        self._hold(client, data[max(0, rest) :])
                        return
                    client.sendall(data)

    def _may_stall(self) -> bool:
        with self._lock:
            if self.stalled >= self._stall.times:
                return False
            self.stalled += 1
            return True

    def _hold(self, client: socket.socket, rest: bytes) -> None:
        """Keep the connection open without a word, or with a word now and then, until the client goes."""
        client.settimeout(_BETWEEN)
        for number in range(10_000):
            if self._stop.is_set():
                return
            with contextlib.suppress(TimeoutError):
                if not client.recv(65536):
                    return
            if self._stall.trickle and number < len(rest):
                client.sendall(rest[number : number + 1])


@contextmanager
def stalling(port: int, stall: Stall) -> Iterator[Stalling]:
    """A proxy before a port of 127.0.0.1, for a while."""
    proxy = Stalling(port, stall)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
        proxy.close()
