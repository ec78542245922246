# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Values of rows as they may stand in iCalendar and vCard."""

from __future__ import annotations

import datetime as dt
import re

from ...platforms.texts import lines

# Neither format has a way to write control characters (RFC 5545, section 3.1; RFC 6350, section 3.3: CONTROL).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?")
_EPOCH_DIGITS = (9, 10)


def writable(value: str) -> str:
    """The text without control characters; its lines end in LF."""
    return _CONTROL.sub("", lines(value))


def unwritable(value: str) -> bool:
    """Has it control characters, which are left out?"""
    return _CONTROL.search(lines(value)) is not None


def moment(value: str) -> dt.datetime | None:
    """A column's date and time, which has no zone; None for none (``0000-00-00``) and for what is no date."""
    match = _DATE.match(value.strip())
    if match is None:
        return None
    try:
        return dt.datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00:00'}")
    except ValueError:
        return None


def stamp(value: str) -> dt.datetime | None:
    """A date of change: seconds since 1970, or a date and time that is taken as UTC; None for anything else."""
    digits = value.strip()
    if digits.isdecimal() and digits.isascii() and len(digits) in range(_EPOCH_DIGITS[0], _EPOCH_DIGITS[1] + 1):
        return dt.datetime.fromtimestamp(int(digits), dt.UTC)
    found = moment(value)
    return found.replace(tzinfo=dt.UTC) if found else None
