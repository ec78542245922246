# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a page is made of: sections of lines and tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..progress import amount

#: A table that nobody has to scroll for ever.
MOST_ROWS = 100

Section = dict[str, Any]


def section(title: str, lines: Iterable[str], *tables: Section | None) -> Section | None:
    """A section; None for one without anything in it."""
    said, shown = list(lines), [each for each in tables if each is not None]
    return {"title": title, "lines": said, "tables": shown} if said or shown else None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Section | None:
    """A table that nobody has to scroll for ever; None for one without rows."""
    every = [list(row) for row in rows]
    if len(every) > MOST_ROWS:
        more = [f"and {amount(len(every) - MOST_ROWS)} more", *[""] * (len(head) - 1)]
        every = [*every[:MOST_ROWS], more]
    return {"head": list(head), "rows": every} if every else None
