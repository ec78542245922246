# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Outlook's patterns as rules: what a rule lets happen is what the pattern says, day by day."""

from __future__ import annotations

import calendar
import datetime as dt

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.libraries import icalendar, rules
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.recurrence import Rule, occurrences, rule_of
from ansible_collections.atmail.migration.plugins.module_utils.platforms.rows import Row
from hypothesis import given
from hypothesis import strategies as st

MONDAY = dt.datetime.fromisoformat("2014-03-03T09:30:00")


WEEK = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"]


def pattern(kind: object, **values: object) -> Row:
    return Row({"kind": str(kind), **{key: str(value) for key, value in values.items()}})


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        (pattern(0), {"FREQ": "DAILY"}),
        (pattern(0, interval=3), {"FREQ": "DAILY", "INTERVAL": 3}),
        (pattern(0, days=62), {"FREQ": "DAILY", "BYDAY": ["MO", "TU", "WE", "TH", "FR"]}),
        (pattern(0, days=1, interval=7), {"FREQ": "DAILY", "BYDAY": ["SU"]}),
        (pattern(1), {"FREQ": "WEEKLY", "BYDAY": ["MO"]}),
        (pattern(1, interval=2, days=65), {"FREQ": "WEEKLY", "INTERVAL": 2, "BYDAY": ["SU", "SA"], "WKST": "SU"}),
        (pattern(2, day=15), {"FREQ": "MONTHLY", "BYMONTHDAY": 15}),
        (pattern(2), {"FREQ": "MONTHLY", "BYMONTHDAY": 3}),
        (pattern(2, day=30), {"FREQ": "MONTHLY", "BYMONTHDAY": [28, 29, 30], "BYSETPOS": -1}),
        (pattern(3, days=4, instance=2), {"FREQ": "MONTHLY", "BYDAY": ["TU"], "BYSETPOS": 2}),
        (
            pattern(3, days=127, instance=5),
            {"FREQ": "MONTHLY", "BYDAY": WEEK, "BYSETPOS": -1},
        ),
        (pattern(5, month=12, day=24), {"FREQ": "YEARLY", "BYMONTH": 12, "BYMONTHDAY": 24}),
        (pattern(5, interval=12), {"FREQ": "YEARLY", "BYMONTH": 3, "BYMONTHDAY": 3}),
        (pattern(6, month=11, days=16, instance=4), {"FREQ": "YEARLY", "BYMONTH": 11, "BYDAY": ["TH"], "BYSETPOS": 4}),
    ],
)
def test_patterns(row: Row, parts: dict[str, object]) -> None:
    found = rule_of(row, MONDAY)
    assert isinstance(found, Rule)
    assert found.parts == parts
    assert bool(found.doubtful) == (row["interval"] == "12")


@pytest.mark.parametrize(
    ("row", "last", "count"),
    [
        (pattern(0, end="2014-04-01 00:00:00", count=5, endless=0), dt.date(2014, 4, 1), None),
        (pattern(0, end="2014-04-01 00:00:00", count=5, endless=1), None, None),
        (pattern(0, end="4500-12-31 00:00:00"), None, None),
        (pattern(0, end="0000-00-00 00:00:00", count=5), None, 5),
        (pattern(0, count="-1"), None, None),
    ],
)
def test_ends(row: Row, last: dt.date | None, count: int | None) -> None:
    found = rule_of(row, MONDAY)
    assert isinstance(found, Rule)
    assert (found.last, found.count) == (last, count)


@pytest.mark.parametrize(
    "row",
    [
        pattern(""),
        pattern(4),
        pattern(0, interval=1000),
        pattern("x"),
        pattern(2, day=32),
        pattern(3, instance=6),
        pattern(5, month=13),
    ],
)
def test_what_is_no_pattern(row: Row) -> None:
    assert isinstance(rule_of(row, MONDAY), str)


KINDS = st.sampled_from([0, 1, 2, 3, 5, 6])
STARTS = st.datetimes(dt.datetime.fromisoformat("1995-01-01"), dt.datetime.fromisoformat("2030-01-01"))
PATTERNS = st.builds(
    pattern,
    KINDS,
    interval=st.integers(0, 14),
    days=st.integers(0, 200),
    day=st.integers(0, 31),
    instance=st.integers(0, 5),
    month=st.integers(0, 12),
)


@given(PATTERNS, STARTS)
def test_what_happens_is_what_the_pattern_says(row: Row, start: dt.datetime) -> None:
    start = start.replace(microsecond=0)
    rule = rule_of(row, start)
    assert isinstance(rule, Rule)
    found = [each for each, _number in zip(occurrences(rule, start), range(8), strict=False)]
    assert found
    assert all(each.time() == start.time() for each in found)
    assert all(_fits(row, each.date(), start) for each in found)


@given(PATTERNS, STARTS)
def test_the_rule_as_it_is_written_means_the_same(row: Row, start: dt.datetime) -> None:
    start = start.replace(microsecond=0)
    rule = rule_of(row, start)
    assert isinstance(rule, Rule)
    written = icalendar().vRecur(rule.parts).to_ical().decode()
    read = rules().rrulestr(written, dtstart=start)
    numbers = range(6)
    assert [one for one, _n in zip(read, numbers, strict=False)] == [
        one for one, _n in zip(occurrences(rule, start), numbers, strict=False)
    ]


def _fits(row: Row, day: dt.date, start: dt.datetime) -> bool:
    """Outlook's words, looked up in the calendar."""
    kind, mask = row["kind"], int(row["days"]) & 127
    bit = 1 << (day.weekday() + 1) % 7
    if kind == "0":
        return mask in (0, 127) or bool(mask & bit)
    if kind == "1":
        return bool(mask & bit) if mask else day.weekday() == start.weekday()
    if kind in ("5", "6") and day.month != (int(row["month"]) or start.month):
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    if kind in ("2", "5"):
        return day.day == min(int(row["day"]) or start.day, length)
    chosen = mask or 1 << (start.weekday() + 1) % 7
    fitting = [
        number
        for number in range(1, length + 1)
        if chosen & 1 << (dt.date(day.year, day.month, number).weekday() + 1) % 7
    ]
    position = int(row["instance"]) or (start.day - 1) // 7 + 1
    return day.day == (fitting[-1] if position == 5 else fitting[position - 1])
