# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How far a run is, as a file that the controller's half reads: one JSON object, replaced as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .batch import Progress


def writer(path: str | None) -> Callable[[Progress], None] | None:
    """A function that puts progress into the file; none without a path. A full disk never stops a run."""
    if not path:
        return None
    file = Path(path)
    beside = file.with_name(file.name + ".new")

    def write(progress: Progress) -> None:
        try:
            beside.write_text(json.dumps(asdict(progress)), encoding="utf-8")
            beside.replace(file)
        except OSError:
            return

    return write
