# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Public ports that are not as they should be: every fault has its word, and none of them hangs or breaks the check."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.plan import MX, Plan, Try
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.run import Ways, try_all
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.verdicts import Row

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
        tries = [Try(one.host, one.host, one.service, self.ports[one.name], one.fingerprint) for one in self.cases]
        plan = Plan(
            tuple(one for one in tries if one.service != MX), (), tuple(one for one in tries if one.service == MX)
        )
        ways = Ways(
            timeout=SECONDS,
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
