# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The calendar of an account of Atmail 5: its rows of ``Calander`` and their patterns.

Which row is an exception of which, is said by ``Ref`` or by a common ``EntryID``; for which occurrence, by its day.
What does not fit together stays, as an appointment of its own, and is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from ...platforms.rows import Row, as_row
from ...platforms.texts import is_on, shown
from ...transport.database import Value, text
from ..model import Collection, Finding, Item, Kind, Properties, Survey
from .digests import digest, joined
from .events import Appointment, calendar_object, occurrence_on, start_of
from .queries import among, equals, select
from .shelf import Entry, Listing, Said, chunks, made_id
from .site import Place, Site
from .texts import unwritable
from .zones import calendar_text, zone_id

KEY = "appointments"
TASKS = "tasks"
#: How rows are written is a part of their versions: when that changes, everything is read anew.
_FORM = "1"
_PATTERN = ("kind", "start", "end", "endless", "count", "interval", "days", "day", "instance", "month")
_LINKS = ("id", "uid", "task", "calendar", "ref", "recurring", "exception", "start", "all_day", "title")
_WRITTEN = (
    "title",
    "location",
    "note",
    "sender",
    "importance",
    "category",
    "task",
    "modified",
    "start",
    "end",
    "all_day",
    "alert",
    "alert_at",
    "availability",
)
_VERSION = (*_WRITTEN, "uid", "ref", "recurring", "exception", "calendar")
_NONE = ("", "0")
_Id: TypeAlias = "tuple[Place, int]"


@dataclass(frozen=True)
class _Light:
    """A row as far as it is needed to see what belongs together."""

    place: Place
    digest: str
    row: Row
    pattern: Row | None = None

    @property
    def number(self) -> int:
        return int(self.row["id"])

    @property
    def collection(self) -> str:
        """The key of the collection that it is in."""
        if is_on(self.row.get("task")):
            return TASKS
        calendar = self.row["calendar"].strip()
        return KEY if calendar in _NONE else f"{KEY}/{calendar}"


_Taken: TypeAlias = "dict[_Id, list[tuple[datetime, _Light]]]"


@dataclass(frozen=True)
class _Whole:
    """An object: its own row, and its exceptions with their occurrences."""

    main: _Light
    exceptions: tuple[tuple[datetime, _Light], ...] = ()

    @property
    def lights(self) -> tuple[_Light, ...]:
        """All of its rows."""
        return (self.main, *(each for _at, each in self.exceptions))

    def version(self, zone: str, digests: Sequence[str]) -> str:
        """Of the object that is made of rows with these digests."""
        pattern = self.main.pattern
        values = [f"{key}={pattern[key]}" for key in _PATTERN] if pattern else []
        return joined((_FORM, zone, *values, *digests))


@dataclass
class _Found:
    """All objects of an account by collection, as they come."""

    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)

    def to(self, collection: str) -> Said:
        return self.said.setdefault(collection, Said(collection))


