# SPDX-License-Identifier: GPL-3.0-or-later
"""Flags and dates: what counts as the same, and what may be sent."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.attributes import (
    PLACEHOLDER,
    difference,
    flag_key,
    instant,
    is_placeholder,
    storable,
)
from hypothesis import given
from hypothesis import strategies as st

FLAGS = st.lists(st.sampled_from([b"\\Seen", b"\\Flagged", b"$Work", b"$Forwarded", b"NIL", b"Junk"]), max_size=6)


@pytest.mark.parametrize(
    ("flags", "same"),
    [(b"", b"\\Recent"), (b"\\Seen $Work", b"$WORK \\seen \\Recent"), (b"a b", b"b a a")],
)
def test_same_flags(flags: bytes, same: bytes) -> None:
    r"""case_42: \Recent is no difference; neither are case and order."""
    assert flag_key(flags) == flag_key(same)


@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        (b"\\Recent \\Seen", (b"\\Seen",)),
        (b"\\Deleted " + PLACEHOLDER, (b"\\Deleted",)),
        (b"NIL $Forwarded", (b"$Forwarded", b"NIL")),
        (b"bad\x80 ok", (b"ok",)),
        (b"\\FORWARDED \\X-HAS-ATTACH", (b"\\FORWARDED", b"\\X-HAS-ATTACH")),
        (b"junk Junk", (b"junk",)),
    ],
)
def test_storable(flags: bytes, sent: tuple[bytes, ...]) -> None:
    """case_44, case_45; and nobody's message can pass for a placeholder of ours."""
    assert storable(flags) == sent


@pytest.mark.parametrize(
    ("flags", "placeholder"),
    [(b"\\Deleted " + PLACEHOLDER, True), (PLACEHOLDER, False), (b"\\Deleted", False), (b"", False)],
)
def test_placeholder_needs_both_marks(flags: bytes, placeholder: bool) -> None:
    assert is_placeholder(flags) is placeholder


@given(FLAGS, FLAGS)
def test_difference_makes_one_of_the_other(have: list[bytes], want: list[bytes]) -> None:
    add, remove = difference(b" ".join(have), want)
    now = {flag.lower() for flag in have} | {flag.lower() for flag in add}
    assert now - {flag.lower() for flag in remove} == {flag.lower() for flag in want}
    assert not set(add) & set(remove)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        (b"01-Jan-1970 00:00:00 +0000", 0),
        (b" 1-Jan-1970 01:00:00 +0100", 0),
        (b"31-Dec-1969 23:00:00 -0100", 0),
        (b"29-Feb-2000 12:00:00 +0000", 951825600),
        (b"19-Jan-2038 03:14:08 +0000", 2147483648),
        (b"01-jan-2020 14:00:00 +1400", 1577836800),
        (b"", None),
        (b"NIL", None),
        (b"1-Foo-2020 00:00:00 +0000", None),
        (b"1-Jan-20 00:00:00 +0000", None),
    ],
)
def test_instant(date: bytes, seconds: int | None) -> None:
    """case_38: spaces, 1969, 2038, far zones; what is no date is none."""
    assert instant(date) == seconds
