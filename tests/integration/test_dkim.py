# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Mail sent through the lab's cloud, signed by keys of dkim_key, verified against records that a real Knot serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.dkim_lab import DAY, DOMAIN, POLICY, STRANGER, Keys, Verdict, publish, selectors, send, verify
from tests.lab.knot import Knot, Zone
from tests.lab.lab import Lab
from tests.lab.region import Region
from tests.lab.state import RegionOptions

#: authheaders calls a mail without a signature one that fails; SPF alone lets it pass.
UNSIGNED = Verdict({}, "fail", "pass", "pass")


def passed(*names: str) -> Verdict:
    return Verdict(dict.fromkeys(names, True), "pass", "pass", "pass")


@pytest.fixture(scope="module")
def region() -> Iterator[Region]:
    with Lab.temporary(sites=(), region_options={"eu": RegionOptions(submission=True)}) as lab:
        lab.region("eu").add_account("ann@acme.example", "a secret")
        yield lab.region("eu")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Knot, Knot]]:
    """Both servers of the zone."""
    with Knot.temporary({}) as first, Knot.temporary({}) as second:
        yield first, second


@pytest.fixture
def keys(region: Region, servers: tuple[Knot, Knot]) -> Iterator[Keys]:
    for knot in servers:
        publish(knot)
    options = {
        "directory": str(region.dkim),
        "owner": str(region.owner[0]),
        "authoritative": [f"127.0.0.1:{knot.port}" for knot in servers],
    }
    made = Keys(options)
    yield made
    made.run(state="absent")
    assert not (region.dkim / DOMAIN).exists()


def test_mail_is_verified_before_during_and_after_a_rotation(
    region: Region, servers: tuple[Knot, Knot], keys: Keys
) -> None:
    knot, second = servers
    assert verify(send(region, "before any key"), knot) == UNSIGNED

    # a key: planned, made, published at one server only, published at both
    assert keys.run(check=True, selector="old")["record"] is None
    assert not region.dkim.exists() or not keys.file("old").exists()
    old = keys.run(selector="old")
    assert (old["changed"], old["stage"], old["published"]) == (True, "prepared", False)
    assert verify(send(region, "a key is made"), knot) == UNSIGNED
    publish(knot, old["record"])
    half = keys.run(selector="old")
    assert (half["changed"], half["stage"]) == (False, "prepared")
    assert [server["state"] for server in half["servers"]] == ["published", "missing"]
    assert str(second.port) in half["findings"][0]["message"]
    assert selectors(send(region, "one server knows it")) == []
    publish(second, old["record"])
    assert keys.run(check=True, selector="old")["stage"] == "signing"
    assert selectors(send(region, "planned only")) == []
    assert keys.run(selector="old")["stage"] == "signing"
    assert keys.run(selector="old")["changed"] is False
    on_its_way = send(region, "before the rotation")
    assert verify(on_its_way, knot) == passed("old")
    # what is forwarded comes from somewhere else: the signature carries it
    assert verify(on_its_way, knot, sent_from=STRANGER) == Verdict({"old": True}, "pass", "fail", "pass")

    # the rotation: the new key waits for its record, then takes over; both can be verified
    new = keys.run(selector="new", state="rotated")
    assert (new["stage"], new["signing"]) == ("prepared", ["old"])
    assert verify(send(region, "the new key waits"), knot) == passed("old")
    for each in servers:
        publish(each, old["record"], new["record"])
    new = keys.run(selector="new", state="rotated")
    assert (new["changed"], new["signing"], new["remove_records"]) == (True, ["new"], [])
    assert keys.run(selector="new", state="rotated")["changed"] is False
    assert verify(send(region, "during the rotation"), knot) == passed("new")
    assert verify(on_its_way, knot, sent_from=STRANGER).dmarc == "pass"
    assert keys.file("old").exists()

    # the overlap ends: the old key goes, its record may
    keys.ahead = 7 * DAY - 60
    assert keys.run(selector="new", state="rotated")["changed"] is False
    keys.ahead = 7 * DAY + 60
    after = keys.run(selector="new", state="rotated")
    assert (after["changed"], after["remove_records"]) == (True, ["old._domainkey.acme.example"])
    assert not keys.file("old").exists()
    assert keys.run(selector="new", state="rotated")["changed"] is False
    for each in servers:
        publish(each, new["record"])
    assert verify(send(region, "after the rotation"), knot) == passed("new")
    assert verify(on_its_way, knot, sent_from=STRANGER) == Verdict({"old": False}, "fail", "fail", "fail")


def test_one_can_go_back_while_the_old_key_is_there(region: Region, servers: tuple[Knot, Knot], keys: Keys) -> None:
    records = [keys.run(selector=name, sign="always", state="rotated")["record"] for name in ("a", "b")]
    for knot in servers:
        publish(knot, *records)
    assert verify(send(region, "by b"), servers[0]) == passed("b")
    assert keys.run(selector="a", state="rotated")["signing"] == ["a"]
    assert verify(send(region, "by a again"), servers[0]) == passed("a")


