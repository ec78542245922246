# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of calendars and contacts in an Atmail database of any generation."""

from __future__ import annotations

import base64
import hashlib
import random
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pymysql.cursors import Cursor

from .generations import GENERATIONS, Generation
from .objects import Thing, events

_FIRST = ("Ann", "Bob", "Zoë", "Jürgen", "Łukasz", "Søren", "Ñandú", "Ольга", "Maeve")
_LAST = ("Lee", "O'Brien", "Müller", "Nowak", "Kjær", "van Dyk", "Díaz", "Walsh", "Hé; & Co")
_LATIN = ("Ann", "Bob", "Zoë", "Jürgen", "Søren", "Ñandú", "Maeve")
_LATIN_LAST = ("Lee", "O'Brien", "Müller", "Kjær", "van Dyk", "Díaz", "Walsh")
_TITLES = ("Stand-up", "Zahnarzt", "Lunch with Bob & Ann", "Budget", "Fußball", "Review {{ x }}")


@dataclass(frozen=True)
class Amount:
    """How much somebody keeps: the events of each calendar by its name, contacts, groups of them."""

    calendars: Mapping[str, int]
    contacts: int
    groups: int = 0


def fill_account(cursor: Cursor, address: str, amount: Amount, generation: Generation = GENERATIONS["7"]) -> None:
    """Give an account its calendars and contacts; those that it had are replaced. The same ones every time."""
    remove_all(cursor, address, generation)
    if "atmail7.sql" in generation.files:
        for order, (name, count) in enumerate(amount.calendars.items()):
            seed = f"{name.lower()}-{address}"
            things = [Thing(f"{each.name.replace('@', '-')}", each.data) for each in events(count, seed)]
            color = f"#{zlib.crc32(seed.encode()) & 0xFFFFFF:06X}FF"
            properties = {"displayname": name, "calendarcolor": color, "calendarorder": order}
            put_calendar(cursor, address, name.lower(), things, generation, **properties)
    elif not generation.is_open:
        for name, count in amount.calendars.items():
            put_appointments(cursor, address, count, f"{name} {address}", generation)
    numbers = put_contacts(cursor, address, people(amount.contacts, address, generation), generation)
    for group in range(amount.groups):
        members = list(numbers.items())[group :: amount.groups + 1]
        put_group(cursor, address, f"Group {group + 1} & friends", dict(members), generation)


def remove_all(cursor: Cursor, address: str, generation: Generation = GENERATIONS["7"]) -> None:
    """Remove what an account keeps; its own entry in the global address book stays."""
    if "atmail7.sql" in generation.files:
        principal = f"principals/users/{address}"
        cursor.execute(
            f"DELETE FROM `{objects_table(generation)}` WHERE calendarid IN"
            " (SELECT id FROM calendars WHERE principaluri = %s)",
            (principal,),
        )
        cursor.execute("DELETE FROM calendars WHERE principaluri = %s", (principal,))
        cursor.execute("DELETE FROM AbookGroupNames WHERE Account = %s", (address,))
    elif not generation.is_open:
        cursor.execute(f"DELETE FROM `{generation.table('Calander', address)}` WHERE UserTo = %s", (address,))
        cursor.execute("DELETE FROM recurrencePatterns WHERE account = %s", (address,))
    cursor.execute(f"DELETE FROM `{generation.table('AbookGroup', address)}` WHERE Account = %s", (address,))
    other = " AND `Global` = 0" if generation.knows_global_entries else ""
    cursor.execute(f"DELETE FROM `{generation.table('Abook', address)}` WHERE Account = %s{other}", (address,))


def objects_table(generation: Generation) -> str:
    """What SabreDAV's table of objects is called."""
    return "calendarObjects" if "atmail7-early.sql" in generation.files else "calendarobjects"


def put_calendar(
    cursor: Cursor,
    address: str,
    slug: str,
    things: Iterable[Thing],
    generation: Generation = GENERATIONS["7"],
    **columns: object,
) -> int:
    """A calendar with these objects, as SabreDAV writes them; its id."""
    row = {"principaluri": f"principals/users/{address}", "uri": slug, **columns}
    number = _insert(cursor, "calendars", row)
    put_objects(cursor, number, things, generation)
    return number


def put_objects(cursor: Cursor, calendar: int, things: Iterable[Thing], generation: Generation) -> None:
    """Objects of a calendar."""
    things = list(things)
    early = "atmail7-early.sql" in generation.files
    names = ["calendarid", "uri", "calendardata", "lastmodified"]
    rows: list[list[object]] = [[calendar, each.name, each.data, 1_400_000_000] for each in things]
    if not early:
        names += ["etag", "size", "componenttype"]
        for row, each in zip(rows, things, strict=True):
            kind = "VTODO" if b"BEGIN:VTODO" in each.data else "VEVENT"
            row += [hashlib.md5(each.data).hexdigest(), len(each.data), kind]
    _insert_many(cursor, objects_table(generation), names, rows)


