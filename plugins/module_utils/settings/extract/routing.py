# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where mail goes on a platform that keeps it in tables with a row for each address."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...transport.database import Database
from ..model import Account, Alias, Finding
from .homeless import read_homeless
from .polled import add_polled
from .site import Site
from .vacations import add_vacations
from .ways import add_ways


def add_routing(
    database: Database, site: Site, accounts: Mapping[str, Account], domains: Collection[str]
) -> tuple[dict[str, Account], list[Alias], list[Finding]]:
    """The accounts with all of it, the aliases, and what is to be said; nothing where the tables are not there."""
    found, ways, aliases, findings = add_ways(database, site, accounts, domains)
    found, remarks = add_vacations(database, site, found, ways)
    findings += remarks
    found, remarks = add_polled(database, site, found)
    return found, aliases, findings + remarks + read_homeless(database, site)
