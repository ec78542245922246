# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Time zones as users have set them in the webmail, and as iCalendar has them.

The webmails wrote names of the IANA time zone database, names of Windows (``AUS Eastern Standard Time``), what Windows
shows of them (``(GMT+10:00) Canberra, Melbourne, Sydney``), abbreviations, or an offset.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from ..libraries import icalendar, windows_zones
from .vtimezone import timezone

_PRODUCT = "-//atmail.migration//Atmail rows//EN"
_OFFSET = re.compile(r"\(?(?:GMT|UTC)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?\)?", re.IGNORECASE)
_SHOWN = re.compile(r"\((?:GMT|UTC)[^)]*\)\s*(.+)", re.IGNORECASE)
#: Abbreviations that the database of zones has not, or only as a fixed offset.
_SHORT = {
    "aest": "Australia/Sydney",
    "aedt": "Australia/Sydney",
    "acst": "Australia/Adelaide",
    "awst": "Australia/Perth",
    "nzst": "Pacific/Auckland",
    "nzdt": "Pacific/Auckland",
    "bst": "Europe/London",
    "est": "America/New_York",
    "edt": "America/New_York",
    "cst": "America/Chicago",
    "mst": "America/Denver",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "cet": "Europe/Paris",
    "cest": "Europe/Paris",
    "gmt": "Etc/GMT",
    "utc": "Etc/UTC",
    "z": "Etc/UTC",
}
#: Zones without summer time whose offset has minutes; whole hours are ``Etc/GMT±h``.
_MINUTES = {
    ("+", 3, 30): "Asia/Tehran",
    ("+", 4, 30): "Asia/Kabul",
    ("+", 5, 30): "Asia/Kolkata",
    ("+", 5, 45): "Asia/Kathmandu",
    ("+", 6, 30): "Asia/Yangon",
    ("+", 8, 45): "Australia/Eucla",
    ("+", 9, 30): "Australia/Darwin",
    ("-", 9, 30): "Pacific/Marquesas",
}
_FARTHEST_EAST, _FARTHEST_WEST = 14, 12


@cache
def zone_id(written: str) -> str | None:
    """The zone's name in the database of zones (IANA), or None for what is not understood."""
    name = " ".join(written.split()).strip("\"'")
    if not name:
        return None
    for known in (_short, _named, _of_windows, _shown_place, _offset):
        found = known(name)
        if found is not None:
            return found
    return None


@cache
def definition(zone: str) -> Any:
    """The VTIMEZONE of a zone of the database; see :func:`vtimezone.timezone`."""
    return timezone(zone)


@cache
def calendar_text(zone: str) -> str:
    """An iCalendar text with nothing in it but the zone (RFC 4791, section 5.2.2)."""
    calendar = icalendar().Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", _PRODUCT)
    calendar.add_component(definition(zone))
    return str(calendar.to_ical().decode())


@cache
def _names() -> dict[str, str]:
    return {zone.lower(): zone for zone in sorted(available_timezones())}


@cache
def _places() -> dict[str, str]:
    """City → zone: the last part of the name, of zones of continents."""
    continents = ("africa/", "america/", "asia/", "atlantic/", "australia/", "europe/", "indian/", "pacific/")
    return {
        key.rpartition("/")[2].replace("_", " "): zone for key, zone in _names().items() if key.startswith(continents)
    }


def _short(name: str) -> str | None:
    return _SHORT.get(name.lower())


def _named(name: str) -> str | None:
    return _names().get(name.lower().replace(" ", "_"))


def _of_windows(name: str) -> str | None:
    return _windows().get(name.lower())


@cache
def _windows() -> dict[str, str]:
    return {windows.lower(): zone for windows, zone in windows_zones().items()}


def _shown_place(name: str) -> str | None:
    """The first city that is known in ``(GMT+10:00) Canberra, Melbourne, Sydney``, or in ``Melbourne``."""
    match = _SHOWN.fullmatch(name)
    cities = (match[1] if match else name).split(",")
    return next((_places()[city] for city in (each.strip().lower() for each in cities) if city in _places()), None)


def _offset(name: str) -> str | None:
    match = _OFFSET.match(name)
    if match is None or (match.end() != len(name) and not _SHOWN.fullmatch(name)):
        return None
    sign, hours, minutes = match[1], int(match[2]), int(match[3] or 0)
    if minutes:
        return _MINUTES.get((sign, hours, minutes))
    if hours == 0:
        return "Etc/UTC"
    if hours > (_FARTHEST_EAST if sign == "+" else _FARTHEST_WEST):
        return None
    # POSIX counts to the west: Etc/GMT-10 is ten hours before UTC
    return f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