def people(count: int, seed: str, generation: Generation = GENERATIONS["7"]) -> Iterator[dict[str, object]]:
    """Rows of an address book but for their owner; some with a photo, some with a company alone."""
    late = "atmail7.sql" in generation.files
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        first = chance.choice(_FIRST if late else _LATIN)
        last = chance.choice(_LAST if late else _LATIN_LAST)
        row: dict[str, object] = {
            "UserFirstName": first,
            "UserLastName": last,
            "UserEmail": f"person{number}@{chance.choice(('outside', 'partner'))}.example",
            "UserHomeMobile": f"+61 4{chance.randrange(10**8):08d}",
            "UserInfo": 'Met in Wien;\r\nlikes "tea", {{ cake }} & <b>bread</b>' if number % 7 == 0 else None,
            "DateModified": str(1_400_000_000 + number),
        }
        if number % 3 == 0:
            row["UserDOB"] = f"19{chance.randrange(50, 99)}-0{chance.randrange(1, 9)}-17 00:00:00"
        if number % 5 == 4:
            row |= {"UserWorkCompany": f"{last} Pty Ltd", "UserWorkTitle": "Owner", "UserWorkPhone": "03 5550 0199"}
        if late and number % 10 == 3 and "atmail6.sql" not in generation.files:
            row["UserPhoto"] = base64.encodebytes(png(chance.randbytes(3))).decode()
        yield row


def put_contacts(
    cursor: Cursor, address: str, rows: Iterable[Mapping[str, object]], generation: Generation = GENERATIONS["7"]
) -> dict[int, str]:
    """Contacts of an account; the address of each by its id."""
    table = generation.table("Abook", address)
    return {_insert(cursor, table, {"Account": address, **row}): str(row.get("UserEmail") or "") for row in rows}


def put_group(
    cursor: Cursor, address: str, name: str, members: Mapping[int, str], generation: Generation = GENERATIONS["7"]
) -> None:
    """A group in the generation's layout; its members by the ids of their rows, with an address that they have."""
    table = generation.table("AbookGroup", address)
    if "atmail7.sql" not in generation.files:
        rows = [(name, email, address) for email in members.values()]
        _insert_many(cursor, table, ["GroupName", "GroupEmail", "Account"], rows)
        return
    number = _insert(cursor, "AbookGroupNames", {"GroupName": name, "Account": address})
    _insert_many(cursor, table, ["GroupID", "AbookID", "Account"], [(number, each, address) for each in members])


def put_appointments(cursor: Cursor, address: str, count: int, seed: str, generation: Generation) -> None:
    """Events of Atmail 5's calendar: some repeat, some take whole days, some are things to do."""
    table = generation.table("Calander", address)
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        day = f"201{chance.randrange(5, 9)}-0{chance.randrange(1, 9)}-1{chance.randrange(9)}"
        row: dict[str, object] = {
            "UserTo": address,
            "Title": chance.choice(_TITLES),
            "DateStart": f"{day} 09:00:00",
            "DateEnd": f"{day} 10:30:00",
            "DateModified": str(1_400_000_000 + number),
            "AllDayEvent": int(number % 5 == 1),
            "Task": int(number % 7 == 6),
            "IsRecurring": int(number % 4 == 2),
        }
        appointment = _insert(cursor, table, row)
        if row["IsRecurring"]:
            pattern = {
                "account": address,
                "linkid": appointment,
                "RecurrenceType": 1,
                "Occurences": 10,
                "skipInterval": 2,
            }
            _insert(cursor, "recurrencePatterns", pattern)


def png(color: bytes) -> bytes:
    """A picture of 8 × 8 pixels of one color (W3C PNG, section 11)."""
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + color * 8) * 8)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    )


def _insert(cursor: Cursor, table: str, row: Mapping[str, object]) -> int:
    names = ", ".join(f"`{name}`" for name in row)
    marks = ", ".join(["%s"] * len(row))
    cursor.execute(f"INSERT INTO `{table}` ({names}) VALUES ({marks})", tuple(row.values()))
    return int(cursor.lastrowid)


def _insert_many(cursor: Cursor, table: str, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    columns = ", ".join(f"`{name}`" for name in names)
    cursor.executemany(f"INSERT INTO `{table}` ({columns}) VALUES ({', '.join(['%s'] * len(names))})", rows)
