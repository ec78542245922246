# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin's rows as things: whole tables of a subscription's domains at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...platforms.shape import BoundTable
from ...platforms.texts import is_on
from ...transport.database import Database
from ..extract.vacations import read_vacations
from ..gotos import targets_of
from ..merge import Applied
from ..model import AutoReply
from ..schemes import identify
from ..things import ACCOUNTS, ALIASES, DOMAINS, There
from .rows import applied, matching

#: A password that no log-in has: crypt(3) gives no hash that begins so. PostfixAdmin's column can't be NULL.
LOCKED = "{CRYPT}!"


class Survey:
    """Reads through one session; ``lock`` holds what is read until the transaction ends."""

    def __init__(self, database: Database, tables: Mapping[str, BoundTable], *, lock: bool) -> None:
        self.database, self.tables, self.lock = database, tables, lock
        self.notes: dict[tuple[str, str], Applied] = {}

    def read_notes(self, subscription: str) -> None:
        """What migrations of this subscription wrote last; the other methods need it."""
        table = self.tables["notes"]
        for kind, name, note in self._matching(table, ("kind", "name", "applied"), "subscription", [subscription]):
            self.notes[kind, name] = applied(note)

    def domains(self, wanted: Iterable[str]) -> tuple[list[There], set[str]]:
        """The subscription's domains that are there, and which of those wanted are there as somebody else's."""
        own = {name for kind, name in self.notes if kind == DOMAINS}
        names = sorted(own | set(wanted))
        there = {}
        for name, enabled in self._matching(self.tables["domains"], ("name", "enabled"), "name", names):
            there[name.lower()] = is_on(enabled)
        things = [
            There(DOMAINS, name, {"enabled": enabled}, self.notes[DOMAINS, name])
            for name, enabled in there.items()
            if name in own
        ]
        return things, there.keys() - own

    def accounts(self, domains: Sequence[str]) -> tuple[list[There], list[There]]:
        """All accounts in these domains with what hangs on them, and the aliases."""
        replies = self._replies(domains)
        keys = ("account", "name", "quota", "enabled", "password")
        rows = {row[0].lower(): row for row in self._matching(self.tables["mailboxes"], keys, "domain", domains)}
        own: dict[str, tuple[tuple[str, ...], bool, bool]] = {}
        aliases: dict[str, There] = {}
        for address, goto, enabled in self._matching(
            self.tables["ways"], ("address", "goto", "enabled"), "domain", domains
        ):
            key = address.lower()
            if key in rows:
                # Postfix does not look at a row that is switched off: nothing of it is in use.
                if is_on(enabled) or not is_on(rows[key][3]):
                    own[key] = targets_of(key, goto)
                continue
            targets, itself, away = targets_of(key, goto)
            kept = (*targets, *([key] if itself else []))
            if kept or not away:
                fields = {"targets": kept, "enabled": is_on(enabled)}
                aliases[key] = There(ALIASES, key, fields, self.notes.get((ALIASES, key), {}))
        accounts = [self._account(key, row, own.get(key), replies.get(key)) for key, row in rows.items()]
        return accounts, list(self._with_domains(aliases, domains).values())

    def _account(
        self, key: str, row: Sequence[str], way: tuple[tuple[str, ...], bool, bool] | None, reply: AutoReply | None
    ) -> There:
        _account, name, quota, enabled, password = row
        forwards, keeps, away = way or ((), True, False)
        if reply is not None and not (reply.enabled and away):
            reply = replace(reply, enabled=False)
        fields: dict[str, Any] = {
            "display_name": name,
            "enabled": is_on(enabled),
            "quota_bytes": int(quota) if quota.isdecimal() and int(quota) else None,
            "forwards": forwards,
            "keep_copy": keeps or not forwards,
            "auto_reply": reply,
        }
        return There(ACCOUNTS, key, fields, self.notes.get((ACCOUNTS, key), {}), stored(password))

    def _with_domains(self, aliases: dict[str, There], domains: Sequence[str]) -> dict[str, There]:
        """The aliases, and those of whole domains that have a table of their own."""
        keys = ("name", "target", "enabled")
        for name, target, enabled in self._matching(self.tables["alias_domains"], keys, "name", domains):
            key = f"@{name.lower()}"
            one = There(
                ALIASES,
                key,
                {"targets": (f"@{target.lower()}",), "enabled": is_on(enabled)},
                self.notes.get((ALIASES, key), {}),
            )
            other = aliases.get(key)
            if other is not None:
                fields = {
                    "targets": tuple(sorted({*other.fields["targets"], *one.fields["targets"]})),
                    "enabled": one.fields["enabled"] or other.fields["enabled"],
                }
                one = replace(one, fields=fields)
            aliases[key] = one
        return aliases

    def _replies(self, domains: Sequence[str]) -> dict[str, AutoReply]:
        table = self.tables.get("vacations")
        if table is None:
            return {}
        wanted = set(domains)
        return {
            each.account: each.reply
            for each in read_vacations(self.database, table)
            if each.account.rpartition("@")[2] in wanted
        }

    def _matching(
        self, table: BoundTable, keys: Sequence[str], column: str, values: Sequence[str]
    ) -> Iterator[tuple[str, ...]]:
        for row in matching(self.database, table, keys, column, list(values), lock=self.lock):
            yield tuple(value or "" for value in row)


def stored(password: str) -> str | None:
    """A password of PostfixAdmin's with its prefix, as the cloud would have it; None where nobody can log in."""
    if password in ("", LOCKED):
        return None
    identified = identify(password, "CRYPT").password
    return identified.stored if identified else password
