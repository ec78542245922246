# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is there to migrate, and what will not: counts from the source's database (H39, H40)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from .extract import Site
from .model import Account, Customer, failing
from .profiles.shape import SourceProfile
from .source import Place
from .stays import STAYS
from .tally import Tally, tables_of, tally


def assess(place: Place | None, profile: SourceProfile, customer: Customer, domains: Collection[str]) -> dict[str, Any]:
    """The assessment as a plain value: platform, capabilities, counts, schemes, accounts, what stays behind.

    ``place`` is None for a source without a database; ``domains`` are those that the customer was cut down to.
    """
    found = tally(place.database, place.site.schema, place.site.extras) if place else {}
    there = capabilities(place.site) if place else []
    return {
        "platform": {
            "profile": profile.name,
            "version": customer.source.version,
            "generation": next((name for capability, name in profile.generations if capability in there), ""),
            "database_version": place.database.version() if place else "",
            "password_type": place.site.settings.get("password_type", "") if place else "",
            "auth_type": place.site.settings.get("auth_type", "") if place else "",
        },
        "domains": [{"name": domain.name, "enabled": domain.enabled} for domain in customer.domains],
        "support": support(profile, place.site if place else None, customer.source.version),
        "capabilities": there,
        "counts": {**counts(customer), **_moving(profile, found, domains), **_settings_counts(customer)},
        "password_schemes": dict(sorted(Counter(map(_scheme, customer.accounts)).items())),
        "accounts": [_account(account, profile, found) for account in customer.accounts],
        "not_migrated": not_migrated(profile, found, domains),
        "read_only_enforced": place.database.enforced_read_only if place else True,
    }


def counts(customer: Customer) -> dict[str, int]:
    """The customer in numbers; ``left_out`` are accounts that a run fails for."""
    enabled = sum(account.enabled for account in customer.accounts)
    return {
        "domains": len(customer.domains),
        "accounts": len(customer.accounts),
        "accounts_enabled": enabled,
        "accounts_disabled": len(customer.accounts) - enabled,
        "left_out": len({finding.account for finding in failing(customer.findings)}),
    }


def not_migrated(profile: SourceProfile, found: Mapping[str, Tally], domains: Collection[str]) -> list[dict[str, Any]]:
    """What stays behind, in the words of :mod:`.stays`: what was counted, and what can't be seen and is to be asked.

    ``count`` is None for what can't be seen.
    """
    stay = []
    for name in dict.fromkeys(extra.name for extra in profile.extras if extra.reason is not None):
        extra = next(each for each in profile.extras if each.name == name)
        number = found[name].of(domains) if name in found else None if not extra.table else 0
        if number == 0:
            continue
        words = STAYS.get(name)
        stay.append(
            {
                "what": name,
                "label": words.label if words else name.replace("_", " "),
                "count": number,
                "accounts": sum(1 for number in found[name].owners.values() if number) if name in found else 0,
                "reason": extra.reason,
                "ask": words.ask if words else "",
            }
        )
    return stay


def support(profile: SourceProfile, site: Site | None, version: str) -> dict[str, Any]:
    """How far settings are read from this version (H39): what is tried, and by name what is not there to be read.

    ``settings`` is ``supported``, or ``tried`` below the version from which they are known, and where the site does not
    say its version. Mail is copied from any version.
    """
    known = not profile.supported_from or (bool(version) and numbers(version) >= numbers(profile.supported_from))
    tried, missing = [], []
    for key, table in profile.tables.items() if site else ():
        bound = site.tables.get(key) if site else None
        if bound is None:
            missing.append(table.names[0])
            continue
        tried.append(key)
        # A column without a name of its own is one that only an operator can name.
        missing += [
            f"{table.names[0]}.{column.names[0]}"
            for name, column in table.columns.items()
            if column.names and not bound.has(name)
        ]
    return {
        "settings": "supported" if known else "tried",
        "supported_from": profile.supported_from,
        "tried": sorted(tried),
        "not_read": sorted(missing),
    }


def numbers(version: str) -> tuple[int, ...]:
    """A version for comparing: ``7.8.0.1-beta`` is (7, 8, 0, 1); empty for what has no number."""
    match = re.search(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def capabilities(site: Site) -> list[str]:
    """Names of the profile's capabilities that the site has."""
    found = []
    for capability in site.profile.capabilities:
        tables = tables_of(site.schema, capability.table)
        columns = {column.lower() for table in tables[:1] for column in site.schema[table]}
        if tables and (capability.column is None or capability.column.lower() in columns):
            found.append(capability.name)
    return sorted(found)


def _moving(profile: SourceProfile, found: Mapping[str, Tally], domains: Collection[str]) -> dict[str, int]:
    """How many there are of what moves besides what the snapshot holds."""
    names = {extra.name for extra in profile.extras if extra.reason is None}
    return {name: found[name].of(domains) for name in sorted(names & found.keys())}


def _settings_counts(customer: Customer) -> dict[str, int]:
    """How many there are of what the snapshot holds."""
    accounts = customer.accounts
    return {
        "aliases": len(customer.aliases),
        "forwards": sum(bool(account.forwards) for account in accounts),
        "auto_replies": sum(account.auto_reply is not None for account in accounts),
        "allowed_senders": sum(len(each.allowed) for lists in (accounts, customer.senders) for each in lists),
        "blocked_senders": sum(len(each.blocked) for lists in (accounts, customer.senders) for each in lists),
        "external_accounts": sum(len(account.external) for account in accounts),
        "shared_contacts": len(customer.contacts),
    }


def _account(account: Account, profile: SourceProfile, found: Mapping[str, Tally]) -> dict[str, Any]:
    """What may be seen of an account in an assessment: no secrets, and nothing that its user has written."""
    own = {
        "forwards": len(account.forwards),
        "auto_replies": int(account.auto_reply is not None),
        "allowed_senders": len(account.allowed),
        "blocked_senders": len(account.blocked),
        "external_accounts": len(account.external),
    }
    for name in dict.fromkeys(extra.name for extra in profile.extras if extra.owner):
        if name in found:
            own[name] = found[name].owners.get(account.address, 0)
    return {
        "address": account.address,
        "source_user": account.source_user,
        "display_name": account.display_name,
        "enabled": account.enabled,
        "quota_bytes": account.quota_bytes,
        "password_scheme": account.password.scheme if account.password else None,
        "counts": {name: number for name, number in own.items() if number},
    }


def _scheme(account: Account) -> str:
    return account.password.scheme if account.password else "none"
