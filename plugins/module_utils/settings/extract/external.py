# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Mailboxes elsewhere that users poll."""

from __future__ import annotations

from collections.abc import Collection

from ...addresses import canonical_address, canonical_domain, domain_fault
from ...platforms.rows import Row
from ...platforms.texts import is_on, shown
from ...transport.database import Database
from ..model import ExternalAccount, Finding, Protocol
from .site import Site

# What platforms call the protocols; some say TLS by another name of it.
_PROTOCOLS: dict[str, tuple[Protocol, bool]] = {
    "imap": ("imap", False),
    "imap4": ("imap", False),
    "imaps": ("imap", True),
    "pop": ("pop3", False),
    "pop3": ("pop3", False),
    "pop3s": ("pop3", True),
    "pops": ("pop3", True),
}


def read_external(
    database: Database, site: Site, accounts: Collection[str]
) -> tuple[dict[str, tuple[ExternalAccount, ...]], list[Finding]]:
    """The polled mailboxes by account, and what is to be said about them."""
    found: dict[str, dict[str, ExternalAccount]] = {}
    findings: list[Finding] = []
    orphans = 0
    for row in site.rows(database, "external"):
        owner = canonical_address(row["account"])
        if owner not in accounts:
            orphans += 1
            continue
        external = polled(row)
        if isinstance(external, str):
            message = f"a mailbox that the user polls ({_name(row)}) is left out: {external}"
            findings.append(Finding(owner, "external_invalid", message, "warning"))
            continue
        mine = found.setdefault(owner, {})
        if mine.get(external.key, external) != external:
            message = f"the user polls {_name(row)} twice, in different ways: the one with TLS is taken"
            findings.append(Finding(owner, "duplicate", message, "warning"))
        mine[external.key] = max((mine.get(external.key, external), external), key=lambda each: each.tls)
    if found:
        number = sum(map(len, found.values()))
        message = f"{number} polled mailboxes come without their passwords: users give them anew"
        findings.append(Finding("", "external_password", message))
    if orphans:
        message = f"{orphans} rows of polled mailboxes belong to no account of the site"
        findings.append(Finding("", "external_orphaned", message))
    return {owner: tuple(mine.values()) for owner, mine in found.items()}, findings


def polled(row: Row) -> ExternalAccount | str:
    """The mailbox that a row is about, or what is wrong with it."""
    known = _PROTOCOLS.get(row["protocol"].strip().lower())
    if known is None:
        return f"{shown(row['protocol'].strip()) or 'nothing'} is no protocol of mailboxes"
    host = canonical_domain(row["host"])
    if not row["user"].strip():
        return "there is no user name"
    if not host or domain_fault(host) is not None:
        return f"{shown(row['host'].strip()) or 'nothing'} is no name of a server"
    protocol, secure = known
    return ExternalAccount(
        protocol=protocol,
        host=host,
        user=row["user"].strip(),
        tls=secure or is_on(row.get("tls")),
    )


def _name(row: Row) -> str:
    return shown(f"{row['user'].strip()} at {row['host'].strip()}")
