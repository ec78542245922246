# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A web server on loopback that does what a test says: what no real server does on demand."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """What came; names of headers as they were sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What goes back. ``length`` is what the server says that it sends; ``endless`` that it does not say it.

    ``hang_up`` ends without any answer.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    endless: bool = False
    hang_up: bool = False

    def how_long(self) -> tuple[tuple[str, str], ...]:
        """The header that says it."""
        length = len(self.body) if self.length is None else self.length
        return () if self.endless else (("Content-Length", str(length)),)


@dataclass
class Peer:
    """A running server; ``seen`` are the requests so far."""

    port: int
    scheme: str
    seen: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Its root."""
        return f"{self.scheme}://127.0.0.1:{self.port}/"

    def count(self, method: str) -> int:
        """How many requests with this method there were."""
        return sum(one.method == method for one in self.seen)


@contextmanager
def serving(answer: Callable[[Request], Reply], context: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """A server that answers each request so, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            peer.connections += 1

        def do(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, dict(self.headers.items()), self.rfile.read(size))
            peer.seen.append(request)
            reply = answer(request)
            self.close_connection = reply.hang_up or reply.endless or reply.length is not None
            if reply.hang_up:
                return
            self.send_response_only(reply.status)
            for name, value in (*reply.headers, *reply.how_long()):
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(reply.body)

        def __getattr__(self, name: str) -> object:
            if name.startswith("do_"):
                return self.do
            raise AttributeError(name)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_what: object) -> None:
            """A client that goes away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    peer = Peer(server.server_address[1], "https" if context else "http")
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
