# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A source that has been recognised by its profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...errors import InputError
from ...platforms.rows import Row, read_rows
from ...platforms.shape import Overrides, Schema
from ...platforms.shards import SourceTable, bind_source
from ...transport.database import Database, Value
from ..profiles.shape import Extra, SourceProfile
from ..schemes import site_scheme

#: What an operator may say of a site though no setting of it does.
OWN_SETTINGS = ("forward_keeps_copy",)


@dataclass(frozen=True)
class Site:
    """A recognised source: its tables, its settings by the profile's keys, and every table and column it has.

    ``extras`` is what is only counted, by the names that an operator has given.
    """

    profile: SourceProfile
    tables: Mapping[str, SourceTable]
    settings: Mapping[str, str]
    schema: Schema
    extras: tuple[Extra, ...] = ()

    @property
    def password_scheme(self) -> str:
        """What the site's setting says about passwords (see :func:`schemes.site_scheme`)."""
        return site_scheme(self.settings.get("password_type"))

    @property
    def passwords_elsewhere(self) -> bool:
        """Does a directory (LDAP) check the passwords, so that those in the database mean nothing?"""
        return self.settings.get("auth_type", "").strip().lower() == "ldap"

    def has(self, table: str, *columns: str) -> bool:
        """Are the table and all these columns there?"""
        found = self.tables.get(table)
        return found is not None and all(map(found.has, columns))

    def rows(
        self, database: Database, table: str, *columns: str, where: Mapping[str, Sequence[Value]] | None = None
    ) -> Iterator[Row]:
        """The rows of a table of the profile, of all its shards; none when the table is not there.

        Without ``columns`` each row has all that are there. ``where`` is columns that must have one of these values.
        Read them to the end before the next query.
        """
        found = self.tables.get(table)
        return iter(()) if found is None else read_rows(database, found, columns, where)


def recognise(database: Database, profile: SourceProfile, overrides: Overrides) -> Site:
    """Find the profile's tables and read the site's settings.

    Raises MissingTableError, MissingColumnError, and InputError for a wrong override.
    """
    known = {*profile.settings, *profile.defaults, *profile.other_settings, *OWN_SETTINGS}
    for name in sorted(overrides.settings.keys() - known):
        message = f"overrides.settings knows no {name!r}, only {', '.join(sorted(known))}"
        raise InputError(message, option="overrides.settings")
    schema = database.columns()
    extras, rest = _named(profile, overrides)
    site = Site(profile, bind_source(profile.tables, rest, schema, database.widths()), {}, schema)
    settings: dict[str, str] = {}
    wanted = {names: key for key, names in profile.settings.items()}
    by_name = {name: key for (_unused, name), key in wanted.items()}
    has_sections = site.has("config", "section")
    for row in site.rows(database, "config", "section", "key", "value"):
        key = wanted.get((row["section"], row["key"])) if has_sections else by_name.get(row["key"])
        if key is not None:
            settings[key] = row["value"]
    known_settings = {**profile.defaults, **settings, **overrides.settings}
    return Site(profile, site.tables, known_settings, schema, extras)


def _named(profile: SourceProfile, overrides: Overrides) -> tuple[tuple[Extra, ...], Overrides]:
    """What is only counted, by an operator's names; and the overrides that are left for the tables that are read."""
    counted = {extra.name for extra in profile.extras} - profile.tables.keys()
    elsewhere = counted | (profile.others - profile.tables.keys())
    extras = [
        replace(
            extra,
            table=overrides.tables.get(extra.name, extra.table),
            owner=overrides.columns.get(extra.name, {}).get("owner", extra.owner),
        )
        if extra.name in counted
        else extra
        for extra in profile.extras
    ]
    tables = {key: name for key, name in overrides.tables.items() if key not in elsewhere}
    columns = {key: names for key, names in overrides.columns.items() if key not in elsewhere}
    return tuple(extras), Overrides(tables, columns, overrides.settings)
