# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Findings about what users have set up themselves and what does not come along, in the words of an assessment.

Only what changes seldom: these findings are in the snapshot, which is to change with the settings of users only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..transport.database import Database
from .extract import Site
from .model import Account, Finding
from .stays import STAYS, finding
from .tally import tally

#: Kinds of things that are settings of users, and stay.
SETTINGS = ("filters", "folder_rules", "pgp_keys", "contact_pgp_keys")


def left_findings(database: Database, site: Site, accounts: Iterable[Account]) -> list[Finding]:
    """A finding for each account that has any of them, and one for the site for those that belong to nobody."""
    wanted = [extra for extra in site.extras if extra.name in SETTINGS and extra.reason is not None]
    addresses = frozenset(account.address for account in accounts)
    return [
        each
        for name, found in tally(database, site.schema, wanted).items()
        for each in _findings(name, found.owners, found.total, addresses)
    ]


def _findings(name: str, owners: Mapping[str, int], total: int, addresses: frozenset[str]) -> Iterator[Finding]:
    known = {owner: number for owner, number in owners.items() if owner in addresses}
    for owner, number in known.items():
        yield finding(owner, name, number)
    nobodys = total - sum(known.values())
    if nobodys:
        message = f"{nobodys} {STAYS[name].label} belong to no account: {STAYS[name].reason}"
        yield Finding("", name, message)
