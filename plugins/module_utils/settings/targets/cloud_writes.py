# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A plan's changes as rows of the cloud's tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...platforms.shape import BoundTable
from ...transport.database import Database, text
from ..model import AutoReply, ExternalAccount
from ..plan import Change, digest
from ..profiles.shape import TargetProfile
from ..target import Writing
from ..things import ACCOUNTS, ALIASES, CONTACTS, DOMAINS, SENDERS
from .rows import delete, insert, matching, note, update

_OWN_COLUMNS = ("display_name", "quota_bytes", "reply_to", "signature", "time_zone", "language", "migrate_status")
_VERDICTS = {"allowed": "allow", "blocked": "block"}


class Writes:
    """Writes through one session, inside somebody else's transaction."""

    def __init__(
        self, database: Database, profile: TargetProfile, tables: Mapping[str, BoundTable], writing: Writing
    ) -> None:
        self.database, self.profile, self.tables, self.writing = database, profile, tables, writing
        self.subscription = writing.place.subscription

    def write(self, changes: Sequence[Change]) -> None:
        """All of them, kind by kind."""
        kinds: dict[str, list[Change]] = {}
        for change in changes:
            kinds.setdefault(change.kind, []).append(change)
        self._domains(kinds.get(DOMAINS, []))
        self._accounts(kinds.get(ACCOUNTS, []))
        self._aliases(kinds.get(ALIASES, []))
        self._senders(kinds.get(SENDERS, []))
        self._contacts(kinds.get(CONTACTS, []))

    def _domains(self, changes: Iterable[Change]) -> None:
        table = self.tables["domains"]
        made = []
        for change in changes:
            values = {"applied": note(change.applied), **self._status(change)}
            if change.action == "create":
                made.append({"name": change.key, "subscription": self.subscription, **values})
            else:
                update(self.database, table, {"name": change.key}, values)
        insert(self.database, table, made)

    def _accounts(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        table = self.tables["accounts"]
        now = text(self.database.all("SELECT CURRENT_TIMESTAMP")[0][0]) or ""
        made = []
        for change in changes:
            values = self._account(change, now)
            if change.action == "create":
                made.append(values)
            else:
                update(self.database, table, {"address": change.key}, values)
        insert(self.database, table, made)
        self._hangers_on(changes)

    def _account(self, change: Change, now: str) -> dict[str, Any]:
        """The columns of an account's own row."""
        table, place = self.tables["accounts"], self.writing.place
        after = {name: new for name, (_old, new) in change.fields.items()}
        values = {name: after[name] for name in _OWN_COLUMNS if name in after and table.has(name)} | self._status(
            change
        )
        if "keep_copy" in after:
            values["keep_copy"] = int(after["keep_copy"])
        if change.action == "create":
            values |= {
                "address": change.key,
                "domain": change.key.rpartition("@")[2],
                "migrate_status": self.profile.provisioned_word,
                "mailbox_server": place.mailbox_server,
                "mailbox_type": place.mailbox_type,
                "password": None,
                "password_status": self.profile.none_word,
                "password_set_on": None,
            }
        applied = change.applied
        if change.password is not None:
            stored = self.writing.stored(change.password)
            values |= {"password": stored, "password_status": self.profile.migrated_word, "password_set_on": now}
            applied = {**applied, "password": digest(stored)}
        return {**values, "applied": note(applied)}

    def _hangers_on(self, changes: Sequence[Change]) -> None:
        """Rows that hang on accounts: forwards, replies, lists, polled mailboxes."""
        hung = [change for change in changes if any(name in _HUNG for name in change.fields)]
        rows = matching(
            self.database,
            self.tables["accounts"],
            ("address", "id"),
            "address",
            [each.key for each in hung],
            lock=False,
        )
        numbers = {address: number for address, number in rows if number is not None}
        out: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
        new: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
        for change in hung:
            number = numbers[change.key]
            for name, (before, after) in change.fields.items():
                if name in _HUNG:
                    gone, come = _rows_of(name, before, after, self.profile)
                    table = _HUNG[name]
                    out[table] += [{"account_id": number, **row} for row in gone]
                    new[table] += [{"account_id": number, **row} for row in come]
        for name in _TABLES:
            if name in self.tables:
                delete(self.database, self.tables[name], out[name])
                insert(self.database, self.tables[name], new[name])

    def _aliases(self, changes: Sequence[Change]) -> None:
        table = self.tables.get("aliases")
        if table is None or not changes:
            return
        gone, come = [], []
        for change in changes:
            local, _at, domain = change.key.rpartition("@")
            name = {"domain": domain, "local_part": local}
            before, after = change.fields.get("targets", ((), ()))
            gone += [{**name, "target": target} for target in sorted(set(before or ()) - set(after or ()))]
            status = self._status(change)
            if change.action == "change" and status:
                update(self.database, table, name, status)
            status = status or {"status": self.profile.active}
            come += [{**name, "target": each, **status} for each in sorted(set(after or ()) - set(before or ()))]
        delete(self.database, table, gone)
        insert(self.database, table, come, "status")
        self._notes(ALIASES, changes)

    def _senders(self, changes: Sequence[Change]) -> None:
        for change in changes:
            whole = not change.key
            table = self.tables["tenant_rules" if whole else "domain_rules"]
            owner = {"subscription": self.subscription} if whole else {"domain": change.key}
            for name, (before, after) in change.fields.items():
                gone, come = _words("pattern", before, after, {"verdict": _VERDICTS[name]})
                delete(self.database, table, [{**owner, **row} for row in gone])
                insert(self.database, table, [{**owner, **row} for row in come])
        self._notes(SENDERS, changes)

    def _notes(self, kind: str, changes: Iterable[Change]) -> None:
        table = self.tables.get("notes")
        if table is None:
            return
        names = {"subscription": self.subscription, "kind": kind}
        kept, gone = [], []
        for change in changes:
            row = {**names, "name": change.key}
            if change.applied:
                kept.append({**row, "applied": note(change.applied)})
            else:
                gone.append(row)
        delete(self.database, table, gone)
        insert(self.database, table, kept, "applied")

    def _contacts(self, changes: Sequence[Change]) -> None:
        table = self.tables.get("contacts")
        if table is None or not changes:
            return
        own = {"subscription": self.subscription}
        made = []
        for change in changes:
            key = {**own, "source_key": change.key}
            if change.action == "remove":
                delete(self.database, table, [key])
                continue
            after = {name: new for name, (_old, new) in change.fields.items() if name != "permissions"}
            values = {name: _json(new) if name in ("emails", "fields") else new for name, new in after.items()}
            values["applied"] = note(change.applied)
            if change.action == "create":
                made.append({**key, **values})
            else:
                update(self.database, table, key, values)
        insert(self.database, table, made)
        self._permissions([change for change in changes if change.action != "remove"])

    def _permissions(self, changes: Sequence[Change]) -> None:
        table = self.tables.get("permissions")
        if table is None:
            return
        contacts = self.tables["contacts"]
        rows = matching(self.database, contacts, ("source_key", "id"), "subscription", [self.subscription], lock=False)
        numbers = {key: number for key, number in rows if number is not None}
        gone, come = [], []
        for change in changes:
            before, after = change.fields.get("permissions", ({}, {}))
            number = {"contact_id": numbers[change.key]}
            gone += [{**number, "subject": subject} for subject in (before or {}).keys() - after.keys()]
            come += [
                {**number, "subject": subject, "rights": rights}
                for subject, rights in after.items()
                if (before or {}).get(subject) != rights
            ]
        delete(self.database, table, gone)
        insert(self.database, table, come, "rights")

    def _status(self, change: Change) -> dict[str, Any]:
        """``enabled`` is a word of the status column."""
        if "enabled" not in change.fields or change.fields["enabled"][1] is None:
            return {}
        return {"status": self.profile.active if change.fields["enabled"][1] else self.profile.disabled}


Rows = list[dict[str, Any]]
# Attribute of an account → the table where its rows are.
_HUNG = {
    "forwards": "forwards",
    "auto_reply": "auto_replies",
    "allowed": "account_rules",
    "blocked": "account_rules",
    "external": "external",
}
_TABLES = tuple(dict.fromkeys(_HUNG.values()))


def _rows_of(name: str, before: Any, after: Any, profile: TargetProfile) -> tuple[Rows, Rows]:
    """The rows to remove and to add when an attribute changes, without the account's number."""
    if name == "forwards":
        return _words("target", before, after, {})
    if name == "auto_reply":
        return [{}] if before else [], [_reply(after, profile)] if after else []
    if name == "external":
        return _polled(before or {}, after)
    return _words("pattern", before, after, {"verdict": _VERDICTS[name]})


def _words(column: str, before: Any, after: Any, fixed: Mapping[str, Any]) -> tuple[Rows, Rows]:
    old, new = set(before or ()), set(after or ())
    gone = [{**fixed, column: word} for word in sorted(old - new)]
    return gone, [{**fixed, column: word} for word in sorted(new - old)]


def _reply(reply: AutoReply, profile: TargetProfile) -> dict[str, Any]:
    return {
        "status": profile.active if reply.enabled else profile.disabled,
        "subject": reply.subject,
        "body": reply.text,
        "starts": _column_time(reply.starts),
        "ends": _column_time(reply.ends),
    }


def _polled(before: Mapping[str, ExternalAccount], after: Mapping[str, ExternalAccount]) -> tuple[Rows, Rows]:
    gone = [
        {"protocol": one.protocol, "host": one.host, "user": one.user}
        for key, one in before.items()
        if after.get(key) != one
    ]
    come = [
        {
            "protocol": one.protocol,
            "host": one.host,
            "user": one.user,
            "port": one.port,
            "tls": int(one.tls),
            "password": one.password,
        }
        for key, one in after.items()
        if before.get(key) != one
    ]
    return gone, come


def _column_time(value: str | None) -> str | None:
    """``2026-11-23T18:00:00Z`` as a column takes it."""
    return value.removesuffix("Z").replace("T", " ") if value else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
