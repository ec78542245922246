# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a database user may do, read from ``SHOW GRANTS`` (mariadb.com/kb/en/show-grants). Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

_GRANT = re.compile(
    r"GRANT (?P<rights>.+?) ON (?:TABLE )?(?P<database>\*|`(?:[^`]|``)*`)\.(?P<table>\*|`(?:[^`]|``)*`) TO ",
    re.DOTALL | re.IGNORECASE,
)
#: A right and the columns that it is limited to.
_RIGHT = re.compile(r"\s*([A-Za-z ]+?)\s*(?:\(([^)]*)\))?\s*(?:,|$)")
#: Rights that let nobody change or take anything that a reader can't see anyhow.
_HARMLESS = frozenset({"USAGE", "SELECT", "SHOW VIEW", "LOCK TABLES", "PROXY"})


@dataclass(frozen=True)
class Grant:
    """A right on a table; ``*`` is any. Without ``columns`` it is about all of them."""

    right: str
    database: str
    table: str
    columns: frozenset[str] = frozenset()

    def reaches(self, database: str, table: str) -> bool:
        """Whether it is about this table; a database's name may be a pattern, as in LIKE."""
        names = fnmatch.translate(_glob(self.database)) if self.database != "*" else ".*"
        return re.fullmatch(names, database) is not None and self.table in ("*", table)

    @property
    def shown(self) -> str:
        """For people."""
        columns = f" ({', '.join(sorted(self.columns))})" if self.columns else ""
        return f"{self.right}{columns} ON {self.database}.{self.table}"


def read_grants(lines: Iterable[str]) -> list[Grant]:
    """The rights in the server's words; what is no right on tables (a role's name) is left out."""
    found = []
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            continue
        database, table = (_plain(match[name]) for name in ("database", "table"))
        for right, columns in _RIGHT.findall(match["rights"]):
            names = frozenset(_plain(name.strip()) for name in columns.split(",") if name.strip())
            found.append(Grant(right.upper(), database, table, names))
        if "WITH GRANT OPTION" in line.upper():
            found.append(Grant("GRANT OPTION", database, table))
    return found


def escrow_right(grants: Sequence[Grant], database: str, table: str, column: str) -> bool:
    """Whether the passwords in this column can be set."""
    return any(
        grant.right in ("UPDATE", "ALL PRIVILEGES", "ALL")
        and grant.reaches(database, table)
        and (not grant.columns or column.lower() in {name.lower() for name in grant.columns})
        for grant in grants
    )


def needless(grants: Sequence[Grant], settable: AbstractSet[tuple[str, str]]) -> list[str]:
    """Rights that nobody needs for a migration; ``settable`` are tables and columns whose UPDATE is wanted."""

    def wanted(grant: Grant) -> bool:
        if grant.right in _HARMLESS:
            return True
        columns = {column.lower() for table, column in settable if table == grant.table}
        return grant.right == "UPDATE" and bool(grant.columns) and {name.lower() for name in grant.columns} <= columns

    return [grant.shown for grant in grants if not wanted(grant)]


def _plain(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _glob(pattern: str) -> str:
    """A LIKE pattern as one of fnmatch: ``%`` and ``_`` are wild unless they are escaped."""
    glob = []
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if len(part) == 2:
            glob.append(part[1])
        else:
            glob.append({"%": "*", "_": "?"}.get(part, f"[{part}]" if part in "*?[" else part))
    return "".join(glob)
