# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The domains of a site."""

from __future__ import annotations

from ...transport.database import Database
from ..addresses import canonical_domain, domain_fault
from ..model import Domain, Finding
from .site import Site
from .texts import is_on, shown


def read_domains(database: Database, site: Site) -> tuple[dict[str, Domain], list[Finding]]:
    """The domains by name, and what is to be said about them."""
    found: dict[str, Domain] = {}
    findings = []
    for row in site.rows(database, "domains", "name", "enabled"):
        name = canonical_domain(row["name"])
        if not name:
            continue
        fault = domain_fault(name)
        if fault is not None:
            findings.append(Finding(f"@{shown(name)}", "domain_invalid", f"this is not a domain: {fault}", "error"))
            continue
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
