# SPDX-License-Identifier: GPL-3.0-or-later
"""A minute of random users on both sides of real servers, with runs and kills in between; `make users` plays longer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.users.play import SEED, play

pytestmark = pytest.mark.long

SECONDS = 60


@pytest.mark.case(67, 72, 75, 78, 82, 83)
def test_a_minute_of_random_users(record_property: Callable[[str, object], None]) -> None:
    """Mirrored alike; after the cut-over nothing lost, doubled or undone, and a further run changes nothing."""
    print(f"random users for {SECONDS} seconds from seed {SEED} on")
    tally = play(SECONDS, SEED, lambda text: print(f"  {text}", flush=True))
    record_property("told", f"random users from seed {SEED} on: {tally}")
    assert tally.counts["runs"] > tally.counts["accounts"] > 1
    assert tally.counts["kills"]
    assert tally.counts["messages brought"]
