# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""endpoint_info against a whole region: HAProxy before Dovecot and Exim, and the mail exchanger; and the phase."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.integration.playbook_runs import BIN, Run
from tests.integration.settings_lab import run_here, run_module
from tests.lab import ports
from tests.lab.knot import Knot, Zone
from tests.lab.lab import Lab
from tests.lab.region import Region
from tests.lab.state import RegionOptions, SiteOptions

CLOUD = "atmailcloud.example"
OWN = ("mail.acme.example", "webmail.acme.example")
CLOSED = ("smtp", "pop3", "imap", "submission")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    # The site is one of those that speak TLS 1.0 and nothing newer.
    with Lab.temporary(
        site_options={"acme": SiteOptions(old_tls=True)},
        region_options={"eu": RegionOptions(submission=True, edge=True)},
    ) as lab:
        region = lab.region("eu")
        for address in ("ann@acme.example", "bob@globex.example"):
            region.add_account(address, "a secret")
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
        "names": {"all": list(names)},
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
    assert result["summary"] == {"ok": len(result["checks"]), "warning": 0, "unchecked": 0, "wrong": 0, "stopping": 0}
    seen = {(row["name"], row["service"]) for row in result["checks"] if row["check"] == "tls_1_3"}
    assert {service for name, service in seen if name == "mail.acme.example"} == set(lab.region("eu").edge.setup.ports)
    assert ("imap-eu.atmailcloud.example", "imaps") in seen
    assert ("acme.atmailcloud.example", "dav") in seen
    refused = next(row for row in result["checks"] if (row["service"], row["check"]) == ("smtps", "authentication"))
    assert "authentication required" in refused["seen"]
    taken = [row["seen"] for row in result["checks"] if row["check"] == "accepts"]
    assert taken == ["<ann@acme.example>: 250 Accepted"] * 2
    assert result["table"][0] == result["headline"]
    assert result["open"] == [result["headline"]]
    log = lab.region("eu").dovecot.log.read_text()
    assert ("no auth attempts" in log, "auth failed" in log, "Login: user" in log) == (True, False, False)
    assert lab.region("eu").submission.said().count("<=") == lab.region("eu").mx.said().count("<=") == 0


def test_certificates_by_name(lab: Lab, closed: dict[str, int]) -> None:
    region = lab.region("eu")
    names = ["old.acme.example", "other.acme.example"]
    services = {"https": region.edge.setup.ports["https"]}
    ports = {**dict.fromkeys([*region.edge.setup.ports, *closed, "mx"], 0), **services}
    bundles = [{"file": "acme.pem", "names": ["old.acme.example"]}]
    more = {"ports": ports, "cloud_names": False, "certificates": bundles}
    result = run_here("endpoint_info", _options(lab, region, closed, names, **more)).result
    assert not_ok(result) == {
        ("old.acme.example", "https", "dates", "expired"),
        ("other.acme.example", "", "plan", "unplanned"),
        ("other.acme.example", "https", "names", "other_name"),
    }
    assert result["ready"] is False
    seen = {row["name"]: row["seen"] for row in result["checks"] if row["check"] == "names"}
    assert seen["other.acme.example"] == "*.atmailcloud.example, localhost, 127.0.0.1"


def _only(lab: Lab, closed: dict[str, int], **ports: int) -> dict[str, Any]:
    """Options for some ports alone."""
    everything = [*lab.region("eu").edge.setup.ports, *closed, "mx"]
    return _options(lab, lab.region("eu"), closed, [], ports={**dict.fromkeys(everything, 0), **ports})


def test_ports_that_should_be_closed(lab: Lab, closed: dict[str, int]) -> None:
    region = lab.region("eu")
    wanted = {"imap": region.state.ports["imap"], "submission": region.state.ports["submission"]}
    result = run_here("endpoint_info", _only(lab, closed, **{**closed, **wanted})).result
    hosts = (f"{host}.{CLOUD}" for host in ("acme", "imap-eu", "smtp-eu"))
    assert not_ok(result) == {(host, service, "closed", "open") for host in hosts for service in wanted}


