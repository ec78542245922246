# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Files of events and contacts are taken apart without losing a line."""

from __future__ import annotations

import contextlib
import time
from itertools import chain

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav import compare
from ansible_collections.atmail.migration.plugins.module_utils.dav.content_lines import folded, unfolded
from ansible_collections.atmail.migration.plugins.module_utils.dav.files.lines import in_utf8, lines_of
from ansible_collections.atmail.migration.plugins.module_utils.dav.files.splitting import (
    Described,
    SplitError,
    described,
    split_calendar,
    split_cards,
)
from hypothesis import example, given
from hypothesis import strategies as st

HEADER = ["VERSION:2.0", "PRODID:-//somebody//EN", "CALSCALE:GREGORIAN"]


def zone(name: str) -> list[str]:
    return [
        "BEGIN:VTIMEZONE",
        f"TZID:{name}",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


def event(uid: str | None, *more: str, kind: str = "VEVENT") -> list[str]:
    return [f"BEGIN:{kind}", *([f"UID:{uid}"] if uid else []), "DTSTAMP:20140101T000000Z", *more, f"END:{kind}"]


def calendar(*inner: list[str], header: list[str] | None = None) -> bytes:
    lines = ["BEGIN:VCALENDAR", *(HEADER if header is None else header), *chain(*inner), "END:VCALENDAR"]
    return "\r\n".join([*lines, ""]).encode()


def card(*lines: str, version: str = "3.0") -> list[str]:
    return ["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD"]


def text(*cards: list[str], end: str = "\r\n") -> bytes:
    return end.join([*chain(*cards), ""]).encode()


def test_an_object_has_the_components_of_one_uid_and_the_zones_that_they_name() -> None:
    start = "DTSTART;TZID=Here:20140301T090000"
    series = event("one", start, "RRULE:FREQ=DAILY")
    exception = event("one", "RECURRENCE-ID;TZID=Here:20140302T090000", 'DTSTART;TZID="There, far":20140302T100000')
    other = event("two", "DTSTART:20140301")
    task = event("one", kind="VTODO")
    whole = calendar(zone("Here"), zone("There, far"), zone("Nowhere"), series, other, exception, task)
    one, two, todo = split_calendar(whole).pieces
    assert one.data == calendar(zone("Here"), zone("There, far"), series, exception)
    assert (one.uid, one.line) == (b"one", 29)
    assert two.data == calendar(other)
    assert todo.data == calendar(task)


def test_what_a_file_says_of_itself_is_not_said_of_its_objects() -> None:
    own = [
        *HEADER,
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Ärzte\\, und\\nmehr",
        "X-WR-TIMEZONE:UTC",
        "X-APPLE-CALENDAR-COLOR:#1BADF8",
    ]
    content = calendar(event("one"), header=own)
    assert described(content) == Described("Ärzte, und\nmehr", None, "#1BADF8")
    assert described(content.decode().encode("utf-16")) == described(content)
    assert described(calendar(event("one", "DESCRIPTION:not the file's"))) == Described()
    assert split_calendar(content).pieces[0].data == calendar(event("one"))


def test_a_large_attachment_takes_no_time() -> None:
    lines = b"\r\n ".join([b"A" * 74] * 60_000)
    content = calendar(event("one")).replace(b"END:VEVENT", b"ATTACH:" + lines + b"\r\nEND:VEVENT")
    began = time.process_time()
    (piece,) = split_calendar(content).pieces
    took = time.process_time() - began
    assert compare.same(piece.data, content)
    assert took < 5


def test_several_calendars_in_one_file() -> None:
    first, second = calendar(event("one")), calendar(event("two"), header=["VERSION:2.0"])
    assert [piece.data for piece in split_calendar(first + b"\r\n\r\n" + second).pieces] == [first, second]


def test_the_same_uid_twice() -> None:
    different = calendar(event("one", "SUMMARY:a"), event("one", "SUMMARY:b"), event("one", "SUMMARY:a"))
    found = split_calendar(different)
    assert [piece.data for piece in found.pieces] == [
        calendar(event("one", "SUMMARY:a")),
        calendar(event("one", "SUMMARY:b")),
    ]
    assert [each.kind for each in found.findings] == ["file_copies"]


def test_events_without_a_uid_are_not_one_event() -> None:
    found = split_calendar(calendar(event(None, "SUMMARY:a"), event(None, "SUMMARY:b")))
    assert [piece.uid for piece in found.pieces] == [None, None]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no VCALENDAR"),
        (b"<html>\n<body>", "no VCALENDAR"),
        (calendar(event("one"))[:-30], "in the middle of the VCALENDAR that begins in line 1"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "line 3: VCALENDAR ends there, but VEVENT is open"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "line 1: VCARD begins there, not VCALENDAR"),
    ],
)
def test_no_calendar_or_not_all_of_it(content: bytes, said: str) -> None:
    with pytest.raises(SplitError, match=said):
        split_calendar(content)


