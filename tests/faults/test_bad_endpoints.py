# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Public ports that are not as they should be: every fault has its word, and none of them hangs or breaks the check."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import ConnectionLostError, ProtocolError
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints import mail, web
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.certificate import Served, judge
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.plan import MX, Plan, Try
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.run import Ways, try_all
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.talk import Talk
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.verdicts import MEANINGS, Found, Row
from ansible_collections.atmail.migration.plugins.module_utils.transport.nameserver import NameServer
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.endpoints import cases
from tests.faults.endpoints.cases import Case
from tests.faults.endpoints.chains import Chains
from tests.faults.endpoints.servers import Crowd, context, nobody

SECONDS = 2.0


class Findings:
    """All cases tried at once, as one customer's endpoints."""

    def __init__(self, chains: Chains, crowd: Crowd) -> None:
        tls = context(chains.file(chains.leaf([cases.HOST]), chains.middle))
        self.cases: Sequence[Case] = [
            *cases.without_tls(),
            *cases.versions(chains),
            *cases.certificates(chains),
            *cases.services(tls),
            *cases.exchangers(),
        ]
        self.ports = {one.name: crowd.serve(one.script, one.tls) if one.script else nobody() for one in self.cases}
        tries = [Try(one.host, one.host, one.service, self.ports[one.name], one.fingerprints) for one in self.cases]
        plan = Plan(
            tuple(one for one in tries if one.service != MX), (), tuple(one for one in tries if one.service == MX)
        )
        ways = Ways(
            timeout=SECONDS,
            mx_timeout=SECONDS,
            connections=48,
            ca_path=str(chains.roots),
            addresses={cases.HOST: "127.0.0.1"},
            recipients=(cases.OWN,),
            foreign=cases.FOREIGN,
        )
        began = time.monotonic()
        self.rows = try_all(plan, ways, datetime.now(UTC))
        self.seconds = time.monotonic() - began

    def of(self, name: str) -> list[Row]:
        return [row for row in self.rows if row.place.port == self.ports[name]]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    with Crowd() as crowd:
        yield Findings(Chains(Path(tmp_path_factory.mktemp("chains"))), crowd)


def wrong(rows: Sequence[Row]) -> Mapping[str, str]:
    return {
        row.found.check: row.found.verdict
        for row in rows
        if row.meaning.state != "ok" and row.found.verdict != "not_tried"
    }


def test_every_case_has_its_words(findings: Findings) -> None:
    told = {one.name: wrong(findings.of(one.name)) for one in findings.cases}
    expected = {one.name: dict(one.found) for one in findings.cases}
    assert len(expected) == len(findings.cases) >= 90
    differences = {name: (told[name], found) for name, found in expected.items() if told[name] != found}
    assert differences == {}


def test_what_one_check_leaves_open_is_not_ok(findings: Findings) -> None:
    open_ones = [row for row in findings.rows if row.found.verdict == "not_tried"]
    assert open_ones
    assert {row.meaning.state for row in open_ones} == {"unchecked"}


def test_it_never_waits_for_the_slow(findings: Findings) -> None:
    print(f"{len(findings.rows)} checks of {len(findings.cases)} ports in {findings.seconds:.1f} s")
    assert findings.seconds < 20 * SECONDS


def test_nothing_is_a_mistake_of_ours(findings: Findings) -> None:
    assert [row for row in findings.rows if row.found.verdict == "failed"] == []


FRAGMENTS = st.sampled_from(
    [
        *(
            b"* OK ready\r\n",
            b"* PREAUTH\r\n",
            b"* CAPABILITY IMAP4rev1\r\n",
            b"* CAPABILITY\r\n",
            b"a OK\r\n",
            b"a\r\n",
        ),
        *(
            b"+OK\r\n",
            b"-ERR\r\n",
            b"220 hi\r\n",
            b"250-a\r\n",
            b"250 AUTH\r\n",
            b"250 AUTH=PLAIN\r\n",
            b"250\r\n",
            b"25",
        ),
        *(
            b"550 5.7.1 no\r\n",
            b"451 later\r\n",
            b"421\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 401\r\n",
            b"DAV: 1\r\n",
        ),
        *(b"HTTP/1.1 100 Continue\r\n", b": :\r\n", b"\r\n", b"\n", b"\r", b"\0", b"\xff\xfe", b" "),
    ]
)
ASKED: Mapping[str, Callable[[Talk], Iterator[Found]]] = {
    "imap": mail.imap,
    "pop3": mail.pop3,
    "submission": lambda talk: mail.submission(talk, cases.OWN, cases.FOREIGN),
    "exchanger": lambda talk: mail.exchanger(talk, (cases.OWN,), cases.FOREIGN),
    "https": lambda talk: web.https(talk, cases.HOST),
    "dav": lambda talk: web.dav(talk, cases.HOST),
}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(ASKED)), st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12).map(b"".join))
def test_whatever_a_service_says_there_is_a_word_for_it(service: str, said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs, Talk(ours, time.monotonic() + SECONDS) as talk:
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        found: list[Found] = []
        with contextlib.suppress(ConnectionLostError, ProtocolError):
            found.extend(ASKED[service](talk))
    assert all(one.verdict in MEANINGS[one.check] for one in found)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    chains = Chains(Path(tmp_path_factory.mktemp("good")))
    return chains.leaf([cases.HOST, "*.acme.example"]).certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4), st.sampled_from([None, 0, 10, 20]))
def test_whatever_a_certificate_says_there_is_a_word_for_it(
    good: bytes, changes: Sequence[tuple[int, int]], code: int | None
) -> None:
    changed = bytearray(good)
    for place, value in changes:
        changed[place % len(changed)] = value
    served = Served(bytes(changed), (bytes(changed), good, bytes(changed)), code, "said", ("0" * 64,))
    for one in judge(served, cases.HOST, datetime.now(UTC), timedelta(days=21)):
        assert one.verdict in MEANINGS[one.check]


def test_a_certificate_of_no_known_version_is_unreadable(good: bytes) -> None:
    version = b"\xa0\x03\x02\x01"
    served = Served(good.replace(version + b"\x02", version + b"\x1c", 1))
    found = {one.check: one.verdict for one in judge(served, cases.HOST, datetime.now(UTC), timedelta(days=21))}
    assert found == {"chain": "unreadable", "trust": "not_tried", "names": "not_tried", "dates": "not_tried"}


def test_nothing_is_left_open_when_no_domain_is_asked_about() -> None:
    with Crowd() as crowd:
        tries = (Try(cases.HOST, cases.HOST, MX, crowd.serve(cases.mx())),)
        ways = Ways(timeout=SECONDS, addresses={cases.HOST: "127.0.0.1"}, foreign=cases.FOREIGN)
        rows = try_all(Plan((), (), tries), ways, datetime.now(UTC))
    assert {row.found.check for row in rows} == {"name", "mx", "starttls", "users", "relay"}
    assert {row.meaning.state for row in rows} == {"ok"}


def test_a_resolver_that_says_nothing_is_told_of() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.bind(("127.0.0.1", 0))
        known = NameServer("127.0.0.1", port=resolver.getsockname()[1], resolver=True)
        tries = (Try(cases.HOST, cases.HOST, "imaps", 993),)
        rows = try_all(Plan(tries, (), ()), Ways(timeout=0.5, resolvers=(known,)), datetime.now(UTC))
    assert [(row.found.check, row.found.verdict) for row in rows] == [("name", "silent")]
