# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What users have made that does not migrate: said of each account, with its number, so that nobody is surprised (H40).

What else stays behind is in the assessment.
"""

from __future__ import annotations

from collections.abc import Collection

from ...transport.database import Database
from ..model import Finding
from ..stays import finding
from ..tally import tally
from .site import Site

_MISSED = frozenset({"filters", "folder_rules", "storage_files", "tasks", "pgp_keys", "shared_groups"})


def read_leftovers(database: Database, site: Site, accounts: Collection[str]) -> list[Finding]:
    """A finding for each account and kind of thing; what is nobody's is the whole site's."""
    findings = []
    for what, found in tally(database, site.schema, [each for each in site.extras if each.name in _MISSED]).items():
        mine = {owner: number for owner, number in found.owners.items() if owner in accounts}
        findings += [finding(owner, what, number) for owner, number in mine.items()]
        rest = found.total - sum(mine.values())
        if rest:
            findings.append(finding("", what, rest))
    return findings
