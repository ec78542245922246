# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How far a run is, as a file that the controller's half reads (see :mod:`..progress`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict

from ..progress import Progress as Told
from ..progress import write_progress
from .batch import Progress


def writer(path: str | None) -> Callable[[Progress], None] | None:
    """A function that puts progress into the file; none without a path. A full disk never stops a run.

    The file is there from the start: the controller's half then knows that the module runs, and as which process.
    """
    if not path:
        return None
    file, pid, process_group = path, os.getpid(), os.getpgrp()
    write_progress(file, Told(pid=pid, process_group=process_group))

    def write(progress: Progress) -> None:
        write_progress(file, Told(**asdict(progress), pid=pid, process_group=process_group))

    return write
