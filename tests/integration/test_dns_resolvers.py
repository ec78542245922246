# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real resolver makes of a zone: it remembers old records, and gives out none that it can't verify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.lab.knot import Knot, Zone
from tests.lab.signing import signed
from tests.lab.unbound import Unbound

from .dns_cases import AROUND, GOOD, TODAY
from .test_dns_readiness import check, options

_GOOD = [line for slot in GOOD.values() for line in slot]
_TODAY = [line for slot in TODAY.values() for line in slot]


@dataclass(frozen=True)
class Served:
    """The name server, and the DS record that a resolver has to trust."""

    knot: Knot
    anchor: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    good = signed("good.example", _GOOD)
    bad = signed("bad.example", _GOOD, ends=timedelta(days=-1))
    delegations = [
        line
        for name, made in (("good", good), ("bad", bad))
        for line in (f"{name} NS ns1.{name}", f"ns1.{name} A 127.0.0.1", f"{name} DS {made.ds}")
    ]
    parent = signed("example", delegations)
    zones = {name: Zone(lines) for name, lines in AROUND.items()}
    with Knot.temporary(
        {**zones, "example": parent.zone, "good.example": good.zone, "bad.example": bad.zone, "acme.test": Zone(_TODAY)}
    ) as server:
        yield Served(server, f"example. DS {parent.ds}")


@pytest.fixture
def knot(served: Served) -> Knot:
    return served.knot


@pytest.fixture
def unbound(served: Served) -> Iterator[Unbound]:
    zones = dict.fromkeys(served.knot.zones, (served.knot.address, served.knot.port))
    with Unbound.temporary(zones, [served.anchor]) as server:
        yield server


def _rows(knot: Knot, unbound: Unbound, zone: str, stage: str = "after", **more: Any) -> dict[str, dict[str, Any]]:
    params = options(knot, zone, stage, resolvers=[f"127.0.0.1:{unbound.port}"], **more)
    return {row["check"]: row for row in check(params)["checks"] if zone in row["name"]}


def test_a_zone_that_can_be_verified(knot: Knot, unbound: Unbound) -> None:
    rows = _rows(knot, unbound, "good.example")
    assert {row["state"] for row in rows.values()} == {"ok"}
    assert rows["dnssec"]["verdict"] == "its signatures are right"


def test_a_zone_that_cannot_be_verified_is_found_and_explained_all_the_same(knot: Knot, unbound: Unbound) -> None:
    rows = _rows(knot, unbound, "bad.example")
    assert rows["dnssec"]["state"] == "wrong"
    assert "ended at" in rows["dnssec"]["verdict"]
    assert rows["mx"]["state"] == "wrong"
    assert f"resolver 127.0.0.1 port {unbound.port}: fails (SERVFAIL)" in rows["mx"]["verdict"]
    assert rows["servers"]["state"] == "ok"


def test_a_resolver_that_remembers_the_old_record_is_named(knot: Knot, unbound: Unbound) -> None:
    slow = [line.replace("@ MX", "@ 3600 MX") for line in _TODAY]
    knot.publish("acme.test", Zone(slow))
    first = _rows(knot, unbound, "acme.test", "before", names={})
    assert first["ttl"]["state"] == "wrong"
    knot.publish("acme.test", Zone(_TODAY))
    before = _rows(knot, unbound, "acme.test", "before", names={})["ttl"]
    assert before["state"] == "wrong"
    assert before["verdict"].startswith("resolver ")
    assert "s more" in before["verdict"]
    knot.publish("acme.test", Zone(_GOOD))
    after = _rows(knot, unbound, "acme.test", names={})["mx"]
    assert after["state"] == "wrong"
    assert after["verdict"].startswith("resolver ")
    assert "mail still goes to mail.acme.test" in after["verdict"]
