# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is tried where, which options are refused, and how results read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints import options, pages
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.info import endpoints
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.plan import (
    CLOSED,
    OPEN,
    PORTS,
    Cloud,
    PublicName,
    covering,
    plan,
)
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.run import Ways, try_all
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.verdicts import (
    MEANINGS,
    STATES,
    WANTED,
    Found,
    Place,
    Row,
    worst,
)

CHECKOUT = Path(__file__).resolve().parents[3]
CLOUD = Cloud("eu", "acme")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def params(**given: Any) -> dict[str, Any]:
    """The options as Ansible gives them."""
    found = {name: option.get("default") for name, option in options.OPTIONS.items()}
    return {**found, "customer": "acme", "region": "eu", "subscription": "acme", "ports": dict(PORTS), **given}


def test_the_cloud_has_a_name_for_every_service() -> None:
    found = plan(CLOUD.names(), CLOUD.exchangers(), CLOUD, PORTS, "cloud")
    assert {(one.name, one.at, one.port) for one in found.open} == {
        ("acme.atmailcloud.com", "acme.atmailcloud.com", 443),
        ("acme.atmailcloud.com", "acme.atmailcloud.com", 8443),
        ("imap-eu.atmailcloud.com", "imap-eu.atmailcloud.com", 993),
        ("imap-eu.atmailcloud.com", "imap-eu.atmailcloud.com", 995),
        ("smtp-eu.atmailcloud.com", "smtp-eu.atmailcloud.com", 465),
    }
    assert [one.name for one in found.mx] == ["mx1-eu.atmailcloud.com", "mx2-eu.atmailcloud.com"]
    hosts = ("acme.atmailcloud.com", "imap-eu.atmailcloud.com", "smtp-eu.atmailcloud.com")
    assert {(one.name, one.port) for one in found.closed} == {
        (host, port) for host in hosts for port in CLOSED.values()
    }


def test_an_own_name_is_sought_where_the_cloud_is_or_where_it_leads() -> None:
    own = [PublicName("mail.acme.example")]
    assert {one.service: one.at for one in plan(own, [], CLOUD, PORTS, "cloud").open} == {
        "https": "acme.atmailcloud.com",
        "dav": "acme.atmailcloud.com",
        "imaps": "imap-eu.atmailcloud.com",
        "pop3s": "imap-eu.atmailcloud.com",
        "smtps": "smtp-eu.atmailcloud.com",
    }
    assert {one.at for one in plan(own, [], CLOUD, PORTS, "dns").open} == {"mail.acme.example"}
    assert {one.at for one in plan(own, [], Cloud(), PORTS, "cloud").open} == {"mail.acme.example"}


def test_a_port_of_zero_is_left_out() -> None:
    ports = {**dict.fromkeys(PORTS, 0), "imaps": 993}
    found = plan(CLOUD.names(), CLOUD.exchangers(), CLOUD, ports, "cloud")
    assert ([one.service for one in found.open], found.closed, found.mx) == (["imaps"], (), ())


