# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Patterns of Outlook, as Atmail 5 keeps them, as recurrence rules (RFC 5545, section 3.3.10).

The numbers are those of Outlook's object model (RecurrencePattern: OlRecurrenceType, OlDaysOfWeek).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...platforms.rows import Row
from ..libraries import rules
from .texts import moment

#: RecurrenceType → frequency, and whether it is about the n-th day of a kind.
_KINDS = {
    "0": ("DAILY", False),
    "1": ("WEEKLY", False),
    "2": ("MONTHLY", False),
    "3": ("MONTHLY", True),
    "5": ("YEARLY", False),
    "6": ("YEARLY", True),
}
_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_EVERY_DAY = 127
#: The fifth of a month means its last one.
_LAST = 5
#: Every month has so many days; where a pattern has more, the last day of a shorter month is meant.
_SHORTEST_MONTH = 28
_LONGEST_MONTH = 31
#: What Outlook writes for a pattern without an end.
_NO_END_YEAR = 4500
_MONTHS = 12
_LONGEST_INTERVAL = 999


@dataclass(frozen=True)
class Rule:
    """A rule without its end, as icalendar takes it; its last day, or how often, or neither of them."""

    parts: Mapping[str, Any]
    last: dt.date | None = None
    count: int | None = None
    doubtful: str = ""


def rule_of(row: Row, start: dt.datetime) -> Rule | str:
    """The rule of a pattern that begins at ``start``, or in a few words why there is none.

    What the pattern does not say is as in ``start``.
    """
    kind = _KINDS.get(row["kind"].strip())
    if kind is None:
        return f"its kind {row['kind'].strip()[:20] or '(none)'} is not known"
    frequency, nth = kind
    interval = max(_number(row["interval"], 1), 1)
    if interval > _LONGEST_INTERVAL:
        return f"its interval {interval} is none"
    doubtful = ""
    if frequency == "YEARLY" and interval % _MONTHS == 0:
        # Outlook counts the months of a yearly pattern, too
        interval //= _MONTHS
        doubtful = f"every {interval * _MONTHS} years, or months, was taken as every {interval} years"
    parts: dict[str, Any] = {"FREQ": frequency}
    if interval > 1:
        parts["INTERVAL"] = interval
    wrong = _days(parts, row, start, nth=nth)
    if wrong:
        return wrong
    last = _last_day(row)
    count = _number(row["count"], 0) if last is None and not _endless(row) else 0
    return Rule(parts, last, count or None, doubtful)


def occurrences(rule: Rule, start: dt.datetime) -> Any:
    """When the rule lets something happen that begins at ``start``: local times, as the rule has them."""
    parts = rule.parts
    until = dt.datetime.combine(rule.last, dt.time.max) if rule.last else None
    days = parts.get("BYDAY", ())
    weekdays = [getattr(rules(), day) for day in ([days] if isinstance(days, str) else days)]
    rrule = rules()
    return rrule.rrule(
        getattr(rrule, parts["FREQ"]),
        dtstart=start,
        interval=parts.get("INTERVAL", 1),
        wkst=rrule.SU if "WKST" in parts else None,
        count=rule.count,
        until=until,
        bysetpos=parts.get("BYSETPOS"),
        bymonth=parts.get("BYMONTH"),
        bymonthday=parts.get("BYMONTHDAY"),
        byweekday=weekdays or None,
    )


def _days(parts: dict[str, Any], row: Row, start: dt.datetime, *, nth: bool) -> str:
    """Add the days of a pattern; what is wrong with them, in a few words."""
    mask = _number(row["days"], 0) & _EVERY_DAY
    chosen = [day for bit, day in enumerate(_DAYS) if mask & 1 << bit] or [_DAYS[(start.weekday() + 1) % 7]]
    if parts["FREQ"] == "DAILY":
        if mask not in (0, _EVERY_DAY):
            # "every weekday" knows no interval; with one the days might never be met
            parts["BYDAY"] = chosen
            parts.pop("INTERVAL", None)
        return ""
    if parts["FREQ"] == "WEEKLY":
        parts["BYDAY"] = chosen
        if parts.get("INTERVAL"):
            parts["WKST"] = "SU"  # as Outlook counts weeks
        return ""
    if parts["FREQ"] == "YEARLY":
        parts["BYMONTH"] = _number(row["month"], 0) or start.month
        if parts["BYMONTH"] > _MONTHS:
            return f"there is no month {parts['BYMONTH']}"
    return _nth_day(parts, row, start, chosen) if nth else _day_of_month(parts, row, start)


def _nth_day(parts: dict[str, Any], row: Row, start: dt.datetime, days: list[str]) -> str:
    position = _number(row["instance"], 0) or (start.day - 1) // 7 + 1
    if position > _LAST:
        return f"there is no {position}. day of a kind in a month"
    parts["BYDAY"] = days
    parts["BYSETPOS"] = -1 if position == _LAST else position
    return ""


def _day_of_month(parts: dict[str, Any], row: Row, start: dt.datetime) -> str:
    day = _number(row["day"], 0) or start.day
    if day > _LONGEST_MONTH:
        return f"there is no day {day} in a month"
    parts["BYMONTHDAY"] = day
    if day > _SHORTEST_MONTH:
        parts["BYMONTHDAY"] = list(range(_SHORTEST_MONTH, day + 1))
        parts["BYSETPOS"] = -1
    return ""


def _endless(row: Row) -> bool:
    return _number(row["endless"], 0) != 0


def _last_day(row: Row) -> dt.date | None:
    end = moment(row["end"])
    return None if end is None or _endless(row) or end.year >= _NO_END_YEAR else end.date()


def _number(written: str, default: int) -> int:
    written = written.strip()
    return int(written) if written.isdecimal() and written.isascii() else default
