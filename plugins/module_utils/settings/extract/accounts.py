# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The accounts of a site: log-ins, and what their own tables say of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ...addresses import address_fault, canonical_address, domain_of
from ...platforms.texts import full_name, is_on, shown
from ...transport.database import Database
from ..model import Account, Finding, Level
from ..schemes import Identified, identify
from .preferences import Preferences, read_preferences
from .profiles import Profile, Profiles, read_profiles
from .site import Site

_KEEPS_COPY = "forward_keeps_copy"


@dataclass(frozen=True)
class Login:
    """How the source spells an address, and the stored password of the first spelling."""

    spellings: tuple[str, ...]
    stored: str | None = field(repr=False)


@dataclass
class Accounts:
    """What came of the rows: the accounts by address, and the users' rows behind them."""

    by_address: dict[str, Account] = field(default_factory=dict)
    profiles: Profiles = field(default_factory=Profiles)
    findings: list[Finding] = field(default_factory=list)


def read_accounts(
    database: Database, site: Site, domains: Collection[str], originals: Mapping[str, str | None]
) -> Accounts:
    """The accounts. ``originals``: stored password → the one that stands behind it while another is in use."""
    profiles = read_profiles(database, site)
    preferences, remarks = read_preferences(database, site)
    names = _own_names(database, site)
    found = Accounts(profiles=profiles, findings=[*profiles.findings, *remarks])
    logins = _logins(database, site)
    for address, login in logins.items():
        fault = _fault(address, login, domains, profiles)
        if fault is not None:
            found.findings.append(Finding(shown(login.spellings[0]), *fault))
            continue
        profile = profiles.by_address.get(address)
        stored = originals.get(login.stored, login.stored) if login.stored else login.stored
        identified = Identified(None) if site.passwords_elsewhere else identify(stored, site.password_scheme)
        found.by_address[address] = _account(
            site,
            login.spellings[0],
            names.get(address, ""),
            profile or Profile(),
            preferences.get(address, Preferences()),
            identified,
        )
        found.findings += _remarks(address, identified, profile)
    found.findings += _left_over(site, logins, preferences, profiles)
    found.findings += _assumed(site, found)
    return found


def _account(
    site: Site, source_user: str, own_name: str, profile: Profile, preferences: Preferences, identified: Identified
) -> Account:
    assumed = site.settings.get(_KEEPS_COPY)
    kept = profile.forward_kept if profile.forward_kept is not None else assumed is None or is_on(assumed)
    return Account(
        address=canonical_address(source_user),
        source_user=source_user,
        display_name=own_name or profile.display_name or preferences.name,
        enabled=profile.enabled,
        quota_bytes=profile.quota_bytes,
        password=identified.password,
        forwards=profile.forwards,
        keep_copy=kept if profile.forwards else True,
        auto_reply=profile.auto_reply,
        reply_to=preferences.reply_to,
        signature=preferences.signature,
        time_zone=preferences.time_zone,
        language=preferences.language,
    )


def _remarks(address: str, identified: Identified, profile: Profile | None) -> list[Finding]:
    found = [Finding(address, remark.kind, remark.message, remark.level) for remark in identified.remarks]
    if profile is None:
        message = "there is a login, but no profile: name, quota and status are not known"
        found.append(Finding(address, "profile_missing", message, "warning"))
    elif profile.maildir is not None and not profile.maildir.strip():
        found.append(Finding(address, "mailbox_missing", "the account has no mail folder in the database", "warning"))
    return found


def _left_over(site: Site, logins: Collection[str], preferences: Collection[str], profiles: Profiles) -> list[Finding]:
    """What belongs to no login, and what is true of the whole site."""
    message = "there is a profile, but no login to it; it is left out"
    found = [
        Finding(shown(address), "account_missing", message, "warning")
        for address in profiles.by_address
        if address not in logins
    ]
    orphans = sum(address not in logins for address in preferences)
    if orphans:
        message = f"{orphans} rows of users' settings belong to no account of the site"
        found.append(Finding("", "settings_orphaned", message))
    if site.passwords_elsewhere:
        message = "the site checks passwords in a directory (LDAP): none can be read from its database"
        found.append(Finding("", "password_elsewhere", message, "warning"))
    return found


def _assumed(site: Site, found: Accounts) -> list[Finding]:
    """The source may not say whether mail that it forwards stays in the mailbox, too."""
    profiles = (found.profiles.by_address.get(address) for address in found.by_address)
    unsaid = sum(bool(profile and profile.forwards and profile.forward_kept is None) for profile in profiles)
    if not unsaid or _KEEPS_COPY in site.settings:
        return []
    message = (
        f"the source does not say whether {unsaid} accounts that forward their mail keep a copy: they do on the target;"
        f" overrides.settings.{_KEEPS_COPY} says what is right"
    )
    return [Finding("", "forward_copy_assumed", message)]


def _fault(address: str, login: Login, domains: Collection[str], profiles: Profiles) -> tuple[str, str, Level] | None:
    """Why an account is left out (kind, message, level), or None."""
    wrong = address_fault(address)
    if wrong is not None:
        return "address_invalid", f"this is not an address: {wrong}", "error"
    if len(login.spellings) > 1:
        number = len(login.spellings)
        return "duplicate", f"the address has {number} logins that differ in case or spaces only", "error"
    if address in profiles.by_address and profiles.by_address[address] is None:
        return "duplicate", "the address has several profiles that differ", "error"
    if domain_of(address) not in domains:
        return "domain_missing", f"the domain {shown(domain_of(address))} is not among the site's domains", "error"
    return None


def _logins(database: Database, site: Site) -> dict[str, Login]:
    """The log-ins by canonical address."""
    found: dict[str, Login] = {}
    for row in site.rows(database, "passwords", "account", "password"):
        spelling = row["account"].strip()
        address = canonical_address(spelling)
        before = found[address].spellings if address in found else ()
        found[address] = Login(tuple(sorted((*before, spelling))), row.get("password"))
    return found


def _own_names(database: Database, site: Site) -> dict[str, str]:
    """Address → the name in the account's own entry of the address book."""
    found: dict[str, str] = {}
    if site.has("contacts", "own"):
        for row in site.rows(database, "contacts", "account", "first_name", "last_name", where={"own": (1,)}):
            address = canonical_address(row["account"])
            name = full_name(row["first_name"], row["last_name"])
            # of several the same one, in whatever order they come
            found[address] = max(found.get(address, ""), name)
    return found
