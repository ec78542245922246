# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Rows of Atmail 5's calendar as iCalendar: times, repetitions, exceptions, tasks, alarms."""

from __future__ import annotations

import datetime as dt

import icalendar
import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.events import (
    Appointment,
    calendar_object,
    occurrence_on,
)
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.shelf import Said
from ansible_collections.atmail.migration.plugins.module_utils.platforms.rows import Row
from hypothesis import given
from hypothesis import strategies as st

BERLIN = "Europe/Berlin"
LUNCH = {"start": "2014-03-03 12:00:00", "end": "2014-03-03 13:00:00", "title": "Lunch", "modified": "1400000000"}
WEEKLY = Row({"kind": "1", "days": "2", "interval": "1", "endless": "1"})


def made(row: dict[str, str], zone: str | None = BERLIN, **how: object) -> tuple[list[str], list[str]]:
    said = Said("appointments")
    data = calendar_object(Appointment("uid-1", Row(dict(row)), **how), zone, "name.ics", said)  # type: ignore[arg-type]
    assert data is not None
    icalendar.Calendar.from_ical(data)
    text = data.decode().replace("\r\n ", "").split("\r\n")
    if zone is None:
        assert "BEGIN:VTIMEZONE" not in text
    begin = next(place for place, line in enumerate(text) if line in ("BEGIN:VEVENT", "BEGIN:VTODO"))
    return text[begin:-2], [each.kind for each in said.findings]


def test_an_event_in_its_zone() -> None:
    row = {**LUNCH, "note": "a\r\nb", "location": "Here; there", "category": "Meeting", "sender": "bob@acme.example"}
    assert made(row) == (
        [
            "BEGIN:VEVENT",
            "SUMMARY:Lunch",
            "DTSTART;TZID=Europe/Berlin:20140303T120000",
            "DTEND;TZID=Europe/Berlin:20140303T130000",
            "DTSTAMP:20140513T165320Z",
            "UID:uid-1",
            "CATEGORIES:Meeting",
            "DESCRIPTION:a\\nb",
            "LOCATION:Here\\; there",
            "X-ATMAIL-FROM:bob@acme.example",
            "END:VEVENT",
        ],
        [],
    )


def test_without_a_zone_times_are_floating() -> None:
    lines, _said = made(LUNCH, None)
    assert "DTSTART:20140303T120000" in lines


@pytest.mark.parametrize(
    ("end", "written"),
    [
        ("2014-03-03 23:59:59", "20140304"),
        ("2014-03-04 00:00:00", "20140304"),
        ("2014-03-05 00:00:00", "20140305"),
        ("2014-03-03 00:00:00", "20140304"),
        ("2014-03-04 23:59:00", "20140305"),
        ("9999-12-31 23:59:00", "99991231"),
    ],
)
def test_whole_days(end: str, written: str) -> None:
    lines, _said = made({**LUNCH, "start": "2014-03-03 00:00:00", "end": end, "all_day": "1"})
    assert {"DTSTART;VALUE=DATE:20140303", f"DTEND;VALUE=DATE:{written}"} < set(lines)
    assert not [line for line in lines if "TZID" in line]


@pytest.mark.parametrize("end", ["", "0000-00-00 00:00:00", "2014-03-03 12:00:00"])
def test_an_event_without_an_end(end: str) -> None:
    lines, said = made({**LUNCH, "end": end})
    assert not [line for line in lines if line.startswith("DTEND")]
    assert said == []


def test_an_event_that_ends_before_it_begins() -> None:
    lines, said = made({**LUNCH, "end": "2014-03-02 12:00:00"})
    assert not [line for line in lines if line.startswith("DTEND")]
    assert said == ["appointment_end"]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"availability": "Free"}, "TRANSP:TRANSPARENT"),
        ({"availability": "Tentative"}, "STATUS:TENTATIVE"),
        ({"availability": "Out of Office"}, "X-MICROSOFT-CDO-BUSYSTATUS:OOF"),
        ({"importance": "2"}, "PRIORITY:1"),
        ({"alert_at": "2014-03-03 11:45:00"}, "TRIGGER:-PT15M"),
        ({"alert_at": "2014-03-01 12:00:00", "alert": "1"}, "TRIGGER:-P2D"),
    ],
)
def test_other_columns(values: dict[str, str], line: str) -> None:
    assert line in made({**LUNCH, **values})[0]