def test_every_name_needs_a_certificate() -> None:
    names = [
        PublicName(each) for each in ("imap-eu.atmailcloud.com", "a.b.atmailcloud.com", "mail.acme.example", "x.y")
    ]
    bundles = [("acme.pem", ["*.acme.example"]), ("other.pem", ["mail.acme.example"])]
    assert [(each, found.verdict, found.seen) for each, found in covering(names, CLOUD, bundles)] == [
        ("imap-eu.atmailcloud.com", "planned", "*.atmailcloud.com"),
        ("a.b.atmailcloud.com", "unplanned", "no certificate is listed for it"),
        ("mail.acme.example", "planned", "acme.pem, other.pem"),
        ("x.y", "unplanned", "no certificate is listed for it"),
    ]


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"names": {"all": ["no host"]}}, "names.all"),
        ({"names": {"imap": ["*.acme.example"]}}, "names.imap"),
        ({"names": {"smtp": ["mail.acme.example\r\nEHLO"]}}, "names.smtp"),
        ({"names": {"dav": ["a\0b.example"]}}, "names.dav"),
        ({"names": {"pop": ["192.0.2.1"]}}, "names.pop"),
        ({"names": {"gopher": ["mail.acme.example"]}}, "names"),
        ({"fingerprints": {"mail.acme.example": "12:34"}}, "fingerprints"),
        ({"cloud_names": False}, "names"),
        ({"region": None, "subscription": None}, "names"),
        ({"region": "e u"}, "region"),
        ({"subscription": "-"}, "subscription"),
        ({"cloud_domain": ""}, "cloud_domain"),
        ({"exchangers": ["mx 1"]}, "exchangers"),
        ({"domains": ["acme@example"]}, "domains"),
        ({"recipients": ["ann@acme.example>\r\nDATA"]}, "recipients"),
        ({"recipients": ["ann"]}, "recipients"),
        ({"recipients": ["änn@acme.example"]}, "recipients"),
        ({"foreign": "<joe@far.example>"}, "foreign"),
        ({"ports": {"imaps": 65536}}, "ports.imaps"),
        ({"ports": {"imaps": -1}}, "ports.imaps"),
        ({"ports": {"gopher": 70}}, "ports"),
        ({"addresses": {"mail.acme.example": "localhost"}}, "addresses"),
        ({"addresses": {"*": "127.0.0.1"}}, "addresses"),
        ({"resolvers": ["dns.example"]}, "resolvers"),
        ({"timeout": 0.0}, "timeout"),
        ({"timeout": 301.0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"mx_timeout": 0.0}, "mx_timeout"),
        ({"connections": 0}, "connections"),
        ({"connections": 65}, "connections"),
        ({"warn_days": -1}, "warn_days"),
        ({"ca_path": "/nowhere/roots.pem"}, "ca_path"),
        ({"certificates": [{"file": "a.pem", "names": ["no host"]}]}, "names"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_tried(given: dict[str, Any], option: str) -> None:
    with pytest.raises(InputError) as caught:
        endpoints(params(**given), NOW)
    assert caught.value.where["option"] == option
    assert caught.value.where["customer"] == "acme"


def test_names_and_addresses_come_in_their_plain_form() -> None:
    given = params(
        names={"all": ["Mail.Bücher.Example."], "imap": ["mail.bücher.example"]},
        fingerprints={"mail.BÜCHER.example": "AB:" * 31 + "AB"},
        domains=["BÜCHER.example", "acme.example"],
        recipients=["Ann.O'Neil+x@acme.example"],
        addresses={"Mail.Bücher.example": "2001:0db8::0001"},
    )
    names = options.public_names(given, options.cloud(given))
    assert len(names) == 4
    assert names[-1].name == "mail.xn--bcher-kva.example"
    assert set(names[-1].services) == set(OPEN)
    assert names[-1].fingerprints == ("ab" * 32,)
    ways = options.ways(given)
    assert ways.recipients == ("Ann.O'Neil+x@acme.example", "postmaster@xn--bcher-kva.example")
    assert ways.addresses == {"mail.xn--bcher-kva.example": "2001:db8::1"}


def test_a_name_that_does_not_resolve_is_told_of_that_name() -> None:
    own = [PublicName("nothing.invalid", ("imaps",))]
    rows = try_all(plan(own, [], Cloud(), PORTS, "dns"), Ways(timeout=5), NOW)
    assert [(row.place.name, row.found.check) for row in rows] == [("nothing.invalid", "name")]
    assert rows[0].meaning.state in {"wrong", "unchecked"}


def _rows(*found: Found) -> list[Row]:
    return [Row(Place("mail.acme.example", "192.0.2.1", "imaps", 993), one) for one in found]


def test_what_is_not_known_is_not_ready() -> None:
    assert pages.ready(_rows(Found("port", "open"), Found("starttls", "not_offered")))
    assert not pages.ready(_rows(Found("port", "open"), Found("tls_1_0", "silent")))
    assert not pages.ready(_rows(Found("port", "closed")))
    optional = Row(Place("mx", "", "mx", 25), Found("mx", "silent"), optional=True)
    assert pages.ready([optional])
    assert (optional.as_dict()["stops"], optional.as_dict()["state"]) == (False, "unchecked")
    assert pages.headline("acme", [optional]) == "acme: the endpoints are ready for the cut-over (1 unchecked, 0 ok)"
    assert worst(["ok", "wrong", "unchecked"]) == "wrong"
    assert worst([]) == "ok"


def test_a_servers_words_are_never_markup() -> None:
    evil = "<b>|`x`</b> {{ 1 + 1 }} \x1b[31m\r\n# head"
    rows = _rows(Found("protocol", "wrong_protocol", evil), Found("names", "other_name", evil))
    shown = "\n".join(pages.table(evil, rows))
    assert "\x1b" not in shown
    assert "\r" not in shown
    page = pages.markdown(evil, rows, NOW)
    assert "<b>" not in page
    assert len(page.splitlines()) == 6 + len(rows)
    assert "<b>" not in pages.html_page(evil, rows, NOW)


def test_the_table_says_what_to_do_about_what_is_not_ok() -> None:
    rows = _rows(Found("port", "open"), Found("dates", "expired", "on 2026-01-01"), Found("served", "not_tried"))
    lines = pages.table("acme", rows)
    assert lines[0] == "acme: the endpoints are not ready for the cut-over (1 wrong, 1 unchecked, 1 ok)"
    assert lines[3].split("  ")[0] == "wrong"
    assert lines[4].strip() == "dates expired: on 2026-01-01"
    assert lines[5].strip() == MEANINGS["dates"]["expired"].next
    assert len(lines) == 6
    good = _rows(Found("port", "open"), Found("dates", "valid", "until 2027-01-01, 39 days"))
    assert pages.table("acme", good)[-1].endswith("as it should be, certificate until 2027-01-01, 39 days")
    assert pages.open_rows("acme", good) == ["acme: the endpoints are ready for the cut-over (2 checks)"]


def test_every_check_has_words_and_every_word_says_what_to_do() -> None:
    assert set(MEANINGS) == set(WANTED)
    for check, words in MEANINGS.items():
        assert any(meaning.state == "ok" for meaning in words.values()), check
        for verdict, meaning in words.items():
            assert re.fullmatch(r"[a-z_]+", verdict)
            assert meaning.state in STATES
            assert bool(meaning.next) is (meaning.state != "ok"), (check, verdict)


def test_the_page_lists_every_check_and_every_verdict() -> None:
    page = (CHECKOUT / "docs" / "endpoints.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_0-9`, ]+)` \| (.*) \|$", page, re.MULTILINE))
    told = {check: set(re.findall(r"`(\w+)`", text)) for names, text in rows.items() for check in names.split("`, `")}
    assert told == {check: set(words) - {"not_tried", "failed"} for check, words in MEANINGS.items()}
