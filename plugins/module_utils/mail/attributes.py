# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A message's flags, keywords and INTERNALDATE: how the wire writes them, and when two are the same."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from functools import lru_cache

#: A keyword of our own: a message that only fills a gap in the UIDs, never anybody's mail.
PLACEHOLDER = b"$AtmailMigrationGap"
#: All that such a message consists of: it is recognised by it where a crash of the server lost its flags.
PLACEHOLDER_BODY = b"X-Atmail-Migration: a gap in the UIDs, nobody's mail\r\n\r\n"

_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1
    )
}
_DATE = re.compile(rb"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\s*\Z")
_FLAG = re.compile(rb"\\?[!#$&'+,./0-9:;<=>?@A-Z\[^_`a-z|}~-]+\Z")


@lru_cache(maxsize=65536)
def flag_key(flags: bytes) -> bytes:
    r"""What two messages' flags are compared by; case, order and ``\Recent`` do not count (RFC 9051 section 2.3.2)."""
    return b" ".join(sorted({one.lower() for one in flags.split() if one.lower() != b"\\recent"}))


@lru_cache(maxsize=65536)
def storable(flags: bytes) -> tuple[bytes, ...]:
    r"""The flags that may be sent: without ``\Recent``, our own placeholder's keyword, and what is no flag at all."""
    kept: dict[bytes, bytes] = {}
    for one in flags.split():
        lowered = one.lower()
        if lowered not in (b"\\recent", PLACEHOLDER.lower()) and _FLAG.match(one):
            kept.setdefault(lowered, one)
    return tuple(kept[lowered] for lowered in sorted(kept))


@lru_cache(maxsize=65536)
def unstorable(flags: bytes) -> tuple[bytes, ...]:
    """What stands among the flags and can't be sent, because it is no flag (RFC 3501 section 9, ``flag-keyword``)."""
    return tuple(one for one in flags.split() if not _FLAG.match(one))


def is_placeholder(flags: bytes) -> bool:
    """Whether a message is a gap filler of ours: deleted, and marked with our keyword."""
    lowered = flags.lower().split()
    return b"\\deleted" in lowered and PLACEHOLDER.lower() in lowered


def difference(have: bytes, want: Iterable[bytes]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The flags to add and to take away so that ``have`` becomes ``want``."""
    held = {one.lower(): one for one in have.split() if one.lower() != b"\\recent"}
    wanted = {one.lower(): one for one in want}
    add = tuple(wanted[key] for key in sorted(wanted) if key not in held)
    remove = tuple(held[key] for key in sorted(held) if key not in wanted)
    return add, remove


@lru_cache(maxsize=65536)
def instant(date: bytes) -> int | None:
    """An INTERNALDATE (RFC 3501 date-time) as seconds since 1970; None when it is none.

    Two servers in different time zones write the same instant differently, so instants are compared, never texts.
    """
    match = _DATE.match(date)
    month = _MONTHS.get(match[2].lower()) if match else None
    if not match or not month:
        return None
    day, year, hour, minute, second = (int(match[n]) for n in (1, 3, 4, 5, 6))
    offset = (int(match[8]) * 60 + int(match[9])) * (-60 if match[7] == b"-" else 60)
    return calendar.timegm((year, month, day, hour, minute, second)) - offset
