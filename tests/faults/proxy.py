# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback that cuts connections at a byte of our choice."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """Cut after so many bytes from the `client` or the `server`; `hard` by RST, else by FIN; the first `times` only."""

    after: int
    towards: str
    hard: bool = False
    times: int = 1


class Proxy:
    """Passes bytes on between its own port and another one; `cuts` counts what it has cut."""

    def __init__(self, port: int, cut: Cut) -> None:
        self._target, self._cut = port, cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self.connections = 0

    def serve(self) -> None:
        """Take connections until `close`."""
        self._listener.settimeout(0.1)
        while not self._stop.is_set():
            try:
                client, _address = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with self._lock:
                self.connections += 1
            thread = threading.Thread(target=self._relay, args=(client,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Stop, and close everything."""
        self._stop.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _relay(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            passed = {client: 0, server: 0}
            counted = server if self._cut.towards == "client" else client
            with selectors.DefaultSelector() as ready:
                for one in (client, server):
                    one.setblocking(True)
                    ready.register(one, selectors.EVENT_READ)
                while not self._stop.is_set():
                    for key, _events in ready.select(0.1):
                        source = client if key.fileobj is client else server
                        data = source.recv(65536)
                        if not data:
                            return
                        rest = self._cut.after - passed[counted] if source is counted else len(data) + 1
                        if len(data) >= rest and self._may_cut():
                            (server if source is client else client).sendall(data[:rest])
                            self._end(client, server)
                            return
                        passed[source] += len(data)
                        (server if source is client else client).sendall(data)

    def _may_cut(self) -> bool:
        with self._lock:
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


@contextmanager
def cutting(port: int, cut: Cut) -> Iterator[Proxy]:
    """A proxy before a port of 127.0.0.1, for a while."""
    proxy = Proxy(port, cut)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
