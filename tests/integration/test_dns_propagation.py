# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that have come to some servers only, TTLs over time, and zones whose servers have to be given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import DuplicateError, InputError

from tests.lab.knot import Knot, Zone

from .dns_cases import AROUND, GOOD, TODAY
from .test_dns_readiness import check, options

_SERVERS = ("@ NS ns1", "@ NS ns2", "ns1 A 127.0.0.1", "ns2 A 127.0.0.2")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Row = dict[str, Any]
_TEMPLATE = "{{lookup('env','HOME')}}"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Knot, Knot]]:
    """Both servers of acme.example, the first of which is the resolver, too."""
    around = {name: Zone(lines) for name, lines in AROUND.items()}
    with (
        Knot.temporary({**around, "example": Zone(), "acme.example": Zone()}) as first,
        Knot.temporary({"acme.example": Zone()}, address="127.0.0.2", port=first.port, name="second") as second,
    ):
        yield first, second


def _zone(slots: Mapping[str, Sequence[str]], ttl: int = 300, **changes: Sequence[str]) -> Zone:
    lines = [line for slot in {**slots, **changes}.values() for line in slot]
    return Zone([*_SERVERS, *lines], ttl=ttl)


def _told(servers: tuple[Knot, Knot], first: Zone, second: Zone) -> None:
    for server, zone in zip(servers, (first, second), strict=True):
        server.publish("acme.example", zone)


def _row(result: dict[str, Any], test: str, name: str = "acme.example") -> Row:
    found: Row = next(row for row in result["checks"] if (row["check"], row["name"]) == (test, name))
    return found


@pytest.mark.parametrize(
    ("test", "name", "slot", "old"),
    [
        ("mx", "acme.example", "mx", ["@ MX 10 mail", "mail A 192.0.2.1"]),
        ("spf", "acme.example", "spf", ['@ TXT "v=spf1 mx -all"']),
        ("dkim", "s1._domainkey.acme.example", "dkim", []),
        ("dmarc", "_dmarc.acme.example", "dmarc", ['_dmarc TXT "v=DMARC1; p=quarantine; pct=x"']),
        ("name", "imap.acme.example", "imap", ["imap A 192.0.2.1"]),
        ("srv", "_imaps._tcp.acme.example", "srv", ["_imaps._tcp SRV 0 1 993 mail"]),
    ],
)
def test_a_server_that_still_has_the_old_record_is_named(
    servers: tuple[Knot, Knot], test: str, name: str, slot: str, old: list[str]
) -> None:
    older = ["@ SOA ns1 hostmaster 1 3600 600 86400 300"]
    _told(servers, _zone(GOOD), _zone({**GOOD, "soa": older, slot: old}))
    result = check(options(servers[0], "acme.example"))
    row = _row(result, test, name)
    assert row["state"] in {"wrong", "missing"}
    label = f"ns2.acme.example (127.0.0.2 port {servers[1].port})"
    assert row["verdict"].startswith(f"{label}: ")
    assert "ns1.acme.example" not in row["verdict"]
    said = {each["server"]: each["seen"] for each in row["servers"]}
    assert set(said) == {
        label,
        label.replace("ns2", "ns1").replace("0.2", "0.1"),
        f"resolver 127.0.0.1 port {servers[0].port}",
    }
    assert len(set(said.values())) == 2
    servers_row = _row(result, "servers")
    assert servers_row["state"] == "warning"
    assert "different ages" in servers_row["verdict"]


def test_servers_that_differ_are_wrong_even_before_the_cut_over(servers: tuple[Knot, Knot]) -> None:
    _told(servers, _zone(TODAY), _zone(TODAY, mx=["@ MX 10 mail2", "mail A 192.0.2.10", "mail2 A 192.0.2.11"]))
    row = _row(check(options(servers[0], "acme.example", "before")), "mx")
    assert (row["state"], row["stops"]) == ("wrong", True)
    assert "the name servers do not say the same" in row["verdict"]


