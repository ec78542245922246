# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Automatic replies of a platform that keeps them in a table of their own, with dates in the server's time zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...addresses import canonical_address
from ...platforms.shape import BoundTable
from ...platforms.texts import is_on, lines, shown
from ...transport.database import Database, quoted, text
from ..gotos import Way
from ..model import Account, AutoReply, Finding, Level
from .site import Site

_KEYS = ("account", "subject", "body", "starts", "ends", "enabled", "pause")
#: Dates that stand for none (PostfixAdmin's upgrade.php), a day wider than they are for the sake of time zones.
_EARLIEST, _LATEST = "2000-01-02T23:59:59Z", "2038-01-17T00:00:00Z"


@dataclass(frozen=True)
class Vacation:
    """A row: the reply, whose it is, and the seconds between two replies to the same sender."""

    account: str
    reply: AutoReply
    pause: int


def read_vacations(database: Database, table: BoundTable) -> Iterator[Vacation]:
    """The rows, their dates in UTC, whatever time zone the session has."""
    keys = ", ".join(_expression(table, key) for key in _KEYS)
    for row in database.rows(f"SELECT {keys} FROM {quoted(table.name)}"):  # noqa: S608 -- names are quoted
        account, subject, body, starts, ends, enabled, pause = map(text, row)
        reply = AutoReply(
            text=lines(body or ""),
            subject=subject or "",
            enabled=is_on(enabled),
            starts=utc(starts),
            ends=utc(ends),
        )
        yield Vacation(canonical_address(account or ""), reply, int(pause or 0))


def utc(value: str | None) -> str | None:
    """``2026-11-23 18:00:00`` as the model has it; None for what stands for no date."""
    if not value or value.startswith("0000"):
        return None
    stamp = f"{value[:10]}T{value[11:19] or '00:00:00'}Z"
    return stamp if _EARLIEST < stamp < _LATEST else None


def add_vacations(
    database: Database, site: Site, accounts: Mapping[str, Account], ways: Mapping[str, Way]
) -> tuple[dict[str, Account], list[Finding]]:
    """The accounts with their automatic replies, and what is to be said about them."""
    found = dict(accounts)
    findings: list[Finding] = []
    table = site.tables.get("vacations")
    away = {address for address, way in ways.items() if way.away}
    for vacation in read_vacations(database, table.only) if table else ():
        address = vacation.account
        if address not in found:
            message = "there is an automatic reply, but no such account; it is left out"
            findings.append(Finding(shown(address), "account_missing", message, "warning"))
            continue
        reply = vacation.reply
        if reply.enabled and address not in away:
            message = "the automatic reply is switched on, but no mail is led to it; it is carried over switched off"
            findings.append(Finding(address, "auto_reply_off", message, "warning"))
            reply = replace(reply, enabled=False)
        found[address] = replace(found[address], auto_reply=reply)
        findings += [Finding(address, "no_place", message, level) for message, level in _remarks(vacation)]
    findings += [
        Finding(address, "auto_reply_off", "mail is led to an automatic reply, but there is none", "warning")
        for address in sorted(away)
        if found[address].auto_reply is None
    ]
    return found, findings


def _remarks(vacation: Vacation) -> Iterator[tuple[str, Level]]:
    if vacation.pause:
        yield f"the pause of {vacation.pause} s between two automatic replies to a sender is the target's own", "note"
    if "$SUBJECT" in vacation.reply.subject:
        yield "$SUBJECT in the subject of the automatic reply stands for the sender's subject on the source", "warning"


def _expression(table: BoundTable, key: str) -> Any:
    """A column; a date in UTC."""
    if not table.has(key):
        return "NULL"
    name = table.column(key)
    return f"CONVERT_TZ({name}, @@session.time_zone, '+00:00')" if key in ("starts", "ends") else name
