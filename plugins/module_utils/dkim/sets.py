# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The records of keys as sets for a dynamic update of their zones. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def record_sets(found: Iterable[Mapping[str, Any]], zones: Sequence[str]) -> list[dict[str, Any]]:
    """The sets of what dkim_key has said of domains: those that have to be there, and empty ones for what may go.

    The zone of a domain is the closest one of ``zones``; what is in none of them is left out. Without zones each domain
    is one itself.
    """
    sets: dict[str, dict[str, Any]] = {}
    for one in found:
        zone = _zone(one["domain"], zones)
        if zone is None:
            continue
        for name in one["remove_records"]:
            sets.setdefault(name, {"zone": zone, "name": name, "type": "TXT", "values": [], "check": "dkim"})
        for record in (key["record"] for key in one["keys"] if key["record"]):
            value = " ".join(f'"{string}"' for string in record["strings"])
            there = {"ttl": record["ttl"], "values": [value]}
            sets[record["name"]] = {"zone": zone, "name": record["name"], "type": "TXT", "check": "dkim", **there}
    return list(sets.values())


def _zone(domain: str, zones: Sequence[str]) -> str | None:
    if not zones:
        return domain
    names = [zone.lower().rstrip(".") for zone in zones]
    return max((zone for zone in names if f".{domain}".endswith(f".{zone}")), key=len, default=None)
