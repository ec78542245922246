# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The domains of a site."""

from __future__ import annotations

from ...addresses import address_fault, canonical_address, canonical_domain, domain_fault, domain_of
from ...platforms.rows import Row
from ...platforms.texts import is_on, shown
from ...transport.database import Database
from ..model import Domain, Finding, Level
from .site import Site

#: Transports (transport(5)) that take mail to another server.
_ELSEWHERE = ("smtp", "relay", "uucp")


def read_domains(database: Database, site: Site) -> tuple[dict[str, Domain], list[Finding]]:
    """The domains by name (of the accounts where there is no table of them), and what is to be said about them."""
    if not site.has("domains"):
        return _domains_of_accounts(database, site)
    found: dict[str, Domain] = {}
    findings = []
    for row in site.rows(database, "domains", "name", "enabled", "backup", "transport"):
        name = canonical_domain(row["name"])
        if not name or row["name"] in site.profile.no_domains:
            continue
        fault = _fault(row, name)
        if fault is not None:
            findings.append(Finding(f"@{shown(name)}", *fault))
            continue
        if row["transport"].lower().startswith(_ELSEWHERE):
            message = f"the source hands the domain's mail on to {shown(row['transport'])}; the target delivers it"
            findings.append(Finding(f"@{name}", "domain_transport", message, "warning"))
        enabled = row.get("enabled") is None or is_on(row["enabled"])
        if name in found and found[name].enabled != enabled:
            message = "the domain has several rows that differ: it is taken for enabled"
            findings.append(Finding(f"@{name}", "duplicate", message, "warning"))
            enabled = True
        found[name] = Domain(name, enabled)
    findings += [
        Finding(f"@{each.name}", "domain_disabled", "the domain is disabled on the source")
        for each in found.values()
        if not each.enabled
    ]
    return found, findings


def _fault(row: Row, name: str) -> tuple[str, str, Level] | None:
    """Why a domain is left out (kind, message, level), or None."""
    fault = domain_fault(name)
    if fault is not None:
        return "domain_invalid", f"this is not a domain: {fault}", "error"
    if is_on(row.get("backup")):
        return "domain_backup", "the source is only a backup for the domain; it is left out", "warning"
    return None


def _domains_of_accounts(database: Database, site: Site) -> tuple[dict[str, Domain], list[Finding]]:
    addresses = (canonical_address(row["account"]) for row in site.rows(database, "passwords", "account"))
    names = sorted({domain_of(address) for address in addresses if address_fault(address) is None})
    message = "the source has no table of domains: those of its accounts are taken, also of users who only visit"
    return {name: Domain(name) for name in names}, [Finding("", "domains_derived", message, "warning")]
