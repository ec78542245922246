# SPDX-License-Identifier: GPL-3.0-or-later
"""Time a command as a whole process: wall clock, its processes' CPU, and the most memory any of them had."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Figures:
    """One run: seconds of wall clock and CPU, and peak resident memory in bytes (of the largest single process).

    ``working`` is the wall clock from the log-in on, where the tool tells it: without starting the program.
    """

    wall: float
    cpu: float
    memory: int
    working: float = 0.0


def timed(command: Sequence[str], *, given: str = "", log: Path) -> Figures:
    """Run a command to its end; its output goes to ``log``.

    :raises RuntimeError: it ended with another status than 0; the message holds the end of its output.
    """
    launched = subprocess.run(
        [sys.executable, "-S", "-E", str(_LAUNCH), str(log), *command],
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures = json.loads(launched.stdout)
    if figures.pop("status"):
        raise RuntimeError(f"{command[0]} failed: {log.read_text(errors='replace')[-2000:]}")
    return Figures(**figures)


def median(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(
        statistics.median(run.wall for run in runs),
        statistics.median(run.cpu for run in runs),
        int(statistics.median(run.memory for run in runs)),
        statistics.median(run.working for run in runs),
    )


def spread(runs: Sequence[Figures]) -> str:
    """The least and the most wall clock, for a table."""
    walls = [run.wall for run in runs]
    return f"{min(walls):.2f}-{max(walls):.2f}"
