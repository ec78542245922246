# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""endpoint_info against a whole region: HAProxy in front of Dovecot and Exim, and the mail exchanger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.integration.settings_lab import run_module
from tests.lab import ports
from tests.lab.lab import Lab
from tests.lab.region import Region
from tests.lab.state import RegionOptions

CLOUD = "atmailcloud.example"
OWN = ("mail.acme.example", "webmail.acme.example")
CLOSED = ("smtp", "pop3", "imap", "submission")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.temporary(sites=(), region_options={"eu": RegionOptions(submission=True, edge=True)}) as lab:
        region = lab.region("eu")
        region.add_account("ann@acme.example", "a secret")
        region.edge.stop()
        region.edge.offer("acme", lab.authority.issue("acme", OWN), OWN)
        region.edge.offer("old", lab.authority.issue("old", ("old.acme.example",), expired=True), ["old.acme.example"])
        region.edge.start()
        yield lab


@pytest.fixture(scope="module")
def closed(lab: Lab) -> dict[str, int]:
    """Ports that nobody listens on."""
    return dict(zip(CLOSED, ports.claim(lab.directory, len(CLOSED)), strict=True))


def _options(
    lab: Lab, region: Region, closed: dict[str, int], names: Sequence[str] = OWN, **more: Any
) -> dict[str, Any]:
    cloud = [f"{host}.{CLOUD}" for host in ("imap-eu", "smtp-eu", "mx1-eu", "mx2-eu", "acme")]
    return {
        "customer": "acme",
        "region": "eu",
        "subscription": "acme",
        "cloud_domain": CLOUD,
        "names": [{"name": name} for name in names],
        "domains": ["acme.example"],
        "recipients": ["ann@acme.example"],
        "ports": {**region.edge.setup.ports, **closed, "mx": region.state.ports["smtp"]},
        "addresses": dict.fromkeys([*cloud, *names], "127.0.0.1"),
        "ca_path": str(lab.authority.ca_file),
        "timeout": 5,
        **more,
    }


def not_ok(result: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """Name, service, check and verdict of all that is not as it should be."""
    return {
        (row["name"], row["service"], row["check"], row["verdict"])
        for row in result["checks"]
        if row["state"] != "ok" and row["verdict"] != "not_tried"
    }


def test_a_region_as_it_should_be(lab: Lab, closed: dict[str, int]) -> None:
    bundles = [{"file": "/etc/migration/acme.pem", "names": ["mail.acme.example", "*.acme.example"]}]
    outcome = run_module("endpoint_info", _options(lab, lab.region("eu"), closed, certificates=bundles))
    result = outcome.result
    assert not_ok(result) == set()
    assert outcome.changed is False
    assert result["ready"] is True
    assert result["summary"] == {"ok": len(result["checks"]), "warning": 0, "unchecked": 0, "wrong": 0}
    seen = {(row["name"], row["service"]) for row in result["checks"] if row["check"] == "tls_1_3"}
    assert {service for name, service in seen if name == "mail.acme.example"} == set(region_ports(lab))
    assert ("imap-eu.atmailcloud.example", "imaps") in seen
    assert ("acme.atmailcloud.example", "dav") in seen
    refused = next(row for row in result["checks"] if (row["service"], row["check"]) == ("smtps", "authentication"))
    assert "authentication required" in refused["seen"]
    taken = [row["seen"] for row in result["checks"] if row["check"] == "accepts"]
    assert taken == ["<ann@acme.example>: 250 Accepted"] * 2
    assert result["table"][0] == result["headline"]
    assert result["open"] == [result["headline"]]
    assert lab.region("eu").submission.said().count("<=") == lab.region("eu").mx.said().count("<=") == 0


def region_ports(lab: Lab) -> dict[str, int]:
    return dict(lab.region("eu").edge.setup.ports)
