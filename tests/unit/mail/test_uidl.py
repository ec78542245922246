# SPDX-License-Identifier: GPL-3.0-or-later
"""POP3 UIDLs: which formats tell a UID, and that what is read out of them is what was put in."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.uidl import (
    DEFAULT,
    FORMATS,
    UidlFormat,
    describe,
    numbers,
)
from hypothesis import given
from hypothesis import strategies as st

UIDS = st.integers(min_value=1, max_value=2**32 - 1)


@given(st.sampled_from(FORMATS), UIDS, UIDS)
def test_what_is_written_is_read(form: UidlFormat, uid: int, uidvalidity: int) -> None:
    told = "%v" in form.template or "%08Xv" in form.template
    assert form.read(form.write(uid, uidvalidity)) == (uid, uidvalidity if told else 0)


@given(st.sampled_from(FORMATS), st.binary(max_size=40))
def test_what_is_read_is_written_as_it_was(form: UidlFormat, uidl: bytes) -> None:
    pair = form.read(uidl)
    assert pair is None or form.write(*pair) == uidl


@given(st.sampled_from(FORMATS), st.sets(UIDS, min_size=2, max_size=20), UIDS)
def test_a_list_of_one_format_tells_its_numbers(form: UidlFormat, uids: set[int], uidvalidity: int) -> None:
    found = numbers([form.write(uid, uidvalidity) for uid in uids])
    assert found
    assert (found.format, found.uids) == (form, tuple(uids))
    assert found.uidvalidity in (0, uidvalidity)


@pytest.mark.parametrize(
    ("uidls", "template", "uidvalidity", "uids"),
    [
        ([b"0000000a4b5f0001", b"0000000c4b5f0001"], DEFAULT, 0x4B5F0001, (10, 12)),
        ([b"4b5f00010000000a", b"4b5f00010000000c"], "%08Xv%08Xu", 0x4B5F0001, (10, 12)),
        # one message: the greater half is the UIDVALIDITY
        ([b"0000000a4b5f0001"], DEFAULT, 0x4B5F0001, (10,)),
        ([b"4b5f00010000000a"], "%08Xv%08Xu", 0x4B5F0001, (10,)),
        # the order of the list is no order of UIDs
        ([b"1600000000.7", b"1600000000.3"], "%v.%u", 1600000000, (7, 3)),
        ([b"UID7-1600000000"], "UID%u-%v", 1600000000, (7,)),
        ([b"1600000000-7"], "%v-%u", 1600000000, (7,)),
        ([b"UID7", b"UID8"], "UID%u", 0, (7, 8)),
        ([b"7", b"4294967295"], "%u", 0, (7, 4294967295)),
    ],
)
def test_formats(uidls: list[bytes], template: str, uidvalidity: int, uids: tuple[int, ...]) -> None:
    found = numbers(uidls)
    assert found
    assert (found.format.template, found.uidvalidity, found.uids) == (template, uidvalidity, uids)


@pytest.mark.parametrize(
    ("uidls", "kind"),
    [
        ([b"1261588012.M5P3.mail,S=12,W=13", b"1261588013.V80I1.host"], "names of files"),
        ([b"0123456789abcdef0123456789ABCDEF"], "GUIDs"),
        ([b"0000000A4b5f0001"], "unknown"),
        ([b"00000000000000ff", b"ff00000000000000"], "unknown"),
        ([b"0"], "unknown"),
        ([b"007"], "unknown"),
        ([b"4294967296"], "unknown"),
        ([b"UID7-1600000000", b"UID8-1600000001"], "several"),
        ([b"UID7-1600000000", b"1261588012.M5P3.mail"], "several"),
        ([b"7", b"7"], "several"),
        ([b"\xff\x00", b""], "unknown"),
    ],
)
def test_what_tells_no_numbers(uidls: list[bytes], kind: str) -> None:
    assert numbers(uidls) is None
    assert kind in describe(uidls)


def test_no_messages_tell_nothing() -> None:
    assert numbers([]) is None
