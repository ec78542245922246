# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that outlive us: start them detached, know them again later, stop exactly them.

A number in a pid file is not enough to know a process again: numbers are reused, after a reboot soonest of all. So the
start time (proc(5), `stat` field 22) and the boot's own identifier are kept with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessId:
    """One process, for as long as this machine runs. `started` is in clock ticks since boot."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process that has this number now; None when there is none (or only its zombie)."""
        fields = _stat(pid)
        if fields is None or fields[0] == "Z":
            return None
        return cls(pid, int(fields[19]), _BOOT_ID.read_text().strip())

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return ProcessId.of(self.pid) == self

    def save(self, path: Path) -> None:
        """Write the pid file, whole or not at all."""
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(json.dumps(asdict(self)) + "\n")
        temporary.replace(path)


def load(path: Path) -> ProcessId | None:
    """What a pid file says; None when there is none or it is damaged (then nothing may be killed on its word)."""
    try:
        value = json.loads(path.read_text())
        return ProcessId(int(value["pid"]), int(value["started"]), str(value["boot"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with nothing of ours but the end of its log file to write to."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
            cwd="/",
            env=dict(environment),
        )


def stop(leader: ProcessId, patience: float) -> None:
    """End a process and everything it started: politely first, after `patience` seconds without asking.

    Works also when the leader is gone already and only what it left behind in its session is still there; that has
    nobody to wait for and is given no time.
    """
    family = _family(leader)
    if patience and leader.alive():
        _send(leader, signal.SIGTERM)
        _wait([leader], patience)
        _wait(family, min(patience, 1.0))
    rest = [process for process in [leader, *family] if process.alive()]
    for process in rest:
        _send(process, signal.SIGKILL)
    _wait(rest, 5.0)


def _send(process: ProcessId, number: signal.Signals) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return


def _wait(processes: Sequence[ProcessId], seconds: float) -> None:
    """Wait until all of them are gone, or the time is over."""
    end = time.monotonic() + seconds
    while any(process.alive() for process in processes) and time.monotonic() < end:
        time.sleep(0.01)


def _family(leader: ProcessId) -> list[ProcessId]:
    """All descendants of the leader, and all members of its session."""
    if leader.boot != _BOOT_ID.read_text().strip() or _number_reused(leader):
        return []
    table = _table()
    found = {pid for pid, (dummy, session) in table.items() if session == leader.pid}
    grew = True
    while grew:
        more = {pid for pid, (parent, dummy) in table.items() if (parent in found or parent == leader.pid)} - found
        found |= more
        grew = bool(more)
    members = (ProcessId.of(pid) for pid in sorted(found - {leader.pid}))
    return [process for process in members if process is not None]


def _number_reused(leader: ProcessId) -> bool:
    """Whether another process has the leader's number: then its session has ended and nothing of it is left."""
    now = ProcessId.of(leader.pid)
    return now is not None and now != leader


def _table() -> dict[int, tuple[int, int]]:
    """All processes: number → (parent, session)."""
    table = {}
    for entry in Path("/proc").iterdir():
        fields = _stat(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None:
            table[int(entry.name)] = (int(fields[1]), int(fields[3]))
    return table


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from the third (the state) on; the name before may hold blanks and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
