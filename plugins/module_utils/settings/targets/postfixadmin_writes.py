# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A plan's changes as rows of PostfixAdmin's tables, as PostfixAdmin itself would write them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...platforms.shape import BoundTable
from ...transport.database import Database, quoted, text
from ..gotos import Edit, edited
from ..model import AutoReply
from ..plan import Change, digest
from ..target import Writing
from ..things import ACCOUNTS, ALIASES, DOMAINS
from .postfixadmin_survey import LOCKED
from .rows import delete, insert, marks, matching, note, update

#: PostfixAdmin's own words for no date (its upgrade.php), in the database's time zone.
_ALWAYS, _FOREVER = "2000-01-01 00:00:00", "2038-01-18 00:00:00"
#: Days that a password is valid for by PostfixAdmin's default; only sites that ask for it look at the date.
_PASSWORD_DAYS = 365
_NEW_DOMAIN = {"description": "", "expiry_days": _PASSWORD_DAYS, "backup": 0}


@dataclass(frozen=True)
class Habits:
    """What PostfixAdmin's own settings say and its database does not.

    ``maildir`` is the folder of a new mailbox, with ``%d`` for the domain and ``%n`` for the local part.
    """

    vacation_domain: str | None
    maildir: str = "%d/%n/"
    transport: str = "virtual"


