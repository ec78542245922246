# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret comes in encrypted and goes out encrypted, in a playbook; it is seen nowhere on its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.gnupg import KeyMaker

BIN = Path(sys.executable).parent
SECRET = "geheim {{ 7 * 7 }} '\"ä😀"
PASSPHRASE = "opens-our-key-{{ 1 }}"

PLAY: list[dict[str, Any]] = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Receive",
                "ansible.builtin.set_fact": {
                    "received": "{{ lookup('atmail.migration.pgp_file', received_file, key_files=[our_key],"
                    " passphrase=our_passphrase, **more | default({})) }}"
                },
                "no_log": True,
            },
            {
                "name": "Hand over",
                "atmail.migration.pgp_encrypt": {
                    "content": "{{ received }}",
                    "dest": "{{ handed_over }}",
                    "recipients": "{{ recipients }}",
                },
            },
        ],
    }
]


@dataclass(frozen=True)
class World:
    maker: KeyMaker
    folder: Path
    ours: str
    customer: str

    def run(self, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the playbook as loudly as can be."""
        given = {
            "received_file": str(self.folder / "password.asc"),
            "our_key": str(self.folder / "ours.key"),
            "handed_over": str(self.folder / "out.asc"),
            "recipients": [{"fingerprint": self.customer, "key_file": str(self.folder / "customer.asc")}],
            **variables,
        }
        (self.folder / "variables.json").write_text(json.dumps(given))
        secret = self.folder / "passphrase.yml"
        secret.write_text(f"our_passphrase: !unsafe '{PASSPHRASE}'\n")
        command = [str(BIN / "ansible-playbook"), "-vvv", "-i", "localhost,", "-c", "local", "play.yml"]
        files = ["-e", "@variables.json", "-e", f"@{secret}", "-e", f"ansible_python_interpreter={sys.executable}"]
        home = {"HOME": str(self.folder), "ANSIBLE_HOME": str(self.folder / ".ansible"), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            [*command, *files, *arguments],
            cwd=self.folder,
            env={**os.environ, **home},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "geheim" not in said
        assert "opens-our-key" not in said.replace(secret.read_text(), "")
        return done


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("pgp")
    with KeyMaker() as maker:
        ours, customer = maker.make("Us <us@cloud.example>", PASSPHRASE), maker.make("Jane <jane@acme.example>")
        maker.secret(ours, folder / "ours.key", PASSPHRASE)
        maker.public(customer, folder / "customer.asc")
        (folder / "password.asc").write_bytes(maker.encrypt(SECRET.encode() + b"\r\n", ours))
        (folder / "play.yml").write_text(yaml.safe_dump(PLAY))
        yield World(maker, folder, ours, customer)


def test_a_secret_is_received_and_handed_over(world: World) -> None:
    assert "changed=1" in world.run("--check", "--diff").stdout
    assert not (world.folder / "out.asc").exists()
    first = world.run("--diff")
    assert "changed=1" in first.stdout, first.stdout + first.stderr
    message = (world.folder / "out.asc").read_bytes()
    assert world.maker.decrypt(message).decode() == SECRET
    again = world.run("--diff")
    assert "changed=0" in again.stdout, again.stdout
    assert (world.folder / "out.asc").read_bytes() == message


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"received_file": "missing.asc"}, "there is no file missing.asc"),
        ({"recipients": [{"fingerprint": "A" * 40, "key_file": "customer.asc"}]}, "no key with the fingerprint AAAA"),
    ],
)
def test_bad_input_gets_one_clear_error(world: World, variables: dict[str, Any], said: str) -> None:
    done = world.run(**variables)
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_signature_by_the_sender_is_checked(world: World) -> None:
    message = (world.folder / "password.asc").read_bytes()
    proof = world.maker.sign(message, world.customer, world.folder / "password.sig")
    more = {
        "signature": str(proof),
        "signer": world.customer,
        "signer_key_file": str(world.folder / "customer.asc"),
    }
    assert world.run(more=more).returncode == 0
    proof.write_bytes(world.maker.sign(message + b"x", world.customer, proof).read_bytes())
    done = world.run(more=more)
    assert done.returncode == 2
    assert "does not prove the file" in done.stdout + done.stderr