def test_rsa_and_ed25519_sign_together_and_rotate_apart(region: Region, servers: tuple[Knot, Knot], keys: Keys) -> None:
    records = [keys.run(type=key_type)["record"] for key_type in ("rsa", "ed25519")]
    for knot in servers:
        publish(knot, *records)
    names = [keys.run(type=key_type)["selector"] for key_type in ("rsa", "ed25519")]
    assert verify(send(region, "by both"), servers[0]) == passed(*names)
    records.append(keys.run(type="ed25519", selector="e2", state="rotated")["record"])
    for knot in servers:
        publish(knot, *records)
    assert keys.run(type="ed25519", selector="e2", state="rotated")["stage"] == "signing"
    assert verify(send(region, "rotated one"), servers[0]) == passed(names[0], "e2")


def test_other_domains_are_not_signed_and_not_touched(region: Region, servers: tuple[Knot, Knot], keys: Keys) -> None:
    other, name = "bücher.example", "xn--bcher-kva.example"
    books = keys.run(domain=other, selector="g", sign="always")
    assert (books["domain"], books["record"]["name"]) == (name, f"g._domainkey.{name}")
    keys.run(selector="a", sign="always")
    tables = [region.dkim / table for table in ("signing.table", "key.table")]
    lines = [line for table in tables for line in table.read_text().splitlines() if name in line]
    servers[0].publish(name, Zone((*POLICY, books["record"]["zone_line"])))
    assert selectors(send(region, "sub", "ann@sub.acme.example")) == []
    assert selectors(send(region, "other", "ann@acme.example.org")) == []
    found = verify(send(region, "books", f"gil@{name}"), servers[0], sender=f"gil@{name}")
    assert (found.signatures, found.dkim, found.spf) == ({"g": True}, "pass", "pass")
    keys.run(state="absent")
    assert selectors(send(region, "acme signs no more")) == []
    assert [line for table in tables for line in table.read_text().splitlines()] == lines
    assert keys.run(domain=other, state="absent")["remove_records"] == [f"g._domainkey.{name}"]
    assert keys.run(domain=other, state="absent")["changed"] is False
    assert [table.read_text() for table in tables] == ["", ""]


@pytest.mark.parametrize(
    ("record", "state", "said"),
    [
        ("", "missing", "no TXT record"),
        ('bad._domainkey TXT "v=DKIM1; p="', "different", "revokes"),
        ('bad._domainkey TXT "v=spf1 -all"', "different", "no key"),
        ("bad._domainkey CNAME gone", "missing", "no TXT record"),
        ('bad._domainkey TXT "{other}"', "different", "another key"),
        ('bad._domainkey TXT "{value}"\nbad._domainkey TXT "v=DKIM1; p=AAAA"', "different", "2 TXT records"),
        ('bad._domainkey CNAME real\nreal TXT "{value}"', "published", ""),
        ('bad._domainkey TXT "{value}"', "published", ""),
    ],
)
def test_what_a_server_says_of_a_record(
    servers: tuple[Knot, Knot], tmp_path: Path, record: str, state: str, said: str
) -> None:
    mine = Keys({"directory": str(tmp_path), "type": "ed25519", "authoritative": [f"127.0.0.1:{servers[0].port}"]})
    value = mine.run(selector="bad")["record"]["value"]
    other = mine.run(selector="other")["record"]["value"]
    lines = record.format(value=value, other=other).splitlines()
    servers[0].publish(DOMAIN, Zone((*POLICY, *lines)))
    found = mine.run(selector="bad")
    assert [(server["state"], said in server["said"]) for server in found["servers"]] == [(state, True)]
    assert (found["stage"] == "signing") is (state == "published")


def test_servers_that_do_not_answer_or_know_nothing_are_named(servers: tuple[Knot, Knot], tmp_path: Path) -> None:
    knot = servers[0]
    asked = {"authoritative": [f"127.0.0.1:{knot.port}"], "resolvers": ["127.0.0.1:9"], "timeout": 0.5}
    mine = Keys({"directory": str(tmp_path), "type": "ed25519", **asked})
    publish(knot, mine.run(selector="s")["record"])
    found = mine.run(selector="s")
    assert [server["state"] for server in found["servers"]] == ["published", "unreachable"]
    assert found["stage"] == "prepared"
    knot.withdraw(DOMAIN)
    refused = mine.run(selector="s", resolvers=[])
    assert [(server["state"], server["said"]) for server in refused["servers"]] == [("unreachable", "REFUSED")]
    publish(knot)


def test_the_servers_of_the_zone_are_found(tmp_path: Path) -> None:
    """A name server at loopback's port 53 is nobody's here, so that they are found and do not answer."""
    with Knot.temporary({DOMAIN: Zone(POLICY)}) as knot:
        asked = {"resolvers": [f"127.0.0.1:{knot.port}"], "timeout": 0.5}
        mine = Keys({"directory": str(tmp_path), "type": "ed25519", **asked})
        mine.run(selector="s")
        found = mine.run(selector="s")
    assert found["servers"][0]["server"] == "ns1.acme.example (127.0.0.1)"
    assert found["stage"] == "prepared"
