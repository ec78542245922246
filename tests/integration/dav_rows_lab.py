# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Rows of calendars and contacts in the databases of :mod:`.generations_lab`, and accounts as sources over them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection, Item
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.cards import Groups
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.side import Site, open_rows
from ansible_collections.atmail.migration.plugins.module_utils.dav.sides import Source
from ansible_collections.atmail.migration.plugins.module_utils.platforms.reach import Reached, reached
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import Overrides
from ansible_collections.atmail.migration.plugins.module_utils.transport.database import Database, DatabaseServer

from tests.lab import ports
from tests.lab.sshd import Sshd, SshdSetup
from tests.lab.throwaway import throw_away

from .generations_lab import PASSWORD, READER, Atmail

ANN, BOB = "ann@acme.example", "bob@acme.example"


def connect(atmail: Atmail) -> Database:
    """A session of the user who may only read."""
    port = atmail.server.setup.port
    return Database(DatabaseServer("127.0.0.1", atmail.database, READER, PASSWORD, port, tls=False), read_only=True)


@contextmanager
def through_ssh(atmail: Atmail) -> Iterator[Reached]:
    """The way to the database through an SSH server of its own, as the options of a module name it."""
    port = atmail.server.setup.port

    def make(folder: Path) -> Sshd:
        return Sshd("sshd", folder / "sshd", SshdSetup(ports.claim(folder, 1)[0], [port]))

    with contextlib.ExitStack() as stack:
        sshd = stack.enter_context(throw_away("sshd", make))
        options = {
            "database": {
                "host": "127.0.0.1",
                "port": port,
                "name": atmail.database,
                "user": READER,
                "password": PASSWORD,
            },
            "ssh": {
                "host": "127.0.0.1",
                "port": sshd.setup.port,
                "user": sshd.user,
                "key_file": str(sshd.key_file),
                "known_hosts": str(sshd.known_hosts),
            },
        }
        yield stack.enter_context(reached(options))


def site(atmail: Atmail, overrides: Overrides | None = None, connections: int = 2) -> Site:
    """The database as a site, to be closed."""
    return Site(lambda: connect(atmail), overrides or Overrides(), connections=connections)


@contextmanager
def account(
    atmail: Atmail, user: str = ANN, groups: Groups = "vcard", overrides: Overrides | None = None
) -> Iterator[Source]:
    """An account of it as a source."""
    with site(atmail, overrides) as opened:
        yield open_rows(opened, user, groups=groups)


def calendar(atmail: Atmail, user: str, slug: str, **values: object) -> int:
    """A row of ``calendars``; its id."""
    columns = {"principaluri": f"principals/users/{user}", "uri": slug, **values}
    atmail.insert("calendars", user, **columns)
    return int(atmail.sql("SELECT MAX(id) FROM calendars")[0][0])


def event(atmail: Atmail, number: int, name: str, data: bytes | None, **values: object) -> None:
    """A row of SabreDAV's objects, as SabreDAV would write it."""
    table = next(name for name in atmail.tables() if name.lower() == "calendarobjects")
    columns: dict[str, object] = {"calendarid": number, "uri": name, "lastmodified": 1_400_000_000, **values}
    if atmail.generation.files == ("atmail7.sql",):
        columns |= {"etag": hashlib.md5(data or b"").hexdigest(), "size": len(data or b""), "componenttype": "VEVENT"}
    names = ", ".join(f"`{each}`" for each in (*columns, "calendardata"))
    marks = ", ".join(["%s"] * (len(columns) + 1))
    atmail.sql(f"INSERT INTO `{table}` ({names}) VALUES ({marks})", *columns.values(), data)


def contact(atmail: Atmail, user: str, **values: object) -> int:
    """A row of the account's address book; its id."""
    atmail.insert("Abook", user, Account=user, **values)
    return int(atmail.sql(f"SELECT MAX(id) FROM `{atmail.generation.table('Abook', user)}`")[0][0])


def put_group(atmail: Atmail, user: str, name: str, members: Mapping[int, str]) -> None:
    """A group in the generation's layout; members by the id of their row, with an address that they have."""
    if atmail.generation.suffixes or atmail.generation.files == ("atmail5.sql",):
        for email in members.values():
            atmail.insert("AbookGroup", user, GroupName=name, GroupEmail=email, Account=user)
        return
    atmail.insert("AbookGroupNames", user, GroupName=name, Account=user)
    number = atmail.sql("SELECT MAX(id) FROM AbookGroupNames")[0][0]
    for each in members:
        atmail.insert("AbookGroup", user, GroupID=number, AbookID=each, Account=user)


def appointment(atmail: Atmail, user: str, **values: object) -> int:
    """A row of Atmail 5's calendar; its id."""
    table = atmail.generation.table("Calander", user)
    columns = {"UserTo": user, "DateStart": "2014-03-03 09:00:00", "DateEnd": "2014-03-03 09:30:00", **values}
    # a date of only zeros is no date for today's servers
    places = ", ".join(["%s"] * len(columns))
    with atmail.server.session(atmail.database) as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        names = ", ".join(f"`{each}`" for each in columns)
        cursor.execute(f"INSERT INTO `{table}` ({names}) VALUES ({places})", tuple(columns.values()))
        return int(cursor.lastrowid)


def statements(atmail: Atmail) -> int:
    """How many statements the server has had so far."""
    return int(atmail.sql("SHOW GLOBAL STATUS LIKE 'Queries'")[0][1])


def ics(uid: str, summary: str = "Lunch", more: str = "") -> bytes:
    """A small event."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//lab//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20140301T090000Z",
        "DTSTART:20140301T120000Z",
        "DTEND:20140301T130000Z",
        f"SUMMARY:{summary}",
        *filter(None, [more]),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines).encode()


def collections(source: Source) -> Mapping[str, Collection]:
    """By key."""
    return {each.key: each for each in source.survey().collections}


def everything(source: Source, collection: Collection, names: Sequence[str] | None = None) -> dict[str, Item]:
    """All objects of a collection by name; each is of the version that the listing had."""
    versions = source.changes(collection).versions
    found = {item.name: item for item in source.read(collection, list(versions) if names is None else names)}
    assert {name: item.version for name, item in found.items()} == {name: versions[name] for name in found}
    return found
