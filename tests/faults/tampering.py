# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on loopback that changes what the server says, holds it up, and keeps what the client says."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

from .relay import Link, Relay, relaying


class Tampering(Relay):
    """Somebody on the way: `said` is all from the client, `heard` how many bytes came from the server."""

    def __init__(self, port: int, old: bytes, new: bytes, delay: float) -> None:
        super().__init__(port)
        self._old, self._new, self._delay = old, new, delay
        self.said = b""
        self.heard = 0

    def from_client(self, link: Link, data: bytes) -> bool:
        """Keep it."""
        self.said += data
        return super().from_client(link, data)

    def from_server(self, link: Link, data: bytes) -> bool:
        """Hold it up, and change it."""
        self.heard += len(data)
        time.sleep(self._delay)
        return super().from_server(link, data.replace(self._old, self._new) if self._old else data)


def tampering(
    port: int, old: bytes = b"", new: bytes = b"", *, delay: float = 0.0
) -> AbstractContextManager[Tampering]:
    """A proxy before a port of 127.0.0.1 that replaces bytes from the server; `delay` in seconds for each piece."""
    return relaying(Tampering(port, old, new, delay))
