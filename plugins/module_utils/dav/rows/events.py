# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Rows of Atmail 5's calendar as iCalendar (RFC 5545): an event or a task, with what its pattern and exceptions say.

The same rows are the same bytes, always. Nobody is invited: who wrote an appointment is kept as ``X-ATMAIL-FROM``,
since an ORGANIZER would make servers send mail.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ...platforms.rows import Row
from ...platforms.texts import is_on, shown
from ..libraries import icalendar
from .recurrence import Rule, occurrences, rule_of
from .shelf import Said
from .texts import moment, stamp, unwritable, writable
from .zones import definition

PRODUCT = "-//atmail.migration//Atmail rows//EN"
_DAY = dt.timedelta(days=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HIGH = "2"
_TEXTS = (("title", "SUMMARY"), ("note", "DESCRIPTION"), ("location", "LOCATION"))
#: An alarm further away than this is a mistake.
_FARTHEST_ALARM = dt.timedelta(days=366)
#: Nobody looks for an occurrence so many days after the first one.
_LONGEST_SERIES = 36_600


@dataclass(frozen=True)
class Appointment:
    """The rows of one object: what it is called, its pattern, and those that stand for one of its occurrences."""

    uid: str
    row: Row
    pattern: Row | None = None
    exceptions: tuple[tuple[dt.datetime, Row], ...] = ()


def calendar_object(appointment: Appointment, zone: str | None, name: str, said: Said) -> bytes | None:
    """The object, or None when there is none to be made (``said`` says why). Without a zone its times are floating."""
    main = _component(appointment, zone, name, said)
    if main is None:
        return None
    calendar = icalendar().Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODUCT)
    overrides = list(_overrides(appointment, zone, name, said))
    if zone is not None and any("TZID" in line.params for each in [main, *overrides] for line in _times(each)):
        calendar.add_component(definition(zone))
    for each in (main, *overrides):
        calendar.add_component(each)
    return bytes(calendar.to_ical())


def start_of(row: Row) -> dt.datetime | None:
    """When an appointment begins: for a whole day at midnight."""
    start = moment(row["start"])
    return start.replace(hour=0, minute=0, second=0) if start and is_on(row.get("all_day")) else start


def occurrence_on(row: Row, pattern: Row, day: dt.date) -> dt.datetime | None:
    """When the appointment would happen on this day, or None."""
    start = start_of(row)
    rule = rule_of(pattern, start) if start else ""
    if start is None or isinstance(rule, str) or not 0 <= (day - start.date()).days <= _LONGEST_SERIES:
        return None
    midnight = dt.datetime.combine(day, dt.time.min)
    found: list[dt.datetime] = occurrences(rule, start).between(midnight, midnight + _DAY, inc=True)
    return next((each for each in found if each.date() == day), None)


def _component(appointment: Appointment, zone: str | None, name: str, said: Said) -> Any:
    row = appointment.row
    component = _described(appointment.uid, row, name, said)
    start, end = start_of(row), moment(row["end"])
    is_task = is_on(row.get("task"))
    if start is None and not is_task:
        said.left_out("appointment_without_start", f"the appointment begins at {shown(row['start'])}: no date", name)
        return None
    if start is not None and appointment.pattern is not None:
        start, end = _repeated(component, appointment.pattern, start, end, zone, (row, name, said))
    _add_times(component, row, start, end, zone, (name, said))
    return component


def _overrides(appointment: Appointment, zone: str | None, name: str, said: Said) -> Sequence[Any]:
    found = []
    for occurrence, row in appointment.exceptions:
        component = _described(appointment.uid, row, name, said)
        whole_day = is_on(appointment.row.get("all_day"))
        component.add("RECURRENCE-ID", occurrence.date() if whole_day else _local(occurrence, zone))
        _add_times(component, row, start_of(row), moment(row["end"]), zone, (name, said))
        found.append(component)
    return found


