# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The aliases of a site that has a row for each of their targets."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...transport.database import Database
from ..model import Finding
from .alias_rows import Aliases, AliasRow, Known, resolve
from .site import Site


def read_aliases(
    database: Database, site: Site, domains: Collection[str], accounts: Collection[str], folders: Mapping[str, str]
) -> Aliases:
    """The aliases, and what they mean for accounts. ``folders``: whose mail folder is where."""
    rows = (
        AliasRow(row["name"], row["target"], row["domain"], row["folder"], row.cut("name") or row.cut("target"))
        for row in site.rows(database, "aliases", "name", "target", "domain", "folder")
    )
    found = resolve(rows, Known(domains, accounts, folders))
    usual = sum(alias.address.partition("@")[0] in site.profile.installer_aliases for alias in found.aliases)
    if usual:
        message = f"{usual} aliases are of those that every site has ({', '.join(site.profile.installer_aliases)})"
        found.findings.append(Finding("", "alias_of_installer", message))
    return found