def test_one_server_with_a_high_ttl_is_named(servers: tuple[Knot, Knot]) -> None:
    _told(servers, _zone(TODAY), _zone(TODAY, ttl=3600))
    row = _row(check(options(servers[0], "acme.example", "before")), "ttl")
    assert row["state"] == "wrong"
    assert "127.0.0.2" in row["verdict"]
    assert "the TTL is 3600 s" in row["verdict"]


def test_a_ttl_has_to_be_low_for_a_day_or_for_as_long_as_it_was(servers: tuple[Knot, Knot]) -> None:
    two_days = 48 * 3600
    params = options(servers[0], "acme.example", "before", names={}, ttl={})

    def looked_at(when: datetime) -> Row:
        result = check(params, when)
        params["recorded"] = json.loads(json.dumps(result["recorded"]))
        return _row(result, "ttl")

    _told(servers, _zone(TODAY, ttl=two_days), _zone(TODAY, ttl=two_days))
    assert "300 s are wanted" in looked_at(NOW)["verdict"]
    _told(servers, _zone(TODAY), _zone(TODAY))
    assert looked_at(NOW + timedelta(hours=1))["state"] == "wrong"
    assert looked_at(NOW + timedelta(hours=26))["state"] == "wrong"
    assert looked_at(NOW + timedelta(hours=49, minutes=1))["state"] == "ok"
    # somebody has raised it again: the day begins anew
    _told(servers, _zone(TODAY, ttl=600), _zone(TODAY))
    assert looked_at(NOW + timedelta(hours=50))["state"] == "wrong"
    _told(servers, _zone(TODAY), _zone(TODAY))
    assert looked_at(NOW + timedelta(hours=51))["state"] == "wrong"


def test_what_people_say_of_a_ttl_counts_until_it_was_seen_to_be_high(servers: tuple[Knot, Knot]) -> None:
    _told(servers, _zone(TODAY), _zone(TODAY))
    said = {"lowered_at": (NOW - timedelta(hours=30)).isoformat()}
    params = options(servers[0], "acme.example", "before", names={}, ttl=said)
    assert _row(check(params, NOW), "ttl")["state"] == "ok"
    _told(servers, _zone(TODAY, ttl=600), _zone(TODAY, ttl=600))
    params["recorded"] = check(params, NOW)["recorded"]
    _told(servers, _zone(TODAY), _zone(TODAY))
    assert _row(check(params, NOW + timedelta(hours=1)), "ttl")["state"] == "wrong"


def test_a_server_may_be_given_where_the_zone_is_not_there_yet(servers: tuple[Knot, Knot]) -> None:
    """The second server alone is asked; the resolver knows the zone from the first one, and that is told."""
    _told(servers, _zone(GOOD, mx=["@ MX 10 mail"]), _zone(GOOD))
    given = [{"zone": "acme.example", "servers": [f"127.0.0.2:{servers[1].port}"]}]
    row = _row(check(options(servers[0], "acme.example", authoritative=given)), "mx")
    assert row["state"] == "wrong"
    assert row["verdict"].startswith("resolver ")


def test_nobody_is_led_to_the_cloud_before_the_cut_over(servers: tuple[Knot, Knot]) -> None:
    _told(servers, _zone(TODAY, srv=[]), _zone(TODAY, srv=[]))
    params = options(servers[0], "acme.example", "before", autoconfig="acme.atmailcloud.com")
    result = check(params)
    assert result["ready"], result["open"]
    sets = {record["name"]: record["when"] for record in result["records"]}
    for label in ("_imaps._tcp", "_pop3s._tcp", "_submissions._tcp", "autoconfig", "autodiscover"):
        assert sets[f"{label}.acme.example"] == "cut_over"
    assert "now" not in sets.values()


def test_records_may_be_in_another_zone_behind_an_alias(servers: tuple[Knot, Knot]) -> None:
    line = GOOD["dkim"][0].replace("s1._domainkey", "acme._domainkey")
    servers[0].publish("keys.test", Zone([line]))
    alias = ["s1._domainkey CNAME acme._domainkey.keys.test."]
    _told(servers, _zone(GOOD, dkim=alias), _zone(GOOD, dkim=alias))
    result = check(options(servers[0], "acme.example"))
    assert _row(result, "dkim", "s1._domainkey.acme.example")["state"] == "ok"
    assert result["ready"]


