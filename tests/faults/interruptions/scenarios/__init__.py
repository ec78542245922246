# SPDX-License-Identifier: GPL-3.0-or-later
"""What is played: everything that can be going on in a mailbox when a run is stopped."""

from __future__ import annotations

from tests.faults.interruptions.stage import Scenario

from . import after, changes, first, folders, ledgers, merging, strangers

SCENARIOS: tuple[Scenario, ...] = (
    *first.SCENARIOS,
    *changes.SCENARIOS,
    *folders.SCENARIOS,
    *strangers.SCENARIOS,
    *ledgers.SCENARIOS,
    *after.SCENARIOS,
    *merging.SCENARIOS,
)
