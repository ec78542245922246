# SPDX-License-Identifier: GPL-3.0-or-later
"""Which 0x80 may be a NUL that a source has hidden."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.nuls import may_hide
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("piece", "may"),
    [
        (b"plain", False),
        ("\u201cGrüße\u201d 漢字 🎉 À \u0800 \U00010000 \U0010ffff".encode(), False),
        (b"\x80", True),
        (b"5 \x80 only", True),
        (b"\xe2\x80", True),
        (b"\xc1\x80", True),
        (b"\xed\xa0\x80", True),
        (b"\xf4\x90\x80\x80", True),
        ("漢字".encode() + b"\x80", True),
    ],
)
def test_what_is_no_character_may(piece: bytes, may: bool) -> None:
    assert may_hide(piece) is may


@given(st.text())
def test_no_text_in_utf_8_may(text: str) -> None:
    assert not may_hide(text.encode("utf-8", "ignore"))


@given(st.text(), st.text())
def test_a_nul_between_two_texts_always_may(one: str, other: str) -> None:
    assert may_hide(one.encode("utf-8", "ignore") + b"\x80" + other.encode("utf-8", "ignore"))
