# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is mended in objects that a target refuses, and what is left as it is."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav import compare
from ansible_collections.atmail.migration.plugins.module_utils.dav.content_lines import folded, unfolded
from ansible_collections.atmail.migration.plugins.module_utils.dav.identity import free_name, is_plain, made_uid, uid_of
from ansible_collections.atmail.migration.plugins.module_utils.dav.joining import joined
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Kind
from ansible_collections.atmail.migration.plugins.module_utils.dav.repair import Place, rungs, strict, with_uid
from ansible_collections.atmail.migration.plugins.module_utils.dav.vcard21 import modern
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.objects import Thing, contacts, events, tasks
from tests.lab.odd_objects import odd_contacts, odd_events

PLACE = Place("ann@acme.example", "work", "1.ics")


def calendar(*inner: str) -> bytes:
    return text("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *inner, "END:VCALENDAR")


def text(*lines: str) -> bytes:
    return "\r\n".join([*lines, ""]).encode()


def mended(data: bytes, kind: Kind = Kind.CALENDAR) -> bytes:
    return [data, *(rung.data for rung in rungs(data, kind, PLACE))][-1]


@pytest.mark.parametrize("thing", [*events(30), *tasks(10)], ids=lambda thing: thing.name)
def test_good_events_are_left_as_they_are(thing: Thing) -> None:
    data = thing.data
    assert list(rungs(data, Kind.CALENDAR, PLACE)) == []


@pytest.mark.parametrize("thing", list(contacts(40)), ids=lambda thing: thing.name)
def test_good_contacts_are_left_as_they_are(thing: Thing) -> None:
    data = thing.data
    assert list(rungs(data, Kind.ADDRESS_BOOK, PLACE)) == []


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (calendar("BEGIN:VEVENT", "DTSTAMP:20260101T000000Z", "END:VEVENT"), f"UID:{PLACE.uid}"),
        (calendar("BEGIN:VEVENT", "UID:", "DTSTAMP:20260101T000000Z", "END:VEVENT"), f"UID:{PLACE.uid}"),
        (calendar("BEGIN:VEVENT", "UID:1", "LAST-MODIFIED:20250101T000000Z", "END:VEVENT"), "DTSTAMP:20250101T000000Z"),
        (calendar("BEGIN:VEVENT", "UID:1", "DTSTART;VALUE=DATE:20250101", "END:VEVENT"), "DTSTAMP:19700101T000000Z"),
        (text("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "END:VEVENT"), "BEGIN:VCALENDAR"),
        (text("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "END:VEVENT", "END:VCALENDAR"),
         "VERSION:2.0"),
        (calendar("BEGIN:VTODO", "UID:1", "DTSTAMP:20260101T000000Z", "DUE;TZID=Europe/Berlin:20260101T100000",
                  "END:VTODO"), "BEGIN:VTIMEZONE"),
        (calendar("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "DESCRIPTION:one", "two; three", "END:VEVENT"),
         "DESCRIPTION:one\\ntwo\\; three"),
        (calendar("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "SUMMARY:Grüße", "END:VEVENT").decode()
         .encode("utf-16"), "SUMMARY:Grüße"),
        (calendar("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "SUMMARY:Grüße", "END:VEVENT").decode()
         .encode("latin-1"), "SUMMARY:Grüße"),
        (calendar("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "SUMMARY:a\0b\x0bc", "END:VEVENT"),
         "SUMMARY:abc"),
        (calendar("BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "END:VEVENT")[:-15], "END:VCALENDAR"),
    ],
)  # fmt: skip
def test_what_is_missing_is_added(data: bytes, wanted: str) -> None:
    lines = [line.decode() for line in unfolded(mended(data))]
    assert wanted in lines
    assert list(rungs(mended(data), Kind.CALENDAR, PLACE)) == []


def test_a_method_is_taken_out() -> None:
    data = calendar("METHOD:REQUEST", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "END:VEVENT")
    assert b"METHOD" not in mended(data)


def test_the_uid_of_an_alarm_or_a_zone_is_not_the_events() -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:X", "UID:zone", "END:VTIMEZONE")
    alarm = ("BEGIN:VALARM", "UID:alarm", "END:VALARM")
    assert uid_of(calendar(*zone, "BEGIN:VEVENT", *alarm, "END:VEVENT")) is None
    assert uid_of(calendar(*zone, "BEGIN:VEVENT", *alarm, "UID:it", "END:VEVENT")) == b"it"
    both = with_uid(calendar(*zone, "BEGIN:VEVENT", "UID:it", *alarm, "END:VEVENT"), "new")
    assert (uid_of(both), b"UID:alarm" in both, b"UID:zone" in both) == (b"new", True, True)


def test_a_made_uid_is_always_the_same_and_nobody_elses() -> None:
    assert made_uid("ann", "work", "1.ics") == made_uid("ann", "work", "1.ics")
    assert (
        len({made_uid("ann", "work", "1.ics"), made_uid("ann", "work1", ".ics"), made_uid("bob", "work", "1.ics")}) == 3
    )


def test_an_old_contact_becomes_a_newer_one() -> None:
    lines = modern(
        unfolded(
            text(
                "BEGIN:VCARD", "VERSION:2.1", "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;Ann",
                "TEL;HOME;VOICE:+49", "ADR;WORK:;;Street 1, 2nd;City;;;", "NOTE;QUOTED-PRINTABLE:one=0D=0Atwo; three=",
                "four", "PHOTO;JPEG;ENCODING=BASE64:AAAA", "END:VCARD",
            )
        )
    )  # fmt: skip
    assert [line.decode() for line in lines] == [
        "BEGIN:VCARD", "VERSION:3.0", "N:Müller;Ann", "TEL;TYPE=HOME,VOICE:+49",
        "ADR;TYPE=WORK:;;Street 1\\, 2nd;City;;;", "NOTE:one\\ntwo\\; threefour", "PHOTO;ENCODING=b;TYPE=JPEG:AAAA",
        "END:VCARD",
    ]  # fmt: skip


def test_an_exception_is_joined_to_its_series() -> None:
    series = calendar("BEGIN:VEVENT", "UID:1", "RRULE:FREQ=DAILY", "END:VEVENT")
    exception = calendar("BEGIN:VEVENT", "UID:1", "RECURRENCE-ID:20260101T100000Z", "END:VEVENT")
    whole = joined(series, exception)
    assert whole is not None
    assert whole.count(b"BEGIN:VEVENT") == 2
    assert joined(whole, exception) is None
    assert joined(series, series) is None
    assert compare.same(whole, joined(exception, series) or b"")


@given(st.lists(st.binary(min_size=1, max_size=300).filter(lambda line: b"\n" not in line and b"\r" not in line)))
def test_folding_changes_nothing(lines: list[bytes]) -> None:
    kept = [line for line in lines if not line.startswith((b" ", b"\t"))]
    data = folded(kept)
    assert unfolded(data) == kept
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))


@given(st.text(max_size=200))
def test_folding_tears_no_letter(words: str) -> None:
    line = "SUMMARY:" + words.replace("\r", "").replace("\n", "")
    for piece in folded([line.encode()]).split(b"\r\n"):
        piece.decode()


@pytest.mark.parametrize(
    "thing", [*odd_events(1000), *odd_contacts(1000)], ids=lambda thing: f"{thing.oddity}-{thing.kind}"
)
def test_the_ladder_ends_and_is_the_same_each_time(thing: Thing) -> None:
    data = thing.data
    kind = Kind(thing.kind)
    once, twice = list(rungs(data, kind, PLACE)), list(rungs(data, kind, PLACE))
    assert once == twice
    if once:
        assert list(rungs(once[-1].data, kind, PLACE)) == []
    assert strict(strict(data, kind), kind) == strict(data, kind)


@given(st.binary(max_size=400), st.sampled_from(Kind))
def test_any_bytes_are_gone_through(data: bytes, kind: Kind) -> None:
    for rung in rungs(data, kind, PLACE):
        assert rung.done
    strict(data, kind)
    uid_of(data)


@given(st.text(max_size=40), st.sets(st.text(max_size=40)))
def test_a_free_name_is_free(name: str, taken: set[str]) -> None:
    found = free_name(name, Kind.CALENDAR, taken)
    assert found not in taken
    assert "/" not in found
    assert found == name or is_plain(found)
