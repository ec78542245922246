# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How many rows there are of what a profile names, and whose they are: a query for each kind, or a few for shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ..addresses import canonical_address, domain_of
from ..platforms.shape import Schema
from ..platforms.shards import shard_names
from ..transport.database import Database, quoted, text
from .profiles.shape import Extra

#: How a column is tested, by what ``Extra.only`` begins with; words are the profile's own.
_TESTS = {
    "set": "({column} IS NOT NULL AND {column} <> '' AND {column} <> '0')",
    "unset": "({column} IS NULL OR {column} = '' OR {column} = '0')",
    "<>": "({column} IS NULL OR {column} <> '{word}')",
    "!~": "({column} IS NULL OR LOCATE('{word}', {column}) = 0)",
    "~": "LOCATE('{word}', {column}) > 0",
    "=": "{column} = '{word}'",
}
#: Shards of a table that are counted by one query.
_AT_ONCE = 40


@dataclass(frozen=True)
class Tally:
    """How many there are; ``owners`` by account, as far as rows say whose they are."""

    total: int = 0
    owners: Mapping[str, int] = field(default_factory=dict)

    def of(self, domains: Iterable[str]) -> int:
        """How many belong to these domains; all of them where no row says whose it is, or no domain is named."""
        wanted = frozenset(domains)
        if not wanted or not self.owners:
            return self.total
        return sum(number for owner, number in self.owners.items() if domain_of(owner) in wanted)


def tally(database: Database, schema: Schema, extras: Iterable[Extra]) -> dict[str, Tally]:
    """The numbers by name; what a site has no table for is not among them."""
    found: dict[str, Tally] = {}
    for extra in extras:
        tables = tables_of(schema, extra.table)
        if not tables or (extra.unless and tables_of(schema, extra.unless)):
            continue
        queries = [query for table in tables if (query := _query(schema, table, extra)) is not None]
        before = found.get(extra.name, Tally())
        total, owners = before.total, Counter(before.owners)
        for owner, number in _counted(database, queries):
            total += number
            if owner:
                owners[canonical_address(owner)] += number
        found[extra.name] = Tally(total, dict(owners))
    return found


def tables_of(schema: Schema, name: str) -> list[str]:
    """The tables that a name stands for: its own spelling or one in another case, and its shards by letters.

    A name that ends in ``*`` is how the names of several tables begin.
    """
    if not name:
        return []
    if name.endswith("*"):
        return sorted(table for table in schema if table.lower().startswith(name[:-1].lower()))
    own = name if name in schema else next((table for table in schema if table.lower() == name.lower()), None)
    return [*([own] if own else []), *shard_names([name], schema)]


def _query(schema: Schema, table: str, extra: Extra) -> str | None:
    """The query for one table, None when it can't have such rows."""
    columns = {column.lower(): column for column in schema[table]}
    if extra.lacking.lower() in columns:
        return None
    condition = _condition(columns, extra)
    if condition is None:
        return None
    source, owner = f"{quoted(table)} AS t", "NULL"
    if extra.through:
        joined, ours, key = extra.through
        there = tables_of(schema, joined)
        if there and ours.lower() in columns:
            # A row whose other half is gone counts, too; it is nobody's.
            source += f" LEFT JOIN {quoted(there[0])} AS o ON o.{quoted(key)} = t.{quoted(columns[ours.lower()])}"
            owner = f"o.{quoted(extra.owner)}"
    elif extra.owner.lower() in columns:
        owner = f"t.{quoted(columns[extra.owner.lower()])}"
    if extra.prefix and owner != "NULL":
        owner = f"SUBSTRING({owner}, {len(extra.prefix) + 1})"
    what = f"DISTINCT t.{quoted(columns[extra.distinct.lower()])}" if extra.distinct.lower() in columns else "*"
    # Only names that the schema or the profile has are in this text, and they are quoted.
    return f"SELECT CAST({owner} AS BINARY), COUNT({what}) FROM {source} WHERE {condition} GROUP BY 1"  # noqa: S608


def _condition(columns: Mapping[str, str], extra: Extra) -> str | None:
    """Which rows count; None when none can."""
    if not extra.column:
        return "1 = 1"
    name = columns.get(extra.column.lower())
    if name is None:
        return "1 = 1" if extra.only == "unset" else None
    column = f"t.{quoted(name)}"
    sign = next((sign for sign in _TESTS if extra.only.startswith(sign)), "=")
    return _TESTS[sign].format(column=column, word=extra.only.removeprefix(sign))


def _counted(database: Database, queries: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Owner (empty when nobody's) and number, of some tables at a time: a site may have hundreds of shards."""
    waiting = iter(queries)
    while some := list(islice(waiting, _AT_ONCE)):
        for owner, number in database.rows(" UNION ALL ".join(f"({query})" for query in some)):
            yield text(owner) or "", int(number)
