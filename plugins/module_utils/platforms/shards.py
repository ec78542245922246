# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A source's table that may be one, or many which are one together: Abook, or Abook_a … Abook_z and Abook_other.

Which shard holds whose rows is never computed: platforms do it by the first letter or by the first two, and some keep
the case of an address. All tables that are there are read.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError
from .shape import (
    BoundTable,
    Overrides,
    Schema,
    Table,
    Widths,
    bind_columns,
    check_keys,
    find_table,
    missing_table,
)

# What stands after the name and an underscore: one letter, two, or a word for all the others.
_SUFFIX = re.compile(r"[a-z0-9]{1,2}|other", re.IGNORECASE)
# So many shards go into one statement: hundreds of shards are a few round trips, and no server's limit is met.
_TOGETHER = 40


@dataclass(frozen=True)
class Query:
    """One statement: the tables it reads are alike; ``table`` is the first. Parameters stand once for each of them."""

    sql: str
    table: BoundTable
    times: int


@dataclass(frozen=True)
class SourceTable:
    """A table of a source: its shards (one where it is not sharded), and which columns hold HTML entities."""

    shards: tuple[BoundTable, ...]
    html: frozenset[str] = frozenset()

    @property
    def only(self) -> BoundTable:
        """The one table that it is. Raises InputError when it is sharded, which is nothing for what needs one table."""
        if len(self.shards) != 1:
            raise InputError(f"the table {self.shards[0].name} is one of {len(self.shards)}", option="overrides.tables")
        return self.shards[0]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that are there, in any shard."""
        return tuple(dict.fromkeys(key for shard in self.shards for key in shard.columns))

    def has(self, key: str) -> bool:
        """Is the column there?"""
        return any(shard.has(key) for shard in self.shards)

    def queries(self, columns: Sequence[str], where: Mapping[str, int] | None = None) -> Iterator[Query]:
        """Statements that read these columns of all rows.

        With ``where`` only of those whose columns have one of so many values, which go in as parameters. A shard
        without one of these columns has no such row.
        """
        where = where or {}
        alike: dict[object, list[BoundTable]] = {}
        for shard in self.shards:
            if all(shard.has(key) for key in where):
                alike.setdefault(_kind(shard), []).append(shard)
        for shards in alike.values():
            for start in range(0, len(shards), _TOGETHER):
                chunk = shards[start : start + _TOGETHER]
                yield Query(" UNION ALL ".join(_select(each, columns, where) for each in chunk), chunk[0], len(chunk))


def bind_source(
    tables: Mapping[str, Table], overrides: Overrides, schema: Schema, widths: Widths
) -> dict[str, SourceTable]:
    """The profile's tables as they are in a database; see :func:`shape.bind`.

    An override of a table may be a pattern: ``Abook_*`` is all tables of such names, but those of other keys.
    Raises MissingTableError, MissingColumnError, InputError.
    """
    check_keys(tables, overrides)
    names = {key: _names(key, tables, overrides.tables.get(key), schema) for key in tables}
    for key, table in tables.items():
        if not names[key] and any(names[other] for other in table.required_with):
            raise missing_table(key, table.names[0])
    found = {}
    for key, table in tables.items():
        own = overrides.columns.get(key, {})
        shards = [bind_columns(table, name, own, schema[name], key, widths.get(name)) for name in names[key]]
        if shards:
            html = frozenset(column_key for column_key, column in table.columns.items() if column.html)
            found[key] = SourceTable(tuple(shards), html)
    return found


def shard_names(names: Iterable[str], schema: Iterable[str]) -> list[str]:
    """The shards of a table of one of these names, sorted."""
    stems = tuple(f"{name.lower()}_" for name in names)
    return sorted(
        table
        for table in schema
        for stem in stems
        if table.lower().startswith(stem) and _SUFFIX.fullmatch(table[len(stem) :])
    )


def _names(key: str, tables: Mapping[str, Table], own: str | None, schema: Schema) -> list[str]:
    table = tables[key]
    if own and "*" in own:
        taken = {name.lower() for other in tables if other != key for name in tables[other].names}
        matching = [name for name in schema if fnmatch.fnmatchcase(name.lower(), own.lower())]
        found = sorted(name for name in matching if name.lower() not in taken)
        if not found:
            raise missing_table(key, own)
        return found
    if not own and table.sharded and not any(name.lower() in {each.lower() for each in schema} for name in table.names):
        shards = shard_names(table.names, schema)
        if shards:
            return shards
    one = find_table(key, table, own, schema)
    return [] if one is None else [one]


def _kind(shard: BoundTable) -> object:
    """Shards that are of the same kind can be read together: each column means, and is, the same."""
    return tuple(tuple(sorted(each.items())) for each in (shard.columns, shard.charsets, shard.widths))


def _select(shard: BoundTable, columns: Sequence[str], where: Mapping[str, int]) -> str:
    tests = " AND ".join(f"{shard.column(key)} IN ({', '.join(['%s'] * times)})" for key, times in where.items())
    return f"{shard.select(*columns)} WHERE {tests}" if tests else shard.select(*columns)
