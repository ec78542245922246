# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin as a target (docs/settings.md): its own tables, and two beside them for what it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from ...errors import InputError, UnsupportedError
from ...transport.database import Database, text
from ..gotos import vacation_domain
from ..model import AutoReply, Finding
from ..plan import Change
from ..profiles.postfixadmin_target import TABLES
from ..profiles.shape import BoundTable, Overrides, bind
from ..target import Capacity, Place, State, Writing, by_kind
from ..tenant import check_tenant
from ..things import ACCOUNTS, ALIASES, DOMAINS, Thing
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
#: Characters of `goto`, and what the own address and that of vacation.pl may need of them.
_LONGEST_GOTO, _ROOM = 65535, 1024
#: Dates outside of these stand for no date (PostfixAdmin's upgrade.php), a day narrower for the sake of time zones.
_EARLIEST, _LATEST = "2000-01-02T23:59:59Z", "2038-01-17T00:00:00Z"


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
        self.capacity = Capacity(places, _LIMITS, fit=self.fit)

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

    def fit(self, thing: Thing) -> tuple[Thing | None, tuple[Finding, ...]]:
        """The thing as it would be read back: its texts in the columns' character sets, its dates from 2000 to 2038."""
        if thing.kind == DOMAINS:
            return thing, ()
        lost: list[str] = []
        fitting = self._routed(thing, lost)
        if fitting is None:
            message = f"{'; '.join(lost)}; it is left out"
            return None, (Finding(thing.key, "value_unfit", message, "error"),)
        if thing.kind == ACCOUNTS:
            fields = dict(fitting.fields)
            fields["display_name"] = self._text("mailboxes", "name", fields["display_name"], "name", lost)
            if isinstance(fields.get("auto_reply"), AutoReply):
                fields["auto_reply"] = self._reply(fields["auto_reply"], lost)
            fitting = replace(fitting, fields=fields)
        return fitting, tuple(Finding(thing.key, "value_unfit", message, "warning") for message in lost)

    def _routed(self, thing: Thing, lost: list[str]) -> Thing | None:
        """The thing with those of its targets that a row can hold; None when there is nothing left of it."""
        ways = self.tables["ways"].charsets
        if not _holds(ways["address"], thing.key):
            lost.append("the address has letters that the target can't hold")
            return None
        name = "forwards" if thing.kind == ACCOUNTS else "targets"
        targets = thing.fields[name]
        kept = tuple(each for each in targets if _holds(ways["goto"], each))
        if len(kept) < len(targets):
            lost.append(f"{len(targets) - len(kept)} of its {name} have letters that the target can't hold")
        if sum(len(each) + 1 for each in kept) + _ROOM > _LONGEST_GOTO:
            lost.append(f"its {name} are more than a row of the target holds")
            return None
        fields = {**thing.fields, name: kept}
        if thing.kind == ACCOUNTS:
            return replace(thing, fields={**fields, "keep_copy": fields["keep_copy"] or not kept})
        return replace(thing, fields=fields) if kept else None

    def _text(self, table: str, column: str, value: str, word: str, lost: list[str]) -> str:
        """The text, with a question mark for each letter that the column can't hold."""
        charset = self.tables[table].charsets[column]
        fitting = "".join(each if _holds(charset, each) else "?" for each in value)
        if fitting != value:
            lost.append(f"letters of the {word} that the target can't hold are question marks there")
        return fitting

    def _reply(self, reply: AutoReply, lost: list[str]) -> AutoReply:
        fitting = replace(
            reply,
            subject=self._text("vacations", "subject", reply.subject, "automatic reply's subject", lost),
            text=self._text("vacations", "body", reply.text, "automatic reply", lost),
            starts=reply.starts if reply.starts and reply.starts > _EARLIEST else None,
            ends=reply.ends if reply.ends and reply.ends < _LATEST else None,
        )
        if (reply.starts or "") >= _LATEST or (reply.ends and reply.ends <= _EARLIEST):
            lost.append("the automatic reply has dates that the target can't hold; it is switched off there")
            return replace(fitting, enabled=False, starts=None, ends=None)
        return fitting


def _holds(charset: str, value: str) -> bool:
    """Can a column of this character set hold the text?"""
    if charset == "latin1":  # which is Windows-1252 to MySQL
        return len(value.encode("cp1252", "ignore")) == len(value)
    if charset in ("utf8", "utf8mb3"):
        return all(ord(each) < 65536 for each in value)
    return charset != "ascii" or value.isascii()


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
