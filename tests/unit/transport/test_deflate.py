# SPDX-License-Identifier: GPL-3.0-or-later
"""Compression over a connection: any bytes in any pieces, bounded memory, damaged streams."""

from __future__ import annotations

import random
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import ConnectionLostError, ProtocolError
from ansible_collections.atmail.migration.plugins.module_utils.transport.deflate import Deflated
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import Wire
from hypothesis import given, settings
from hypothesis import strategies as st


class Pieces:
    """A stream that gives out its bytes in pieces of the given sizes, and keeps what is sent."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = data, sizes
        self.sent = b""

    def recv_into(self, buffer: memoryview) -> int:
        size = min(len(buffer), self._sizes.pop(0) if self._sizes else 1000, len(self._data))
        buffer[:size] = self._data[:size]
        self._data = self._data[size:]
        return size

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def settimeout(self, value: float | None) -> None:
        """Nothing to wait for."""

    def gettimeout(self) -> float | None:
        """Nothing to wait for."""
        return None

    def close(self) -> None:
        """Nothing to close."""


def packed(*parts: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join(packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in parts)


def unpacked(stream: Deflated, room: int) -> bytes:
    result = b""
    buffer = bytearray(room)
    while count := stream.recv_into(memoryview(buffer)):
        result += buffer[:count]
    return result


@settings(max_examples=200)
@given(
    st.lists(st.binary(max_size=2000) | st.builds(lambda n: b"a" * n, st.integers(0, 5000)), max_size=5),
    st.lists(st.integers(1, 50), max_size=20),
    st.integers(1, 400),
    st.integers(0, 200),
)
def test_what_goes_in_comes_out(parts: list[bytes], sizes: list[int], room: int, arrived: int) -> None:
    data = packed(*parts)
    stream = Deflated(Pieces(data[arrived:], sizes), data[:arrived])
    assert unpacked(stream, room) == b"".join(parts)


@given(st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=5))
def test_the_other_side_can_unpack_at_once_what_is_sent(parts: list[bytes]) -> None:
    below = Pieces(b"", [])
    stream = Deflated(below)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    for part in parts:
        below.sent = b""
        stream.sendall(part)
        assert unpacker.decompress(below.sent) == part


def test_the_end_of_the_compressed_stream_is_the_end() -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = packer.compress(b"* BYE\r\n") + packer.flush(zlib.Z_FINISH)
    assert unpacked(Deflated(Pieces(data + b"more", [])), 100) == b"* BYE\r\n"


@contextmanager
def wired(data: bytes) -> Iterator[Wire]:
    """A compressed wire whose other end sends these bytes and closes."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)

    def send() -> None:
        with theirs:
            try:
                theirs.sendall(data)
            except ConnectionError:
                return  # we had enough of it

    thread = threading.Thread(target=send)
    thread.start()
    wire = Wire(ours)
    wire.through(Deflated)
    try:
        yield wire
    finally:
        wire.close()
        thread.join()


def bomb(unpacked_size: int) -> bytes:
    """A line without an end, of one letter."""
    return packed(b"* " + b"A" * unpacked_size)


def test_a_bomb_is_bounded_like_any_line() -> None:
    """300 kB that unpack to 300 MB."""
    data = bomb(300 << 20)
    assert len(data) < 400_000
    tracemalloc.start()
    try:
        with wired(data) as wire, pytest.raises(ProtocolError, match="line of more than"):
            wire.response()
        assert tracemalloc.get_traced_memory()[1] < 120 << 20
    finally:
        tracemalloc.stop()


def test_a_literal_is_handed_on_in_pieces_however_well_it_was_packed() -> None:
    size = 100 << 20
    with wired(packed(b"* X {%d}\r\n" % size + b"A" * size)) as wire:
        assert wire.line().startswith(b"* X")
        longest = total = 0
        for piece in wire.pieces(size):
            longest, total = max(longest, len(piece)), total + len(piece)
    assert total == size
    assert longest <= 1 << 20


@pytest.mark.case(90)
def test_a_damaged_stream_is_a_clear_error() -> None:
    garbage = random.Random(1).randbytes(5000)
    with wired(b"\x07" + garbage) as wire, pytest.raises(ProtocolError, match="compressed data is damaged"):
        wire.response()


@pytest.mark.case(90)
def test_a_stream_that_breaks_off_is_a_lost_connection() -> None:
    with wired(packed(b"* OK hello")[:-6]) as wire, pytest.raises(ConnectionLostError):
        wire.response()
