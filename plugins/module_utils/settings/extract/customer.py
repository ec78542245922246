# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""All readers together: the whole customer of a site."""

from __future__ import annotations

from ...transport.database import Database
from ..model import Customer, Finding, Source
from .accounts import read_accounts
from .domains import read_domains
from .routing import add_routing
from .site import Site


def extract(database: Database, site: Site, customer: str) -> Customer:
    """The whole customer, sorted. What can't be migrated is in its findings with level ``error``."""
    domains, findings = read_domains(database, site)
    accounts, remarks = read_accounts(database, site, domains)
    findings += remarks
    accounts, aliases, remarks = add_routing(database, site, accounts, domains)
    findings += remarks
    if site.passwords_elsewhere:
        message = "the site checks passwords in a directory (LDAP): none can be read from its database"
        findings.append(Finding("", "password_elsewhere", message, "warning"))
    source = Source(site.profile.name, site.settings.get("version", ""))
    return Customer(
        name=customer,
        source=source,
        domains=tuple(domains.values()),
        accounts=tuple(accounts.values()),
        aliases=tuple(aliases),
        findings=tuple(findings),
    ).sorted()
