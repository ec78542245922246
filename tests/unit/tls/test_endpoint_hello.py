# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The ClientHello of each version, and what answers to it mean, however broken they are."""

from __future__ import annotations

import itertools
import struct

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.flight import MAX_FLIGHT, read_flight
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.hello import (
    RANDOM_BYTES,
    VERSIONS,
    client_hello,
)
from hypothesis import given
from hypothesis import strategies as st

CHECKS = st.sampled_from(sorted(VERSIONS))
RANDOM = bytes(range(RANDOM_BYTES))


def record(body: bytes, kind: int = 22) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def message(kind: int, body: bytes = b"") -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def server_hello(version: int, extension: int | None = None) -> bytes:
    body = struct.pack("!H", version) + bytes(32) + b"\x00" + b"\xc0\x2f\x00"
    if extension is not None:
        body += struct.pack("!HHHH", 6, 43, 2, extension)
    return message(2, body)


def certificates(*ders: bytes) -> bytes:
    each = b"".join(len(der).to_bytes(3, "big") + der for der in ders)
    return message(11, len(each).to_bytes(3, "big") + each)


@pytest.mark.parametrize("check", VERSIONS)
@pytest.mark.parametrize("name", ["a.example", "127.0.0.1", "2001:db8::1", f"{'a' * 60}.{'b' * 60}.{'c' * 60}.example"])
def test_a_hello_is_well_formed(check: str, name: str) -> None:
    hello = client_hello(check, name, RANDOM)
    kind, _version, length = struct.unpack("!BHH", hello[:5])
    assert (kind, length) == (22, len(hello) - 5)
    assert hello[5] == 1
    assert int.from_bytes(hello[6:9], "big") == len(hello) - 9
    assert int.from_bytes(hello[9:11], "big") == min(VERSIONS[check], 0x0303)
    assert len(hello) - 5 not in range(256, 512)
    assert (name.encode() in hello) is not name[0].isdigit()


@pytest.mark.parametrize(
    ("check", "data", "verdict", "seen"),
    [
        ("tls_1_0", record(server_hello(0x0301)) + record(message(14)), "accepted", ""),
        ("tls_1_0", record(server_hello(0x0301) + certificates(b"abc") + message(14)), "accepted", ""),
        ("tls_1_1", record(server_hello(0x0301)), "refused", "it chose TLS 1.0"),
        ("tls_1_0", record(server_hello(0x0303)), "unclear", "it chose TLS 1.2"),
        ("tls_1_3", record(server_hello(0x0303)), "refused", "it chose TLS 1.2"),
        ("tls_1_3", record(server_hello(0x0303, 0x0304)), "accepted", ""),
        ("tls_1_2", record(server_hello(0x0303)) + record(b"\x02\x50", 21), "refused", "alert internal error"),
        ("tls_1_0", record(b"\x02\x46", 21), "refused", "alert protocol version"),
        ("tls_1_2", record(b"\x02\x70", 21), "unknown_name", "alert unrecognized name"),
        ("tls_1_0", record(b"\x01\x00", 21), "refused", "alert close notify"),
        ("tls_1_2", record(b"\x01\x70", 21) + record(server_hello(0x0303) + message(14)), "accepted", ""),
        ("tls_1_2", b"220 smtp ESMTP\r\n", "not_tls", "no TLS, but b'220 smtp ESMTP\\r\\n'"),
        ("tls_1_2", b"\x16\x02\x00", "unclear", "no TLS, but b'\\x16\\x02\\x00'"),
        ("tls_1_2", record(bytes(4)) * 100, "unclear", "records without an end"),
    ],
)
def test_an_answer_is_understood(check: str, data: bytes, verdict: str, seen: str) -> None:
    reply = read_flight(data, check)
    assert reply is not None
    assert (reply.verdict, reply.seen) == (verdict, seen)


def test_the_chain_is_what_was_sent() -> None:
    reply = read_flight(record(server_hello(0x0303) + certificates(b"leaf", b"middle") + message(14)), "tls_1_2")
    assert reply is not None
    assert reply.chain == (b"leaf", b"middle")


def test_an_end_without_a_word_is_a_refusal() -> None:
    reply = read_flight(b"", "tls_1_0", ended=True)
    assert reply is not None
    assert reply.verdict == "refused"


WHOLE = record(server_hello(0x0303)) + record(certificates(b"leaf") + message(14))


@given(st.integers(0, len(WHOLE) - 1))
def test_half_an_answer_says_nothing_yet(length: int) -> None:
    assert read_flight(WHOLE[:length], "tls_1_2") is None


@given(st.lists(st.integers(1, len(message(14)) + len(certificates(b"leaf"))), max_size=5))
def test_messages_may_be_cut_into_records_anywhere(cuts: list[int]) -> None:
    stream = server_hello(0x0303) + certificates(b"leaf") + message(14)
    places = sorted({0, *cuts, len(stream)})
    data = b"".join(record(stream[start:end]) for start, end in itertools.pairwise(places))
    reply = read_flight(data, "tls_1_2")
    assert reply is not None
    assert (reply.verdict, reply.chain) == ("accepted", (b"leaf",))


@given(CHECKS, st.binary(max_size=600), st.booleans())
def test_any_bytes_get_a_verdict(check: str, data: bytes, ended: bool) -> None:
    reply = read_flight(data, check, ended=ended)
    if ended:
        assert reply is not None
    if reply is not None:
        assert reply.verdict in {"accepted", "refused", "unknown_name", "not_tls", "unclear"}


@given(CHECKS, st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_wrong_byte_anywhere_breaks_nothing(check: str, place: int, value: int) -> None:
    assert read_flight(WHOLE[:place] + bytes([value]) + WHOLE[place + 1 :], check, ended=True) is not None


def test_what_is_too_much_is_not_read() -> None:
    reply = read_flight(bytes(MAX_FLIGHT + 1), "tls_1_2")
    assert reply is not None
    assert reply.verdict == "unclear"
