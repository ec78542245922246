# SPDX-License-Identifier: GPL-3.0-or-later
"""What `repair: documented` does to a message, and that it does nothing else."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.repair import HEADER_LIMIT, repaired
from hypothesis import given
from hypothesis import strategies as st

FINE = b"Subject: x\r\nX-Long: a\r\n\tb\r\nOdd :y\r\n\r\nbody\r\n\r\nmore \xff \x80"


def whole(message: bytes, size: int = 1 << 16) -> bytes:
    return b"".join(repaired(message[start : start + size] for start in range(0, len(message), size)))


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (FINE, FINE),
        (b"\r\nno header at all\r\n", b"\r\nno header at all\r\n"),
        (b"Subject: x\r\n\r\na\0b\0", b"Subject: x\r\n\r\na\x80b\x80"),
        (b"Subject: x\n\none\rtwo\r\n\r", b"Subject: x\r\n\r\none\r\ntwo\r\n\r\n"),
        (b"Subject: x\r\r\n\r\nbody", b"Subject: x\r\n\r\n\r\nbody"),
        (b"From me Wed\r\nSubject: x\r\n\r\nbody", b"Subject: x\r\n\r\nbody"),
        (b"Subject: x\r\nno field\r\n\r\nbody", b"Subject: x\r\n\r\nno field\r\n\r\nbody"),
        (b"just text", b"\r\njust text"),
        (b" folded first\r\n\r\n", b"\r\n folded first\r\n\r\n"),
        (b"Subject: only a header", b"Subject: only a header\r\n\r\n"),
        (b"Subject: only a header\r\n", b"Subject: only a header\r\n\r\n"),
        (b"X\xfcY: 8-bit name\r\n\r\nbody", b"\r\nX\xfcY: 8-bit name\r\n\r\nbody"),
    ],
)
def test_the_three_steps(message: bytes, wanted: bytes) -> None:
    for size in (1, 2, 7, 1 << 16):
        assert whole(message, size) == wanted
    assert whole(wanted) == wanted


def test_a_header_without_an_end_is_left_alone() -> None:
    message = b"X: " + b"y" * (HEADER_LIMIT + 5)
    assert whole(message) == message


@given(st.binary(max_size=200), st.integers(1, 9))
def test_it_is_what_a_strict_server_takes_and_is_done_once(message: bytes, size: int) -> None:
    result = whole(message, size)
    assert result == whole(message)
    assert whole(result) == result
    assert b"\0" not in result
    bare = result.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
