# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Columns of rows that migrate for which no target has a place: told once each, with how many rows have something."""

from __future__ import annotations

from ...transport.database import Database
from ..model import Finding
from .site import Site

#: What says nothing; limits of 0 are none.
_NOTHING = frozenset({"", "0"})


def read_homeless(database: Database, site: Site) -> list[Finding]:
    """A note for every such column that is there and used."""
    found = []
    for table, column, words in site.profile.homeless:
        if not site.has(table, column):
            continue
        count = sum(row[column].strip() not in _NOTHING for row in site.rows(database, table, column))
        if count:
            message = f"{words}: {count} of {table} have one, which has no place on the target"
            found.append(Finding("", "no_place", message))
    return found
