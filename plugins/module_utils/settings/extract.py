# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A source's database, read into the canonical customer.

Every row ends as an account or as a finding that says why not: nothing is dropped silently. Reading costs five queries
of whole tables, whatever the number of accounts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..transport.database import Database, text
from .addresses import address_fault, canonical_address, canonical_domain, domain_of
from .model import Account, Customer, Domain, Finding, Level, Source
from .profiles.shape import BoundTable, Overrides, Schema, SourceProfile, bind
from .schemes import Identified, identify, site_scheme

# Only entities with their semicolon: `AT&T` and `a&copy` are somebody's name.
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_OFF = frozenset({"", "0", "n", "no", "f"})
_LONGEST_SHOWN = 100


@dataclass(frozen=True)
class Site:
    """A recognised source: its tables, its settings by the profile's keys, and every table and column it has."""

    profile: SourceProfile
    tables: Mapping[str, BoundTable]
    settings: Mapping[str, str]
    schema: Schema

    @property
    def password_scheme(self) -> str:
        """What the site's setting says about passwords (see :func:`schemes.site_scheme`)."""
        return site_scheme(self.settings.get("password_type"))

    @property
    def passwords_elsewhere(self) -> bool:
        """Does a directory (LDAP) check the passwords, so that those in the database mean nothing?"""
        return self.settings.get("auth_type", "").strip().lower() == "ldap"


@dataclass(frozen=True)
class UserRow:
    """What the users' table says about an account, in canonical units."""

    enabled: bool = True
    quota_bytes: int | None = None
    display_name: str = ""
    maildir: str | None = None


def recognise(database: Database, profile: SourceProfile, overrides: Overrides) -> Site:
    """Find the profile's tables and read the site's settings.

    Raises MissingTableError, MissingColumnError, and InputError for a wrong override.
    """
    schema = database.columns()
    tables = bind(profile.tables, overrides, schema)
    settings: dict[str, str] = {}
    if "config" in tables:
        wanted = {names: key for key, names in profile.settings.items()}
        by_key = {name: key for (dummy, name), key in wanted.items()}
        for section, name, value in map(_texts, database.rows(tables["config"].select("section", "key", "value"))):
            key = wanted.get((section or "", name or "")) if tables["config"].has("section") else by_key.get(name or "")
            if key is not None:
                settings[key] = value or ""
    return Site(profile, tables, {**settings, **overrides.settings}, schema)


def extract(database: Database, site: Site, customer: str) -> Customer:
    """The whole customer, sorted. Accounts that can't be migrated are in its findings with level ``error``."""
    domains = _domains(database, site)
    users, findings = _users(database, site)
    accounts: list[Account] = []
    seen: set[str] = set()
    for spellings, stored in _logins(database, site).values():
        address = canonical_address(spellings[0])
        seen.add(address)
        fault = _fault(spellings, domains, address in users and users[address] is None)
        if fault is not None:
            findings.append(Finding(shown(spellings[0]), *fault))
            continue
        row = users.get(address)
        identified = Identified(None) if site.passwords_elsewhere else identify(stored, site.password_scheme)
        accounts.append(_account(spellings[0], row or UserRow(), identified))
        findings += _remarks(address, identified, row)
    findings += [
        Finding(shown(address), "account_missing", "there is a profile, but no login to it; it is left out", "warning")
        for address in users.keys() - seen
    ]
    findings += _site_findings(site, domains.values())
    source = Source(site.profile.name, site.settings.get("version", ""))
    return Customer(customer, source, tuple(domains.values()), tuple(accounts), findings=tuple(findings)).sorted()


def shown(value: str) -> str:
    """A value from the source for people to read: no control characters, and not endless."""
    cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def _account(source_user: str, row: UserRow, identified: Identified) -> Account:
    return Account(
        address=canonical_address(source_user),
        source_user=source_user,
        display_name=row.display_name,
        enabled=row.enabled,
        quota_bytes=row.quota_bytes,
        password=identified.password,
    )


def _remarks(address: str, identified: Identified, row: UserRow | None) -> list[Finding]:
    found = [Finding(address, remark.kind, remark.message, remark.level) for remark in identified.remarks]
    if row is None:
        message = "there is a login, but no profile: name, quota and status are not known"
        found.append(Finding(address, "profile_missing", message, "warning"))
    elif row.maildir is not None and not row.maildir.strip():
        found.append(Finding(address, "mailbox_missing", "the account has no mail folder in the database", "warning"))
    return found


