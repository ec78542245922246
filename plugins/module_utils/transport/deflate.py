# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A connection whose bytes are compressed both ways (RFC 4978, COMPRESS=DEFLATE).

What comes in is inflated only as far as there is room for it, so that a bomb (a thousand to one) takes no more memory
than plain bytes do: what it unpacks to is bounded where lines and literals are.
"""

from __future__ import annotations

import zlib
from typing import Protocol

from ..errors import ProtocolError

_CHUNK = 64 * 1024
#: zlib's own middle way: at 6, mail takes half the bytes at about 30 MB/s; a link that is faster needs no compression.
_LEVEL = 6


class Stream(Protocol):
    """What is read and written: a socket, TLS over one, or compression over either."""

    def recv_into(self, buffer: memoryview) -> int:
        """Read some bytes into the buffer; how many, 0 at the end."""

    def sendall(self, data: bytes) -> None:
        """Send all of it."""

    def settimeout(self, value: float | None) -> None:
        """Set how long one step may take, in seconds."""

    def gettimeout(self) -> float | None:
        """How long one step may take, in seconds."""

    def close(self) -> None:
        """End the connection."""


class Deflated:
    """A stream over another one; ``arrived`` are compressed bytes that were read from that already."""

    def __init__(self, stream: Stream, arrived: bytes = b"") -> None:
        self._stream = stream
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._packed = arrived
        self._more = bool(arrived)
        self._buffer = bytearray(_CHUNK)

    def recv_into(self, buffer: memoryview) -> int:
        """Read some bytes, at most as many as fit.

        :raises ProtocolError: the compressed stream is damaged.
        """
        while True:
            if self._more:
                data = self._unpack(len(buffer))
                if data:
                    buffer[: len(data)] = data
                    return len(data)
            if self._inflate.eof:
                return 0
            count = self._stream.recv_into(memoryview(self._buffer))
            if not count:
                return 0
            self._packed, self._more = bytes(self._buffer[:count]), True

    def _unpack(self, room: int) -> bytes:
        try:
            data = self._inflate.decompress(self._packed, room)
        except zlib.error as error:
            raise ProtocolError(f"the server's compressed data is damaged: {error}") from error
        self._packed = self._inflate.unconsumed_tail
        # with the room used up, zlib may hold back more even when it has taken all its input
        self._more = bool(self._packed) or len(data) == room
        return data

    def sendall(self, data: bytes) -> None:
        """Send all of it, so that the server can unpack it at once."""
        self._stream.sendall(self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH))

    def settimeout(self, value: float | None) -> None:
        """Set how long one step may take, in seconds."""
        self._stream.settimeout(value)

    def gettimeout(self) -> float | None:
        """How long one step may take, in seconds."""
        return self._stream.gettimeout()

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
