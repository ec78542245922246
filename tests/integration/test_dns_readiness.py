# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a customer's DNS against a real name server that serves every broken set-up there is."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.atmail.migration.plugins.module_utils.dns.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.dns.readiness import readiness

from tests.lab.knot import Knot, Zone
from tests.lab.signing import signed

from .dns_cases import AROUND, CASES, DKIM, GOOD, TODAY, Case

Result = dict[str, Any]
NOW = datetime.now(UTC)
_OTHER_DS = f"4711 13 2 {'ab' * 32}"


def _zone(case: Case) -> str:
    return f"c{CASES.index(case)}.example"


def _zones() -> dict[str, Zone]:
    zones = {name: Zone(lines) for name, lines in AROUND.items()}
    parent: list[str] = []
    for case in CASES:
        name = _zone(case)
        slots = {**GOOD, **case.changes}
        lines = [line for slot in slots.values() for line in slot]
        if "ns" in case.changes:
            lines += ["@ NS ns1", "ns1 A 127.0.0.1"]
        zones[name] = Zone(lines)
        label = name.partition(".")[0]
        parent += [f"{label} NS ns1.{label}", f"ns1.{label} A 127.0.0.1"]
        if case.ds:
            made = signed(name, lines, ends=case.ends, without=case.without)
            if case.ds != "unsigned":
                zones[name] = made.zone
            parent.append(f"{label} DS {_OTHER_DS if case.ds == 'other' else made.ds}")
    good = [line for slot in GOOD.values() for line in slot]
    today = [line for slot in TODAY.values() for line in slot]
    made = signed("good.example", good)
    parent += ["good NS ns1.good", "ns1.good A 127.0.0.1", f"good DS {made.ds}"]
    return {
        **zones,
        "example": Zone(parent),
        "good.example": made.zone,
        "today.example": Zone(today),
        "xn--bcher-kva.example": Zone(good),
    }


@pytest.fixture(scope="module")
def knot() -> Iterator[Knot]:
    with Knot.temporary(_zones()) as server:
        yield server


def valid(params: dict[str, Any]) -> dict[str, Any]:
    """The options as the module gets them."""
    found = ArgumentSpecValidator(OPTIONS).validate(params)
    assert not found.error_messages
    validated: dict[str, Any] = found.validated_parameters
    return validated


def options(knot: Knot, zone: str, stage: str = "after", **more: Any) -> dict[str, Any]:
    """The options for a zone that has a name for each service and one DKIM key."""
    return {
        "customer": "acme",
        "region": "eu",
        "subscription": "acme",
        "domains": [zone],
        "stage": stage,
        "names": {service: [f"{service}.{zone}"] for service in ("webmail", "imap", "smtp", "admin")},
        "dkim": [{"name": f"s1._domainkey.{zone}", "value": DKIM}],
        "ttl": {"lowered_at": (NOW - timedelta(hours=25)).isoformat()},
        "resolvers": [f"127.0.0.1:{knot.port}"],
        "port": knot.port,
        "timeout": 1.0,
        **more,
    }


def check(params: dict[str, Any], now: datetime = NOW) -> Result:
    return readiness(valid(copy.deepcopy(params)), now)


def rows(result: Result, zone: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The rows that are not ok by check and name below the zone."""
    return {
        (row["check"], row["name"].removesuffix(zone).rstrip(".") or "@"): (row["state"], row["verdict"])
        for row in result["checks"]
        if row["state"] not in {"ok", "pending"}
    }


def test_there_are_enough_set_ups() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_set_up_gets_its_verdict_and_no_other(knot: Knot, case: Case) -> None:
    zone = _zone(case)
    more = json.loads(json.dumps(dict(case.options)).replace("ZONE", zone))
    result = check(options(knot, zone, case.stage, **more))
    found = rows(result, zone)
    assert set(found) == {(test, name.rstrip(".")) for test, name in case.expected}
    for (test, name), (state, words) in case.expected.items():
        assert found[test, name.rstrip(".")][0] == state
        assert re.search(words, found[test, name.rstrip(".")][1]), found[test, name.rstrip(".")][1]
    stopping = {row["check"] for row in result["checks"] if row["stops"]}
    optional = {"srv", "autoconfig"}
    assert stopping == {
        test for (test, _name), (state, _words) in case.expected.items() if state != "warning" and test not in optional
    }
    assert result["ready"] is not bool(stopping)


@pytest.mark.parametrize("zone", ["good.example", "bücher.example"])
def test_a_good_set_up_is_ready(knot: Knot, zone: str) -> None:
    result = check(options(knot, zone))
    assert [row for row in result["checks"] if row["state"] != "ok"] == []
    assert result["ready"]
    assert result["records"] == []
    assert result["zone_lines"] == ""
    assert result["changed"] is False


def test_before_the_cut_over_everything_may_be_at_the_old_server(knot: Knot) -> None:
    result = check(options(knot, "today.example", "before"))
    assert result["ready"], result["open"]
    pending = {(row["check"], row["name"]) for row in result["checks"] if row["state"] == "pending"}
    assert pending == {
        ("mx", "today.example"),
        *(("name", f"{service}.today.example") for service in ("webmail", "imap", "smtp", "admin")),
    }
    assert {record["when"] for record in result["records"]} == {"cut_over"}
    lines = result["zone_lines"].splitlines()
    assert "today.example. 300 IN MX 10 mx1-eu.atmailcloud.com." in lines
    assert "webmail.today.example. 300 IN CNAME acme.atmailcloud.com." in lines
    assert "; remove: admin.today.example. AAAA" in lines
    assert set(result["recorded"]) == {
        "today.example MX",
        "webmail.today.example A",
        "imap.today.example CNAME",
        "smtp.today.example CNAME",
        "admin.today.example A",
        "admin.today.example AAAA",
    }
