# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that are signed beforehand (DNSSEC), well or badly: Knot serves the signatures as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.dnssectypes import Algorithm

from .knot import Zone


@dataclass(frozen=True)
class Signed:
    """A signed zone, and the DS record that its parent has to hold."""

    zone: Zone
    ds: str


def signed(
    name: str, lines: Sequence[str], *, ends: timedelta = timedelta(days=14), without: Sequence[str] = ()
) -> Signed:
    """Sign a zone with one ECDSA P-256 key (RFC 6605); signatures end in `ends` from now.

    `without` are types whose signatures are taken out again.
    """
    origin = dns.name.from_text(name)
    zone = dns.zone.from_text(Zone(lines).text(f"{name}.", 1), origin, relativize=False)
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), Algorithm.ECDSAP256SHA256, flags=257)
    now = datetime.now(UTC)
    begins = min(now, now + ends) - timedelta(days=1)
    dns.dnssec.sign_zone(
        zone,
        keys=[(private, key)],
        dnskey_ttl=300,
        inception=begins,
        expiration=now + ends,
        add_dnskey=True,
    )
    for kind in without:
        for node in zone.nodes.values():
            node.delete_rdataset(zone.rdclass, dns.rdatatype.RRSIG, dns.rdatatype.from_text(kind))
    ds = dns.dnssec.make_ds(origin, key, "SHA256")
    text = zone.to_text(relativize=True, want_origin=False)
    return Signed(Zone([line for line in text.splitlines() if line], updates=False), ds.to_text())
