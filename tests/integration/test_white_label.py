# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The playbook white_label, run as an operator runs it: two customers, a load balancer, a file encrypted by PGP."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.edge_lab import EdgeLab, edge_lab
from tests.integration.playbook_runs import BIN, Run
from tests.lab.authorities import private_pem
from tests.lab.gnupg import KeyMaker

NAMES = ("webmail.globex.example", "imap.globex.example")


@dataclass
class Desk:
    """An operator's folder; ``hosts`` is what the inventory says of each customer."""

    lab: EdgeLab
    folder: Path
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)

    def run(self, *arguments: str, playbook: str = "white_label", **variables: Any) -> Run:
        shared = {
            "ansible_connection": "local",
            "ansible_python_interpreter": str(BIN / "python"),
            "migration_state_dir": str(self.folder / "state"),
            "migration_balancers": [self.lab.options()["balancer"]],
        }
        inventory = self.folder / "inventory.yml"
        gone = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
        groups = {"customers": {"vars": shared, "hosts": self.hosts}, "balancers": {"hosts": {"gone": gone}}}
        inventory.write_text(yaml.safe_dump(groups))
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        for host in self.hosts:
            (self.folder / "state" / host / "evidence").mkdir(mode=0o700, parents=True, exist_ok=True)
        given = json.dumps({"ansible_remote_tmp": str(temporary), **variables})
        program = [str(BIN / "ansible-playbook"), f"atmail.migration.{playbook}", "-i", str(inventory), "-e", given]
        done = subprocess.run(
            [*program, *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "HOME": str(self.folder),
                "ANSIBLE_HOME": str(self.folder / ".ansible"),
                "TMPDIR": str(temporary),
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def evidence(self, customer: str) -> dict[str, Any]:
        content = json.loads((self.folder / "state" / customer / "evidence" / "white_label.json").read_text())
        assert isinstance(content, dict)
        return content


@pytest.fixture(scope="module")
def lab() -> Iterator[EdgeLab]:
    with edge_lab() as made:
        yield made


@pytest.fixture
def desk(lab: EdgeLab, tmp_path: Path) -> Desk:
    lab.edge.stop()
    lab.edge.forget()
    lab.edge.start()
    return Desk(lab, tmp_path)


@contextmanager
def command_lines() -> Iterator[set[str]]:
    """The command lines of all processes of this machine, looked at ten times a second."""
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(path.read_bytes().decode(errors="replace"))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield seen
    finally:
        done.set()
        watch.join()


def changed(run: Run) -> dict[str, int]:
    return {host: counts["changed"] for host, counts in run.recap.items()}


def test_from_a_customers_file_to_what_clients_meet_and_back(desk: Desk) -> None:
    lab = desk.lab
    with KeyMaker() as maker:
        ours = maker.make("Us <us@cloud.example>")
        maker.secret(ours, desk.folder / "ours.key")
        acme, bundle = lab.bundle(["mail.acme.example"])
        sealed = maker.encrypt(bundle.encode(), ours)
    globex = {name: lab.bundle([name])[0] for name in NAMES}
    phrase = "a passphrase of globex"
    desk.hosts = {
        "acme": {
            "migration_certificates": [
                {"file": desk.write("acme.pem.asc", sealed), "names": ["mail.acme.example"], "ca_path": str(lab.ca)}
            ],
            "migration_pgp": {"key_files": [str(desk.folder / "ours.key")]},
        },
        "globex": {
            "migration_certificates": [
                {
                    "file": desk.write(f"{name}.pem", lab.inner.pem + private_pem(leaf.key, phrase) + leaf.pem),
                    "names": [name],
                    "ca_path": str(lab.ca),
                    "passphrase": phrase,
                }
                for name, leaf in globex.items()
            ]
        },
    }
    earlier, old = lab.bundle(["mail.acme.example"])
    lab.run(name="acme-mail.acme.example", content=old)
    before = lab.files()
    checked = desk.run("--check", "--diff", "--limit", "acme")
    assert checked.code == 0, checked.text
    assert changed(checked) == {"acme": 1}
    assert lab.files() == before
    with command_lines() as seen:
        first = desk.run("--diff", "-vvv")
    assert first.code == 0, first.text
    assert changed(first) == {"acme": 1, "globex": 1}
    assert lab.served("mail.acme.example") == acme.certificate
    for name, leaf in globex.items():
        assert lab.served(name) == leaf.certificate
    said = desk.evidence("globex")
    assert [bundle["usable"] for bundle in said["bundles"]] == [True, True]
    assert [(place["name"], place["host"]) for place in said["served"]] == [
        (f"globex-{name}", "localhost") for name in NAMES
    ]
    assert "acme-mail.acme.example: usable until" in first.output
    second = desk.run("--limit", "globex")
    assert second.code == 0, second.text
    assert changed(second) == {"globex": 0}
    back = desk.run("--limit", "acme", migration_certificates_state="rolled_back")
    assert changed(back) == {"acme": 1}, back.text
    assert lab.served("mail.acme.example") == earlier.certificate
    (bundle_now,) = desk.evidence("acme")["bundles"]
    assert bundle_now["certificate"]["serial"] == f"{earlier.certificate.serial_number:x}"
    assert bundle_now["names"] == ["mail.acme.example"]
    gone = desk.run("-v", "--limit", "globex", migration_certificates_state="absent")
    assert changed(gone) == {"globex": 1}
    assert not [name for name in lab.files() if "globex" in name]
    keys = [private_pem(one.key) for one in (acme, earlier, *globex.values())]
    secrets = [line.decode() for key in keys for line in key.split(b"\n")[2:-2]] + [phrase]
    outside = [checked, first, second, back, gone]
    own = {str(desk.folder / name) for name in ("acme.pem.asc", "inventory.yml", *(f"{name}.pem" for name in NAMES))}
    files = [path for path in desk.folder.rglob("*") if path.is_file() and str(path) not in own]
    assert any("ansible-playbook" in line for line in seen)
    for secret in secrets:
        assert not [line for line in seen if secret in line]
        assert not [run for run in outside if secret in run.text]
        assert not [path for path in files if secret.encode() in path.read_bytes()]
    assert not [path for path in (desk.folder / "tmp").rglob("*") if path.is_file()]


def test_what_can_be_used_is_served_and_the_rest_is_told(desk: Desk) -> None:
    lab = desk.lab
    good, bundle = lab.bundle(["mail.acme.example"])
    ca, bad = str(lab.ca), lab.inner.server(["x.acme.example"]).pem
    listed = [
        {"file": desk.write("good.pem", bundle.encode()), "names": ["mail.acme.example"], "ca_path": ca},
        {"file": desk.write("bad.pem", bad), "names": ["imap.acme.example"], "ca_path": ca},
        {"file": desk.write("der.cer", good.der), "names": ["pop.acme.example"], "ca_path": ca},
        {"file": str(desk.folder / "none.pem"), "names": ["smtp.acme.example"]},
    ]
    there = lab.options()["balancer"]
    two = {"migration_certificates": listed[:1], "migration_balancers": [{**there, "host": "gone"}, there]}
    doubled = {"migration_certificates": [{"file": "a.pem"}, {"file": "b.pem"}]}
    desk.hosts = {"acme": {"migration_certificates": listed}, "initech": two, "globex": doubled}
    run = desk.run()
    assert run.code == 2, run.text
    assert changed(run) == {"acme": 1, "initech": 0, "globex": 0}
    assert lab.served("mail.acme.example") == good.certificate
    assert desk.evidence("initech")["bundles"][0]["usable"]
    gone, taken = desk.evidence("initech")["served"]
    assert (gone["host"], gone["served"]) == ("gone", None)
    assert "Connection refused" in gone["error"]
    assert "serves mail.acme.example with" in taken["error"]
    said = desk.evidence("acme")
    assert [bundle["usable"] for bundle in said["bundles"]].count(True) == 1
    kinds = {bundle["name"]: {finding["kind"] for finding in bundle.get("findings", ())} for bundle in said["bundles"]}
    assert {"no_key", "name_not_covered", "chain_incomplete"} <= kinds["acme-imap.acme.example"]
    assert kinds["acme-pop.acme.example"] >= {"der"}
    told = re.sub(r"\s+", " ", run.output)
    assert "there is no file" in told
    assert "acme-imap.acme.example can't be used" in told
    assert "Give each a name of its own" in told
