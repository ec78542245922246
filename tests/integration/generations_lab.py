# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One MariaDB with a database for each generation of Atmail, and a user who may do nothing but read them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import Overrides
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract import extract, recognise
from ansible_collections.atmail.migration.plugins.module_utils.settings.left import left_findings
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Customer
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles import source_profile
from ansible_collections.atmail.migration.plugins.module_utils.transport.database import Database, DatabaseServer

from tests.lab import packages, ports
from tests.lab.atmail import AtmailAccount, put_account
from tests.lab.generations import GENERATIONS, Generation
from tests.lab.layout import Layout
from tests.lab.mariadb import DatabaseUser, MariaDb, MariaDbSetup

READER = "migration"
PASSWORD = "only-reads"


class Generations:
    """The running server. A generation's database is made when it is asked for first."""

    def __init__(self, server: MariaDb) -> None:
        self.server = server
        self.made: set[str] = set()

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[Generations]:
        """A server in a throw-away folder of its own, stopped and removed at the end."""
        packages.require_packages()
        folder = Path(tempfile.mkdtemp(prefix="lab-"))
        folder.chmod(0o755)
        layout = Layout.of(folder)
        layout.make()
        users = (DatabaseUser(READER, PASSWORD, "127.0.0.1", "SELECT"),)
        setup = MariaDbSetup(ports.claim(layout.directory, 1)[0], "atmail", "", users)
        server = MariaDb("generations", layout.data / "mariadb", layout.run / "m", setup)
        try:
            server.start()
            yield cls(server)
        finally:
            server.stop()
            ports.release(layout.directory)
            layout.remove()

    def fresh(self, name: str) -> Atmail:
        """The database of a generation, without rows."""
        database = f"atmail{name.replace('-', '_')}"
        if name not in self.made:
            with self.server.session(None) as cursor:
                cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
                cursor.execute(f"GRANT SELECT ON `{database}`.* TO `{READER}`@`127.0.0.1`")
            GENERATIONS[name].make(self.server, database)
            self.made.add(name)
        site = Atmail(self.server, database, GENERATIONS[name])
        site.clear()
        return site


class Atmail:
    """A site's database."""

    def __init__(self, server: MariaDb, database: str, generation: Generation) -> None:
        self.server = server
        self.database = database
        self.generation = generation

    def clear(self) -> None:
        """No row anywhere but in Config."""
        tables = self.tables()
        with self.server.session(self.database) as cursor:
            for table in tables:
                if table != "Config":
                    cursor.execute(f"DELETE FROM `{table}`")

    def tables(self) -> list[str]:
        """All tables that hold rows."""
        rows = self.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1")
        return [name for (name,) in rows]

    def sql(self, statement: str, *values: object) -> tuple[Any, ...]:
        """Run a statement as the administrator; all rows."""
        with self.server.session(self.database) as cursor:
            cursor.execute(statement, values or None)
            return tuple(cursor.fetchall())

    def insert(self, table: str, account: str, **values: object) -> None:
        """A row in a table, in an account's shard where there are some. Bytes go in as they are."""
        name = self.generation.table(table, account)
        columns = ", ".join(f"`{column}`" for column in values)
        marks = {True: "CONVERT(%s USING latin1)", False: "%s"}
        places = ", ".join(marks[isinstance(value, bytes)] for value in values.values())
        self.sql(f"INSERT INTO `{name}` ({columns}) VALUES ({places})", *values.values())

    def account(self, address: str, **details: Any) -> None:
        """An account with all its rows."""
        with self.server.session(self.database) as cursor:
            folder = f"/usr/local/atmail/users/{address[0]}/{address[1]}/{address}"
            put_account(cursor, AtmailAccount(address, f"Pw-{address}", **details), folder, self.generation)

    def extract(
        self,
        tables: Mapping[str, str] | None = None,
        columns: Mapping[str, Mapping[str, str]] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Customer:
        """The customer, read by the user who may only read; the arguments are overrides."""
        overrides = Overrides(tables or {}, columns or {}, settings or {})
        with self.reader() as database:
            site = recognise(database, source_profile("atmail"), overrides)
            customer = extract(database, site, "acme")
            left = left_findings(database, site, customer.accounts)
            return replace(customer, findings=(*customer.findings, *left)).sorted()

    @contextmanager
    def reader(self) -> Iterator[Database]:
        """A session of the user who may only read."""
        server = DatabaseServer("127.0.0.1", self.database, READER, PASSWORD, self.server.setup.port, tls=False)
        with Database(server, read_only=True) as database:
            yield database

    def checksums(self) -> dict[str, int]:
        """What all tables hold, in a number each."""
        tables = ", ".join(f"`{table}`" for table in self.tables())
        return dict(self.sql(f"CHECKSUM TABLE {tables} EXTENDED"))
