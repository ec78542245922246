# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools that are measured: our module, run as Ansible runs it on a host, and mbsync from Debian."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .measure import Figures, timed

MODULE = "ansible_collections.atmail.migration.plugins.modules.mailbox_sync"


@dataclass(frozen=True)
class Job:
    """One mailbox to copy: both sides as the module's options, user and passwords, a folder for what a tool keeps."""

    source: Mapping[str, Any]
    target: Mapping[str, Any]
    source_user: str
    target_user: str
    folder: Path


def ours(job: Job) -> Figures:
    """The module in a process of its own; Python's start and imports count."""
    options = {
        "source": job.source,
        "target": job.target,
        "mailboxes": [{"source_user": job.source_user, "target_user": job.target_user}],
        "ledger": str(job.folder / "ledger.sqlite3"),
    }
    figures = timed([sys.executable, "-m", MODULE], given=json.dumps({"ANSIBLE_MODULE_ARGS": options}), log=_log(job))
    (mailbox,) = json.loads(_log(job).read_text())["mailboxes"]
    return replace(figures, working=mailbox["seconds"])


def mbsync(job: Job) -> Figures:
    """Mbsync (isync) with its state in the job's folder, pulling from the source into the target."""
    config = job.folder / "mbsyncrc"
    state = job.folder / "state"
    state.mkdir(exist_ok=True)
    lines = [*_account("source", job.source, job.source_user), *_account("target", job.target, job.target_user)]
    lines += ["Channel all", "Far :source:", "Near :target:", "Patterns *", "Create Near", "Expunge Near", "Sync Pull"]
    lines += ["CopyArrivalDate yes", f"SyncState {state}/"]
    config.write_text("\n".join(lines) + "\n")
    config.chmod(0o600)
    return timed(["mbsync", "-q", "-c", str(config), "all"], log=_log(job))


def _account(name: str, side: Mapping[str, Any], user: str) -> Sequence[str]:
    return [
        f"IMAPAccount {name}",
        f"Host {side['host']}",
        f"Port {side['port']}",
        f"User {user}*{side['admin_user']}",
        f"Pass {side['admin_password']}",
        "SSLType IMAPS",
        f"CertificateFile {side['ca_path']}",
        "Timeout 120",
        "",
        f"IMAPStore {name}",
        f"Account {name}",
        "",
    ]


def _log(job: Job) -> Path:
    return job.folder / "output"


#: Programs of the peers, and the Debian packages that bring them.
PEERS = {"/usr/bin/mbsync": "isync"}


def peers() -> dict[str, Any]:
    """What can be measured here, by name."""
    return {"ours": ours} | ({"mbsync": mbsync} if shutil.which("mbsync") else {})
