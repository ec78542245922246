# SPDX-License-Identifier: GPL-3.0-or-later
"""SabreDAV 1.8 on PHP over MariaDB, with the calendar tables that Atmail 7 has of it.

It knows no sync-collection (RFC 6578) and sends nothing by itself: only what a client posts to an outbox (a draft of
RFC 6638) goes out as mail, to a trap. Its address books are SabreDAV's own; Atmail shows its table Abook there.
"""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from . import ports
from .generations import generation
from .mariadb import SCHEMAS, DatabaseUser, MariaDb, MariaDbSetup
from .objects import CALENDAR, Thing
from .server import Server, stop_all
from .throwaway import throw_away_folder
from .trap import Trap
from .unpacked import environment, unpacked

DOMAIN = "acme.example"
REALM = "SabreDAV"
_DATABASE, _USER, _PASSWORD = "atmail", "sabre", "secret-of-the-lab"
_SCRIPT = Path(__file__).with_name("sabre.php")
#: PHP's extensions in the order in which they need each other.
_EXTENSIONS = ("dom", "xml", "simplexml", "xmlreader", "xmlwriter")


@dataclass(frozen=True)
class SabreSetup:
    """Its port and database; `digest`: users log in by Digest (RFC 7616 with MD5), not by Basic authentication."""

    port: int
    socket: Path
    sendmail: Path
    digest: bool = False
    database: str = _DATABASE
    password: str = field(default=_PASSWORD, repr=False)


class Sabre(Server):
    """HTTP on a port of loopback, in clear text."""

    def __init__(self, name: str, folder: Path, database: MariaDb, trap: Trap, setup: SabreSetup) -> None:
        super().__init__(name, folder)
        self.database = database
        self.trap = trap
        self.setup = setup
        self.place = unpacked("php-sabre-dav", "php-sabre-vobject", "php8", "php-xml")

    @classmethod
    @contextmanager
    def temporary(cls, accounts: Mapping[str, str], *, digest: bool = False) -> Iterator[Sabre]:
        """With its database and a trap, and these accounts (address: password), in a throw-away folder."""
        with throw_away_folder("sabre") as folder:
            database = make_database(folder)
            trap = Trap(folder / "trap")
            setup = SabreSetup(ports.claim(folder, 1)[0], database.socket, trap.sendmail, digest)
            server = cls("sabre", folder / "sabre", database, trap, setup)
            try:
                database.start()
                trap.start()
                server.start()
                for account, password in accounts.items():
                    server.add_account(account, password)
                yield server
            finally:
                stop_all([server, trap, database])

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self.setup.port}/"

    def listens_on(self) -> Sequence[int]:
        return [self.setup.port]

    def command(self) -> Sequence[str]:
        library = self.place / "usr/share/php"
        # Those that this machine has itself are not unpacked, and loaded anyway.
        extensions = [path for name in _EXTENSIONS for path in self.place.glob(f"usr/lib/php/*/{name}.so")]
        settings = {"include_path": library, "sendmail_path": self.setup.sendmail, "memory_limit": "512M"}
        options = [f"-d{name}={value}" for name, value in settings.items()]
        options += [f"-dextension={path}" for path in extensions]
        return ["/usr/bin/php", *options, "-S", f"127.0.0.1:{self.setup.port}", str(_SCRIPT)]

    def environment(self) -> dict[str, str]:
        return {
            **environment(self.place),
            "LAB_DSN": f"mysql:unix_socket={self.setup.socket};dbname={self.setup.database};charset=utf8mb4",
            "LAB_USER": _USER,
            "LAB_PASSWORD": self.setup.password,
            "LAB_REALM": REALM,
            "LAB_DIGEST": "1" if self.setup.digest else "",
            "LAB_DOMAIN": DOMAIN,
            "PHP_CLI_SERVER_WORKERS": "4",
        }

    def prepare(self) -> None:
        """Everything is in its command and its environment."""

    def greets(self) -> bool:
        """Whether SabreDAV answers."""
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.setup.port, timeout=10.0)) as connection:
                connection.request("PROPFIND", "/", headers={"Depth": "0"})
                return connection.getresponse().status == 401
        except OSError:
            return False

    def add_account(self, user: str, password: str) -> None:
        """Make an account without any calendar."""
        digest = hashlib.md5(f"{user}:{REALM}:{password}".encode(), usedforsecurity=False).hexdigest()
        with self.database.session() as cursor:
            cursor.execute("INSERT INTO users (username, digesta1) VALUES (%s, %s)", (user, digest))
            cursor.execute(
                "INSERT INTO principals (uri, email, displayname) VALUES (%s, %s, %s)",
                (f"principals/users/{user}", user, user.partition("@")[0]),
            )

    def write(self, user: str, uri: str, things: Iterable[Thing], name: str = "") -> None:
        """Make a calendar or address book with these objects by rows, as they are: also those that it would not take
        from a client.
        """
        listed = list(things)
        calendar = not listed or listed[0].kind == CALENDAR
        owner = (f"principals/users/{user}", uri, name or uri)
        now = int(time.time())
        with self.database.session() as cursor:
            table = "calendars" if calendar else "addressbooks"
            cursor.execute(f"INSERT INTO {table} (principaluri, uri, displayname) VALUES (%s, %s, %s)", owner)
            place = cursor.lastrowid
            if not calendar:
                rows = [(place, each.name, each.data, now) for each in listed]
                cursor.executemany(
                    "INSERT INTO cards (addressbookid, uri, carddata, lastmodified) VALUES (%s, %s, %s, %s)", rows
                )
                return
            cursor.executemany(
                "INSERT INTO calendarobjects (calendarid, uri, calendardata, etag, size, lastmodified, componenttype)"
                " VALUES (%s, %s, %s, MD5(calendardata), %s, %s, 'VEVENT')",
                [(place, each.name, each.data, len(each.data), now) for each in listed],
            )
            cursor.execute("UPDATE calendars SET components = 'VEVENT,VTODO' WHERE id = %s", (place,))

    def calendars(self, user: str) -> str:
        """The path of a user's calendars; `outbox` in it sends what is posted there."""
        return f"/calendars/{quote(user)}/"

    def options(self, **changes: object) -> dict[str, object]:
        """The modules' options of this side, for accounts with their own passwords."""
        return {"url": self.url, "allow_plaintext": True, **changes}


def make_database(folder: Path) -> MariaDb:
    """A MariaDB, not started yet, with Atmail's tables as SabreDAV 1.8 wants them."""
    users = (DatabaseUser(_USER, _PASSWORD, "localhost", "SELECT, INSERT, UPDATE, DELETE"),)
    (port,) = ports.claim(folder, 1)
    return MariaDb(
        "sabre mariadb", folder / "mariadb", folder / "m", MariaDbSetup(port, _DATABASE, "", users, fill=_fill)
    )


def _fill(database: MariaDb) -> None:
    generation("7").make(database)
    database.load(SCHEMAS / "sabre18.sql")
