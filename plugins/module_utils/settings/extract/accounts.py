# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The accounts of a site: log-ins, and what is known of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ...transport.database import Database
from ..addresses import address_fault, canonical_address, domain_of
from ..model import Account, Finding, Level
from ..schemes import Identified, identify
from .site import Row, Site
from .texts import full_name, is_on, quota, shown


@dataclass(frozen=True)
class Profile:
    """What the users' table says about an account, in canonical units."""

    enabled: bool = True
    quota_bytes: int | None = None
    display_name: str = ""
    maildir: str | None = None


def read_accounts(database: Database, site: Site, domains: Collection[str]) -> tuple[dict[str, Account], list[Finding]]:
    """The accounts by address, and what is to be said about them."""
    profiles, findings = _profiles(database, site)
    accounts: dict[str, Account] = {}
    logins = _logins(database, site)
    for address, (spellings, stored) in logins.items():
        fault = _fault(address, spellings, domains, address in profiles and profiles[address] is None)
        if fault is not None:
            findings.append(Finding(shown(spellings[0]), *fault))
            continue
        profile = profiles.get(address)
        identified = Identified(None) if site.passwords_elsewhere else identify(stored, site.password_scheme)
        accounts[address] = _account(spellings[0], profile or Profile(), identified)
        findings += _remarks(address, identified, profile)
    findings += [
        Finding(shown(address), "account_missing", "there is a profile, but no login to it; it is left out", "warning")
        for address in profiles.keys() - logins.keys()
    ]
    return accounts, findings


def _account(source_user: str, profile: Profile, identified: Identified) -> Account:
    return Account(
        address=canonical_address(source_user),
        source_user=source_user,
        display_name=profile.display_name,
        enabled=profile.enabled,
        quota_bytes=profile.quota_bytes,
        password=identified.password,
    )


def _remarks(address: str, identified: Identified, profile: Profile | None) -> list[Finding]:
    found = [Finding(address, remark.kind, remark.message, remark.level) for remark in identified.remarks]
    if profile is None:
        message = "there is a login, but no profile: name, quota and status are not known"
        found.append(Finding(address, "profile_missing", message, "warning"))
    elif profile.maildir is not None and not profile.maildir.strip():
        found.append(Finding(address, "mailbox_missing", "the account has no mail folder in the database", "warning"))
    return found


def _fault(
    address: str, spellings: list[str], domains: Collection[str], ambiguous: bool
) -> tuple[str, str, Level] | None:
    """Why an account is left out (kind, message, level), or None."""
    wrong = address_fault(address)
    if wrong is not None:
        return "address_invalid", f"this is not an address: {wrong}", "error"
    if len(spellings) > 1:
        return "duplicate", f"the address has {len(spellings)} logins that differ in case or spaces only", "error"
    if ambiguous:
        return "duplicate", "the address has several profiles that differ", "error"
    if domain_of(address) not in domains:
        return "domain_missing", f"the domain {shown(domain_of(address))} is not among the site's domains", "error"
    return None


def _logins(database: Database, site: Site) -> dict[str, tuple[list[str], str | None]]:
    """Canonical address → its spellings, and the stored password of the first."""
    found: dict[str, tuple[list[str], str | None]] = {}
    for row in site.rows(database, "passwords", "account", "password"):
        spelling = row["account"].strip()
        found.setdefault(canonical_address(spelling), ([], row.get("password")))[0].append(spelling)
    return found


def _profiles(database: Database, site: Site) -> tuple[dict[str, Profile | None], list[Finding]]:
    """Canonical address → what is known of the account; None for several rows that differ."""
    names = _names(database, site)
    found: dict[str, Profile | None] = {}
    findings: list[Finding] = []
    for row in site.rows(database, "users"):
        address = canonical_address(row["account"])
        quota_bytes = quota(row.get("quota"), site.profile.quota_unit)
        if quota_bytes is not None and quota_bytes < 0:
            quota_bytes = None
            message = f"the quota {shown(row['quota'])} is no number of bytes; the account gets none"
            findings.append(Finding(shown(address), "value_invalid", message, "warning"))
        own_name = full_name(row["first_name"], row["last_name"])
        profile = Profile(
            enabled=_enabled(site, row),
            quota_bytes=quota_bytes,
            display_name=names.get(address) or own_name or names.get(f"?{address}", ""),
            maildir=row["maildir"] if site.has("users", "maildir") else None,
        )
        found[address] = profile if found.get(address, profile) == profile else None
    return found, findings


def _enabled(site: Site, row: Row) -> bool:
    if site.has("users", "disabled"):
        return not is_on(row.get("disabled"))
    return is_on(row.get("enabled")) or not site.has("users", "enabled")


def _names(database: Database, site: Site) -> dict[str, str]:
    """Address → the name in its own entry of the address book; ``?`` and address → the name of its settings."""
    found: dict[str, str] = {}
    if site.has("contacts", "own"):
        for row in site.rows(database, "contacts", "account", "first_name", "last_name", where={"own": 1}):
            found.setdefault(canonical_address(row["account"]), full_name(row["first_name"], row["last_name"]))
    for row in site.rows(database, "preferences", "account", "name"):
        found[f"?{canonical_address(row['account'])}"] = full_name(row["name"])
    return found
