# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What counts between two iCalendar or vCard texts, and what does not."""

from __future__ import annotations

import random

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.compare import (
    SCHEDULE_AGENT,
    differences,
    digest,
    normal,
    same,
)
from hypothesis import given
from hypothesis import strategies as st

EVENT = b"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//one//EN
BEGIN:VEVENT
UID:a
DTSTAMP:20260101T000000Z
SUMMARY;LANGUAGE=de:Gr\xc3\xbc\xc3\x9fe\\, alle
ATTENDEE;CN="Ann";PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:ann@acme.example
DESCRIPTION:one\\ntwo
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT5M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:a
RECURRENCE-ID:20260102T100000Z
SUMMARY:Other
END:VEVENT
END:VCALENDAR
"""
CARD = b"""\
BEGIN:VCARD
VERSION:3.0
UID:b
FN:Ann
item1.TEL;TYPE=WORK,VOICE:1
PHOTO;ENCODING=b;TYPE=JPEG:AAECAwQF
END:VCARD
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (EVENT, EVENT.replace(b"\n", b"\r\n")),
        (EVENT, EVENT.replace(b"\n", b"\r")),
        (EVENT, b"\xef\xbb\xbf" + EVENT),
        (EVENT, EVENT.replace(b"-//one//EN", b"-//two//EN").replace(b"20260101T", b"20270101T")),
        (EVENT, EVENT.replace(b"PRODID:-//one//EN\n", b"").replace(b"DTSTAMP:20260101T000000Z\n", b"")),
        (EVENT, EVENT.replace(b"Gr\xc3\xbc", b"Gr\xc3\r\n \xbc")),
        (EVENT, EVENT.replace(b'CN="Ann";PARTSTAT=ACCEPTED', b"PARTSTAT=ACCEPTED;CN=Ann")),
        (EVENT, EVENT.replace(b"PARTSTAT", b'SCHEDULE-STATUS="2.0;ok";partstat')),
        (EVENT, EVENT.replace(b"SUMMARY", b"summary").replace(b"BEGIN:VALARM", b"begin:valarm")),
        (EVENT, EVENT.replace(b"one\\ntwo", b"one\\Ntwo")),
        (EVENT, EVENT.replace(b"\nACTION:DISPLAY\nTRIGGER:-PT5M", b"\nTRIGGER:-PT5M\nACTION:DISPLAY")),
        (EVENT, EVENT + b"\r\n\r\n"),
        (b"CATEGORIES;LANGUAGE=en:a\\,b,c\nX:1\n", b"CATEGORIES;LANGUAGE=en:c\nX:1\nCATEGORIES;LANGUAGE=en:a\\,b\n"),
        (b"EXDATE:20260101,20260102\n", b"EXDATE:20260102\nEXDATE:20260101\n"),
        (b"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n", b"RRULE:FREQ=YEARLY;BYDAY=-1su;BYMONTH=3\n"),
        (CARD, CARD.replace(b"TYPE=WORK,VOICE", b"type=voice;TYPE=work")),
        (CARD, CARD.replace(b"TYPE=WORK,VOICE", b"WORK;VOICE")),
        (CARD, CARD.replace(b"ENCODING=b;TYPE=JPEG:AAEC", b"TYPE=JPEG;ENCODING=BASE64:AA EC\n  ")),
    ],
)
def test_what_does_not_count(one: bytes, other: bytes) -> None:
    assert one != other
    assert same(one, other)
    assert digest(one) == digest(other)
    assert differences(one, other) == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (EVENT.replace(b"alle", b"Alle"), ("VCALENDAR, VEVENT, SUMMARY: another value",)),
        (EVENT.replace(b"LANGUAGE=de", b"LANGUAGE=en"), ("VCALENDAR, VEVENT, SUMMARY: another value",)),
        (EVENT.replace(b"one\\ntwo", b"one two"), ("VCALENDAR, VEVENT, DESCRIPTION: another value",)),
        (EVENT.replace(b"TRIGGER:-PT5M\n", b""), ("VCALENDAR, VEVENT, VALARM, TRIGGER: missing",)),
        (EVENT.replace(b"UID:a\nDTSTAMP", b"X-NEW:1\nUID:a\nDTSTAMP"), ("VCALENDAR, VEVENT, X-NEW: added",)),
        (
            EVENT.replace(b"SUMMARY:Other", b"SUMMARY:Else"),
            ("VCALENDAR, VEVENT of 20260102T100000Z, SUMMARY: another value",),
        ),
        (EVENT.replace(b"ACCEPTED", b"DECLINED"), ("VCALENDAR, VEVENT, ATTENDEE: another value",)),
        (EVENT.replace(b'"Ann"', b'"Ann,Bob"'), ("VCALENDAR, VEVENT, ATTENDEE: another value",)),
    ],
)
def test_what_counts_is_named_without_its_value(other: bytes, said: tuple[str, ...]) -> None:
    assert not same(EVENT, other)
    assert digest(EVENT) != digest(other)
    assert differences(EVENT, other) == said


def test_a_list_of_two_is_not_one_with_a_comma() -> None:
    assert not same(b"CATEGORIES:a\\,b\n", b"CATEGORIES:a\nCATEGORIES:b\n")
    assert not same(b"SUMMARY:a,b\n", b"SUMMARY:a\nSUMMARY:b\n")
    assert not same(b'X;A="b,c":1\n', b"X;A=b,c:1\n")


def test_a_component_that_is_missing_or_twice() -> None:
    alarm = b"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\n"
    assert "VCALENDAR, VEVENT, VALARM: missing" in differences(EVENT, EVENT.replace(alarm, b""))
    assert "VCALENDAR, VEVENT, VALARM: added" in differences(EVENT, EVENT.replace(alarm, alarm * 2))
    assert not same(EVENT, EVENT.replace(alarm, alarm * 2))


def test_who_sends_invitations_can_be_left_out() -> None:
    other = EVENT.replace(b"RSVP=TRUE", b"SCHEDULE-AGENT=CLIENT;RSVP=TRUE")
    assert not same(EVENT, other)
    assert same(EVENT, other, frozenset({SCHEDULE_AGENT}))


def test_quoted_printable_goes_on_in_the_next_line() -> None:
    one = b"BEGIN:VCARD\nVERSION:2.1\nNOTE;ENCODING=QUOTED-PRINTABLE:a=C3=\n=A4b\nEND:VCARD\n"
    assert same(one, one.replace(b"=C3=\n=A4", b"=C3=A4").replace(b"ENCODING=", b""))
    assert not same(one, one.replace(b"=A4b", b"=A4c"))


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    assert normal(data) == normal(data)
    assert differences(data, data) == ()


@given(st.integers(0, 2**32), st.integers(1, 75))
def test_folded_and_shuffled_it_is_the_same(seed: int, width: int) -> None:
    chance = random.Random(seed)
    lines = [b"X-%d;P=%d:" % (number, chance.randrange(9)) + chance.randbytes(40).hex().encode() for number in range(9)]
    chance.shuffle(lines)
    head, tail = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", b"\nEND:VEVENT\nEND:VCALENDAR\n"
    folded = [b"\r\n ".join(line[at : at + width] for at in range(0, len(line), width)) for line in lines]
    chance.shuffle(folded)
    one, other = head + b"\n".join(lines) + tail, head + b"\r\n".join(folded) + tail
    assert same(one, other)
    assert not same(one, other.replace(b"X-3", b"X-33", 1) if width > 3 else other + b"X:1\n")
