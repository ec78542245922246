# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dkim.sets import record_sets


def said(domain: str, *names: str, gone: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the module says of a domain with these keys; one of them is retired."""
    records = [{"name": name, "strings": ["a; b", "c"], "ttl": 60} for name in names]
    keys = [*({"record": record} for record in records), {"record": None}]
    return {"domain": domain, "keys": keys, "remove_records": list(gone)}


def test_what_is_there_is_set_and_what_is_gone_is_emptied() -> None:
    found = said("acme.example", "s1._domainkey.acme.example", gone=("s0._domainkey.acme.example",))
    common = {"zone": "acme.example", "type": "TXT", "check": "dkim"}
    gone = {**common, "name": "s0._domainkey.acme.example", "values": []}
    there = {**common, "name": "s1._domainkey.acme.example", "ttl": 60, "values": ['"a; b" "c"']}
    # a domain is spoken of once for each type of key
    assert record_sets([found, found], []) == [gone, there]


@pytest.mark.parametrize(
    ("domain", "zones", "zone"),
    [
        ("acme.example", [], "acme.example"),
        ("acme.example", ["Acme.Example."], "acme.example"),
        ("mail.acme.example", ["acme.example", "example"], "acme.example"),
        ("mail.acme.example", ["acme.example", "mail.acme.example"], "mail.acme.example"),
        ("notacme.example", ["acme.example"], None),
        ("acme.example", ["mail.acme.example"], None),
    ],
)
def test_the_zone_of_a_domain(domain: str, zones: list[str], zone: str | None) -> None:
    found = record_sets([said(domain, f"s._domainkey.{domain}")], zones)
    assert [one["zone"] for one in found] == ([zone] if zone else [])
