# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The machine that the check runs on: room on its disks, and its clock."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from ..progress import size
from .items import Answer, invalid, missing, ok, unchecked

#: So many seconds may clocks differ before off-peak windows and certificates are judged wrongly.
_TOLERANCE = 60.0


def check_space(folders: Sequence[str], wanted: int) -> Iterator[Answer]:
    """Whether each folder, or the nearest one above that is there, can be written and has ``wanted`` bytes left."""
    if not folders:
        yield missing("space", "no folder is named", "Set migration_state_dir.")
        return
    free: list[int] = []
    for name in folders:
        folder = Path(name).expanduser()
        there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path("/"))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            wrong = InputError(f"{folder} can't be written", safe_next="Set migration_state_dir, or mend its rights.")
            yield invalid("space", wrong)
            return
        free.append(shutil.disk_usage(there).free)
        if free[-1] < wanted:
            said = f"{folder} has {size(free[-1])} left, and {size(wanted)} are wanted"
            yield invalid("space", InputError(said, safe_next="Make room, or set migration_state_dir."))
            return
    yield ok("space", f"{size(min(free))} left")


def check_clock(seconds: Mapping[str, float | None]) -> Iterator[Answer]:
    """Whether our clock is the same as those of other servers (seconds that they are ahead; None: not asked)."""
    known = {name: off for name, off in seconds.items() if off is not None}
    if not known:
        yield from unchecked(("clock",), "no database could be asked for the time")
        return
    wrong = {name: off for name, off in known.items() if abs(off) > _TOLERANCE}
    if wrong:
        said = ", ".join(
            f"the {name}'s clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}" for name, off in wrong.items()
        )
        yield invalid("clock", InputError(said, safe_next="Mend the clock that is wrong (NTP)."))
    else:
        yield ok("clock", ", ".join(f"{name}: {round(off):+d} s" for name, off in known.items()))
