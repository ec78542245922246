# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server run with PostfixAdmin: its database as its own program makes it, and a Dovecot that asks it.

The Debian package is unpacked, not installed: it would bring a web server along. Its upgrade.php makes the tables, its
command line makes mailboxes and aliases as an administrator in the browser would.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import packages, ports
from .dovecot import Dovecot, DovecotSetup
from .errors import LabError
from .layout import Layout
from .mariadb import DatabaseUser, MariaDb, MariaDbSetup
from .region import CLOUD_OWNER
from .server import start_all, stop_all
from .tls import Authority
from .unpacked import unpacked

#: The databases: one to migrate from, one to migrate to; Dovecot asks the second.
SOURCE, TARGET = "postfix", "target"
#: What users are on vacation by: `ann#acme.example@autoreply.example`.
VACATION_DOMAIN = "autoreply.example"
READER, WRITER, PASSWORD = "reader", "writer", "secret-of-the-lab"
_SETTINGS = """\
<?php
$CONF['database_type'] = 'mysqli';
$CONF['database_socket'] = getenv('LAB_SOCKET');
$CONF['database_name'] = getenv('LAB_DATABASE');
$CONF['database_user'] = 'owner';
$CONF['database_password'] = getenv('LAB_PASSWORD');
$CONF['encrypt'] = getenv('LAB_SCHEME');
$CONF['quota'] = 'YES';
$CONF['quota_multiplier'] = '1048576';
$CONF['vacation'] = 'YES';
$CONF['vacation_domain'] = getenv('LAB_VACATION');
$CONF['emailcheck_resolve_domain'] = 'NO';
$CONF['smtp_server'] = '';
$CONF['password_validation'] = array();
"""
_UPGRADE = """\
<?php
define('POSTFIXADMIN', 1);
define('POSTFIXADMIN_CLI', 1);
chdir(__DIR__ . '/public');
require 'upgrade.php';
"""


