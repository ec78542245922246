# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener: a thread for every connection, and what all of them know together."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from .behaviour import Behaviour, Hangup
from .doveadm import DoveadmApi
from .session import Session
from .values import Mailbox

#: Every account's password, and the doveadm API's key.
PASSWORD = "secret"


class ScriptedServer:
    """A running server. `behaviour` may be replaced at any time; it holds from the next command on.

    `commands` are the verbs and their arguments in the order in which they came (without literals); `complaints` what a
    client must never do and did; `happened` counts things that are done once or are counted over all connections.
    """

    def __init__(
        self, accounts: Mapping[str, Mailbox], behaviour: Behaviour, tls: ssl.SSLContext | None = None
    ) -> None:
        self.accounts = dict(accounts)
        self.behaviour = behaviour
        self.password = PASSWORD
        self.commands: list[bytes] = []
        self.complaints: list[str] = []
        self.happened: Counter[str] = Counter()
        self.connections = 0
        self._tls = tls
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self.doveadm = DoveadmApi(self.accounts, PASSWORD)

    # what sessions ask

    def count(self, what: str, by: int = 1) -> int:
        """Count something; gives the number including this."""
        with self._lock:
            self.happened[what] += by
            return self.happened[what]

    def note(self, command: bytes) -> None:
        """Remember a command."""
        with self._lock:
            self.commands.append(command)

    def complain(self, text: str) -> None:
        """Remember what a client must not do."""
        with self._lock:
            self.complaints.append(text)

    # what tests ask

    def forget(self) -> None:
        """Begin to count and to listen anew."""
        with self._lock:
            self.commands.clear()
            self.happened.clear()

    def verbs(self) -> Counter[bytes]:
        """How often each command came; `UID FETCH` is one of them."""
        with self._lock:
            words = [command.upper().split() for command in self.commands]
        return Counter(b" ".join(two[:2]) if two[0] == b"UID" else two[0] for two in words)

    def drop(self) -> None:
        """End all connections, as a server that is restarted."""
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    # running

    def serve(self) -> None:
        """Take connections until `close`."""
        while not self._closing:
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(sock,), daemon=True)
            with self._lock:
                self.connections += 1
                self._open.add(sock)
                self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stop, and end all connections."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        for thread in self._threads:
            thread.join(5)
        self.doveadm.close()

    def _one(self, sock: socket.socket) -> None:
        raw = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(60)
            with contextlib.suppress(OSError, Hangup):
                Session(self, self._tls.wrap_socket(sock, server_side=True) if self._tls else sock).run()
        finally:
            with self._lock:
                self._open.discard(raw)
            with contextlib.suppress(OSError):
                sock.close()


@contextmanager
def serving(
    accounts: Mapping[str, Mailbox], behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedServer]:
    """A server on a free port of 127.0.0.1, for a while; with TLS from the first byte when a context is given."""
    server = ScriptedServer(accounts, behaviour or Behaviour(), tls)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)
