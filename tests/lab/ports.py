# SPDX-License-Identifier: GPL-3.0-or-later
"""Free TCP ports on loopback, never the same one for two labs of one machine.

A port is claimed by a file named after it that holds the lab's folder. A claim lasts as long as that folder, so that a
lab which is down between two runs keeps its numbers.
"""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

from .errors import LabError

#: Below the range from which Linux takes the ports of outgoing connections, above the well-known ones.
FIRST, LAST = 20000, 32000
CLAIMS = Path("/tmp/atmail-lab-ports")


def claim(owner: Path, count: int) -> list[int]:
    """Claim `count` ports that are free now for the lab in the folder `owner` (which must exist)."""
    _make_claims_folder()
    chooser = random.SystemRandom()
    candidates = list(range(FIRST, LAST))
    chooser.shuffle(candidates)
    claimed: list[int] = []
    for port in candidates:
        if len(claimed) == count:
            break
        if is_free(port) and _claim_one(port, owner):
            claimed.append(port)
    if len(claimed) < count:
        raise LabError(f"no {count} free ports between {FIRST} and {LAST} on 127.0.0.1")
    return claimed


def release(owner: Path) -> None:
    """Give back all ports of this lab."""
    for path in CLAIMS.glob("[0-9]*"):
        if _owner(path) == str(owner):
            _remove(path)


def is_free(port: int) -> bool:
    """Whether nothing listens there now (a port on which connections only linger counts as free)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _make_claims_folder() -> None:
    """Shared by all users of the machine, like /tmp itself."""
    CLAIMS.mkdir(exist_ok=True)
    if CLAIMS.stat().st_uid == os.geteuid():
        CLAIMS.chmod(0o1777)


def _claim_one(port: int, owner: Path) -> bool:
    path = CLAIMS / str(port)
    if _is_stale(path):
        _remove(path)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError:
        return False
    with os.fdopen(handle, "w") as file:
        file.write(str(owner))
    return True


def _is_stale(path: Path) -> bool:
    """A claim whose lab is gone. An empty one is being written by another lab at this moment."""
    owner = _owner(path)
    return bool(owner) and not Path(owner).is_dir()


def _owner(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        return  # another user's claim, or gone already: the next candidate will do