@pytest.mark.parametrize(
    "values", [{"alert_at": "2010-01-01 00:00:00"}, {"alert_at": "2014-03-03 11:45:00", "alert": "0"}]
)
def test_no_alarm(values: dict[str, str]) -> None:
    assert "BEGIN:VALARM" not in made({**LUNCH, **values})[0]


def test_a_task() -> None:
    lines, _said = made({**LUNCH, "task": "1", "start": "0000-00-00 00:00:00"})
    assert lines[0] == "BEGIN:VTODO"
    assert "DUE;TZID=Europe/Berlin:20140303T130000" in lines


def test_what_repeats() -> None:
    lines, said = made(LUNCH, pattern=Row({"kind": "1", "days": "2", "end": "2014-06-30 00:00:00"}))
    assert "RRULE:FREQ=WEEKLY;UNTIL=20140630T215959Z;BYDAY=MO" in lines
    assert said == []
    lines, _said = made({**LUNCH, "all_day": "1"}, pattern=Row({"kind": "0", "end": "2014-03-09 00:00:00"}))
    assert "RRULE:FREQ=DAILY;UNTIL=20140309" in lines
    lines, _said = made(LUNCH, None, pattern=Row({"kind": "0", "count": "5"}))
    assert "RRULE:FREQ=DAILY;COUNT=5" in lines


def test_the_first_time_is_the_first_that_the_pattern_has() -> None:
    lines, said = made(LUNCH, pattern=Row({"kind": "1", "days": "32", "endless": "1"}))
    assert {"DTSTART;TZID=Europe/Berlin:20140307T120000", "DTEND;TZID=Europe/Berlin:20140307T130000"} < set(lines)
    assert said == ["recurrence_start"]


@pytest.mark.parametrize("pattern", [{"kind": "4"}, {"kind": "0", "end": "2014-03-01 00:00:00"}])
def test_a_pattern_that_is_none_is_told(pattern: dict[str, str]) -> None:
    lines, said = made(LUNCH, pattern=Row(dict(pattern)))
    assert not [line for line in lines if line.startswith("RRULE")]
    assert said == ["recurrence_unknown"]


def test_an_exception_is_in_the_same_object() -> None:
    other = Row({**LUNCH, "start": "2014-03-10 14:00:00", "end": "2014-03-10 15:00:00", "title": "Late lunch"})
    occurrence = occurrence_on(Row(dict(LUNCH)), WEEKLY, dt.date(2014, 3, 10))
    assert occurrence == dt.datetime.fromisoformat("2014-03-10T12:00:00")
    lines, said = made(LUNCH, pattern=WEEKLY, exceptions=((occurrence, other),))
    assert lines.count("UID:uid-1") == 2
    assert {"RECURRENCE-ID;TZID=Europe/Berlin:20140310T120000", "SUMMARY:Late lunch"} < set(lines)
    assert said == []
    assert occurrence_on(Row(dict(LUNCH)), WEEKLY, dt.date(2014, 3, 11)) is None


def test_without_a_beginning_there_is_no_event() -> None:
    said = Said("appointments")
    row = Row({**LUNCH, "start": "0000-00-00 00:00:00"})
    assert calendar_object(Appointment("uid-1", row), BERLIN, "n", said) is None
    assert [(each.kind, each.level) for each in said.findings] == [("appointment_without_start", "error")]


KEYS = (
    "title",
    "note",
    "location",
    "sender",
    "category",
    "modified",
    "start",
    "end",
    "alert_at",
    "all_day",
    "task",
    "availability",
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
DATES = st.datetimes().map(lambda each: each.strftime("%Y-%m-%d %H:%M:%S"))


@given(
    st.dictionaries(st.sampled_from(KEYS), TEXTS | DATES | st.sampled_from(["0", "1", "0000-00-00 00:00:00"])), DATES
)
def test_any_row_is_an_object_that_can_be_read(row: dict[str, str], start: str) -> None:
    given_row = {"start": start, **row}
    said = Said("appointments")
    data = calendar_object(Appointment("uid", Row(dict(given_row))), BERLIN, "n", said)
    again = calendar_object(Appointment("uid", Row(dict(given_row))), BERLIN, "n", Said(""))
    assert data == again
    if data is None:
        assert [each.kind for each in said.findings][-1] == "appointment_without_start"
        return
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    parsed = icalendar.Calendar.from_ical(data)
    (component,) = parsed.walk("VTODO") or parsed.walk("VEVENT")
    assert component["UID"] == "uid"
