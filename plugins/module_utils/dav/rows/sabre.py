# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars of Atmail 6 and 7: SabreDAV's tables, whose iCalendar texts come as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...platforms.rows import Row, as_row
from ...platforms.shape import BoundTable
from ...platforms.texts import is_on, shown
from ...transport.database import text
from ..model import Collection, Finding, Item, Kind, Properties, Survey
from .digests import digest, word
from .queries import among, digest_of_rows, equals, select
from .sabre_owners import Owned, owned_by, shares
from .shelf import Entry, Listing, Said, chunks, made_id, state_of, usable
from .site import Site
from .zones import calendar_text, zone_id

PREFIX = "calendars/"
_COLOR = re.compile(r"#[0-9a-f]{6}(?:[0-9a-f]{2})?", re.IGNORECASE)
_COLUMNS = ("id", "name", "slug", "description", "order", "color", "time_zone", "components", "transparent")
#: What an object's version is made of: what is in it, its name, and what SabreDAV says of it.
_VERSION = ("name", "modified", "etag", "data")


@dataclass(frozen=True)
class SabreShelf:
    """The calendars of one account."""

    site: Site
    account: str

    def survey(self) -> Survey:
        """Its own calendars; those that others share with it are findings."""
        mine = owned_by(self.site, self.account)
        rows = self._rows([each for each in mine if each.own])
        states = self._states([key for key, _row in rows])
        said = Said("")
        slugs: set[str] = set()
        found = []
        for key, row in rows:
            said.collection = f"{PREFIX}{key}"
            slug = _slug(row, key, slugs, said)
            slugs.add(slug)
            properties = self._properties(row, said)
            found.append(Collection(Kind.CALENDAR, said.collection, slug, properties, states.get(key, word((0, 0, 0)))))
        names = {key: row["name"] for key, row in rows}
        return Survey(tuple(found), (*said.findings, *shares(self.site, self.account, names)))

    def listing(self, collection: Collection) -> Listing:
        """Its objects; those without a text are left out."""
        table, calendar = self._events(), _id(collection)
        values = [table.column("id"), table.column("name"), digest(table, _VERSION), f"LENGTH({table.column('data')})"]
        sql = select(table, values, equals(table, "calendar"), "id")
        said = Said(collection.key)
        entries: dict[str, Entry] = {}
        digests = []
        for number, name, version, size in self.site.all(sql, [calendar]):
            known, row = text(name) or "", f"row {text(number)} of {table.name}"
            digests.append(text(version) or "")
            if not size:
                said.left_out("object_empty", f"{row} has no calendar text", shown(known))
                continue
            if not usable(known) or known in entries:
                given = f"{made_id(self.account, 'event', text(number))}.ics"
                what = "a name that another has" if known in entries else f"the name {shown(known) or '(none)'}"
                said.note("object_renamed", f"{row} has {what}; it is called {given}", given)
                known = given
            entries[known] = Entry(digests[-1], int(text(number) or 0), int(size))
        return Listing(entries, state_of(digests), tuple(said.findings))

    def read(self, collection: Collection, entries: Mapping[str, Entry]) -> Iterator[Item]:
        """The texts, some at a time, as many as memory takes."""
        table, calendar = self._events(), _id(collection)
        for piece in chunks(entries.items()):
            names = {entry.id: name for name, entry in piece}
            where = f"{equals(table, 'calendar')} AND {among(table, 'id', piece)}"
            sql = select(table, [table.column("id"), table.value("data"), digest(table, _VERSION)], where)
            for number, data, version in self.site.all(sql, [calendar, *names]):
                name = names[int(text(number) or 0)]
                content = self._content(table, data)
                if content:
                    yield Item(name, text(version) or "", content, self._judged(collection, name, content))

    def _events(self) -> BoundTable:
        table = self.site.table("events")
        if table is None:  # then no collection of ours was ever surveyed
            raise LookupError("there is no table of events")
        return table

    def _rows(self, mine: Sequence[Owned]) -> list[tuple[str, Row]]:
        """Calendar's id → its row: of the calendar itself, or of its owner's instance of it."""
        found: list[tuple[str, Row]] = []
        by_instance = {each.instance: each.calendar for each in mine if each.instance}
        table = self.site.table("calendar_instances" if by_instance else "calendars")
        ids = [int(each) for each in by_instance] or [int(each.calendar) for each in mine]
        if table is None or not ids:
            return found
        sql = select(table, [table.value(key) for key in _COLUMNS], among(table, "id", ids), "id")
        for values in self.site.all(sql, ids):
            row = as_row(table, frozenset(), _COLUMNS, values)
            found.append((by_instance.get(row["id"], row["id"]), row))
        return found

    def _states(self, ids: Sequence[str]) -> dict[str, str]:
        table = self.site.table("events")
        if table is None or not ids:
            return {}
        sql = digest_of_rows(table, digest(table, _VERSION), among(table, "calendar", ids), "calendar")
        return {text(each[0]) or "": word(each[1:]) for each in self.site.all(sql, [int(each) for each in ids])}

    def _properties(self, row: Row, said: Said) -> Properties:
        color = row["color"].strip()
        if color and not _COLOR.fullmatch(color):
            said.note("calendar_color", f"the color {shown(color)} is none of iCalendar's and left out")
            color = ""
        order = row["order"].strip()
        components = frozenset(each.strip().upper() for each in row["components"].split(",") if each.strip())
        return Properties(
            name=row["name"] or None,
            description=row.get("description") or None,
            color=color or None,
            order=int(order) if order.isdecimal() else None,
            timezone=_time_zone(row, said),
            components=components or None,
            transparent=is_on(row.get("transparent")) if row.get("transparent") is not None else None,
        )

    def _content(self, table: BoundTable, data: Any) -> bytes:
        """The text as it is; in a column of text that is not UTF-8, in UTF-8."""
        if data is None:
            return b""
        if isinstance(data, bytes) and not table.charsets["data"]:
            return data
        return (text(data) or "").encode()

    def _judged(self, collection: Collection, name: str, content: bytes) -> tuple[Finding, ...]:
        said = Said(collection.key)
        if not content.rstrip().upper().endswith(b"END:VCALENDAR"):
            said.warn("object_cut", "the calendar text does not end as one does: a part of it is missing", name)
        return tuple(said.findings)


def _id(collection: Collection) -> int:
    return int(collection.key.removeprefix(PREFIX))


def _slug(row: Row, key: str, taken: set[str], said: Said) -> str:
    slug = row["slug"]
    if usable(slug) and slug not in taken:
        return slug
    said.note("collection_renamed", f"the calendar's own name {shown(slug) or '(none)'} is not used in its URL")
    return f"calendar-{key}"


def _time_zone(row: Row, said: Said) -> str | None:
    """The calendar's zone: a text with a VTIMEZONE, or the name of a zone."""
    written = row["time_zone"].strip()
    if not written:
        return None
    if written.upper().startswith("BEGIN:VCALENDAR") and "BEGIN:VTIMEZONE" in written.upper():
        return row["time_zone"]
    zone = zone_id(written) if len(written) <= 100 else None
    if zone is None:
        said.note("calendar_time_zone", f"the calendar's time zone {shown(written)} is not known and left out")
        return None
    return calendar_text(zone)
