# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A site whose passwords are swapped and put back, by a database user who may do no more than that."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
from ansible_collections.atmail.migration.plugins.module_utils import escrow_file
from ansible_collections.atmail.migration.plugins.module_utils.settings.escrow_run import password_escrow
from pymysql.cursors import Cursor

from tests.integration.settings_lab import VAULT_PASSWORD, SettingsLab
from tests.lab import passwords

USER, PASSWORD = "escrow", "of the escrow's database user"
NOW = dt.datetime(2026, 11, 23, 20, 15, tzinfo=dt.UTC)
Stored = dict[bytes, tuple[bytes | None, bytes | None]]


def ssha256(plain: str) -> str:
    digest = hashlib.sha256(plain.encode() + b"salt").digest()
    return "{SSHA256}" + base64.b64encode(digest + b"salt").decode()


#: Account → what is stored of it, in all forms, with everything that a careless comparison gets wrong.
ROWS: dict[bytes, tuple[bytes | None, bytes | None]] = {
    b"plain@acme.example": (b"Pa$$w0rd' \"{{ x }}\\", hashlib.md5(b"Pa$$w0rd' \"{{ x }}\\").hexdigest().encode()),
    b"md5@acme.example": (hashlib.md5(b"geheim").hexdigest().encode(), None),
    b"crypt@acme.example": (passwords.atmail("geheim", "md5_crypt").encode(), b""),
    b"ssha@acme.example": (ssha256("geheim").encode(), None),
    b"blank@acme.example": (b"trailing blank ", None),
    b"Case@acme.example": (b"UPPER", None),
    b"umlaut@acme.example": ("größe漢".encode(), None),
    b"none@acme.example": (None, None),
    b"empty@acme.example": (b"", None),
    "jürgen@acme.example".encode(): (b"geheim", None),
}


class EscrowLab:
    """One site's passwords, an escrow file, and a user who may read, and update the columns of passwords."""

    def __init__(self, base: SettingsLab) -> None:
        self.base = base
        self.folder = base.folder
        self.escrow = base.folder / "escrow.json"
        self._connection: Any = None
        with base.source_sql() as cursor:
            cursor.execute(f"CREATE OR REPLACE USER {USER}@127.0.0.1 IDENTIFIED BY %s", (PASSWORD,))
            for table in ("Domains", "Config", "Users", "UserSession"):
                cursor.execute(f"GRANT SELECT ON atmail.{table} TO {USER}@127.0.0.1")
            cursor.execute(f"GRANT UPDATE (Password, PasswordMD5) ON atmail.UserSession TO {USER}@127.0.0.1")

    def clear(self, rows: Stored | None = None, *, setting: str = "PLAIN", engine: str = "InnoDB") -> None:
        """These rows, in a table of this engine; no escrow."""
        self.base.clear()
        for each in self.folder.glob("escrow.json*"):
            each.unlink()
        with self.base.source_sql() as cursor:
            cursor.execute(f"ALTER TABLE UserSession ENGINE={engine}")
            cursor.execute("INSERT INTO Domains (Hostname, Enable) VALUES ('acme.example', '1')")
        self.setting(setting)
        self.put(ROWS if rows is None else rows)

    def setting(self, word: str) -> None:
        """The site's setting of how passwords are stored."""
        with self.base.source_sql() as cursor:
            cursor.execute("UPDATE Config SET keyValue = %s WHERE keyName = 'userPasswordEncryptionType'", (word,))

    @contextmanager
    def sql(self) -> Iterator[Cursor]:
        """A cursor of the site's administrator, in one connection that stays open; what it does counts at once."""
        if self._connection is None:
            owner = self.base.site.database
            self._connection = pymysql.connect(
                unix_socket=str(owner.socket), user=owner._administrator, database="atmail", autocommit=True
            )
        with self._connection.cursor() as cursor:
            yield cursor

    def again(self, rows: Stored) -> None:
        """These rows and no escrow; all else stays as `clear` has made it."""
        self.put(rows)
        self.escrow.unlink(missing_ok=True)

    def put(self, rows: Stored) -> None:
        """Make these rows what the table holds."""
        with self.sql() as cursor:
            cursor.execute("DELETE FROM UserSession")
            cursor.executemany(
                "INSERT INTO UserSession (Account, Password, PasswordMD5) VALUES (%s, %s, %s)",
                [(account, *values) for account, values in rows.items()],
            )

    def rows(self) -> Stored:
        """What the table holds, in bytes."""
        with self.sql() as cursor:
            cursor.execute(
                "SELECT CAST(Account AS BINARY), CAST(Password AS BINARY), CAST(PasswordMD5 AS BINARY) FROM UserSession"
            )
            return {account: (stored, companion) for account, stored, companion in cursor.fetchall()}

    def change(self, account: bytes, stored: bytes | None) -> None:
        """A user chooses another password."""
        with self.base.source_sql() as cursor:
            assert cursor.execute("UPDATE UserSession SET Password = %s WHERE Account = %s", (stored, account)) == 1

    def options(self, state: str, **changes: Any) -> dict[str, Any]:
        """Options of password_escrow, with a way through SSH."""
        options = {
            **self.base.connection(database={"user": USER, "password": PASSWORD}),
            "state": state,
            "escrow": str(self.escrow),
            "vault_password": VAULT_PASSWORD,
        }
        return {**options, **changes}

    def core(
        self, state: str, *, random: Callable[[int], bytes] = os.urandom, check: bool = False, **changes: Any
    ) -> dict[str, Any]:
        """Run the core in this process, straight to the database: what interruptions are tried on."""
        database = {**self.base.connection()["database"], "user": USER, "password": PASSWORD, "tls": False}
        params: dict[str, Any] = {
            "customer": "acme",
            "database": database,
            "ssh": None,
            "overrides": {},
            "domains": [],
            "profile": "atmail",
            "state": state,
            "escrow": str(self.escrow),
            "vault_password": VAULT_PASSWORD,
            "accounts": [],
            "forget": "sealed",
            "allow_missing": 0.2,
            "moved": False,
            **changes,
        }
        return password_escrow(params, check_mode=check, random=random, now=NOW)

    def book(self) -> escrow_file.Book:
        """What the escrow file holds."""
        found = escrow_file.load(self.escrow, VAULT_PASSWORD, "acme")
        assert found is not None
        return found

    def generated(self) -> dict[str, str]:
        """The generated passwords of open entries."""
        return {entry.name: entry.generated for entry in self.book().open_entries}

    def shown(self) -> dict[str, Any]:
        """What anybody can read of the escrow file."""
        document = json.loads(Path(self.escrow).read_text())
        assert isinstance(document, dict)
        return document

    def lost(self, originals: Stored) -> list[bytes]:
        """Accounts whose original is neither in the database nor on disk where it can be put back from."""
        kept: dict[tuple[int, bytes], bytes | None] = {}
        if self.escrow.exists():
            for entry in self.book().entries:
                for cell in entry.cells:
                    kept[cell.column == "password_md5", cell.stored] = cell.original
        there = self.rows()
        return [
            account
            for account, values in originals.items()
            for number, value in enumerate(values)
            if there[account][number] != value
            and kept.get((bool(number), there[account][number] or b""), b"nothing") != value
        ]
