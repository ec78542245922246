# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a platform's tables are made of, and how they meet a real database.

Tables and columns go by keys of their own (``users``, ``quota``); each key has the names it may go by. An operator's
override replaces these names. :func:`bind` finds out which of them a database really has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import InputError, MissingColumnError, MissingTableError
from ..transport.database import quoted


@dataclass(frozen=True)
class Column:
    """A column: the names it may go by, best first, and whether nothing works without it.

    ``html``: the platform stores its text with HTML entities.
    """

    names: tuple[str, ...]
    required: bool = True
    html: bool = False


@dataclass(frozen=True)
class Table:
    """A table: the names it may go by, best first, and its columns by key.

    ``required_with`` are keys of other tables: where one of them is there, this one has to be there too. ``sharded``:
    where there is no table of these names, there may be many, each with a part of the rows (:mod:`.shards`).
    """

    names: tuple[str, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)
    required: bool = True
    required_with: tuple[str, ...] = ()
    sharded: bool = False


@dataclass(frozen=True)
class BoundTable:
    """A table of a real database: its name, and its columns by key, with their names, character sets and widths.

    A width is in characters; a column without one is not text, or its width is not known.
    """

    name: str
    columns: Mapping[str, str]
    charsets: Mapping[str, str]
    widths: Mapping[str, int] = field(default_factory=dict)

    def select(self, *keys: str) -> str:
        """``SELECT`` with these columns in this order; a column that is not there is NULL.

        Columns declared as latin1 come as the bytes that they hold: programs put UTF-8 into them too.
        """
        return f"SELECT {', '.join(map(self.value, keys))} FROM {quoted(self.name)}"  # noqa: S608 -- quoted names

    def value(self, key: str) -> str:
        """The expression for a column's value; see :meth:`select`."""
        if key not in self.columns:
            return "NULL"
        name = self.column(key)
        return f"CAST({name} AS BINARY)" if self.charsets[key] == "latin1" else name

    def column(self, key: str) -> str:
        """The quoted name of a column that is there."""
        return quoted(self.columns[key])

    def has(self, key: str) -> bool:
        """Is the column there?"""
        return key in self.columns


@dataclass(frozen=True)
class Overrides:
    """An operator's own names: table key → name, table key → column key → name, setting → value."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


Schema = Mapping[str, Mapping[str, str]]
Widths = Mapping[str, Mapping[str, int]]


def bind(tables: Mapping[str, Table], overrides: Overrides, schema: Schema) -> dict[str, BoundTable]:
    """The profile's tables as they are in a database whose ``schema`` is table → column → character set.

    Tables and columns that are not required and not there are left out. Raises MissingTableError, MissingColumnError,
    and InputError for an override with a key that the profile does not know.
    """
    check_keys(tables, overrides)
    found = {key: find_table(key, table, overrides.tables.get(key), schema) for key, table in tables.items()}
    return {
        key: bind_columns(tables[key], name, overrides.columns.get(key, {}), schema[name], key)
        for key, name in found.items()
        if name is not None
    }


def check_keys(tables: Mapping[str, Table], overrides: Overrides) -> None:
    """Raises InputError for an override of a table or a column that the profile does not know."""
    _known("tables", overrides.tables, tables)
    _known("columns", overrides.columns, tables)
    for key, own in overrides.columns.items():
        _known(f"columns.{key}", own, tables[key].columns)


def find_table(key: str, table: Table, own: str | None, schema: Schema) -> str | None:
    """The table's spelling in the database: as given, else in another case, which differs between versions.

    Raises MissingTableError.
    """
    names = (own,) if own else table.names
    lower = {name.lower(): name for name in schema}
    found = next((name for name in names if name in schema), None)
    found = found or next((lower[name.lower()] for name in names if name.lower() in lower), None)
    if found is None and (table.required or own):
        raise missing_table(key, names[0])
    return found


def missing_table(key: str, name: str) -> MissingTableError:
    """The error for a table that has to be there."""
    return MissingTableError(f"there is no table {name} ({key})", table=name)


def bind_columns(
    table: Table,
    name: str,
    own: Mapping[str, str],
    columns: Mapping[str, str],
    key: str,
    widths: Mapping[str, int] | None = None,
) -> BoundTable:
    """The columns of the table ``name``; those not required and not there are left out. Raises MissingColumnError."""
    lower = {column.lower(): column for column in columns}
    found: dict[str, str] = {}
    for column_key, column in table.columns.items():
        names = (own[column_key],) if column_key in own else column.names
        match = next((lower[alias.lower()] for alias in names if alias.lower() in lower), None)
        if match is not None:
            found[column_key] = match
        elif column.required or column_key in own:
            message = f"there is no column {names[0]} in the table {name} ({key}.{column_key})"
            raise MissingColumnError(message, table=name, column=names[0])
    charsets = {column_key: columns[column] for column_key, column in found.items()}
    known = widths or {}
    return BoundTable(name, found, charsets, {each: known[column] for each, column in found.items() if column in known})


def _known(what: str, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    for key in given:
        if key not in known:
            raise InputError(
                f"overrides.{what} knows no {key!r}, only {', '.join(sorted(known))}", option=f"overrides.{what}"
            )
