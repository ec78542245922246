# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the lab does what the tests of DNS take for granted."""

from __future__ import annotations

from collections.abc import Iterator

import dns.dnssec
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import pytest

from tests.lab.knot import Knot, TsigKey, Zone

KEY = TsigKey()


@pytest.fixture(scope="module")
def knot() -> Iterator[Knot]:
    zones = {
        "acme.example": Zone(["@ MX 10 mail", "mail A 192.0.2.1"]),
        "signed.example": Zone(["@ MX 10 mail"], signed=True),
        "closed.example": Zone(updates=False),
    }
    with Knot.temporary(zones, keys=[KEY]) as server:
        yield server


def _update(knot: Knot, zone: str, key: TsigKey) -> dns.rcode.Rcode:
    change = dns.update.UpdateMessage(zone, keyring=key.ring())
    change.add("s1._domainkey", 300, "TXT", '"v=DKIM1; " "p=abc"')
    return dns.query.tcp(change, knot.address, port=knot.port, timeout=5.0).rcode()


def test_a_zone_is_served_and_replaced_while_it_runs(knot: Knot) -> None:
    assert [str(rrset) for rrset in knot.ask("acme.example", "MX").answer] == [
        "acme.example. 300 IN MX 10 mail.acme.example."
    ]
    knot.publish("acme.example", Zone(["@ 60 MX 20 other"]))
    assert [str(rrset) for rrset in knot.ask("acme.example", "MX").answer] == [
        "acme.example. 60 IN MX 20 other.acme.example."
    ]
    knot.publish("new.example", Zone(['@ TXT "v=spf1 " "-all"']))
    assert knot.texts("new.example") == [b"v=spf1 -all"]
    knot.withdraw("new.example")
    assert knot.ask("new.example", "TXT").rcode() == dns.rcode.REFUSED


def test_changes_need_the_key_and_are_there_at_once(knot: Knot) -> None:
    assert _update(knot, "signed.example", KEY) == dns.rcode.NOERROR
    assert knot.texts("s1._domainkey.signed.example") == [b"v=DKIM1; p=abc"]
    with pytest.raises(dns.tsig.PeerBadKey):
        _update(knot, "closed.example", KEY)
    with pytest.raises(dns.tsig.PeerBadSignature):
        _update(knot, "acme.example", TsigKey())


def test_a_signed_zone_can_be_verified(knot: Knot) -> None:
    apex = dns.name.from_text("signed.example")
    keys = knot.ask("signed.example", "DNSKEY", dnssec=True)
    answer = knot.ask("signed.example", "MX", dnssec=True)
    found = {rrset.rdtype: rrset for rrset in answer.answer}
    signers = {rrset.rdtype: rrset for rrset in keys.answer}
    dns.dnssec.validate(
        found[dns.rdatatype.MX],
        found[dns.rdatatype.RRSIG],
        {apex: signers[dns.rdatatype.DNSKEY]},
    )


def test_two_servers_tell_different_things() -> None:
    with (
        Knot.temporary({"acme.example": Zone(["@ MX 10 old"])}) as first,
        Knot.temporary(
            {"acme.example": Zone(["@ MX 10 new"])}, address="127.0.0.2", port=first.port, name="second"
        ) as second,
    ):
        assert first.port == second.port
        told = [str(server.ask("acme.example", "MX").answer[0][0]) for server in (first, second)]
        assert told == ["10 old.acme.example.", "10 new.acme.example."]