class AppointmentShelf:
    """The calendars and the tasks of one account."""

    def __init__(self, site: Site, account: str) -> None:
        self._site = site
        self._account = account
        self._written_zone = site.zone_name(account)
        self._zone = zone_id(self._written_zone)
        self._found: _Found | None = None

    def survey(self) -> Survey:
        """The calendar, also when it is empty; those with names, and the tasks, as far as there are any."""
        self._found = found = self._read()
        names = self._names()
        collections = []
        for key in sorted({KEY, *found.entries}):
            components = "VTODO" if key == TASKS else "VEVENT"
            number = key.removeprefix(KEY).strip("/")
            name = "Tasks" if key == TASKS else names.get(number, "") or ("Calendar" if key == KEY else number)
            properties = Properties(
                name=name,
                timezone=calendar_text(self._zone) if self._zone else None,
                components=frozenset({components}),
            )
            slug = TASKS if key == TASKS else f"calendar-{number}" if number else "calendar"
            state = _state(found.entries.get(key, {}))
            collections.append(Collection(Kind.CALENDAR, key, slug, properties, state))
        return Survey(tuple(collections), tuple(self._findings(found)))

    def listing(self, collection: Collection) -> Listing:
        """Its objects, as the survey has found them."""
        found = self._found or self._read()
        entries = found.entries.get(collection.key, {})
        return Listing(entries, _state(entries), tuple(found.to(collection.key).findings))

    def read(self, collection: Collection, entries: Mapping[str, Entry]) -> Iterator[Item]:
        """The objects, made of their rows."""
        for piece in chunks(entries.items()):
            wholes: list[_Whole] = [entry.id for _name, entry in piece]
            rows = self._rows(
                [each for whole in wholes for each in (whole.main, *(one for _at, one in whole.exceptions))]
            )
            for (name, entry), whole in zip(piece, wholes, strict=True):
                item = self._item(collection, name, entry.uid, whole, rows)
                if item is not None:
                    yield item

    def _item(
        self,
        collection: Collection,
        name: str,
        uid: str,
        whole: _Whole,
        rows: Mapping[tuple[Place, int], tuple[str, Row]],
    ) -> Item | None:
        main = rows.get((whole.main.place, whole.main.number))
        if main is None:
            return None
        others = [(at, rows.get((each.place, each.number))) for at, each in whole.exceptions]
        there = [(at, each) for at, each in others if each is not None]
        said = Said(collection.key)
        appointment = Appointment(uid, main[1], whole.main.pattern, tuple((at, row) for at, (_digest, row) in there))
        data = calendar_object(appointment, self._zone, name, said)
        version = whole.version(self._written_zone, [main[0], *(each for _at, (each, _row) in there)])
        return None if data is None else Item(name, version, data, tuple(said.findings))

    def _rows(self, wanted: Sequence[_Light]) -> dict[_Id, tuple[str, Row]]:
        found: dict[_Id, tuple[str, Row]] = {}
        numbers: dict[Place, list[int]] = {}
        for each in wanted:
            numbers.setdefault(each.place, []).append(each.number)
        html = self._site.tables[KEY].html
        for place, ids in numbers.items():
            table = place.table
            keys = tuple(key for key in _WRITTEN if table.has(key))
            values = [table.column("id"), digest(table, _VERSION), *map(table.value, keys)]
            sql = select(table, values, f"{equals(table, 'account')} AND {among(table, 'id', ids)}")
            for number, version, *rest in self._site.all(sql, [place.spelling, *ids]):
                row = as_row(table, html, keys, rest)
                found[place, int(text(number) or 0)] = (text(version) or "", row)
        return found

    def _read(self) -> _Found:
        found = _Found()
        lights: dict[tuple[str, int], _Light] = {}
        for place in self._site.places(KEY, self._account):
            for each in self._lights(place):
                lights.setdefault((place.prefix, each.number), each)
        masters = [each for each in lights.values() if not is_on(each.row.get("exception"))]
        taken: _Taken = {(each.place, each.number): [] for each in masters if each.pattern}
        for each in lights.values():
            if is_on(each.row.get("exception")):
                self._place_exception(each, masters, taken, found)
        uids: set[str] = set()
        for each in masters:
            whole = _Whole(each, tuple(sorted(taken.get((each.place, each.number), ()), key=lambda one: one[0])))
            self._add(found, whole, uids)
        return found

    def _place_exception(
        self,
        each: _Light,
        masters: list[_Light],
        taken: _Taken,
        found: _Found,
    ) -> None:
        """Give an exception to the one that it is an exception of, or make it one of its own."""
        fitting = [one for one in masters if one.pattern and one.place == each.place and _linked(each, one)]
        start = start_of(each.row)
        if len(fitting) == 1 and start is not None:
            master, others = fitting[0], taken[fitting[0].place, fitting[0].number]
            occurrence = occurrence_on(master.row, master.pattern or master.row, start.date())
            if occurrence is not None and all(at != occurrence for at, _one in others):
                others.append((occurrence, each))
                return
        masters.append(each)
        message = (
            f"{_named(each)} is an exception of something that repeats, but not known of what or of which day: it is "
            "copied as one of its own, and the day that it replaces stays, too"
        )
        found.to(each.collection).warn("exception_unknown", message)

    def _add(self, found: _Found, whole: _Whole, uids: set[str]) -> None:
        each = whole.main
        key = each.place.key(each.number)
        said = found.to(each.collection)
        if start_of(each.row) is None and not is_on(each.row.get("task")):
            message = f"{_named(each)} begins at {shown(each.row['start']) or 'no time'}, which is no date"
            said.left_out("appointment_without_start", message)
            return
        given = each.row["uid"].strip()
        uid = given if given and given not in uids and not unwritable(given) else made_id(self._account, "event", key)
        uids.add(uid)
        version = whole.version(self._written_zone, [one.digest for one in whole.lights])
        name = f"{made_id(self._account, 'event', key)}.ics"
        found.entries.setdefault(each.collection, {})[name] = Entry(version, whole, uid=uid)

    def _lights(self, place: Place) -> Iterator[_Light]:
        table = place.table
        keys = tuple(key for key in _LINKS if table.has(key))
        sql = select(table, [digest(table, _VERSION), *map(table.value, keys)], equals(table, "account"), "id")
        html = self._site.tables[KEY].html
        values = self._site.all(sql, [place.spelling])
        lights = [_Light(place, text(each[0]) or "", as_row(table, html, keys, each[1:])) for each in values]
        patterns = self._patterns([each for each in lights if is_on(each.row.get("recurring"))])
        for each in lights:
            yield replace(each, pattern=patterns.get(each.number)) if is_on(each.row.get("recurring")) else each

    def _patterns(self, recurring: Sequence[_Light]) -> dict[int, Row]:
        """Number of an appointment → its pattern; the last one, where there are several."""
        table = self._site.table("recurrences")
        if table is None or not recurring:
            return {}
        where = among(table, "event", recurring)
        parameters: list[Value] = [each.number for each in recurring]
        if table.has("account"):
            # numbers are those of a shard: without the account they are others', too
            where += f" AND {equals(table, 'account')}"
            parameters.append(recurring[0].place.spelling)
        sql = select(table, [table.value(key) for key in ("event", *_PATTERN)], where, "id")
        rows = self._site.all(sql, parameters)
        return {int(text(each[0]) or 0): as_row(table, frozenset(), _PATTERN, each[1:]) for each in rows}

    def _names(self) -> dict[str, str]:
        table = self._site.table("calendar_names")
        if table is None:
            return {}
        return self._site.once(
            "calendar names",
            lambda: {
                text(number) or "": text(name) or "" for number, name in self._site.all(table.select("id", "name"))
            },
        )

    def _findings(self, found: _Found) -> Iterator[Finding]:
        if self._zone is None and found.entries:
            what = (
                f"the time zone {shown(self._written_zone)} is not known"
                if self._written_zone
                else "there is no time zone"
            )
            message = (
                f"{what} is not known: appointments come without one, and clients show them in their own; "
                "overrides.settings.time_zone names one for all users without"
            )
            yield Finding("time_zone_unknown", message, "warning", KEY)
        rights = self._site.table("calendar_rights")
        if rights is None:
            return
        shared = self._site.once("calendar rights", lambda: _rights(self._site))
        entries = [entry.id.main.number for each in found.entries.values() for entry in each.values()]
        number = sum(each in shared for each in entries)
        if number:
            message = f"{number} appointments are shared with others, who see them again when that is set on the target"
            yield Finding("calendar_shared", message, "warning", KEY)


def _rights(site: Site) -> frozenset[int]:
    table = site.table("calendar_rights")
    rows = site.all(table.select("event")) if table else []
    return frozenset(int(text(number) or 0) for (number,) in rows)


def _linked(exception: _Light, master: _Light) -> bool:
    if exception.row["ref"].strip() not in _NONE:
        return exception.row["ref"].strip() == str(master.number)
    return bool(exception.row["uid"].strip()) and exception.row["uid"].strip() == master.row["uid"].strip()


def _named(each: _Light) -> str:
    return f"row {each.number} of {each.place.table.name} ({shown(each.row['title']) or 'without a title'})"


def _state(entries: Mapping[str, Entry]) -> str:
    return joined(f"{name}={entries[name].version}" for name in sorted(entries))