def test_lines_that_are_none_are_named() -> None:
    broken = b"hello\r\n" + calendar(event("one")).replace(b"BEGIN:VEVENT", b"what is this\r\nBEGIN:VEVENT")
    found = split_calendar(broken)
    assert [(each.level, each.message.partition(":")[0]) for each in found.findings] == [
        ("error", "line 1"),
        ("error", "line 6"),
    ]
    assert found.pieces[0].data == calendar(event("one"))


@pytest.mark.parametrize(
    ("encoding", "foreign"),
    [("utf-8", 0), ("utf-8-sig", 0), ("utf-16", 0), ("utf-16-le", 0), ("utf-16-be", 0), ("cp1252", 1), ("latin-1", 1)],
)
def test_charsets(encoding: str, foreign: int) -> None:
    written = calendar(event("one", "SUMMARY:Käse €" if encoding != "latin-1" else "SUMMARY:Käse"))
    found = split_calendar(written.decode().encode(encoding))
    assert found.pieces[0].data == written
    assert len(found.findings) == foreign
    if foreign:
        assert "line 8" in found.findings[0].message


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_cards_in_one_file(end: str) -> None:
    ann, bob = card("FN:Ann", "UID:a"), card("FN:Bob", version="4.0")
    found = split_cards(text(ann, bob, ann, end=end))
    assert [piece.data for piece in found.pieces] == [text(ann), text(bob)]
    assert [(piece.uid, piece.line) for piece in found.pieces] == [(b"a", 1), (None, 6)]


def test_old_cards_come_as_new_ones() -> None:
    old = text(
        card(
            "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;Ann",
            "NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo=",
            " three, four",
            "TEL;HOME;VOICE:1",
            version="2.1",
        ),
        end="\n",
    )
    (piece,) = split_cards(old).pieces
    assert (
        piece.data.decode()
        == text(card("N:Müller;Ann", "NOTE:one\\ntwo three\\, four", "TEL;TYPE=HOME,VOICE:1")).decode()
    )
    assert [each.kind for each in piece.findings] == ["card_version"]


@pytest.mark.parametrize(
    ("line", "utf8", "was"),
    [
        (b"FN:Ann", b"FN:Ann", True),
        (b"FN;CHARSET=iso-8859-2;X=1:\xb1", "FN;X=1:ą".encode(), True),
        (b"FN;CHARSET=nonsense:\xe4", "FN:ä".encode(), False),
        (b"FN:\x80\x81", "FN:€\x81".encode(), False),
    ],
)
def test_a_line_in_utf8(line: bytes, utf8: bytes, was: bool) -> None:
    assert in_utf8(line) == (utf8, was)


VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200)
EVENTS = st.lists(st.tuples(st.integers(0, 5), VALUES), max_size=12)


@given(EVENTS)
def test_every_event_is_in_one_object(values: list[tuple[int, str]]) -> None:
    events = [event(f"uid-{number}", f"SUMMARY:{value}") for number, value in values]
    written = folded(unfolded(calendar(*events)))
    found = split_calendar(written)
    different = {tuple(each) for each in events}
    assert len(found.pieces) == len(different)
    assert {compare.digest(piece.data) for piece in found.pieces} == {
        compare.digest(calendar(list(one))) for one in different
    }
    assert all(len(line) <= 75 for piece in found.pieces for line in piece.data.split(b"\r\n"))


@given(st.binary(max_size=300))
@example(b"BEGIN:VCARD\nVERSION:2.1\nN;QUOTED-PRINTABLE:=\nEND:VCARD")
def test_anything_is_a_file_or_an_error(content: bytes) -> None:
    for split in (split_calendar, split_cards):
        with contextlib.suppress(SplitError):
            split(content)
            described(content)


SHREDS = ["BEGIN:VCARD", "END:VCARD", "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT"]
SHREDS += ["UID:1", " x", "VERSION:2.1", "\xff", "N;ENCODING=QUOTED-PRINTABLE:a=", "UID;TZID=x:1", "END", ""]


@given(st.lists(st.sampled_from(SHREDS)))
def test_any_order_of_lines_is_a_file_or_an_error(lines: list[str]) -> None:
    for split in (split_calendar, split_cards):
        with contextlib.suppress(SplitError):
            pieces = split("\n".join(lines).encode("latin-1")).pieces
            assert all(piece.data.endswith(b"\r\n") for piece in pieces)


def test_lines_have_the_numbers_of_their_beginnings() -> None:
    assert [(line.number, line.data) for line in lines_of(b"a:1\r\n b\r\n\r\nc:2\n\td\n e\rf:3")] == [
        (1, b"a:1b"),
        (4, b"c:2de"),
        (7, b"f:3"),
    ]
