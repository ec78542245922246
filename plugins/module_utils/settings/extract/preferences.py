# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What users have set for themselves: name, reply-to, signature, time zone, language."""

from __future__ import annotations

from dataclasses import dataclass

from ...addresses import canonical_address
from ...platforms.rows import Row
from ...platforms.texts import full_name, lines, shown
from ...transport.database import Database
from ..model import Finding
from .lists import addresses
from .site import Site


@dataclass(frozen=True, order=True)
class Preferences:
    """A user's settings; empty is not set."""

    name: str = ""
    reply_to: str = ""
    signature: str = ""
    time_zone: str = ""
    language: str = ""


def read_preferences(database: Database, site: Site) -> tuple[dict[str, Preferences], list[Finding]]:
    """The settings by canonical address, and what is to be said about them."""
    found: dict[str, Preferences] = {}
    findings: list[Finding] = []
    for row in site.rows(database, "preferences", "account", "name", "reply_to", "signature", "time_zone", "language"):
        address = canonical_address(row["account"])
        preferences, said = _preferences(site, address, row)
        findings += said
        other = found.get(address, preferences)
        if other != preferences:
            message = "the user has several rows of settings that differ; one of them is taken"
            findings.append(Finding(shown(address), "settings_ambiguous", message, "warning"))
        # the fuller one, and always the same one, in whatever order the rows come
        found[address] = max(other, preferences)
    return found, findings


def _preferences(site: Site, address: str, row: Row) -> tuple[Preferences, list[Finding]]:
    reply_to = addresses(row["reply_to"])
    findings = [
        Finding(shown(address), "reply_to_invalid", f"the reply address {what} is left out: {why}", "warning")
        for what, why in reply_to.faults
    ]
    if len(reply_to.valid) > 1:
        message = f"there are {len(reply_to.valid)} reply addresses; only {reply_to.valid[0]} is taken"
        findings.append(Finding(shown(address), "reply_to_invalid", message, "warning"))
    findings += [
        Finding(shown(address), "value_cut", f"the {what} fills its column: its end may be missing", "warning")
        for what, key in (("name", "name"), ("signature", "signature"), ("reply address", "reply_to"))
        if row.cut(key)
    ]
    language = row["language"].strip()
    preferences = Preferences(
        name=full_name(row["name"]),
        reply_to=reply_to.valid[0] if reply_to.valid else "",
        signature=lines(row["signature"]),
        time_zone=row["time_zone"].strip(),
        language=site.profile.languages.get(language.lower(), language),
    )
    return preferences, findings
