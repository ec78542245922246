# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback that changes what the server says, holds it up, and keeps what the client says."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Tampering:
    """Somebody on the way: `said` is all from the client, `heard` how many bytes came from the server."""

    def __init__(self, port: int, old: bytes, new: bytes, delay: float) -> None:
        self._target, self._old, self._new, self._delay = port, old, new, delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.said = b""
        self.heard = 0

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
                        self.said += data
                        server.sendall(data)
                    else:
                        self.heard += len(data)
                        time.sleep(self._delay)
                        client.sendall(data.replace(self._old, self._new) if self._old else data)


@contextmanager
def tampering(port: int, old: bytes = b"", new: bytes = b"", *, delay: float = 0.0) -> Iterator[Tampering]:
    """A proxy before a port of 127.0.0.1 that replaces bytes from the server; `delay` in seconds for each piece."""
    proxy = Tampering(port, old, new, delay)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
        proxy.close()
