# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A site's database: which of Atmail's tables it has, and in which of them whose rows are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from ...addresses import canonical_address
from ...errors import InputError, MissingColumnError, MissingTableError
from ...platforms import atmail, atmail_dav
from ...platforms.rows import read_rows
from ...platforms.shape import BoundTable, Overrides, Table, check_keys
from ...platforms.shards import SourceTable, bind_source
from ...transport.database import Database, Value, quoted, text
from .sessions import Result, Sessions

#: One of these has to be there.
_NEEDED = ("calendars", "appointments", "contacts")
#: Settings that overrides may have; those of accounts count where accounts are read.
_SETTINGS = frozenset({*atmail_dav.SETTINGS, *atmail.SETTINGS, "forward_keeps_copy"})
#: So many shards go into one statement.
_TOGETHER = 40
Made = TypeVar("Made")


@dataclass(frozen=True)
class Place:
    """A table with rows of an account, and how the account is spelled there, to be compared with its column.

    ``prefix`` tells the ids of several tables apart; it is empty where there is only one.
    """

    table: BoundTable = field(hash=False)  # it holds dictionaries
    spelling: Value
    prefix: str = ""

    def key(self, number: object) -> str:
        """A name for the row of this id that no other row of the account has."""
        return f"{self.prefix}{text(number)}"


class Site:
    """The database, open for reading by several threads. Close it, or use it as a context manager.

    What all accounts share is read once, when it is asked for first: it is as old as that.
    """

    def __init__(self, connect: Callable[[], Database], overrides: Overrides, *, connections: int = 4) -> None:
        """Find the tables.

        Raises the errors of connecting, MissingTableError when there are neither calendars nor contacts,
        MissingColumnError, and InputError for a wrong override.
        """
        own = _own(overrides)
        self.settings: Mapping[str, str] = own.settings
        self._sessions = Sessions(connect, connections)
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}
        try:
            schema, widths = self.run(lambda database: (database.columns(), database.widths()))
            self.tables: Mapping[str, SourceTable] = bind_source(atmail_dav.TABLES, own, schema, widths)
            contacts = self.tables.get("contacts")
            if contacts is not None and not contacts.has("id"):
                raise MissingColumnError("the table of contacts has no ids", table="contacts", column="id")
            if not any(key in self.tables for key in _NEEDED):
                message = "there are no tables of calendars, appointments or contacts"
                raise MissingTableError(message, table=", ".join(_NEEDED))
        except BaseException:
            self.close()
            raise

    def run(self, work: Callable[[Database], Result]) -> Result:
        """See :meth:`Sessions.run`."""
        return self._sessions.run(work)

    def all(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.run(lambda database: database.all(sql, parameters))

    def table(self, key: str) -> BoundTable | None:
        """A table that is never sharded, if it is there."""
        found = self.tables.get(key)
        return None if found is None else found.only

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What ``make`` gives back, which is asked for only once."""
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            found: Made = self._made[name]
            return found

    def places(self, key: str, account: str) -> tuple[Place, ...]:
        """Where a canonical account has rows in a table with an ``account``, in a stable order.

        Which shard that is, is never computed: all of them are asked once.
        """
        return self.once(f"places of {key}", lambda: self._all_places(key)).get(account, ())

    def zone_name(self, account: str) -> str:
        """The time zone that a canonical account's user has set, as it is written; else what the operator says."""
        return self.once("zones", self._zones).get(account, "") or self.settings.get("time_zone", "")

    def close(self) -> None:
        """End the sessions."""
        self._sessions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _all_places(self, key: str) -> dict[str, tuple[Place, ...]]:
        shards = self.tables[key].shards if key in self.tables else ()
        found: dict[str, list[Place]] = {}
        for start in range(0, len(shards), _TOGETHER):
            chunk = shards[start : start + _TOGETHER]
            sql = " UNION ALL ".join(
                f"SELECT DISTINCT {number}, {shard.value('account')} FROM {quoted(shard.name)}"  # noqa: S608 -- quoted
                for number, shard in enumerate(chunk)
            )
            for number, value in self.all(sql):
                shard = chunk[int(number)]
                places = found.setdefault(canonical_address(text(value) or ""), [])
                prefix = f"{shard.name}/" if len(shards) > 1 else ""
                places.append(Place(shard, _comparable(value), prefix))
        return {account: tuple(places) for account, places in found.items()}

    def _zones(self) -> dict[str, str]:
        table = self.tables.get("preferences")
        if table is None or not table.has("time_zone"):
            return {}
        rows = self.run(lambda database: list(read_rows(database, table, ("account", "time_zone"))))
        zones: dict[str, str] = {}
        for row in rows:
            account = canonical_address(row["account"])
            # of several rows always the same one, in whatever order they come
            zones[account] = max(zones.get(account, ""), row["time_zone"].strip())
        return zones


def _own(overrides: Overrides) -> Overrides:
    """The part of the overrides that is about calendars and contacts; the others must be known elsewhere."""
    ours, theirs = atmail_dav.TABLES, atmail.TABLES
    known = {
        key: Table((), {**(theirs[key].columns if key in theirs else {}), **(ours[key].columns if key in ours else {})})
        for key in {**theirs, **ours}
    }
    counted = atmail.COUNTED - known.keys()
    tables = {key: name for key, name in overrides.tables.items() if key not in counted}
    check_keys(known, Overrides(tables, {key: each for key, each in overrides.columns.items() if key not in counted}))
    for name in sorted(overrides.settings.keys() - _SETTINGS):
        message = f"overrides.settings knows no {name!r}, only {', '.join(sorted(_SETTINGS))}"
        raise InputError(message, option="overrides.settings")
    return Overrides(
        {key: name for key, name in tables.items() if key in ours},
        {
            key: {column: name for column, name in names.items() if column in ours[key].columns}
            for key, names in overrides.columns.items()
            if key in ours
        },
        overrides.settings,
    )


def _comparable(value: Any) -> Value:
    """A value as the column is compared with it: as text where that is the same, so that its index is used."""
    return text(value) if not isinstance(value, bytes) or value.isascii() else value
