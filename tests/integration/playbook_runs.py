# SPDX-License-Identifier: GPL-3.0-or-later
"""Two customers, the demo's inventory for them, and playbooks run as an operator runs them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo.inventory import export
from tests.lab.lab import Lab
from tests.lab.ports import claim, is_free, release

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    """A playbook's run: exit status, what it said, and per customer what its recap counts."""

    code: int
    output: str
    errors: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        counts = {}
        for host, line in re.findall(r"^(\S+)\s+: (ok=.*)$", self.output, re.MULTILINE):
            counts[host] = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}
        return counts

    @property
    def text(self) -> str:
        return self.output + self.errors


class Operator:
    """A directory with an inventory and a home of its own, from which playbooks are run."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.servers = lab
        self.lab = lab.describe()
        self.folder = folder
        self.inventory = folder / "inventory"
        written_by_the_demo = shutil.ignore_patterns("lab.yml", "vault.yml")
        shutil.copytree(CHECKOUT / "inventory" / "demo", self.inventory, ignore=written_by_the_demo)
        self.password_file = export(self.lab, self.inventory)
        self.state = folder / "state"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def command(self, playbook: str, *arguments: str, **variables: Any) -> list[str]:
        variables.setdefault("migration_state_dir", str(self.state))
        variables.setdefault("ansible_remote_tmp", str(self.temporary))
        return [
            str(BIN / "ansible-playbook"),
            f"atmail.migration.{playbook}",
            *("-i", str(self.inventory), "--vault-password-file", str(self.password_file)),
            *("-e", json.dumps(variables)),
            *arguments,
        ]

    def environment(self) -> dict[str, str]:
        own = {"HOME": str(self.folder), "ANSIBLE_HOME": str(self.folder / ".ansible"), "TMPDIR": str(self.temporary)}
        return {**os.environ, **own, "ANSIBLE_NOCOLOR": "1"}

    def run(self, playbook: str, *arguments: str, **variables: Any) -> Run:
        """Run a playbook of the collection from a directory that is not the checkout."""
        done = subprocess.run(
            self.command(playbook, *arguments, **variables),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def evidence(self, customer: str, what: str) -> dict[str, Any]:
        content = json.loads((self.state / customer / "evidence" / f"{what}.json").read_text())
        assert isinstance(content, dict)
        return content

    def target_state(self, region: str) -> dict[str, Any]:
        """A picture of what a region holds: the check sums of its tables, and the sizes of its mail files."""
        with self.servers.region(region).database.session() as cursor:
            cursor.execute("SHOW TABLES")
            tables = [row[0] for row in cursor.fetchall()]
            cursor.execute("CHECKSUM TABLE " + ", ".join(f"`{table}`" for table in tables))
            sums = dict(cursor.fetchall())
        root = Path(self.lab["regions"][region]["mail_root"])
        files = {str(file.relative_to(root)): file.stat().st_size for file in root.rglob("storage/m.*")}
        return {"tables": sums, "mail": files}

    def secrets(self) -> list[str]:
        """Every secret of the inventory, to look for in places where none belongs."""
        found = []
        for side in (*self.lab["sites"].values(), *self.lab["regions"].values()):
            found += [side["master_password"], side["database"]["password"]]
        return found + [region["doveadm_api_key"] for region in self.lab["regions"].values()]

    def files_with_secrets(self) -> list[Path]:
        """Files in this operator's home and state that hold a secret in clear text."""
        wanted = [secret.encode() for secret in self.secrets()]
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        return [file for file in files if any(secret in file.read_bytes() for secret in wanted)]


@contextmanager
def ssh_server(folder: Path) -> Iterator[dict[str, Any]]:
    """An OpenSSH server for this user on a free port; gives the inventory variables that reach it.

    What runs through it finds ``folder/tmp`` as its temporary directory.
    """
    (folder / "tmp").mkdir(mode=0o700, parents=True)
    for name in ("host_key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (port,) = claim(folder, 1)
    configuration = folder / "sshd_config"
    configuration.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/key.pub\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\nSetEnv TMPDIR={folder}/tmp\n"
    )
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host_key.pub').read_text()}")
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", configuration], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: not is_free(port), 10)
        yield {
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_ssh_private_key_file": str(folder / "key"),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={folder}/known_hosts -o ControlPath=none",
            "ansible_python_interpreter": sys.executable,
            "ansible_remote_tmp": str(folder / "tmp"),
        }
    finally:
        server.terminate()
        server.wait(10)
        release(folder)


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"did not happen within {seconds} s"
        time.sleep(0.05)


def processes_with(text: str) -> list[int]:
    """Processes whose command line holds the text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found
