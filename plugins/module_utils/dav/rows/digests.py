# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Digests of rows that the database server computes: a change is seen without reading what has not changed.

Nothing depends on what a program keeps up to date, as counters, ETags and dates of changes. Names in the SQL are
quoted and from the real schema.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from ...platforms.shape import BoundTable
from ...transport.database import text

#: Columns of these keys may be long: their digest stands for them, since a server cuts what it puts together.
_LONG = frozenset({"data", "photo", "note", "pgp_key", "description", "time_zone"})
_SEPARATOR = "0x1f"


def digest(table: BoundTable, keys: Iterable[str]) -> str:
    """An expression: 32 hexadecimal digits that are equal as long as these columns of a row are.

    NULL is the same as nothing. Columns that are not there do not count.
    """
    parts = ", ".join(_part(table, key) for key in keys if table.has(key))
    return f"MD5(CONCAT_WS({_SEPARATOR}, {parts}))"


def together(expression: str) -> str:
    """Two expressions for a group of rows that change when one of them does, comes or goes: read by :func:`word`."""
    halves = (f"BIT_XOR(CAST(CONV(SUBSTRING({expression}, {at}, 16), 16, 10) AS UNSIGNED))" for at in (1, 17))
    return f"COUNT(*), {', '.join(halves)}"


def word(values: Sequence[Any]) -> str:
    """The values of :func:`together` as one word; without a row they are nothing and so is the count."""
    count, first, second = (int(text(value) or 0) for value in values)
    return f"{count}-{first:016x}{second:016x}"


def joined(words: Iterable[str]) -> str:
    """One word for several, in this order."""
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:32]


def _part(table: BoundTable, key: str) -> str:
    column = f"CAST({table.column(key)} AS BINARY)"
    return f"MD5(COALESCE({column}, ''))" if key in _LONG else f"COALESCE({column}, '')"
