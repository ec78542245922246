# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Statements that every target needs: rows of some keys, and rows written together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ...platforms.shape import BoundTable
from ...transport.database import Database, quoted, text
from ..merge import Applied

_CHUNK = 500
Texts: TypeAlias = "tuple[str | None, ...]"


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces that one statement can hold."""
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def matching(
    database: Database, table: BoundTable, keys: Sequence[str], column: str, values: Sequence[Any], *, lock: bool
) -> Iterator[Texts]:
    """The columns ``keys`` of all rows whose ``column`` is one of the values; ``lock`` until the transaction ends."""
    for some in chunks(values):
        where = f"{table.column(column)} IN ({marks(some)})"
        yield from where_rows(database, table, keys, where, some, lock=lock)


def where_rows(
    database: Database, table: BoundTable, keys: Sequence[str], where: str, values: Sequence[Any], *, lock: bool
) -> Iterator[Texts]:
    """The columns ``keys`` of the rows that a condition is true for."""
    sql = f"{table.select(*keys)} WHERE {where}{' FOR UPDATE' if lock else ''}"
    for row in database.rows(sql, values):
        yield tuple(map(text, row))


def marks(values: Sequence[Any]) -> str:
    """As many parameter marks."""
    return ", ".join(["%s"] * len(values))


def insert(database: Database, table: BoundTable, rows: Sequence[Mapping[str, Any]], *updates: str) -> None:
    """New rows, all with the same keys; where a row is there already, the columns ``updates`` of it are set."""
    if not rows:
        return
    columns = ", ".join(map(table.column, rows[0]))
    sql = f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({marks(list(rows[0]))})"  # noqa: S608 -- names are quoted
    if updates:
        sets = ", ".join(f"{table.column(name)} = VALUES({table.column(name)})" for name in updates)
        sql += f" ON DUPLICATE KEY UPDATE {sets}"
    database.execute_many(sql, [list(row.values()) for row in rows])


def update(database: Database, table: BoundTable, keys: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Set columns of the rows with these keys."""
    sets = ", ".join(f"{table.column(name)} = %s" for name in values)
    sql = f"UPDATE {quoted(table.name)} SET {sets} WHERE {_where(table, keys)}"  # noqa: S608 -- names are quoted
    database.execute(sql, [*values.values(), *keys.values()])


def delete(database: Database, table: BoundTable, rows: Iterable[Mapping[str, Any]]) -> None:
    """The rows with these keys; all with the same ones."""
    rows = list(rows)
    if rows:
        sql = f"DELETE FROM {quoted(table.name)} WHERE {_where(table, rows[0])}"  # noqa: S608 -- names are quoted
        database.execute_many(sql, [list(row.values()) for row in rows])


def note(applied: Applied) -> str:
    """What a migration wrote, as it is kept."""
    return json.dumps(applied, ensure_ascii=False, sort_keys=True)


def applied(value: str | None) -> Applied:
    """What a migration noted; a note that is not ours counts as none, so that nothing is taken for our own work."""
    found = json_value(value)
    return found if isinstance(found, dict) else {}


def json_value(value: str | None) -> Any:
    """A value kept as JSON, None when it is not."""
    try:
        return json.loads(value or "null")
    except ValueError:
        return None


def _where(table: BoundTable, keys: Mapping[str, Any]) -> str:
    return " AND ".join(f"{table.column(name)} = %s" for name in keys)
