# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections on which nothing comes any more, or a byte at a time, at a byte of our choice (case_90, case_91)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.integration.checks.picture import differences, look, placeholders
from tests.integration.checks.world import Pair, World, small_mails, with_gaps

from .stalling import Stall, stalling

COUNT = 400


@pytest.fixture(scope="module")
def origin(world: World) -> Pair:
    """The source mailbox of all these tests."""
    pair = world.pair(on_target=False)
    pair.write([with_gaps(small_mails(COUNT, "stall"), (), {7: 30}), with_gaps(small_mails(60, "sent"), ("Sent",), {})])
    return pair


@pytest.mark.case(90, 91)
@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("trickle", [False, True], ids=["silence", "byte by byte"])
@pytest.mark.parametrize("after", [300, 6_000, 40_000])
def test_a_server_that_says_no_more(world: World, origin: Pair, side: str, trickle: bool, after: int) -> None:
    """The run ends soon, with one clear error where a second try was of no use either; the next one does it all."""
    pair = world.pair(origin=origin)
    wanted = look(pair.source)
    began = time.monotonic()
    with stalling(world.side(side)["port"], Stall(after, trickle=trickle)) as proxy:
        options: dict[str, Any] = {side: {"port": proxy.port, "timeout": 1.5}}
        result = pair.sync(**options)
        stalled = proxy.stalled
    assert time.monotonic() - began < 40
    if result.failed:
        assert stalled
        assert result.kinds(pair.address) <= {"timeout", "connection_lost"}, result.text[:2000]
    elif stalled:
        assert any("made anew" in text for text in result.mailbox(pair.address)["findings"])
    there = look(pair.target)
    for name, folder in there.folders.items():
        fillers = placeholders(there)
        real = {uid: one for uid, one in folder.messages.items() if f"{name} UID {uid}" not in fillers}
        assert real.items() <= wanted.folders[name].messages.items()
    pair.done()
    assert differences(wanted, look(pair.target)) == []
    pair.settled()
