# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What stands in a cell: numbers with units, yes and no, dates, several addresses. ValueError says what is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from decimal import Decimal

_YES = frozenset({"1", "yes", "y", "true", "t", "on", "x", "enabled", "active", "activated", "ok", "ja", "oui", "si"})
_NO = frozenset(
    {"0", "no", "n", "false", "f", "off", "-", "disabled", "inactive", "suspended", "locked", "blocked", "nein", "non"}
)
_UNLIMITED = frozenset({"", "0", "-1", "none", "unlimited", "no limit", "∞", "-"})
_NUMBER = re.compile(r"(\d+)(?:[.,](\d{1,2}))?\s*([a-z]*)")
_POWERS = {"": 0, "b": 0, "byte": 0, "bytes": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_LARGEST = 2**63 - 1  # what a column for bytes holds on every target
_BETWEEN = re.compile(r"[\s,;|]+")


def flag(cell: str, default: bool) -> bool:
    """Yes or no, in the words that exports have for it; ``default`` for an empty cell."""
    word = cell.strip().lower()
    if not word:
        return default
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError("it is neither yes nor no")


def quota(cell: str, unit: str = "") -> int | None:
    """Bytes; None for no limit. ``unit`` counts for numbers without one.

    A unit is a power of 1024 whether it is written KB or KiB: that is what mail servers mean by it, and the larger of
    the two cannot lock anybody out.
    """
    text = cell.strip().lower().replace("\N{NO-BREAK SPACE}", " ")
    if text in _UNLIMITED:
        return None
    match = _NUMBER.fullmatch(text)
    power = _power(match[3] or unit) if match else None
    if match is None or power is None:
        raise ValueError("it is no number of bytes, KB, MB, GB or TB")
    size = int(Decimal(f"{match[1]}.{match[2] or 0}") * 1024**power)
    if not size:
        return None
    if size > _LARGEST:
        raise ValueError("it is larger than any mailbox can be")
    return size


def several(cell: str) -> list[str]:
    """The parts of a cell that holds several addresses, whatever stands between them."""
    return [part for part in _BETWEEN.split(cell.strip()) if part]


def moment(cell: str, *, end: bool) -> str | None:
    """A date (ISO 8601), in UTC where it names no zone, as the model has it; a day is its first or last second."""
    text = cell.strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("it is no date like 2026-11-23 or 2026-11-23 18:00") from None
    if len(text) <= 10 and end:
        found = datetime.combine(found.date(), time(23, 59, 59))
    try:
        utc = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is no date that can be") from None
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _power(unit: str) -> int | None:
    """``KB``, ``KiB``, ``k`` are 1; None for no unit of bytes."""
    if unit in _POWERS:
        return _POWERS[unit]
    return _POWERS.get(unit[:1]) if unit[1:] in ("b", "ib", "i") and unit[:1] != "b" else None
