# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB with a datadir of its own: behind a site without TLS (SSH leads there), in a region with TLS required."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
from pymysql.cursors import Cursor

from .errors import LabError, StartError
from .server import Server, write_private
from .tls import Certificate

SCHEMAS = Path(__file__).with_name("sql")


@dataclass(frozen=True)
class DatabaseUser:
    """A user of the database: where it may come from (127.0.0.1, or localhost for the socket) and what it may do."""

    name: str
    password: str
    host: str
    rights: str
    tls: bool = False


@dataclass(frozen=True)
class MariaDbSetup:
    """The database `name` made of tests/lab/sql/<schema> (empty: none), its users, the certificate (None: no TLS).

    `fill` does what a file of SQL can't, once.
    """

    port: int
    name: str
    schema: str
    users: Sequence[DatabaseUser]
    certificate: Certificate | None = None
    fill: Callable[[MariaDb], None] | None = None


class MariaDb(Server):
    """One mariadbd. Its administrator is the user who runs the lab, through the socket, without a password."""

    patience = 60.0

    def __init__(self, name: str, folder: Path, run: Path, setup: MariaDbSetup) -> None:
        super().__init__(name, folder)
        self.run = run
        self.setup = setup
        self.log = folder / "mariadb.log"
        self.socket = run / "socket"
        self._datadir = folder / "data"
        self._tmpdir = folder / "tmp"
        self._configuration = folder / "my.cnf"
        self._complete = folder / "schema-loaded"
        self._administrator = pwd.getpwuid(os.geteuid()).pw_name

    def listens_on(self) -> Sequence[int]:
        return [self.setup.port]

    def command(self) -> Sequence[str]:
        return ["/usr/sbin/mariadbd", f"--defaults-file={self._configuration}"]

    def prepare(self) -> None:
        for folder in (self.run, self._tmpdir):
            folder.mkdir(parents=True, exist_ok=True)
        self._give_to_server(self.run, self.folder, self._tmpdir)
        certificate = self._own_certificate()
        self.render(
            "mariadb.cnf.j2",
            self._configuration,
            name=self.name,
            user=self._system_user(),
            datadir=self._datadir,
            tmpdir=self._tmpdir,
            socket=self.socket,
            port=self.setup.port,
            certificate=certificate,
        )
        if not self._datadir.exists():
            self._install()

    def greets(self) -> bool:
        """Whether the administrator gets in."""
        try:
            with self.session(database=None) as cursor:
                return cursor.execute("SELECT 1") == 1
        except pymysql.err.OperationalError:
            return False

    def populate(self) -> None:
        """Make the database and its users, the first time."""
        if self._complete.exists():
            return
        with self.session(database=None) as cursor:
            # What an interrupted first start has left is not worth keeping.
            cursor.execute(f"DROP DATABASE IF EXISTS `{self.setup.name}`")
            cursor.execute(f"CREATE DATABASE `{self.setup.name}` CHARACTER SET utf8mb4")
            for user in self.setup.users:
                self._make_user(cursor, user)
        if self.setup.schema:
            self.load(SCHEMAS / self.setup.schema)
        if self.setup.fill:
            self.setup.fill(self)
        self._complete.touch()

    def load(self, script: Path, database: str = "") -> None:
        """Run a file of SQL in the database, or in another one. Raises LabError with what the client said."""
        command = ["/usr/bin/mariadb", "--no-defaults", f"--socket={self.socket}", f"--user={self._administrator}"]
        with script.open("rb") as text:
            done = subprocess.run([*command, database or self.setup.name], stdin=text, capture_output=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{self.name}: {script.name}: {done.stderr.decode(errors='replace').strip()}")

    @contextmanager
    def session(self, database: str | None = "") -> Iterator[Cursor]:
        """A cursor for the administrator, in the server's own database unless told otherwise; commits at the end."""
        connection = pymysql.connect(
            unix_socket=str(self.socket),
            user=self._administrator,
            database=self.setup.name if database == "" else database,
            charset="utf8mb4",
            # a socket needs no TLS, and reading this machine's certificates takes longer than most statements
            ssl_disabled=True,
        )
        try:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
        finally:
            connection.close()

    def _install(self) -> None:
        """Make the system tables, whole or not at all."""
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [
            "/usr/bin/mariadb-install-db",
            f"--defaults-file={self._configuration}",
            f"--datadir={unfinished}",
            "--skip-test-db",
            "--skip-name-resolve",
            "--auth-root-authentication-method=socket",
            f"--auth-root-socket-user={self._administrator}",
        ]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment(),
            check=False,
        )
        if done.returncode != 0:
            raise StartError(self.name, "mariadb-install-db failed", done.stdout.decode(errors="replace"))
        unfinished.rename(self._datadir)

    def _make_user(self, cursor: Cursor, user: DatabaseUser) -> None:
        required = "SSL" if user.tls else "NONE"
        name = f"`{user.name}`@`{user.host}`"
        cursor.execute(f"CREATE OR REPLACE USER {name} IDENTIFIED BY %s REQUIRE {required}", (user.password,))
        cursor.execute(f"GRANT {user.rights} ON `{self.setup.name}`.* TO {name}")

    def _own_certificate(self) -> Certificate | None:
        """A copy of the certificate that the server may read under its own user."""
        given = self.setup.certificate
        if given is None:
            return None
        own = Certificate(self.folder / "server.pem", self.folder / "server.key")
        write_private(own.certificate, given.certificate.read_text(), 0o644)
        write_private(own.key, given.key.read_text())
        self._give_to_server(own.key)
        return own

    def _system_user(self) -> str:
        """As root the packages' own user, as an ordinary user that user (then nothing is to be changed)."""
        return "mysql" if os.geteuid() == 0 else ""

    def _give_to_server(self, *paths: Path) -> None:
        if user := self._system_user():
            for path in paths:
                shutil.chown(path, user)
