# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Forwards and aliases of a platform that keeps them all in one table, a row for each address (:mod:`..gotos`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ...addresses import canonical_domain, domain_fault
from ...platforms.texts import is_on, shown
from ...transport.database import Database
from ..gotos import GotoRow, Way, read_ways
from ..model import Account, Alias, Finding
from .site import Site


def add_ways(
    database: Database, site: Site, accounts: Mapping[str, Account], domains: Collection[str]
) -> tuple[dict[str, Account], dict[str, Way], list[Alias], list[Finding]]:
    """The accounts with their forwards, what their rows say, the aliases, and what is to be said about them."""
    enabled = {address: account.enabled for address, account in accounts.items()}
    rows = [
        GotoRow(row["address"], row["goto"], is_on(row.get("enabled")) or not site.has("ways", "enabled"))
        for row in site.rows(database, "ways", "address", "goto", "enabled")
    ]
    ways = read_ways(rows, enabled, domains)
    forwarding = {
        address: replace(accounts[address], forwards=way.forwards, keep_copy=way.keep_copy)
        for address, way in ways.mailboxes.items()
    }
    aliases, findings = _with_domains(database, site, ways.aliases, domains)
    return {**accounts, **forwarding}, dict(ways.mailboxes), aliases, [*ways.findings, *findings]


def _with_domains(
    database: Database, site: Site, aliases: Collection[Alias], domains: Collection[str]
) -> tuple[list[Alias], list[Finding]]:
    """The aliases, and those of whole domains that have a table of their own."""
    found = {alias.address: alias for alias in aliases}
    findings = []
    for row in site.rows(database, "alias_domains", "name", "target", "enabled"):
        name, target = canonical_domain(row["name"]), canonical_domain(row["target"])
        where = f"@{shown(name)}"
        wrong = domain_fault(name) or domain_fault(target) or ("it is its own target" if name == target else None)
        if wrong:
            message = f"the domain can't stand for {shown(target)}: {wrong}"
            findings.append(Finding(where, "alias_invalid", message, "error"))
            continue
        if name not in domains:
            message = f"the domain stands for {target}, but is not among the site's domains"
            findings.append(Finding(where, "domain_missing", message, "error"))
            continue
        alias = Alias(f"@{name}", (f"@{target}",), is_on(row.get("enabled")))
        other = found.get(alias.address)
        if other is not None:
            left, alias = (alias, other) if other.enabled and not alias.enabled else (other, alias)
            message = f"the domain has two rules for all other addresses; that to {', '.join(left.targets)} is left out"
            findings.append(Finding(where, "duplicate", message, "warning"))
        found[alias.address] = alias
    return list(found.values()), findings
