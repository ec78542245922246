# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""All files together: the whole customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from ...addresses import alias_fault, canonical_address, canonical_domain, domain_fault, domain_of
from ..model import Account, Alias, Customer, Domain, Finding, SiteSenders, Source
from ..schemes import site_scheme
from .accounts import BadCellError, Found, enabled, patterns, read_accounts, targets, with_forwards
from .table import Reading, Row, Table, read_table

PROFILE = "csv"
Owner = TypeVar("Owner", Account, SiteSenders)
_SITE = frozenset({"", "*", "@", "global", "site", "all", "everyone"})
_ALLOW = frozenset({"allow", "allowed", "whitelist", "white", "whitelistfrom", "safe", "accept", "welcomelist", "w"})
_BLOCK = frozenset({"block", "blocked", "blacklist", "black", "blacklistfrom", "deny", "reject", "blocklist", "b"})


@dataclass(frozen=True)
class CsvFiles:
    """The files by kind (``accounts`` is always there), how to read them, and how passwords are stored in them."""

    paths: Mapping[str, Path]
    how: Reading = field(default_factory=Reading)
    password_type: str = ""


def read_files(files: CsvFiles, customer: str) -> Customer:
    """The whole customer, sorted. Rows that can't be migrated are in its findings with level ``error``.

    Raises InputError for a file that can't be read at all, and the errors of PGP.
    """
    tables = {kind: read_table(kind, path, files.how) for kind, path in files.paths.items()}
    found = read_accounts(tables["accounts"], site_scheme(files.password_type))
    _add_forwards(tables.get("forwards", Table()), found)
    senders = _add_lists(tables.get("lists", Table()), found)
    aliases = _aliases(tables.get("aliases", Table()), found)
    domains = _domains(tables.get("domains"), found, aliases)
    kept = _within(domains, found, aliases)
    for table in tables.values():
        found.findings += table.findings
    _remark(tables["accounts"], files.paths["accounts"].name, found)
    return Customer(
        name=customer,
        source=Source(PROFILE),
        domains=tuple(domains.values()),
        accounts=tuple(found.accounts.values()),
        aliases=kept,
        senders=_senders_within(senders, domains, found),
        findings=tuple(found.findings),
    ).sorted()


def _remark(table: Table, name: str, found: Found) -> None:
    """What is to be said of the passwords as a whole."""
    if "password" not in table.keys:
        message = f"{name} has no column of passwords: nobody can log in on the target before getting one"
        found.say("", "password_empty", message)
    elif table.exposed:
        message = f"{name} holds passwords, and every user of this machine can read it: chmod 600 closes it"
        found.say("", "file_exposed", message)


def _add_forwards(table: Table, found: Found) -> None:
    for row in table.rows:
        address = canonical_address(row.get("address"))
        account = found.accounts.get(address)
        if account is None:
            message = row.says("there is a forward, but no such account; it is left out")
            found.say(_shown(address), "account_missing", message, "error")
            continue
        try:
            found.accounts[address] = with_forwards(account, row, found)
        except BadCellError as error:
            found.say(address, "value_invalid", str(error), "error")


def _add_lists(table: Table, found: Found) -> dict[str, SiteSenders]:
    """The accounts' lists are put into the accounts; those of domains and of the whole site by domain."""
    site: dict[str, SiteSenders] = {}
    for row in table.rows:
        word = "".join(filter(str.isalnum, row.get("list").lower()))
        if word not in _ALLOW | _BLOCK:
            message = row.says("it is not said whether the sender is allowed or blocked; the row is left out")
            found.say("", "value_invalid", message, "error")
            continue
        owner = "" if row.get("owner").lower() in _SITE else canonical_address(row.get("owner"))
        cells = row.get("sender").replace(";", " ").replace(",", " ").split() or [""]
        if "@" in owner.removeprefix("@"):
            account = found.accounts.get(owner)
            if account is None:
                message = row.says("there is an entry of a list, but no such account; it is left out")
                found.say(_shown(owner), "account_missing", message, "error")
                continue
            found.accounts[owner] = _with(account, word in _ALLOW, patterns(owner, row, cells, found))
            continue
        domain = canonical_domain(owner.removeprefix("@"))
        senders = site.get(domain, SiteSenders(domain))
        more = patterns(f"@{_shown(domain)}" if domain else "", row, cells, found)
        site[domain] = _with(senders, word in _ALLOW, more)
    return site


def _with(owner: Owner, allow: bool, more: list[str]) -> Owner:
    if allow:
        return replace(owner, allowed=(*owner.allowed, *more))
    return replace(owner, blocked=(*owner.blocked, *more))


def _aliases(table: Table, found: Found) -> dict[str, tuple[Row, Alias]]:
    """Aliases by address, those of the accounts' own file among them; several rows of one are all its targets."""
    merged: dict[str, tuple[Row, Alias]] = {}
    for row, alias in found.names:
        _merge(row, alias, merged, found)
    for row in table.rows:
        address = canonical_address(row.get("address"))
        wrong = alias_fault(address)
        if wrong is not None:
            message = row.says(f"in the column of aliases is none: {wrong}; the row is left out")
            found.say("", "alias_invalid", message, "error")
            continue
        goes_to = targets(address, row, "targets", found, whole_domains=address.startswith("@"))
        try:
            _merge(row, Alias(address, tuple(goes_to), enabled(row)), merged, found)
        except BadCellError as error:
            found.say(address, "value_invalid", str(error), "error")
    return {address: each for address, each in merged.items() if _leads_somewhere(each, found)}


def _merge(row: Row, alias: Alias, merged: dict[str, tuple[Row, Alias]], found: Found) -> None:
    account = found.accounts.get(alias.address)
    if account is not None:
        message = row.says(
            "the alias is an account, too: the account forwards to the alias's targets, and keeps a copy"
        )
        found.say(alias.address, "alias_is_account", message)
        others = [target for target in alias.targets if target != alias.address]
        if alias.enabled:
            found.accounts[alias.address] = replace(account, forwards=(*account.forwards, *others), keep_copy=True)
        return
    first, other = merged.get(alias.address, (row, alias))
    if other.enabled != alias.enabled:
        message = row.says(f"the alias is switched on here and off in {first.place}, or the other way round; it is on")
        found.say(alias.address, "duplicate", message)
    merged[alias.address] = (
        first,
        Alias(alias.address, tuple(sorted({*other.targets, *alias.targets})), other.enabled or alias.enabled),
    )


def _leads_somewhere(each: tuple[Row, Alias], found: Found) -> bool:
    row, alias = each
    if set(alias.targets) - {alias.address}:
        return True
    message = row.says("the alias has no target that mail can be sent to; it is left out")
    found.say(alias.address, "alias_empty", message, "error")
    return False


def _domains(table: Table | None, found: Found, aliases: Mapping[str, object]) -> dict[str, Domain]:
    """The domains that the file names; without a file those that accounts and aliases are in."""
    if table is None:
        names = {domain_of(address) for address in (*found.accounts, *aliases)}
        return {name: Domain(name) for name in sorted(names)}
    domains: dict[str, Domain] = {}
    for row in table.rows:
        name = canonical_domain(row.get("name").removeprefix("@"))
        wrong = domain_fault(name)
        if wrong is not None:
            found.say("", "domain_invalid", row.says(f"the domain is left out: {wrong}"), "error")
            continue
        try:
            domain = Domain(name, enabled(row))
        except BadCellError as error:
            found.say(f"@{name}", "value_invalid", str(error), "error")
            continue
        if domains.get(name, domain) != domain:
            found.say(f"@{name}", "duplicate", row.says("the domain is there twice, once disabled; it is enabled"))
            domain = Domain(name)
        domains[name] = domain
    for name, domain in domains.items():
        if not domain.enabled:
            found.say(f"@{name}", "domain_disabled", "the domain is disabled on the source", "note")
    return domains


def _within(domains: Mapping[str, Domain], found: Found, aliases: Mapping[str, tuple[Row, Alias]]) -> tuple[Alias, ...]:
    """The aliases of these domains; accounts and aliases of others are left out."""
    for address in [each for each in found.accounts if domain_of(each) not in domains]:
        message = f"{found.places[address]}: the domain {domain_of(address)} is not in the file of domains"
        found.say(address, "domain_missing", message, "error")
        del found.accounts[address]
    kept = []
    for address, (row, alias) in aliases.items():
        if domain_of(address) in domains:
            kept.append(replace(alias, targets=tuple(target for target in alias.targets if target != address)))
        else:
            message = row.says(f"the alias's domain {domain_of(address)} is not in the file of domains")
            found.say(address, "domain_missing", message, "error")
    return tuple(kept)


def _senders_within(
    senders: Mapping[str, SiteSenders], domains: Mapping[str, Domain], found: Found
) -> tuple[SiteSenders, ...]:
    kept = []
    for domain, each in senders.items():
        if domain and domain not in domains:
            found.findings.append(
                Finding(f"@{_shown(domain)}", "domain_missing", "a list is for a domain that is not there", "error")
            )
        elif each.allowed or each.blocked:
            kept.append(each)
    return tuple(kept)


def _shown(address: str) -> str:
    """What should be an address or a domain, when it may be shown: else nothing, for it may be anything."""
    return address if alias_fault(address) is None or domain_fault(address) is None else ""
