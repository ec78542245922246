# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where the controller shows progress: updated in place on a terminal, a line every few seconds elsewhere.

Tasks run in worker processes, whose own standard streams lead nowhere; what they print goes through Ansible's
``Display`` to the main process. So a worker looks at the main process's streams to know whether there is a terminal and
how wide it is. Progress goes to standard error (like Ansible's own warnings): it is not held back by buffering when it
is piped, and results on standard output stay readable by programs.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.atmail.migration.plugins.module_utils.progress import (
    Progress,
    line,
    rate,
    read_progress,
    remember,
    together,
    write_progress,
)

MODES = ("auto", "terminal", "lines", "none")
_ERASE = "\r\x1b[K"
_STANDARD_ERROR = 2
_USUAL_WIDTH = 80


class Screen:
    """The place where one customer's progress is shown.

    On a terminal there is one line for all customers that a task works on at the same time, each in a worker process of
    its own: every worker leaves its customer's progress in a directory of the run, and shows the sum of all.
    """

    def __init__(self, customer: str, task: str, *, mode: str = "auto", every: float = 5.0) -> None:
        """``task`` is the task's own id; ``mode`` is one of :data:`MODES`; ``every``: seconds between two lines."""
        self.customer = customer
        self._mode = mode if mode in MODES else "auto"
        if self._mode == "auto":
            self._mode = "terminal" if terminal_width() else "lines"
        self._every = every
        self._samples: list[Progress] = []
        self._next_line = time.monotonic() + every
        self._drawn = False
        self._display = Display()
        # Made by the main process for its run, and removed by it at the end.
        self._shared = Path(vars(constants)["DEFAULT_LOCAL_TMP"]) / f"progress-{task}"

    def show(self, progress: Progress) -> None:
        """Show how far the customer is."""
        name = self.customer
        if self._mode == "terminal":
            name, progress = together(self._all(progress))
        self._samples = remember(self._samples, progress)
        if self._mode == "terminal":
            # One column stays free: a full line would wrap. The last carriage return makes the main process flush.
            width = (terminal_width() or _USUAL_WIDTH) - 1
            self._write(_ERASE + line(name, progress, rate(self._samples), width) + "\r")
            self._drawn = True
        elif self._mode == "lines" and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._every
            self._display.display(line(name, progress, rate(self._samples)), stderr=True)

    def _all(self, own: Progress) -> dict[str, Progress]:
        """The progress of every customer of this task, by name."""
        with contextlib.suppress(OSError):
            self._shared.mkdir(mode=0o700, exist_ok=True)
        write_progress(str(self._shared / f"{quote(self.customer, safe='')}.json"), own)
        found = {}
        for file in self._shared.glob("*.json"):
            with contextlib.suppress(OSError):
                progress = read_progress(file.read_text(encoding="utf-8"))
                if progress:
                    found[unquote(file.stem)] = progress
        return found | {self.customer: own}

    def note(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        if self._mode != "none":
            self._display.display(f"{self.customer}: {text}", stderr=True)

    def clear(self) -> None:
        """Take the line away that is updated in place."""
        if self._drawn:
            self._write(_ERASE)
            self._drawn = False

    def table(self, lines: Sequence[str]) -> None:
        """Print the table at the end; beside the results, unless those are for a program to read."""
        if lines and self._mode != "none":
            callback = constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK")
            self._display.display("\n".join(lines), stderr="json" in str(callback))

    def _write(self, text: str) -> None:
        self._display.display(text, stderr=True, newline=False, screen_only=True)


def terminal_width() -> int:
    """Columns of the terminal that the main process's standard error is; 0 when it is none that can erase a line."""
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        return 0
    try:
        descriptor = os.open(f"/proc/{os.getppid()}/fd/{_STANDARD_ERROR}", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return 0
    try:
        if not os.isatty(descriptor):
            return 0
        # A terminal that was never told its size says 0.
        return os.get_terminal_size(descriptor).columns or _USUAL_WIDTH
    except OSError:
        return 0
    finally:
        os.close(descriptor)
