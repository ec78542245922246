# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays random users, one account after another, until the time is up."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lab.throwaway import fast_folder

from .machine import RandomUsers
from .stage import Tally, opened

SEED = 20261123
#: Accounts that are played from one seed, and what is done in each.
_ACCOUNTS = 8
_STEPS = 40
_SETTINGS = settings(
    max_examples=_ACCOUNTS,
    stateful_step_count=_STEPS,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.normal,
)


def play(seconds: float, first: int, tell: Callable[[str], None]) -> Tally:
    """Play until so many seconds have passed; the seeds are ``first`` and those after it.

    Gives what has been played; what is wrong is raised, after the seed that showed it has been told.
    """
    tally = Tally()
    folder = Path(tempfile.mkdtemp(prefix="users-", dir=fast_folder()))
    end = time.monotonic() + seconds
    number = first
    try:
        with opened(folder) as (servers, _folder):
            machine = type("Played", (RandomUsers,), {"servers": servers, "folder": folder, "tally": tally})
            while time.monotonic() < end:
                try:
                    run_state_machine_as_test(seed(number)(machine), settings=_SETTINGS)
                except BaseException:
                    tell(f"seed {number} shows something wrong; so far {tally}")
                    raise
                tell(f"seed {number}: {tally}")
                number += 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally
