# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Mailboxes elsewhere that fetchmail polls for a site's users, a row for each (fetchmail(1))."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...addresses import canonical_address, canonical_domain
from ...platforms.rows import Row
from ...platforms.texts import is_on, shown
from ...transport.database import Database
from ..model import Account, ExternalAccount, Finding, Level, Protocol
from .site import Site

_PROTOCOLS: Mapping[str, Protocol] = {"IMAP": "imap", "POP3": "pop3"}
_PASSWORD_AUTH = frozenset({"", "password", "any"})


def add_polled(
    database: Database, site: Site, accounts: Mapping[str, Account]
) -> tuple[dict[str, Account], list[Finding]]:
    """The accounts with what they poll, and what is to be said about it."""
    found = dict(accounts)
    findings: list[Finding] = []
    for row in site.rows(database, "polled"):
        address = canonical_address(row["account"])
        what = f"{row['protocol']} {shown(row['user'])} at {shown(row['host'])}"
        account = found.get(address)
        external = _external(row)
        fault = _fault(row, account, external)
        if fault is not None or account is None or external is None:
            kind, message, level = fault or ("account_missing", "there is no such account", "warning")
            findings.append(Finding(shown(address), kind, f"the polled mailbox {what} is left out: {message}", level))
            continue
        found[address] = replace(account, external=(*account.external, external))
        findings += [Finding(address, "no_place", f"the polled mailbox {what}: {text}") for text in _remarks(row)]
        if external.password is None:
            message = f"the password of the polled mailbox {what} can't be read"
            findings.append(Finding(address, "password_unreadable", message, "warning"))
    return found, findings


def _external(row: Row) -> ExternalAccount | None:
    protocol = _PROTOCOLS.get(row["protocol"].strip().upper())
    if protocol is None:
        return None
    port = row["port"]
    return ExternalAccount(
        protocol=protocol,
        host=canonical_domain(row["host"]),
        user=row["user"],
        port=int(port) if port.isdecimal() and 0 < int(port) <= 65535 else None,
        tls=is_on(row.get("tls")),
        password=_password(row["password"]),
    )


def _fault(row: Row, account: Account | None, external: ExternalAccount | None) -> tuple[str, str, Level] | None:
    """Why a row is left out (kind, message, level), or None."""
    if account is None:
        return "account_missing", "there is no such account", "warning"
    if external is None:
        return "no_place", "only IMAP and POP3 have a place", "warning"
    if row.get("enabled") is not None and not is_on(row.get("enabled")):
        return "no_place", "it is switched off", "note"
    if row["auth"].strip().lower() not in _PASSWORD_AUTH:
        return "no_place", f"it logs in by {shown(row['auth'])}", "warning"
    if not external.host or not external.user:
        return "value_invalid", "it has no server or no user", "warning"
    if external.key in {each.key for each in account.external}:
        return "duplicate", "the same one is there already", "warning"
    return None


def _remarks(row: Row) -> Iterator[str]:
    """Options of the row that have no place."""
    lost = [name for name in ("options", "fingerprint", "delivery") if row[name].strip()]
    if row["folder"].strip().upper() not in ("", "INBOX"):
        lost.append("folder")
    if lost:
        yield f"{', '.join(lost)} of it have no place on the target"


def _password(stored: str) -> str | None:
    """From base64, as PostfixAdmin keeps it; None for what is none."""
    try:
        return base64.b64decode(stored, validate=True).decode("utf-8") or None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