def _fault(spellings: list[str], domains: Mapping[str, Domain], ambiguous: bool) -> tuple[str, str, Level] | None:
    """Why an account is left out (kind, message, level), or None."""
    wrong = address_fault(canonical_address(spellings[0]))
    if wrong is not None:
        return "address_invalid", f"this is not an address: {wrong}", "error"
    if len(spellings) > 1:
        return "duplicate", f"the address has {len(spellings)} logins that differ in case or spaces only", "error"
    if ambiguous:
        return "duplicate", "the address has several profiles that differ", "error"
    domain = domain_of(canonical_address(spellings[0]))
    if domain not in domains:
        return "domain_missing", f"the domain {shown(domain)} is not among the site's domains", "error"
    return None


def _site_findings(site: Site, domains: Iterable[Domain]) -> list[Finding]:
    found = []
    if site.passwords_elsewhere:
        message = "the site checks passwords in a directory (LDAP): none can be read from its database"
        found.append(Finding("", "password_elsewhere", message, "warning"))
    disabled = [domain.name for domain in domains if not domain.enabled]
    return found + [Finding(f"@{name}", "domain_disabled", "the domain is disabled on the source") for name in disabled]


def _domains(database: Database, site: Site) -> dict[str, Domain]:
    table = site.tables["domains"]
    found = {}
    for name, enabled in map(_texts, database.rows(table.select("name", "enabled"))):
        lower = canonical_domain(name or "")
        if lower:
            is_enabled = enabled is None or enabled.strip().lower() not in _OFF
            found[lower] = Domain(lower, is_enabled)
    return found


def _logins(database: Database, site: Site) -> dict[str, tuple[list[str], str | None]]:
    """Address in lower case → its spellings, and the stored password of the first."""
    found: dict[str, tuple[list[str], str | None]] = {}
    for account, stored in map(_texts, database.rows(site.tables["passwords"].select("account", "password"))):
        spelling = (account or "").strip()
        found.setdefault(canonical_address(spelling), ([], stored))[0].append(spelling)
    return found


def _users(database: Database, site: Site) -> tuple[dict[str, UserRow | None], list[Finding]]:
    """Address in lower case → its row; None for several rows that differ."""
    names = _names(database, site)
    table = site.tables["users"]
    keys = ("account", "disabled", "enabled", "quota", "first_name", "last_name", "maildir")
    found: dict[str, UserRow | None] = {}
    findings: list[Finding] = []
    for account, disabled, enabled, quota, first, last, maildir in map(_texts, database.rows(table.select(*keys))):
        address = canonical_address(account or "")
        quota_bytes = _quota(quota, site.profile.quota_unit)
        if quota_bytes is not None and quota_bytes < 0:
            quota_bytes = None
            message = f"the quota {shown(quota or '')} is not a number; the account gets none"
            findings.append(Finding(shown(address), "value_invalid", message, "warning"))
        row = UserRow(
            enabled=not (_is_on(disabled) if table.has("disabled") else table.has("enabled") and not _is_on(enabled)),
            quota_bytes=quota_bytes,
            display_name=names.get(address) or _full_name(first, last) or names.get(f"?{address}", ""),
            maildir=(maildir or "") if table.has("maildir") else None,
        )
        found[address] = row if found.get(address, row) == row else None
    return found, findings


def _names(database: Database, site: Site) -> dict[str, str]:
    """Address → the name in its own entry of the address book; ``?`` and address → the name of its settings."""
    found: dict[str, str] = {}
    contacts = site.tables.get("contacts")
    if contacts is not None and contacts.has("own"):
        sql = f"{contacts.select('account', 'first_name', 'last_name')} WHERE {contacts.column('own')} = 1"
        for account, first, last in map(_texts, database.rows(sql)):
            found.setdefault(canonical_address(account or ""), _full_name(first, last))
    names = site.tables.get("names")
    if names is not None and names.has("name"):
        for account, name in map(_texts, database.rows(names.select("account", "name"))):
            found[f"?{canonical_address(account or '')}"] = _full_name(name)
    return found


def _texts(row: tuple[Any, ...]) -> tuple[str | None, ...]:
    return tuple(map(text, row))


def _is_on(value: str | None) -> bool:
    return value is not None and value.strip().lower() not in _OFF


def _quota(value: str | None, unit: int) -> int | None:
    """Bytes; None is unlimited (0 or NULL in the source); -1 for what is not a number."""
    if value is None or not value.strip():
        return None
    try:
        number = int(value)
    except ValueError:
        return -1
    return number * unit or None


def _full_name(*parts: str | None) -> str:
    """The parts with one space between, HTML entities resolved."""
    joined = " ".join(part.strip() for part in parts if part and part.strip())
    return _ENTITY.sub(lambda match: html.unescape(match[0]), joined)