def test_an_exchanger_that_knows_other_domains(lab: Lab, closed: dict[str, int]) -> None:
    options = _only(lab, closed, mx=lab.region("eu").state.ports["smtp"])
    options["optional"] = ["accepts"]
    more = {"domains": ["initech.example"], "recipients": [], "foreign": "ann@acme.example"}
    result = run_here("endpoint_info", {**options, **more}).result
    hosts = [f"{host}.{CLOUD}" for host in ("mx1-eu", "mx2-eu")]
    assert not_ok(result) == {
        *((host, "mx", "accepts", "refused") for host in hosts),
        *((host, "mx", "relay", "relays") for host in hosts),
    }
    assert {row["stops"] for row in result["checks"] if row["check"] == "accepts"} == {False}
    said = [row["seen"] for row in result["checks"] if row["check"] == "accepts"]
    assert said == ["<postmaster@initech.example>: 550 relaying is not permitted"] * 2


def test_servers_without_a_load_balancer(lab: Lab, closed: dict[str, int]) -> None:
    region = lab.region("eu")
    wanted = {name: region.state.ports[name] for name in ("imaps", "pop3s", "smtps")}
    result = run_here("endpoint_info", _only(lab, closed, **wanted)).result
    assert {(service, check, verdict) for _name, service, check, verdict in not_ok(result)} == {
        (service, "names", "other_name") for service in wanted
    }


def test_a_server_of_old(lab: Lab, closed: dict[str, int]) -> None:
    site = lab.site("acme")
    result = run_here("endpoint_info", _only(lab, closed, imaps=site.state.ports["imaps"])).result
    assert {(check, verdict) for _name, _service, check, verdict in not_ok(result)} == {
        ("tls_1_0", "accepted"),
        ("tls_1_2", "refused"),
        ("tls_1_3", "refused"),
        ("protocol", "no_tls"),
    }


def test_services_that_are_not_there(lab: Lab, closed: dict[str, int]) -> None:
    region = lab.region("eu")
    region.submission.kill()
    try:
        wanted = {"smtps": region.edge.setup.ports["smtps"], "imaps": closed["imap"]}
        result = run_here("endpoint_info", _only(lab, closed, **wanted)).result
    finally:
        region.submission.start()
    assert not_ok(result) == {
        ("imap-eu.atmailcloud.example", "imaps", "port", "closed"),
        ("smtp-eu.atmailcloud.example", "smtps", "protocol", "closed_early"),
    }


def test_names_lead_where_the_resolvers_say(lab: Lab, closed: dict[str, int]) -> None:
    region = lab.region("eu")
    options = _options(lab, region, closed, [], addresses={}, cloud_names=False, where="dns", exchangers=[])
    # the last one is an address that no machine has a way to
    addresses = ("A 127.0.0.1", "A 127.0.0.2", "A 255.255.255.255")
    zone = Zone(["mail 300 CNAME edge", *(f"edge 300 {each}" for each in addresses), "text 300 TXT nothing"])
    with Knot.temporary({"acme.example": zone}) as knot:
        more = {
            "resolvers": [f"{knot.address}:{knot.port}"],
            "names": {"imap": ["mail.acme.example", "text.acme.example"]},
        }
        result = run_here("endpoint_info", {**options, **more}).result
    found = {(row["name"], row["check"], row["verdict"]) for row in result["checks"] if not row["service"]}
    assert ("mail.acme.example", "name", "found") in found
    assert ("mail.acme.example", "name", "out_of_reach") in found
    assert ("text.acme.example", "name", "unknown_name") in found
    tried = {row["address"] for row in result["checks"] if row["check"] == "protocol" and row["verdict"] == "right"}
    assert tried == {"127.0.0.1"}
    shut = {row["address"] for row in result["checks"] if row["check"] == "port" and row["verdict"] != "open"}
    assert shut == {"127.0.0.2"}


