# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin as a target (docs/settings.md): its own tables, and two beside them for what it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from ...errors import InputError, UnsupportedError
from ...platforms.shape import BoundTable, Overrides, bind
from ...transport.database import Database, text
from ..gotos import vacation_domain
from ..plan import Change
from ..profiles.postfixadmin_target import TABLES
from ..target import Capacity, Place, State, Writing, by_kind
from ..tenant import check_tenant
from ..things import ACCOUNTS, ALIASES, DOMAINS
from .postfixadmin_fit import Fitting
from .postfixadmin_survey import Survey
from .postfixadmin_writes import Habits, Writes

#: Names of `overrides.settings`.
_SETTINGS = ("vacation_domain", "maildir", "transport")
_LIMITS = {
    "domains.key": 255,
    "accounts.key": 255,
    "accounts.password": 255,
    "accounts.display_name": 255,
    "accounts.auto_reply": 16000,  # of 65535 bytes
    "accounts.auto_reply_subject": 255,
    "aliases.key": 255,
}


class PostfixAdminTarget:
    """A database of PostfixAdmin's; a :class:`..target.TargetAdapter`."""

    def __init__(self, database: Database, tables: Mapping[str, BoundTable], habits: Habits) -> None:
        self.database, self.tables, self.habits = database, tables, habits
        accounts = {"display_name", "enabled", "quota_bytes", "password", "forwards", "keep_copy"}
        if "vacations" in tables and habits.vacation_domain:
            accounts.add("auto_reply")
        places = {
            DOMAINS: frozenset({"enabled"}),
            ACCOUNTS: frozenset(accounts),
            ALIASES: frozenset({"targets", "enabled"}),
        }
        self.capacity = Capacity(places, _LIMITS, fit=Fitting(tables).fit)

    @classmethod
    def open(cls, database: Database, overrides: Overrides) -> PostfixAdminTarget:
        """Find the tables. Raises MissingTableError, MissingColumnError, InputError, UnsupportedError."""
        for name in overrides.settings:
            if name not in _SETTINGS:
                message = f"overrides.settings knows no {name!r} here, only {', '.join(_SETTINGS)}"
                raise InputError(message, option="overrides.settings")
        tables = bind(TABLES, overrides, database.columns())
        _refuse_without_transactions(database, tables)
        given = dict(overrides.settings)
        away = given.pop("vacation_domain", None) or _seen_vacation_domain(database, tables["ways"])
        return cls(database, tables, Habits(away, **given))

    def check(self, place: Place) -> None:
        """Raises TenantError unless the subscription's row is there, active and enabled (H16)."""
        check_tenant(self.database, self.tables, place.subscription, place.region)

    def survey(self, place: Place, domains: Iterable[str], *, lock: bool) -> State:
        """All that the subscription has, and which of these domains are not its own.

        With ``lock`` nobody disables the subscription meanwhile.
        """
        if lock:
            check_tenant(self.database, self.tables, place.subscription, place.region, lock=True)
        reader = Survey(self.database, self.tables, lock=lock)
        reader.read_notes(place.subscription)
        own, foreign = reader.domains(domains)
        accounts, aliases = reader.accounts([each.key for each in own])
        known = {each.key for each in aliases}
        gone = {name: note for (kind, name), note in reader.notes.items() if kind == ALIASES and name not in known}
        return State(by_kind([*own, *accounts, *aliases]), frozenset(foreign), {ALIASES: gone})

    def write(self, changes: Sequence[Change], writing: Writing) -> None:
        """Carry the changes out."""
        Writes(self.database, self.tables, writing, self.habits).write(changes)

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written inside is written at its end, or not at all."""
        return self.database.transaction()


def _refuse_without_transactions(database: Database, tables: Mapping[str, BoundTable]) -> None:
    """A table that knows no transactions would keep half of a run that fails."""
    sql = "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
    engines = {text(name): text(engine) or "" for name, engine in database.rows(sql)}
    for table in tables.values():
        engine = engines.get(table.name, "")
        if engine.lower() != "innodb":
            message = f"the table {table.name} is kept by {engine}, which knows no transactions"
            advice = (
                f"Have the target's administrator run ALTER TABLE {table.name} ENGINE=InnoDB; nothing has been changed."
            )
            raise UnsupportedError(message, safe_next=advice, table=table.name)


def _seen_vacation_domain(database: Database, table: BoundTable) -> str | None:
    """The vacation domain that users who are away show."""
    sql = f"{table.select('goto')} WHERE {table.column('goto')} LIKE %s"
    return vacation_domain(text(row[0]) or "" for row in database.rows(sql, ("%#%",)))