@dataclass(frozen=True)
class PostfixAdmin:
    """The running servers. The reader of the source may only SELECT, the writer of the target may change rows."""

    database: MariaDb
    dovecot: Dovecot
    ca: Path
    program: Path

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[PostfixAdmin]:
        """In a throw-away folder, stopped and removed at the end."""
        packages.require_packages()
        program = _program()
        folder = Path(tempfile.mkdtemp(prefix="postfixadmin-"))
        folder.chmod(0o755)
        layout = Layout.of(folder)
        layout.make()
        try:
            claimed = ports.claim(layout.directory, 4)
            authority = Authority(layout.data / "tls")
            users = (DatabaseUser(READER, PASSWORD, "127.0.0.1", "SELECT"), _user("owner", "localhost", "ALL"))
            setup = MariaDbSetup(claimed[0], SOURCE, "", users)
            database = MariaDb("postfixadmin mariadb", layout.data / "mariadb", layout.run / "m", setup)
            dovecot = _dovecot(layout, authority, database, claimed[1:])
            made = cls(database, dovecot, authority.ca_file, program)
            try:
                start_all([database])
                made.make_databases()
                made.make_migration_tables()
                start_all([dovecot])
                yield made
            finally:
                stop_all([database, dovecot])
        finally:
            ports.release(layout.directory)
            layout.remove()

    def make_databases(self) -> None:
        """Make the tables of both, with PostfixAdmin's own program."""
        with self.database.session(database=None) as cursor:
            # As an administrator would make it: PostfixAdmin's tables say their character sets themselves.
            cursor.execute(f"CREATE DATABASE `{TARGET}` CHARACTER SET utf8mb4")
            for user in (
                _user(WRITER, "127.0.0.1", "SELECT, INSERT, UPDATE, DELETE"),
                _user("owner", "localhost", "ALL"),
                _user("dovecot", "localhost", "SELECT"),
            ):
                cursor.execute(
                    f"CREATE USER IF NOT EXISTS `{user.name}`@`{user.host}` IDENTIFIED BY %s", (user.password,)
                )
                cursor.execute(f"GRANT {user.rights} ON `{TARGET}`.* TO `{user.name}`@`{user.host}`")
        for name in (SOURCE, TARGET):
            said = self._php(name, "upgrade-of-the-lab.php")
            with self.database.session(name) as cursor:
                if not cursor.execute("SHOW TABLES LIKE 'vacation_notification'"):
                    raise LabError(f"PostfixAdmin made no tables in {name}: {said[-1000:]}")

    def make_migration_tables(self) -> None:
        """What the target's administrator does before customers come."""
        self.database.load(Path(__file__).resolve().parents[2] / "docs" / "postfixadmin-target.sql", TARGET)

    def enable_tenant(self, subscription: str, region: str = "eu") -> None:
        """Let a customer be written to the target."""
        with self.database.session(TARGET) as cursor:
            cursor.execute(
                "REPLACE INTO atmail_migration_tenants (subscription, region, migration_enabled) VALUES (%s, %s, 1)",
                (subscription, region),
            )

    def cli(self, *arguments: str, database: str = SOURCE, scheme: str = "php_crypt:SHA512") -> str:
        """Run PostfixAdmin's command line (`mailbox`, `add`, …), as `postfixadmin-cli` does.

        `scheme` is the setting `encrypt`, which says how it stores passwords. Raises LabError when it refuses.
        """
        return self._php(database, "scripts/postfixadmin-cli.php", *arguments, scheme=scheme)

    def options(self, database: str) -> dict[str, object]:
        """The modules' option `database`."""
        user = READER if database == SOURCE else WRITER
        return {
            "host": "127.0.0.1",
            "port": self.database.setup.port,
            "name": database,
            "user": user,
            "password": PASSWORD,
            "tls": False,
        }

    def clear(self) -> None:
        """Empty all tables of both databases but PostfixAdmin's own settings."""
        for name in (SOURCE, TARGET):
            with self.database.session(name) as cursor:
                cursor.execute("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", (name,))
                tables = {row[0] for row in cursor.fetchall()} - {"config"}
                for table in sorted(tables, key=lambda each: each != "vacation_notification"):
                    cursor.execute(f"DELETE FROM `{table}`")

    def _php(self, database: str, script: str, *arguments: str, scheme: str = "md5crypt") -> str:
        environment: Mapping[str, str] = {
            **self.database.environment(),
            "LAB_SOCKET": str(self.database.socket),
            "LAB_DATABASE": database,
            "LAB_PASSWORD": PASSWORD,
            "LAB_SCHEME": scheme,
            "LAB_VACATION": VACATION_DOMAIN,
        }
        done = subprocess.run(
            ["/usr/bin/php", str(self.program / script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=self.program,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LabError(f"PostfixAdmin's {script} {' '.join(arguments[:2])} failed: {done.stdout[-1000:]}")
        return done.stdout


def _user(name: str, host: str, rights: str) -> DatabaseUser:
    return DatabaseUser(name, PASSWORD, host, rights)


def _program() -> Path:
    """PostfixAdmin's own folder in the unpacked package, with the settings of the lab in place of the links to /etc."""
    place = unpacked("postfixadmin", alone=True)
    program = place / "usr/share/postfixadmin"
    texts = {
        "config.inc.php": (place / "etc/postfixadmin/config.inc.php").read_text(),
        # what Debian's own set-up would write
        "dbconfig.inc.php": "<?php $dbtype = $dbserver = $dbuser = $dbpass = $dbname = '';\n",
        "config.local.php": _SETTINGS,
        "upgrade-of-the-lab.php": _UPGRADE,
    }
    for name, text in texts.items():
        path = program / name
        with contextlib.suppress(OSError):
            if path.read_text() == text and not path.is_symlink():
                continue
        handle, temporary = tempfile.mkstemp(dir=program)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(temporary).replace(path)
    return program


def _dovecot(layout: Layout, authority: Authority, database: MariaDb, claimed: list[int]) -> Dovecot:
    setup = DovecotSetup(
        kind="postfixadmin",
        ports=dict(zip(("imap", "imaps", "pop3s"), claimed, strict=True)),
        owner=CLOUD_OWNER if os.geteuid() == 0 else (os.geteuid(), os.getegid()),
        master_user="master",
        master_password=PASSWORD,
        certificate=authority.issue_kind("good"),
        mail_root=layout.data / "mail",
        socket=database.socket,
        database=TARGET,
        database_password=PASSWORD,
        values={},
    )
    return Dovecot("postfixadmin dovecot", layout.data / "dovecot", layout.run / "d", setup)
