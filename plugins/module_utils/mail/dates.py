# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""When a message was received, as far as its own header tells: for servers that keep no INTERNALDATE."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_tz

_FIELD = re.compile(rb"^(received|date)[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)", re.IGNORECASE | re.MULTILINE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTES_A_DAY = 24 * 60


def received_date(header: bytes) -> bytes:
    """The date as IMAP writes it (RFC 3501 date-time): of the topmost Received field, else of Date; else empty.

    The last server on the way adds its field at the top (RFC 5321 section 4.4), with the date after the last semicolon.
    """
    sent = b""
    for match in _FIELD.finditer(header):
        name, text = match[1].lower(), match[2]
        if name == b"date":
            sent = sent or _date(text)
        elif found := _date(text.rpartition(b";")[2]):
            return found
    return sent


def _date(text: bytes) -> bytes:
    try:
        parsed = parsedate_tz(text.decode("ascii", "replace"))
    except (ValueError, IndexError, TypeError, OverflowError):
        return b""
    if parsed is None:
        return b""
    year, month, day, hour, minute, second, *_rest, offset = parsed
    minutes = (offset or 0) // 60
    try:
        then = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - its zone stands beside it
    except ValueError:
        return b""
    if abs(minutes) >= _MINUTES_A_DAY:
        return b""
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    return f"{day:2d}-{_MONTHS[month - 1]}-{year:04d} {then:%H:%M:%S} {zone}".encode("ascii")
