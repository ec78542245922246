# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The phase dkim as an operator runs it, on a signer that is reached by SSH; and nothing of a private key anywhere."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dkim.keys import read_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.integration.dkim_lab import DOMAIN, publish
from tests.integration.playbook_runs import Run, ssh_server
from tests.lab.knot import Knot, TsigKey

pytestmark = pytest.mark.long

TSIG = TsigKey()
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Signing:
    """A customer, a signer, and all that a run says and writes."""

    folder: Path
    knot: Knot
    inventory: Path
    said: str = ""

    @property
    def keys(self) -> Path:
        return self.folder / "signer" / "dkim"

    def run(self, *arguments: str, **variables: Any) -> Run:
        """Run the playbook, telling everything it can tell."""
        program = [str(Path(sys.executable).parent / "ansible-playbook"), "atmail.migration.dkim", "-vvv", "--diff"]
        done = subprocess.run(
            [*program, "-i", str(self.inventory), "-e", json.dumps(variables), *arguments],
            cwd=self.folder,
            env={**os.environ, "HOME": str(self.folder / "home"), "TMPDIR": str(self.folder), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.said += done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr
        run = Run(done.returncode, done.stdout, done.stderr)
        assert run.recap["globex"]["changed"] == 0
        return run

    def change(self, variable: str, **options: Any) -> None:
        """Say something else in the customer's inventory."""
        content = json.loads(self.inventory.read_text())
        content["customers"]["hosts"]["acme"].setdefault(variable, {}).update(options)
        self.inventory.write_text(json.dumps(content))

    def evidence(self) -> dict[str, Any]:
        content = json.loads((self.folder / "state/acme/evidence/dkim.json").read_text())
        assert isinstance(content, dict)
        return content


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[Signing]:
    with Knot.temporary({}, keys=[TSIG]) as knot, ssh_server(tmp_path / "signer") as host:
        publish(knot)
        inventory = tmp_path / "inventory.json"
        dkim = {
            "host": "signer",
            "directory": str(tmp_path / "signer" / "dkim"),
            "types": ["rsa", "ed25519"],
            "selectors": {"rsa": "r1"},
            "authoritative": [f"127.0.0.1:{knot.port}"],
            "reload": ["touch", str(tmp_path / "reloaded")],
        }
        customer = {"migration_domains": [DOMAIN], "migration_dkim": dkim}
        customer["migration_state_dir"] = str(tmp_path / "state")
        # of the other one the inventory says nothing
        other = {"migration_state_dir": customer["migration_state_dir"]}
        hosts = {"customers": {"hosts": {"acme": customer, "globex": other}}, "signers": {"hosts": {"signer": host}}}
        inventory.write_text(json.dumps(hosts))
        (tmp_path / "home").mkdir()
        for name in ("acme", "globex"):
            (tmp_path / "state" / name / "evidence").mkdir(parents=True)
        yield Signing(tmp_path, knot, inventory)


def traces(content: bytes) -> set[bytes]:
    """What would give a key away: its file's lines, its numbers in any notation, its seed."""
    lines = {line for line in content.split() if len(line) > 30}
    found = {base64.b64decode(line + b"=" * (-len(line) % 4))[:24].hex().encode() for line in lines}
    if b"BEGIN" in content:
        private: Any = load_pem_private_key(content, None)
        if hasattr(private, "private_numbers"):
            numbers = private.private_numbers()
            for number in (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp):
                found |= {str(number).encode(), f"{number:x}".encode()}
        else:
            raw = private.private_bytes_raw()
            found |= {raw, raw.hex().encode(), base64.b64encode(raw)}
    return lines | found


def test_check_run_publish_run_and_run_again_and_no_key_is_told(signing: Signing) -> None:
    assert signing.run("--check").recap["acme"]["changed"] == 1
    assert not signing.keys.exists()

    assert signing.run().recap["acme"]["changed"] == 2  # the keys, and the signer that reads its tables again
    assert (signing.folder / "reloaded").exists()
    first = signing.evidence()
    assert [domain["stage"] for domain in first["domains"]] == ["prepared", "prepared"]
    zone = (signing.folder / "state/acme/evidence/dkim.zone").read_text().splitlines()
    assert zone == [record["zone_line"] for record in first["records"]]
    assert len(zone) == 2

    publish(signing.knot, *first["records"])
    assert signing.run().recap["acme"]["changed"] == 2
    signed = signing.evidence()
    assert [domain["stage"] for domain in signed["domains"]] == ["signing", "signing"]
    assert all(domain["published"] for domain in signed["domains"])
    assert signing.run().recap["acme"]["changed"] == 0

    # a rotation where we may change the zone: r1 is what is given, and stays; the other one is replaced in one run
    signing.change("migration_dkim", max_age_days=0)
    updates = {"server": f"127.0.0.1:{signing.knot.port}", "zones": [DOMAIN], "key": vars(TSIG)}
    signing.change("migration_dns", updates=updates)
    assert signing.run(migration_dkim_state="rotated").recap["acme"]["changed"] == 5
    old, new = first["domains"][1]["selector"], signing.evidence()["domains"][1]["selector"]
    assert sorted(signing.evidence()["domains"][1]["signing"]) == sorted(["r1", new])
    assert len({"r1", old, new}) == 3
    for selector in ("r1", old, new):
        assert len(signing.knot.texts(f"{selector}._domainkey.{DOMAIN}")) == 1

    files = sorted(signing.keys.rglob("*.key"))
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    nothing_is_told(signing, files)
    signing.run(migration_dkim_state="absent")
    assert not list(signing.keys.rglob("*.key"))
    # what is on its way can still be verified
    assert len(signing.evidence()["remove_records"]) == 3
    assert len(signing.knot.texts(f"{new}._domainkey.{DOMAIN}")) == 1
    assert not list((signing.folder / "state/globex/evidence").iterdir())


def nothing_is_told(signing: Signing, files: list[Path]) -> None:
    """Whatever was said or written since the beginning holds nothing of these keys, and all of their public halves."""
    wanted = set().union(*(traces(file.read_bytes()) for file in files))
    assert len(wanted) > 60
    everything = {path: path.read_bytes() for path in signing.folder.rglob("*") if path.is_file()}
    everything[Path("what the runs said")] = signing.said.encode()
    told = [path for path, text in everything.items() if path not in files and any(each in text for each in wanted)]
    assert told == []
    for file in files:
        public = read_key(file.read_bytes()).public.data
        assert public in signing.said
        assert any(each in public.encode() for each in traces(file.read_bytes())) is False


_CHILD = """
import os, re, sys
from tests.integration.dkim_lab import Keys
started = re.compile(r"subprocess\\.Popen|os\\.(exec|posix_spawn|system|spawn|fork)")
keys = Keys({"directory": sys.argv[1], "sign": "always"})
sys.addaudithook(lambda event, _arguments: os._exit(3) if started.match(event) else None)
keys.run(selector="a")
keys.run(selector="b", state="rotated")
keys.run(state="absent")
print("done")
"""


def test_a_run_starts_no_program_so_that_no_key_is_in_an_argument(tmp_path: Path) -> None:
    """Asked of the interpreter itself, in a process that ends at once when it is about to start one."""
    program = [sys.executable, "-c", _CHILD, str(tmp_path / "dkim")]
    done = subprocess.run(program, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