def _described(uid: str, row: Row, name: str, said: Said) -> Any:
    """An event or a task with what its row says of it but when it is."""
    is_task = is_on(row.get("task"))
    component = icalendar().Todo() if is_task else icalendar().Event()
    component.add("UID", uid)
    start = moment(row["start"])
    component.add("DTSTAMP", stamp(row["modified"]) or (start.replace(tzinfo=dt.UTC) if start else _EPOCH))
    for key, what in _TEXTS:
        value = writable(row[key])
        if unwritable(row[key]):
            message = f"control characters in {key} are left out: iCalendar has no place for them"
            said.warn("control_characters", message, name)
        if row.cut(key):
            said.warn("value_cut", f"{key} fills its column: its end may be missing", name)
        if value:
            component.add(what, value)
    if row["category"].strip():
        component.add("CATEGORIES", [writable(row["category"]).strip()])
    if row["importance"].strip() == _HIGH:
        component.add("PRIORITY", 1)
    if row["sender"].strip():
        component.add("X-ATMAIL-FROM", writable(row["sender"]).replace("\n", " ").strip())
    if not is_task:
        _add_availability(component, row["availability"].strip().lower().replace(" ", ""))
    alarm = _alarm(row, start)
    if alarm is not None:
        component.add_component(alarm)
    return component


def _add_availability(component: Any, availability: str) -> None:
    if availability == "free":
        component.add("TRANSP", "TRANSPARENT")
    elif availability == "tentative":
        component.add("STATUS", "TENTATIVE")
    elif availability in ("outofoffice", "away", "oof"):
        component.add("X-MICROSOFT-CDO-BUSYSTATUS", "OOF")


def _repeated(
    component: Any,
    pattern: Row,
    start: dt.datetime,
    end: dt.datetime | None,
    zone: str | None,
    about: tuple[Row, str, Said],
) -> tuple[dt.datetime, dt.datetime | None]:
    """Add the rule; the times of the first occurrence: iCalendar takes DTSTART for one, whatever the rule says."""
    row, name, said = about
    rule = rule_of(pattern, start)
    if isinstance(rule, str):
        said.warn("recurrence_unknown", f"it is copied as if it happened once: of its repetition {rule}", name)
        return start, end
    if rule.doubtful:
        said.warn("recurrence_doubtful", f"look at its repetition: {rule.doubtful}", name)
    first = next(iter(occurrences(rule, start)), None)
    if first is None:
        said.warn("recurrence_unknown", "it is copied as if it happened once: its repetition never happens", name)
        return start, end
    if first != start:
        said.note("recurrence_start", f"it begins on {first:%Y-%m-%d}, where its repetition first happens", name)
    parts = dict(rule.parts)
    if rule.count:
        parts["COUNT"] = rule.count
    if rule.last:
        parts["UNTIL"] = _until(rule, zone, whole_day=is_on(row.get("all_day")))
    component.add("RRULE", parts)
    return first, end + (first - start) if end else None


def _until(rule: Rule, zone: str | None, *, whole_day: bool) -> dt.date:
    """The end in the form that RFC 5545 wants: a date for dates, UTC for times of a zone, else local."""
    last = rule.last or dt.date.max
    if whole_day:
        return last
    end = dt.datetime.combine(last, dt.time(23, 59, 59))
    return end.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC) if zone else end


def _add_times(
    component: Any,
    row: Row,
    start: dt.datetime | None,
    end: dt.datetime | None,
    zone: str | None,
    about: tuple[str, Said],
) -> None:
    name, said = about
    ends = "DUE" if is_on(row.get("task")) else "DTEND"
    if start and end and end < start:
        said.warn("appointment_end", "it ends before it begins: it is copied without its end", name)
        end = None
    if is_on(row.get("all_day")):
        if start:
            component.add("DTSTART", start.date())
        if end:
            component.add(ends, _end_day(start, end))
        return
    if start:
        component.add("DTSTART", _local(start, zone))
    if end and end != start:
        component.add(ends, _local(end, zone))


def _end_day(start: dt.datetime | None, end: dt.datetime) -> dt.date:
    """The day after the last one (RFC 5545, section 3.6.1): midnight of a later day is that already."""
    if end.time() == dt.time.min and start is not None and end.date() > start.date():
        return end.date()
    return end.date() + _DAY if end.date() < dt.date.max else end.date()


def _alarm(row: Row, start: dt.datetime | None) -> Any:
    at = moment(row["alert_at"])
    if at is None or start is None or row["alert"].strip() == "0" or abs(at - start) > _FARTHEST_ALARM:
        return None
    alarm = icalendar().Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", writable(row["title"]) or "-")
    alarm.add("TRIGGER", at - start)
    return alarm


def _local(time: dt.datetime, zone: str | None) -> dt.datetime:
    return time.replace(tzinfo=ZoneInfo(zone)) if zone else time


def _times(component: Any) -> list[Any]:
    names = ("DTSTART", "DTEND", "DUE", "RECURRENCE-ID")
    return [component[name] for name in names if name in component]
