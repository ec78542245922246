# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to real name servers, and to addresses where none is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import DnsError, InputError
from ansible_collections.atmail.migration.plugins.module_utils.transport.nameserver import (
    Asker,
    NameServer,
    parse_server,
    zone_servers,
)

from tests.lab.knot import Knot, Zone

_LONG = "x" * 250
_ZONE = Zone(
    [
        "@ NS ns1",
        "@ NS ns2",
        "@ NS ns3",
        "ns1 A 127.0.0.1",
        "ns2 A 127.0.0.2",
        "@ 600 MX 20 MX2.acme.example.",
        "@ 600 MX 10 mx1",
        "www 60 CNAME web",
        "web 120 A 192.0.2.1",
        "away CNAME elsewhere.test.",
        'txt TXT "v=DKIM1; k=rsa; " "p=abc"',
        'odd TXT "\\195\\169 \\"{{ x }}\\" \\000"',
        *(f'long TXT "{number} {_LONG}"' for number in range(20)),
    ]
)


@pytest.fixture(scope="module")
def knot() -> Iterator[Knot]:
    with Knot.temporary({"acme.example": _ZONE, "broken.example": Zone(["@ CNAME other.test.", "@ MX 1 x"])}) as made:
        yield made


@pytest.fixture
def asker() -> Iterator[Asker]:
    with Asker(timeout=2.0) as made:
        yield made


@pytest.fixture
def server(knot: Knot) -> NameServer:
    return NameServer("127.0.0.1", port=knot.port)


def test_values_are_sorted_and_names_are_whole_and_small(asker: Asker, server: NameServer) -> None:
    told = asker.ask(server, "ACME.example.", "MX")
    assert (told.status, told.ttl, told.authoritative) == ("found", 600, True)
    assert told.values == ("10 mx1.acme.example.", "20 mx2.acme.example.")


def test_an_alias_is_followed_as_far_as_the_server_knows(asker: Asker, server: NameServer) -> None:
    told = asker.ask(server, "www.acme.example", "A")
    assert (told.values, told.aliases, told.ttl) == (("192.0.2.1",), ("web.acme.example",), 60)
    told = asker.ask(server, "away.acme.example", "A")
    assert (told.status, told.values, told.aliases) == ("nothing", (), ("elsewhere.test",))
    assert asker.ask(server, "www.acme.example", "CNAME").values == ("web.acme.example.",)


def test_texts_are_whole_whatever_they_hold(asker: Asker, server: NameServer) -> None:
    assert asker.ask(server, "txt.acme.example", "TXT").texts == (b"v=DKIM1; k=rsa; p=abc",)
    assert asker.ask(server, "odd.acme.example", "TXT").texts == (b'\xc3\xa9 "{{ x }}" \0',)


def test_an_answer_that_is_too_long_for_a_packet_comes_whole(asker: Asker, server: NameServer) -> None:
    assert len(asker.ask(server, "long.acme.example", "TXT").texts) == 20


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("acme.example", "AAAA", "nothing"),
        ("none.acme.example", "A", "no_name"),
        ("other.test", "A", "refused"),
        ("broken.example", "MX", "failed"),
    ],
)
def test_what_is_not_there_is_no_error(asker: Asker, server: NameServer, name: str, kind: str, status: str) -> None:
    assert asker.ask(server, name, kind).status == status


def test_a_silent_server_is_a_finding(asker: Asker) -> None:
    told = asker.ask(NameServer("127.0.0.1", port=1), "acme.example", "MX")
    assert (told.status, told.answered) == ("silent", False)
    assert told.reason


def test_the_servers_of_a_zone_are_found(asker: Asker, server: NameServer, knot: Knot) -> None:
    found = zone_servers(asker, [server], "deep.www.acme.example", knot.port)
    assert found.zone == "acme.example"
    assert found.servers == (
        NameServer("127.0.0.1", "ns1.acme.example", knot.port),
        NameServer("127.0.0.2", "ns2.acme.example", knot.port),
    )
    assert found.problems == ("ns3.acme.example",)


def test_a_zone_that_nobody_serves_is_not_guessed(asker: Asker, server: NameServer) -> None:
    with pytest.raises(DnsError, match="does not say what zone"):
        zone_servers(asker, [server], "other.test")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_an_address_may_have_a_port(text: str, expected: tuple[str, int]) -> None:
    server = parse_server(text)
    assert (server.address, server.port) == expected


@pytest.mark.parametrize("text", ["", "ns1.acme.example", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:99999", "[::1]:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no address of a name server"):
        parse_server(text)


def test_a_name_that_is_too_long_is_refused(asker: Asker, server: NameServer) -> None:
    with pytest.raises(InputError, match="is no name"):
        asker.ask(server, f"{'a' * 64}.example", "A")
