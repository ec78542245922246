# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a module needs: the most that each of its processes ever had, all of them added up."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.checks.module import Result, Running

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Watched:
    """A module's result, the seconds it took, and its processes' peak resident memory in bytes.

    ``memory`` counts what processes share once for each, so that it is more than the machine really gave.
    """

    result: Result
    seconds: float
    memory: int
    processes: int

    def line(self, what: str) -> str:
        """A row of a table."""
        return f"| {what} | {self.seconds:.1f} | {self.memory / 1e6:.0f} | {self.processes} |"


HEADER = "| what | seconds | peak memory of all its processes, MB | processes |\n|---|---|---|---|"


def watched(module: str, options: Mapping[str, Any], *, patience: float) -> Watched:
    """Run a module, and look at its processes until it ends."""
    peaks: dict[int, int] = {}
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        running = Running(module, options, (), output=out)
        process = running.process
        while process.poll() is None:
            if time.monotonic() - began > patience:
                process.kill()
                raise AssertionError(f"{module} is not done after {patience} seconds")
            for pid in _family(process.pid):
                peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
            time.sleep(0.05)
        return Watched(running.ended(), time.monotonic() - began, sum(peaks.values()), len(peaks))


def _family(pid: int) -> list[int]:
    """A process and all that come from it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def _peak(pid: int) -> int:
    try:
        match = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(match[1]) * 1024 if match else 0
