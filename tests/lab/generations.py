# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations of Atmail: which files of SQL make their tables, and which tables are spread over many."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

from pymysql.cursors import Cursor

from .errors import LabError
from .mariadb import SCHEMAS, MariaDb

SHARDED = ("UserSettings", "Abook", "AbookGroup", "MailSort", "SpamDB", "Calander", "EmailMessage", "UserPgp")
# What only the commercial editions have.
COMMERCIAL = (
    *("Domains", "MailAliases", "Groups", "SpamSettings", "Config"),
    *("CalendarNames", "CalendarPermissions", "recurrencePatterns"),
    *SHARDED[4:],
)

_LETTERS = (*string.ascii_lowercase, "other")
# A real site has all 676 of two letters; some are as good as all, since nobody computes their names.
_PAIRS = (*(first + second for first in "abcj" for second in "aeiouny"), "Jo", "other")


@dataclass(frozen=True)
class Generation:
    """One of them: its files of SQL, the suffixes of its shards (none: tables are whole), and whether it is Open."""

    files: Sequence[str]
    suffixes: Sequence[str] = ()
    is_open: bool = False

    @property
    def knows_global_entries(self) -> bool:
        """Has each account an entry of its own in the global address book?"""
        return "atmail7.sql" in self.files

    def make(self, server: MariaDb, database: str = "") -> None:
        """Make the tables in a database of a running server, its own unless told otherwise."""
        for name in self.files:
            server.load(SCHEMAS / name, database)
        with server.session(database) as cursor:
            self._finish(cursor)

    def _finish(self, cursor: Cursor) -> None:
        """Make the shards of the tables that the files have made, and drop what the edition does not have."""
        missing = COMMERCIAL if self.is_open else ()
        for name in missing:
            cursor.execute(f"DROP TABLE `{name}`")
        for name in SHARDED if self.suffixes else ():
            if name in missing:
                continue
            for suffix in self.suffixes:
                cursor.execute(f"CREATE TABLE `{name}_{suffix}` LIKE `{name}`")
            cursor.execute(f"DROP TABLE `{name}`")

    def table(self, name: str, account: str) -> str:
        """The table that holds an account's rows: by its first letters where it is spread."""
        if not self.suffixes or name not in SHARDED:
            return name
        length = 1 if self.suffixes is _LETTERS else 2
        fitting = (each for each in self.suffixes if each.lower() == account[:length].lower())
        return f"{name}_{next(fitting, 'other')}"


GENERATIONS = {
    "7": Generation(("atmail7.sql",)),
    "7-early": Generation(("atmail7.sql", "atmail7-early.sql")),
    "6": Generation(("atmail7.sql", "atmail7-early.sql", "atmail6.sql")),
    "5": Generation(("atmail5.sql",), _LETTERS),
    "5-large": Generation(("atmail5.sql",), _PAIRS),
    "open": Generation(("atmail5.sql",), _LETTERS, is_open=True),
    "open-whole": Generation(("atmail5.sql",)),
}


def generation(name: str) -> Generation:
    """The generation of that name. Raises LabError."""
    if name not in GENERATIONS:
        raise LabError(f"there is no generation {name} of Atmail, only {', '.join(GENERATIONS)}")
    return GENERATIONS[name]
