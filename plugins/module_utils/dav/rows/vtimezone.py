# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Zones of the IANA database as VTIMEZONE (RFC 5545, section 3.6.5), by rules instead of lists of dates.

Servers that store what they understand of a text tear long lists of dates apart, and a list has an end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ..libraries import icalendar

#: Nobody has appointments from before, nor does anybody know what holds after.
_FIRST, _LAST = 1995, 2036
_DAY = dt.timedelta(days=1)
#: No zone changes its clocks twice within so many days.
_STEP = dt.timedelta(days=4)
_SECOND = dt.timedelta(seconds=1)
_BEGINNING = dt.datetime(1970, 1, 1)  # noqa: DTZ001 -- local time of the zone
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEK = 7


@dataclass(frozen=True)
class _Change:
    """The clocks change: when (UTC), from which offset to which, and what it is called then."""

    at: dt.datetime
    before: dt.timedelta
    after: dt.timedelta
    is_summer: bool
    name: str

    @property
    def local(self) -> dt.datetime:
        """When, by the clocks as they were before."""
        return self.at.replace(tzinfo=None) + self.before

    @property
    def kind(self) -> tuple[object, ...]:
        """What it has in common with the same change of other years."""
        local = self.local
        return (self.before, self.after, self.name, self.is_summer, local.month, local.weekday(), local.time())

    @property
    def positions(self) -> frozenset[int]:
        """Which of its weekdays in the month it is, counted from the beginning and from the end."""
        local = self.local
        next_month = (local.replace(day=1) + 32 * _DAY).replace(day=1)
        return frozenset(((local.day - 1) // _WEEK + 1, -((next_month - local - _DAY).days // _WEEK + 1)))


def timezone(zone: str) -> Any:
    """The definition, as a component of the library icalendar. Right from 1995 on."""
    component = icalendar().Timezone()
    component.add("TZID", zone)
    changes = list(_changes(ZoneInfo(zone)))
    first = dt.datetime(_FIRST, 1, 1, tzinfo=dt.UTC).astimezone(ZoneInfo(zone))
    offset = first.utcoffset() or dt.timedelta()
    at = _BEGINNING.replace(tzinfo=dt.UTC) - offset
    beginning = _Change(at, offset, *_state(ZoneInfo(zone), first))
    component.add_component(_observance([beginning], frozenset(), endless=False))
    for series, positions in _series(changes):
        component.add_component(_observance(series, positions, endless=series[-1].at.year >= _LAST))
    return component


def _changes(zone: ZoneInfo) -> Iterator[_Change]:
    """Every change of the clocks or of their name, found by halving."""
    at, now = dt.datetime(_FIRST, 1, 1, tzinfo=dt.UTC), None
    end = dt.datetime(_LAST + 1, 1, 1, tzinfo=dt.UTC)
    while at < end:
        now = now or _state(zone, at)
        then = _state(zone, at + _STEP)
        if then != now:
            low, high = at, at + _STEP
            while high - low > _SECOND:
                middle = (low + (high - low) // 2).replace(microsecond=0)
                low, high = (middle, high) if _state(zone, middle) == now else (low, middle)
            then = _state(zone, high)
            yield _Change(high, now[0], *then)
            at = high
        else:
            at += _STEP
        now = then


def _state(zone: ZoneInfo, at: dt.datetime) -> tuple[dt.timedelta, bool, str]:
    local = at.astimezone(zone)
    return local.utcoffset() or dt.timedelta(), (local.dst() or dt.timedelta()) > dt.timedelta(), local.tzname() or ""


def _series(changes: Sequence[_Change]) -> Iterator[tuple[list[_Change], frozenset[int]]]:
    """Changes of one kind in years that follow each other, on the same weekday of the month."""
    open_series: dict[tuple[object, ...], tuple[list[_Change], frozenset[int]]] = {}
    done = []
    for change in changes:
        series, positions = open_series.get(change.kind, ([], change.positions))
        common = positions & change.positions
        if series and (not common or change.local.year != series[-1].local.year + 1):
            done.append((series, positions))
            series, common = [], change.positions
        open_series[change.kind] = ([*series, change], common)
    yield from sorted([*done, *open_series.values()], key=lambda each: each[0][0].at)


def _observance(series: Sequence[_Change], positions: frozenset[int], *, endless: bool) -> Any:
    first = series[0]
    library = icalendar()
    part = library.TimezoneDaylight() if first.is_summer else library.TimezoneStandard()
    part.add("DTSTART", first.local)
    part.add("TZOFFSETFROM", first.before)
    part.add("TZOFFSETTO", first.after)
    part.add("TZNAME", first.name)
    if len(series) > 1 or (endless and positions):
        # of "the fourth" and "the last" the last is meant, wherever both are true
        position = min(positions) if min(positions) == -1 else max(positions)
        rule: dict[str, Any] = {
            "FREQ": "YEARLY",
            "BYMONTH": first.local.month,
            "BYDAY": f"{position}{_DAYS[first.local.weekday()]}",
        }
        if not endless:
            # a day later is as right, and stays so for programs that take it for local time
            rule["UNTIL"] = series[-1].at + _DAY
        part.add("RRULE", rule)
    return part