class Writes:
    """Writes through one session, inside somebody else's transaction."""

    def __init__(self, database: Database, tables: Mapping[str, BoundTable], writing: Writing, habits: Habits) -> None:
        self.database, self.tables, self.writing, self.habits = database, tables, writing, habits
        self.now = text(database.all("SELECT CURRENT_TIMESTAMP")[0][0]) or ""
        self._expiry: Callable[[str], str] = cache(self._expiry_of)

    def write(self, changes: Sequence[Change]) -> None:
        """All of them, kind by kind, each with its note."""
        kinds: dict[str, list[Change]] = {DOMAINS: [], ACCOUNTS: [], ALIASES: []}
        for change in changes:
            kinds[change.kind].append(change)
        self._domains([each for each in kinds[DOMAINS] if each.action != "note"])
        notes = self._accounts([each for each in kinds[ACCOUNTS] if each.action != "note"])
        self._aliases([each for each in kinds[ALIASES] if each.action != "note"])
        self._notes(changes, notes)

    def _domains(self, changes: Iterable[Change]) -> None:
        table = self.tables["domains"]
        made = []
        for change in changes:
            enabled = {"enabled": int(change.fields["enabled"][1])}
            if change.action == "create":
                row = {"name": change.key, "transport": self.habits.transport, **_NEW_DOMAIN, **enabled}
                made.append(self._dated(table, row, new=True))
            else:
                update(self.database, table, {"name": change.key}, self._dated(table, enabled))
        insert(self.database, table, made)

    def _accounts(self, changes: Sequence[Change]) -> dict[tuple[str, str], str]:
        """Rows of mailboxes and all that hangs on them; the notes' digests of the passwords that were set."""
        table = self.tables["mailboxes"]
        made: list[dict[str, Any]] = []
        digests = {}
        for change in changes:
            values = self._mailbox(change)
            if change.password is not None:
                values["password"] = self.writing.stored(change.password)
                digests[change.kind, change.key] = digest(values["password"])
                values["expires"] = self._expiry(change.key.rpartition("@")[2])
            if change.action == "create":
                local, _at, domain = change.key.rpartition("@")
                maildir = self.habits.maildir.replace("%d", domain).replace("%n", local)
                row = {"account": change.key, "domain": domain, "local_part": local, "maildir": maildir}
                row |= {"password": LOCKED, "expires": self.now, **values}
                made.append(self._dated(table, row, new=True))
            elif values:
                update(self.database, table, {"account": change.key}, self._dated(table, values))
        insert(self.database, table, made)
        self._vacations(changes)
        self._ways(changes)
        return digests

    def _mailbox(self, change: Change) -> dict[str, Any]:
        after = {name: new for name, (_old, new) in change.fields.items()}
        values: dict[str, Any] = {}
        if "display_name" in after:
            values["name"] = after["display_name"]
        if "quota_bytes" in after:
            values["quota"] = after["quota_bytes"] or 0
        if "enabled" in after:
            values["enabled"] = int(after["enabled"])
        return values

    def _ways(self, changes: Sequence[Change]) -> None:
        """The mailboxes' own rows of aliases: forwards, the copy that stays, the user who is away."""
        led = [each for each in changes if each.action == "create" or _LED & each.fields.keys()]
        table = self.tables["ways"]
        keys = ("address", "goto", "enabled")
        rows = {
            (address or "").lower(): (goto or "", enabled or "")
            for address, goto, enabled in matching(
                self.database, table, keys, "address", [each.key for each in led], lock=False
            )
        }
        enabled = self._enabled([each.key for each in led])
        out = []
        for change in led:
            goto, active = rows.get(change.key, (change.key, "1"))
            if active == "0" and enabled[change.key] and "enabled" not in change.fields:
                goto = change.key
            if change.action == "create" and change.key in rows:
                goto = f"{goto},{change.key}"
            goto = edited(change.key, goto, _edit(change), self.habits.vacation_domain)
            row = {"address": change.key, "goto": goto, "domain": change.key.rpartition("@")[2]}
            out.append(self._dated(table, {**row, "enabled": int(enabled[change.key])}, new=True))
        insert(self.database, table, out, "goto", "enabled", *(["modified"] if table.has("modified") else []))

    def _enabled(self, addresses: Sequence[str]) -> dict[str, bool]:
        rows = matching(
            self.database, self.tables["mailboxes"], ("account", "enabled"), "account", list(addresses), lock=False
        )
        return {(address or "").lower(): enabled != "0" for address, enabled in rows}

    def _vacations(self, changes: Iterable[Change]) -> None:
        table = self.tables.get("vacations")
        if table is None:
            return
        gone = []
        for change in changes:
            if "auto_reply" not in change.fields:
                continue
            reply = change.fields["auto_reply"][1]
            if reply is None:
                gone += [{"account": change.key}] if change.fields["auto_reply"][0] else []
            else:
                self._vacation(table, change.key, reply)
        delete(self.database, table, gone)

    def _vacation(self, table: BoundTable, address: str, reply: AutoReply) -> None:
        """One row, its dates in the time zone that the database keeps them in."""
        values: dict[str, Any] = {
            "account": address,
            "domain": address.rpartition("@")[2],
            "subject": reply.subject,
            "body": reply.text,
            "enabled": int(reply.enabled),
            "cache": "",
        }
        values = self._dated(table, values, new=True)
        dates = {
            name: value.removesuffix("Z").replace("T", " ") if value else None
            for name, value in (("starts", reply.starts), ("ends", reply.ends))
            if table.has(name)
        }
        columns = ", ".join(map(table.column, [*values, *dates]))
        here = "COALESCE(CONVERT_TZ(%s, '+00:00', @@session.time_zone), %s)"
        given = ", ".join([marks(list(values)), *[here] * len(dates)])
        again = [name for name in (*values, *dates) if name not in ("account", "domain", "created", "cache")]
        sets = ", ".join(f"{table.column(name)} = VALUES({table.column(name)})" for name in again)
        sql = f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({given}) ON DUPLICATE KEY UPDATE {sets}"  # noqa: S608 -- quoted names
        parameters = [*values.values()]
        for name, value in dates.items():
            parameters += [value, _ALWAYS if name == "starts" else _FOREVER]
        self.database.execute(sql, parameters)

    def _aliases(self, changes: Sequence[Change]) -> None:
        """Aliases, and whole domains that stand for another of ours, which have a table of their own."""
        ways, domains = self.tables["ways"], self.tables["alias_domains"]
        local = self._local(changes)
        for change in changes:
            before = set(change.fields.get("targets", ((), ()))[0] or ())
            after = set(change.fields.get("targets", ((), ()))[1] or ())
            if "targets" in change.fields:
                self._targets(change, before, after, local)
            if change.action == "change" and "enabled" in change.fields:
                enabled = {"enabled": int(change.fields["enabled"][1])}
                update(self.database, ways, {"address": change.key}, self._dated(ways, enabled))
                if change.key.startswith("@"):
                    update(self.database, domains, {"name": change.key[1:]}, self._dated(domains, enabled))

    def _targets(self, change: Change, before: Collection[str], after: Collection[str], local: Collection[str]) -> None:
        ways, domains = self.tables["ways"], self.tables["alias_domains"]
        enabled = int(self._alias_enabled(change))
        whole = [each for each in sorted(after) if change.key.startswith("@") and each[1:] in local and each[0] == "@"]
        own = whole[0] if len(whole) == 1 else None
        rest = sorted(each for each in after if each != own)
        if change.key.startswith("@"):
            delete(self.database, domains, [{"name": change.key[1:]}] if before else [])
        if own is not None:
            row = {"name": change.key[1:], "target": own[1:], "enabled": enabled}
            insert(self.database, domains, [self._dated(domains, row, new=True)])
        if rest:
            row = {"address": change.key, "goto": ",".join(rest), "domain": change.key.rpartition("@")[2]}
            row = self._dated(ways, {**row, "enabled": enabled}, new=True)
            again = ("goto", *(["modified"] if ways.has("modified") else []))
            insert(self.database, ways, [row], *again)
        elif before:
            delete(self.database, ways, [{"address": change.key}])

    def _alias_enabled(self, change: Change) -> bool:
        """Whether it is switched on: by the change, or as it is."""
        if "enabled" in change.fields:
            return change.fields["enabled"][1] is not False
        rows = [
            *matching(self.database, self.tables["ways"], ("enabled",), "address", [change.key], lock=False),
            *matching(self.database, self.tables["alias_domains"], ("enabled",), "name", [change.key[1:]], lock=False),
        ]
        return not rows or any(row[0] != "0" for row in rows)

    def _local(self, changes: Iterable[Change]) -> set[str]:
        """Those of the domains that whole domains stand for that are PostfixAdmin's own."""
        names = {
            target[1:]
            for change in changes
            for target in change.fields.get("targets", ((), ()))[1] or ()
            if target.startswith("@")
        }
        rows = matching(self.database, self.tables["domains"], ("name",), "name", sorted(names), lock=False)
        return {(row[0] or "").lower() for row in rows}

    def _notes(self, changes: Iterable[Change], digests: Mapping[tuple[str, str], str]) -> None:
        table = self.tables["notes"]
        kept, gone = [], []
        for change in changes:
            applied = dict(change.applied)
            if (change.kind, change.key) in digests:
                applied["password"] = digests[change.kind, change.key]
            names = {"subscription": self.writing.place.subscription, "kind": change.kind, "name": change.key}
            if applied:
                kept.append({**names, "applied": note(applied)})
            elif change.kind != DOMAINS:  # whose note says, too, whose the domain is
                gone.append(names)
        delete(self.database, table, gone)
        insert(self.database, table, kept, "applied", "subscription")

    def _expiry_of(self, domain: str) -> str:
        """As PostfixAdmin sets it with a password; only sites whose Dovecot asks for it look at it."""
        table, days = self.tables["domains"], _PASSWORD_DAYS
        if table.has("expiry_days"):
            rows = list(matching(self.database, table, ("expiry_days",), "name", [domain], lock=False))
            days = next((int(row[0]) for row in rows if row[0] and row[0] != "0"), days)
        return text(self.database.all("SELECT DATE_ADD(%s, INTERVAL %s DAY)", (self.now, days))[0][0]) or self.now

    def _dated(self, table: BoundTable, row: Mapping[str, Any], *, new: bool = False) -> dict[str, Any]:
        """The row without columns that this version does not have, with its dates."""
        dates = {"modified": self.now, **({"created": self.now} if new else {})}
        return {name: value for name, value in {**row, **dates}.items() if table.has(name)}


#: Attributes that are in a mailbox's own row of aliases.
_LED = frozenset({"forwards", "keep_copy", "auto_reply", "enabled"})


def _edit(change: Change) -> Edit:
    before, after = change.fields.get("forwards", ((), ()))
    keep = change.fields.get("keep_copy", (None, None))[1]
    away = None
    if "auto_reply" in change.fields:
        reply = change.fields["auto_reply"][1]
        away = reply is not None and reply.enabled
    return Edit(frozenset(before or ()) - frozenset(after or ()), frozenset(after or ()), keep, away)