def test_wrong_options_fail_by_name(lab: Lab, closed: dict[str, int]) -> None:
    outcome = run_module("endpoint_info", _options(lab, lab.region("eu"), closed, ["*.acme.example"], addresses={}))
    assert outcome.kind == "invalid_input"
    assert outcome.result["where"] == {"customer": "acme", "option": "names.all"}


@dataclass(frozen=True)
class Desk:
    """A folder with an inventory of one customer; its snapshot has two accounts that take mail and one that doesn't."""

    folder: Path
    variables: dict[str, Any]

    def run(self) -> Run:
        inventory = self.folder / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"customers": {"hosts": {"acme": self.variables}}}))
        own = {"HOME": str(self.folder), "ANSIBLE_HOME": str(self.folder / ".ansible"), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            [str(BIN / "ansible-playbook"), "atmail.migration.readiness", "-i", str(inventory)],
            cwd=self.folder,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    @property
    def evidence(self) -> Path:
        return self.folder / "state" / "acme" / "evidence"

    def checks(self, name: str) -> list[dict[str, Any]]:
        """What was found in the last run's checks of this name."""
        kept = json.loads((self.evidence / "endpoints.json").read_text())
        return [row for row in kept["checks"] if row["check"] == name]


@pytest.fixture
def desk(lab: Lab, closed: dict[str, int], tmp_path: Path) -> Desk:
    (tmp_path / "state" / "acme" / "evidence").mkdir(parents=True)
    addresses = {"ann@acme.example": True, "bob@globex.example": True, "zoe@globex.example": False}
    accounts = [{"address": address, "enabled": enabled} for address, enabled in addresses.items()]
    domains = [{"name": name} for name in ("acme.example", "globex.example")]
    snapshot = tmp_path / "state" / "acme" / "snapshot.json"
    snapshot.write_text(json.dumps({"accounts": accounts, "domains": domains}))
    sha256 = _fingerprint(lab.authority.issue("acme", OWN).certificate)
    bundles = [{"name": "acme", "usable": True, "names": list(OWN), "certificate": {"sha256": sha256}}]
    white_label = {"bundles": bundles, "served": [{"name": "acme", "host": "localhost"}]}
    (tmp_path / "state" / "acme" / "evidence" / "white_label.json").write_text(json.dumps(white_label))
    options = _options(lab, lab.region("eu"), closed)
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "migration_state_dir": str(tmp_path / "state"),
        "migration_region": "eu",
        "migration_subscription": "acme",
        "migration_certificates": [{"file": "/etc/migration/acme.pem", "names": list(OWN)}],
        "migration_endpoints": {
            **{name: options[name] for name in ("cloud_domain", "ports", "addresses", "ca_path")},
            "names": {"all": [OWN[0]], "webmail": [OWN[1]], "imap": ["other.acme.example"]},
        },
    }
    return Desk(tmp_path, variables)


def _fingerprint(path: Path) -> str:
    return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex()


def test_the_phase_readiness_keeps_what_it_finds_and_stops_at_what_is_wrong(desk: Desk) -> None:
    """Own names, recipients and certificates are those that the inventory, the snapshot and white_label know of."""
    run = desk.run()
    assert run.code == 2
    assert "acme: the endpoints are not ready for the cut-over (3 wrong" in run.output
    assert run.recap["acme"]["changed"] == 0
    wrong = [(row["name"], row["check"]) for name in ("plan", "names") for row in desk.checks(name) if row["stops"]]
    assert wrong == [("other.acme.example", "plan"), *[("other.acme.example", "names")] * 2]
    assert {(row["name"], row["seen"]) for row in desk.checks("accepts")} == {
        (f"mx{number}-eu.{CLOUD}", f"<{address}>: 250 Accepted")
        for number in (1, 2)
        for address in ("ann@acme.example", "bob@globex.example")
    }
    assert {(row["name"], row["verdict"]) for row in desk.checks("served")} == {(name, "expected") for name in OWN}
    for ending in ("json", "md", "html"):
        assert (desk.evidence / f"endpoints.{ending}").stat().st_mode & 0o777 == 0o600
    assert OWN[0] in (desk.evidence / "endpoints.html").read_text()
