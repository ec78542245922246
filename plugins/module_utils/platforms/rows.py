# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Rows of a source's tables, their columns by keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..transport.database import Database, Value, text
from .shape import BoundTable
from .shards import SourceTable
from .texts import unescaped

_NOT_CUT: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """A row: columns by their keys in the profile, HTML entities resolved."""

    values: Mapping[str, str | None]
    full: frozenset[str] = _NOT_CUT

    def __getitem__(self, key: str) -> str:
        """The text; empty for NULL and for a column that is not there."""
        return self.values.get(key) or ""

    def get(self, key: str) -> str | None:
        """The text; None for NULL and for a column that is not there."""
        return self.values.get(key)

    def cut(self, key: str) -> bool:
        """Does the value fill its column, so that its end may be missing?"""
        return key in self.full


def read_rows(
    database: Database,
    table: SourceTable,
    columns: Sequence[str] = (),
    where: Mapping[str, Sequence[Value]] | None = None,
) -> Iterator[Row]:
    """The rows of a table, of all its shards.

    Without ``columns`` each row has all that are there. ``where`` is columns that must have one of these values.
    Read them to the end before the next query.
    """
    keys, tests = tuple(columns) or table.keys, where or {}
    parameters = tuple(value for values in tests.values() for value in values)
    for query in table.queries(keys, {key: len(values) for key, values in tests.items()}):
        for values in database.rows(query.sql, parameters * query.times):
            yield as_row(query.table, table.html, keys, values)


def as_row(table: BoundTable, html: frozenset[str], keys: Sequence[str], values: Sequence[Any]) -> Row:
    """A row of these columns' values; those of ``html`` hold HTML entities."""
    texts: dict[str, str | None] = {}
    full = []
    for key, value in zip(keys, values, strict=True):
        known = text(value)
        texts[key] = unescaped(known) if known and key in html else known
        if known and key in table.widths and _length(known, value, table.charsets[key]) >= table.widths[key]:
            full.append(key)
    return Row(texts, frozenset(full) if full else _NOT_CUT)


def _length(known: str, value: Any, charset: str) -> int:
    """In characters as the column counts them: in latin1 each byte is one, whatever a program has put there."""
    return len(value) if charset == "latin1" and isinstance(value, bytes) else len(known)
