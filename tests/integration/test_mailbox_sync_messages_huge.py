# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync and mailbox_audit: many messages and a large one, in little memory (`make huge` is the long form)."""

from __future__ import annotations

import pytest

from tests.huge import runs

from .checks.world import World

pytestmark = pytest.mark.long


@pytest.mark.slow
@pytest.mark.case(31, 32)
def test_a_hundred_thousand_messages_need_little_memory(world: World) -> None:
    for what, seen in runs.many(world, 100_000, depths=["headers"]):
        assert seen.memory < runs.LIMIT, seen.line(what)


@pytest.mark.slow
@pytest.mark.case(30)
@pytest.mark.parametrize("megabytes", [50, 300])
def test_a_large_message_needs_no_more_memory_than_a_small_one(world: World, megabytes: int) -> None:
    for what, seen in runs.large(world, megabytes * 1_000_000):
        assert seen.memory < runs.LIMIT, seen.line(what)
