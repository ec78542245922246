# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The cloud's rows as things: whole tables of a subscription at a time, whatever the number of accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from ...platforms.shape import BoundTable
from ...transport.database import Database, quoted
from ..merge import Applied
from ..model import AutoReply, ExternalAccount, Protocol
from ..profiles.shape import TargetProfile
from ..things import ACCOUNTS, ALIASES, CONTACTS, DOMAINS, SENDERS, There
from .rows import Texts, applied, chunks, json_value, marks, matching, where_rows

_PROTOCOLS: Mapping[str, Protocol] = {"imap": "imap", "pop3": "pop3"}
_SIMPLE = ("display_name", "reply_to", "signature", "time_zone", "language")


class Survey:
    """Reads through one session; ``lock`` holds what is read until the transaction ends."""

    def __init__(
        self, database: Database, profile: TargetProfile, tables: Mapping[str, BoundTable], *, lock: bool
    ) -> None:
        self.database, self.profile, self.tables, self.lock = database, profile, tables, lock
        self.notes: Callable[[str, str], Mapping[str, Applied]] = cache(self._notes)

    def domains(self, subscription: str, names: Sequence[str]) -> tuple[list[There], set[str]]:
        """The subscription's domains, and which of the names are somebody else's."""
        table = self.tables["domains"]
        keys = ("name", "subscription", "status", "applied")
        own = f"{table.column('subscription')} = %s"
        rows = list(where_rows(self.database, table, keys, own, [subscription], lock=self.lock))
        known = {row[0] for row in rows}
        others = [name for name in names if name not in known]
        foreign = {row[0] or "" for row in matching(self.database, table, keys, "name", others, lock=self.lock)}
        things = [
            There(DOMAINS, name or "", {"enabled": status == self.profile.active}, applied(note))
            for name, _owner, status, note in rows
        ]
        return things, foreign

    def accounts(self, domains: Sequence[str]) -> Iterator[There]:
        """All accounts in these domains with all that hangs on them."""
        table = self.tables["accounts"]
        keys = ("address", "id", "status", "quota_bytes", "password", "password_status", "migrate_status", "applied")
        forwards = self._words("forwards", domains)
        allowed, blocked = self._verdicts("account_rules", domains)
        replies = {row[0]: self._reply(row[1:]) for row in self._children("auto_replies", domains)}
        external = self._external(domains)
        for row in matching(
            self.database, table, (*keys, "keep_copy", *_SIMPLE), "domain", list(domains), lock=self.lock
        ):
            address, number, status, quota, password, password_status, migrate_status, note, keeps = row[:9]
            yield There(
                ACCOUNTS,
                address or "",
                {
                    "enabled": status == self.profile.active,
                    "quota_bytes": int(quota) if quota else None,
                    **dict(zip(_SIMPLE, (each or "" for each in row[9:]), strict=True)),
                    "keep_copy": keeps != "0",
                    "forwards": forwards.get(number, ()),
                    "allowed": allowed.get(number, ()),
                    "blocked": blocked.get(number, ()),
                    "auto_reply": replies.get(number),
                    "external": external.get(number, {}),
                },
                applied(note),
                password or None,
                password_status == self.profile.changed_word,
                self._due(migrate_status or ""),
            )

    def aliases(self, subscription: str, domains: Sequence[str]) -> Iterator[There]:
        """All aliases in these domains. Rows that are disabled beside active ones are not used, and so not there."""
        if "aliases" not in self.tables:
            return
        found: dict[str, dict[bool, list[str]]] = {}
        keys = ("local_part", "domain", "target", "status")
        rows = matching(self.database, self.tables["aliases"], keys, "domain", list(domains), lock=self.lock)
        for local, domain, target, status in rows:
            parts = found.setdefault(f"{local or ''}@{domain}", {True: [], False: []})
            parts[status == self.profile.active].append(target or "")
        notes = self.notes(subscription, ALIASES)
        for address, parts in found.items():
            fields = {"targets": tuple(sorted(parts[bool(parts[True])])), "enabled": bool(parts[True])}
            yield There(ALIASES, address, fields, notes.get(address, {}))

    def senders(self, subscription: str, domains: Sequence[str]) -> Iterator[There]:
        """The lists of these domains, and those of the subscription."""
        notes = self.notes(subscription, SENDERS)
        found: dict[str, dict[str, list[str]]] = {}
        for name, column, values in (
            ("domain_rules", "domain", list(domains)),
            ("tenant_rules", "subscription", [subscription]),
        ):
            if name in self.tables:
                keys = (column, "verdict", "pattern")
                for owner, verdict, pattern in matching(
                    self.database, self.tables[name], keys, column, values, lock=self.lock
                ):
                    key = (owner or "") if name == "domain_rules" else ""
                    found.setdefault(key, {"allow": [], "block": []})[verdict or ""].append(pattern or "")
        for key, lists in found.items():
            fields = {"allowed": tuple(sorted(lists["allow"])), "blocked": tuple(sorted(lists["block"]))}
            yield There(SENDERS, key, fields, notes.get(key, {}))

    def contacts(self, subscription: str) -> Iterator[There]:
        """The entries of the subscription's shared address books."""
        table = self.tables.get("contacts")
        if table is None:
            return
        rights: dict[str | None, dict[str, str]] = {}
        if (permissions := self.tables.get("permissions")) is not None:
            inner = f"SELECT {table.column('id')} FROM {quoted(table.name)} WHERE {table.column('subscription')} = %s"  # noqa: S608 -- quoted names
            where = f"{permissions.column('contact_id')} IN ({inner})"
            keys: tuple[str, ...] = ("contact_id", "subject", "rights")
            for number, subject, right in where_rows(
                self.database, permissions, keys, where, [subscription], lock=self.lock
            ):
                rights.setdefault(number, {})[subject or ""] = right or ""
        keys = ("source_key", "id", "owner", "name", "emails", "fields", "applied")
        rows = matching(self.database, table, keys, "subscription", [subscription], lock=self.lock)
        for key, number, owner, name, emails, fields, note in rows:
            values: dict[str, Any] = {
                "owner": owner or "",
                "name": name or "",
                "emails": tuple(json_value(emails) or ()),
                "fields": tuple(tuple(each) for each in json_value(fields) or ()),
                "permissions": dict(sorted(rights.get(number, {}).items())),
            }
            yield There(CONTACTS, key or "", values, applied(note))

    def _notes(self, subscription: str, kind: str) -> Mapping[str, Applied]:
        """What was noted of things that are several rows: name → note."""
        if "notes" not in self.tables:
            return {}
        table = self.tables["notes"]
        where = f"{table.column('subscription')} = %s AND {table.column('kind')} = %s"
        rows = where_rows(self.database, table, ("name", "applied"), where, [subscription, kind], lock=self.lock)
        return {name or "": applied(note) for name, note in rows}

    def _due(self, migrate_status: str) -> dict[str, tuple[Any, Any]]:
        if migrate_status != self.profile.unprovisioned_word:
            return {}
        return {"migrate_status": (migrate_status, self.profile.provisioned_word)}

    def _children(self, name: str, domains: Sequence[str]) -> Iterator[Texts]:
        """Rows that hang on accounts of these domains, the account's number first."""
        if name not in self.tables:
            return
        table, accounts = self.tables[name], self.tables["accounts"]
        for some in chunks(list(domains)):
            inner = f"SELECT {accounts.column('id')} FROM {quoted(accounts.name)} WHERE {accounts.column('domain')} IN ({marks(some)})"  # noqa: E501, S608 -- quoted names
            where = f"{table.column('account_id')} IN ({inner})"
            yield from where_rows(self.database, table, tuple(table.columns), where, some, lock=self.lock)

    def _words(self, name: str, domains: Sequence[str]) -> dict[str | None, tuple[str, ...]]:
        found: dict[str | None, list[str]] = {}
        for number, word in self._children(name, domains):
            found.setdefault(number, []).append(word or "")
        return {number: tuple(sorted(words)) for number, words in found.items()}

    def _verdicts(self, name: str, domains: Sequence[str]) -> tuple[dict[str | None, tuple[str, ...]], ...]:
        """Allowed and blocked patterns by account."""
        found: dict[str, dict[str | None, list[str]]] = {"allow": {}, "block": {}}
        for number, verdict, pattern in self._children(name, domains):
            found[verdict or ""].setdefault(number, []).append(pattern or "")
        return tuple(
            {number: tuple(sorted(words)) for number, words in found[verdict].items()} for verdict in ("allow", "block")
        )

    def _reply(self, row: Texts) -> AutoReply:
        status, subject, body, starts, ends = row
        return AutoReply(body or "", subject or "", status == self.profile.active, _utc(starts), _utc(ends))

    def _external(self, domains: Sequence[str]) -> dict[str | None, dict[str, ExternalAccount]]:
        found: dict[str | None, dict[str, ExternalAccount]] = {}
        for number, protocol, host, user, port, tls, password in self._children("external", domains):
            one = ExternalAccount(
                _PROTOCOLS[protocol or ""], host or "", user or "", int(port) if port else None, tls != "0", password
            )
            found.setdefault(number, {})[one.key] = one
        return found


def _utc(value: str | None) -> str | None:
    """A column's date and time as the model has it: ``2026-11-23T18:00:00Z``."""
    return value.replace(" ", "T") + "Z" if value else None
