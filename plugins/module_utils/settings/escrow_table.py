# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The source's table of passwords, read and written byte by byte.

Collations take upper for lower case, and blanks at the end for nothing; so every comparison here is one of bytes.
Values travel as parameters in the column's own bytes. Works with InnoDB and MyISAM: a statement that is cut off half
way leaves rows that hold either the one or the other value, and reading tells which.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..addresses import canonical_domain
from ..errors import EscrowBusyError
from ..platforms.shape import BoundTable, Overrides, bind
from ..transport.database import Database, Value, quoted, text
from .escrow_plan import PASSWORD, Change, Row
from .profiles.shape import SourceProfile

_CHUNK = 100
_LOCK_SECONDS = 10  # how long a session that was cut off may take to end
_UTF8 = ("utf8", "utf8mb3", "utf8mb4")


@dataclass(frozen=True)
class ColumnKind:
    """What a column can hold: ``length`` in characters (None: no bound), and its character set (empty: bytes)."""

    length: int | None
    charset: str

    def takes(self, value: bytes | None) -> bool:
        """Can exactly these bytes be written to it?"""
        if value is None:
            return True
        if not self.charset or self.charset in ("binary", "latin1"):
            return self.length is None or len(value) <= self.length
        try:
            characters = value.decode("utf-8" if self.charset in _UTF8 else "ascii")
        except UnicodeDecodeError:
            return False
        if self.charset in ("utf8", "utf8mb3") and any(ord(each) > 0xFFFF for each in characters):
            return False
        return self.length is None or len(characters) <= self.length


class PasswordTable:
    """The table of passwords of a database, with the columns that a swap is about."""

    def __init__(self, database: Database, profile: SourceProfile, overrides: Overrides) -> None:
        """Find it. Raises MissingTableError, MissingColumnError, InputError for a wrong override."""
        self._database = database
        # The other tables' overrides are not ours to judge.
        tables = {key: profile.tables[key] for key in ("passwords", "domains") if key in profile.tables}
        ours = Overrides(
            {key: name for key, name in overrides.tables.items() if key in tables},
            {key: names for key, names in overrides.columns.items() if key in tables},
        )
        bound = bind(tables, ours, database.columns())
        self._table: BoundTable = bound["passwords"]
        self._domains = bound.get("domains")
        self.name = self._table.name
        #: The columns by the profile's keys, the password's own first.
        self.columns = (PASSWORD, *(key for key in profile.companions if self._table.has(key)))
        self.kinds = self._kinds()

    def rows(self) -> list[Row]:
        """Every row, in bytes."""
        wanted = ", ".join(map(self._bytes, ("account", *self.columns)))
        sql = f"SELECT {wanted} FROM {quoted(self.name)}"  # noqa: S608 -- quoted names
        return [
            Row(account or b"", dict(zip(self.columns, values, strict=True)))
            for account, *values in self._database.rows(sql)
        ]

    def domains(self) -> frozenset[str]:
        """The site's own domains, in their canonical form."""
        if self._domains is None:
            return frozenset()
        names = (text(name) for (name,) in self._database.rows(self._domains.select("name")))
        return frozenset(canonical_domain(name or "") for name in names)

    def check_rights(self) -> None:
        """Raises DatabaseError when the user may not change these columns. Changes nothing."""
        for column in self.columns:
            name = self._table.column(column)
            sql = f"UPDATE {quoted(self.name)} SET {name} = {name} WHERE 1 = 0"  # noqa: S608 -- quoted names
            self._database.execute(sql)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """No other run of ours swaps passwords of this database meanwhile, wherever it runs. Raises EscrowBusyError."""
        ((got,),) = self._database.all("SELECT GET_LOCK(CONCAT('atmail.migration.', DATABASE()), %s)", (_LOCK_SECONDS,))
        if text(got) != "1":
            raise EscrowBusyError("another run swaps passwords in this database")
        yield  # the lock ends with the session

    def write(self, changes: Iterable[Change]) -> int:
        """Carry out changes, each only where its row holds what it should; how many did.

        Text that does not fit is an error, never cut.
        """
        self._database.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")
        return sum(self._write(chunk) for chunk in _chunks(changes))

    def _write(self, changes: Sequence[Change]) -> int:
        column = changes[0].column
        here = f"({self._bytes('account')} = %s AND {self._bytes(column)} <=> %s)"
        cases = " ".join(f"WHEN {here} THEN %s" for _change in changes)
        which = " OR ".join(here for _change in changes)
        set_values: list[Value] = [v for change in changes for v in (change.account, change.before, change.after)]
        where_values: list[Value] = [v for change in changes for v in (change.account, change.before)]
        names, name_values = self._by_index(changes)
        sql = (
            f"UPDATE {quoted(self.name)} SET {self._table.column(column)} = CASE {cases} END"  # noqa: S608 -- quoted names
            f" WHERE {names}({which})"
        )
        return self._database.execute(sql, [*set_values, *name_values, *where_values])

    def _by_index(self, changes: Sequence[Change]) -> tuple[str, list[Value]]:
        """A condition that an index can answer, before the exact one; plain ASCII means the same in every collation."""
        if not all(change.account.isascii() for change in changes):
            return "", []
        marks = ", ".join(["%s"] * len(changes))
        accounts: list[Value] = [change.account.decode("ascii") for change in changes]
        return f"{self._table.column('account')} IN ({marks}) AND ", accounts

    def _bytes(self, key: str) -> str:
        return f"CAST({self._table.column(key)} AS BINARY)"

    def _kinds(self) -> Mapping[str, ColumnKind]:
        by_name = {self._table.columns[key]: key for key in self.columns}
        sql = (
            "SELECT COLUMN_NAME, CHARACTER_MAXIMUM_LENGTH, CHARACTER_SET_NAME FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s"
        )
        kinds = {}
        for name, length, charset in self._database.rows(sql, (self.name,)):
            key = by_name.get(text(name) or "")
            if key is not None:
                kinds[key] = ColumnKind(None if length is None else int(text(length) or 0), text(charset) or "")
        return kinds


def _chunks(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Changes of one column together, those that an index helps apart from the others."""
    groups: dict[tuple[str, bool], list[Change]] = {}
    for change in changes:
        group = groups.setdefault((change.column, change.account.isascii()), [])
        group.append(change)
    for group in groups.values():
        for start in range(0, len(group), _CHUNK):
            yield group[start : start + _CHUNK]
