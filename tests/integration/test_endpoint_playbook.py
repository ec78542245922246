# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The phase readiness with the cloud's public ports: what it tries by itself, what it keeps, and when it stops."""

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

from tests.integration.playbook_runs import Run
from tests.lab import ports
from tests.lab.lab import Lab
from tests.lab.state import RegionOptions

BIN = Path(sys.executable).parent
CLOUD = "atmailcloud.example"
OWN = ("mail.acme.example", "webmail.acme.example")


@dataclass(frozen=True)
class Desk:
    """A folder with an inventory of one customer; its snapshot has two accounts that take mail and one that doesn't."""

    folder: Path
    variables: dict[str, Any]

    def run(self, *arguments: str, **endpoints: Any) -> Run:
        variables = {**self.variables, "migration_endpoints": {**self.variables["migration_endpoints"], **endpoints}}
        inventory = self.folder / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"customers": {"hosts": {"acme": variables}}}))
        command = [str(BIN / "ansible-playbook"), "atmail.migration.readiness", "-i", str(inventory), *arguments]
        own = {"HOME": str(self.folder), "ANSIBLE_HOME": str(self.folder / ".ansible"), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            command,
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


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    options = {"eu": RegionOptions(submission=True, edge=True)}
    with Lab.temporary(sites=(), region_options=options) as lab:
        region = lab.region("eu")
        for address in ("ann@acme.example", "bob@globex.example"):
            region.add_account(address, "a secret")
        region.edge.stop()
        region.edge.offer("acme", lab.authority.issue("acme", OWN), OWN)
        region.edge.start()
        folder = Path(tmp_path_factory.mktemp("desk"))
        (folder / "state" / "acme" / "evidence").mkdir(parents=True)
        _write_snapshot(folder / "state" / "acme" / "snapshot.json")
        closed = dict(zip(("smtp", "pop3", "imap", "submission"), ports.claim(lab.directory, 4), strict=True))
        hosts = [*(f"{host}.{CLOUD}" for host in ("imap-eu", "smtp-eu", "mx1-eu", "mx2-eu", "acme")), *OWN]
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "migration_state_dir": str(folder / "state"),
            "migration_region": "eu",
            "migration_subscription": "acme",
            "migration_certificates": [{"file": "/etc/migration/acme.pem", "names": list(OWN)}],
            "migration_endpoints": {
                "cloud_domain": CLOUD,
                "names": {"all": [OWN[0]], "webmail": [OWN[1]]},
                "ports": {**region.edge.setup.ports, **closed, "mx": region.state.ports["smtp"]},
                "addresses": dict.fromkeys(hosts, "127.0.0.1"),
                "ca_path": str(lab.authority.ca_file),
            },
        }
        yield Desk(folder, variables)


def _write_snapshot(path: Path) -> None:
    addresses = {"ann@acme.example": True, "bob@globex.example": True, "zoe@globex.example": False}
    accounts = [{"address": address, "enabled": enabled} for address, enabled in addresses.items()]
    domains = [{"name": name} for name in ("acme.example", "globex.example")]
    path.write_text(json.dumps({"accounts": accounts, "domains": domains}))


def _said(rows: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["name"], row["seen"]) for row in rows}


def test_all_is_well_and_is_kept(desk: Desk) -> None:
    run = desk.run()
    assert run.code == 0, run.text
    assert "acme: the endpoints are ready for the cut-over" in run.output
    assert run.recap["acme"]["changed"] == 0
    assert _said(desk.checks("accepts")) == {
        (f"mx{number}-eu.{CLOUD}", f"<{address}>: 250 Accepted")
        for number in (1, 2)
        for address in ("ann@acme.example", "bob@globex.example")
    }
    assert {row["verdict"] for row in desk.checks("plan")} == {"planned"}
    for ending in ("json", "md", "html"):
        assert (desk.evidence / f"endpoints.{ending}").stat().st_mode & 0o777 == 0o600
    assert OWN[0] in (desk.evidence / "endpoints.html").read_text()


def test_what_is_wrong_stops_the_cut_over(desk: Desk) -> None:
    run = desk.run(names={"imap": ["other.acme.example"]})
    assert run.code == 2
    assert "acme: the endpoints are not ready for the cut-over" in run.output
    assert [row["verdict"] for row in desk.checks("names") if row["name"] == "other.acme.example"] == ["other_name"] * 2
    assert [row["verdict"] for row in desk.checks("plan") if row["name"] == "other.acme.example"] == ["unplanned"]


def test_what_can_wait_stops_nothing_and_a_check_run_keeps_nothing(desk: Desk) -> None:
    before = (desk.evidence / "endpoints.json").read_bytes()
    run = desk.run("--check", recipients=["nobody@acme.example"], optional=["accepts"], connections=16)
    assert run.code == 0, run.text
    assert "acme: the endpoints are ready for the cut-over (4 wrong" in run.output
    assert "accepts refused: <nobody@acme.example>: 550" in run.output
    assert (desk.evidence / "endpoints.json").read_bytes() == before