def test_a_sub_domain_has_the_dmarc_policy_of_the_domain_above(servers: tuple[Knot, Knot]) -> None:
    lines = ['_dmarc TXT "v=DMARC1; p=none; sp=reject"', "sales MX 10 mail", "mail A 192.0.2.10"]
    _told(servers, _zone(GOOD, dmarc=lines), _zone(GOOD, dmarc=lines))
    result = check(options(servers[0], "acme.example", "before", domains=["sales.acme.example"]))
    row = _row(result, "dmarc", "_dmarc.sales.acme.example")
    assert (row["state"], row["stops"]) == ("wrong", True)
    assert "sub-domains" in row["verdict"]


def test_a_domain_that_nobody_serves_is_a_finding_and_the_others_are_looked_at(servers: tuple[Knot, Knot]) -> None:
    _told(servers, _zone(GOOD), _zone(GOOD))
    result = check(options(servers[0], "acme.example", domains=["nowhere.test", "acme.example"]))
    assert _row(result, "mx", "nowhere.test")["state"] == "unchecked"
    assert _row(result, "mx")["state"] == "ok"
    assert not result["ready"]


def test_a_silent_resolver_is_one_row_and_the_other_is_asked(servers: tuple[Knot, Knot]) -> None:
    same = _zone(GOOD, soa=["@ SOA ns1 hostmaster 9 3600 600 86400 300"])
    _told(servers, same, same)
    both = [f"127.0.0.1:{servers[0].port}", "127.0.0.1:1"]
    result = check(options(servers[0], "acme.example", resolvers=both, timeout=0.4))
    left = [(row["check"], row["name"], row["state"]) for row in result["checks"] if row["state"] != "ok"]
    assert left == [("servers", "resolver 127.0.0.1 port 1", "unchecked")]
    assert not result["ready"]


def test_no_resolver_answers(servers: tuple[Knot, Knot]) -> None:
    result = check(options(servers[0], "acme.example", resolvers=["127.0.0.1:1"], timeout=0.2))
    assert not result["ready"]
    assert {row["state"] for row in result["checks"]} == {"unchecked"}


def test_hostile_zones_are_data(servers: tuple[Knot, Knot]) -> None:
    nasty = [
        f'@ TXT "v=spf1 include:{_TEMPLATE} <script>alert(1)</script> \\000\\010\\240\\159\\146\\128 -all"',
        '_dmarc TXT "v=DMARC1; p=<b>\\"; rua=mailto:x"',
        's1._domainkey TXT "v=DKIM1; p=\\255\\254|`rm -rf /`"',
    ]
    zone = _zone(GOOD, spf=nasty[:1], dmarc=nasty[1:2], dkim=nasty[2:])
    _told(servers, zone, zone)
    result = check(options(servers[0], "acme.example"))
    for test, name in (("spf", "acme.example"), ("dmarc", "_dmarc.acme.example")):
        assert _row(result, test, name)["state"] == "wrong"
    assert "<script>" not in result["html"]
    assert "<b>" not in result["html"]
    shown = json.dumps({key: value for key, value in result.items() if key != "html"}, ensure_ascii=False)
    assert "\0" not in shown
    assert "\\u0000" not in shown


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"domains": []}, InputError, "no domain"),
        ({"domains": ["acme"]}, InputError, "no whole name"),
        ({"domains": ["a..example"]}, InputError, "is no .*name"),
        ({"domains": ["acme.example", "ACME.example."]}, DuplicateError, "twice"),
        ({"names": {"imap": ["im ap.acme.example"]}}, InputError, "is no .*name"),
        ({"subscription": "a.b"}, InputError, "no name of a subscription"),
        ({"recorded": {"x MX": {}}}, InputError, "nothing that an earlier check"),
        ({"ttl": {"lowered_at": "yesterday"}}, InputError, "is no time"),
        ({"resolvers": ["ns1.acme.example"]}, InputError, "no address of a name server"),
    ],
)
def test_options_that_make_no_sense(
    servers: tuple[Knot, Knot], change: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        check({**options(servers[0], "acme.example"), **change})
