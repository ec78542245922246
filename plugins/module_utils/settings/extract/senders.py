# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The white- and blacklists of a site, from all tables that hold some."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ...transport.database import Database
from .sender_rules import Rule, Senders, sort_rules
from .site import Site


def read_senders(database: Database, site: Site, accounts: Collection[str], domains: Collection[str]) -> Senders:
    """Allowed and blocked senders of accounts, domains and the whole site."""
    return sort_rules(_rules(database, site), site.profile.sender_words, accounts, domains)


def _rules(database: Database, site: Site) -> Iterator[Rule]:
    for row in site.rows(database, "sender_rules", "owner", "preference", "value"):
        yield Rule(row["owner"], row["preference"], row["value"], row.cut("value"))
    blocked = site.profile.sender_words.blocked[0]
    for row in site.rows(database, "blocked_senders", "account", "sender"):
        yield Rule(row["account"], blocked, row["sender"], row.cut("sender"))
