# SPDX-License-Identifier: GPL-3.0-or-later
"""The same servers as the integration tests have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.integration.checks")

from tests.integration.checks.world import Pair, World  # noqa: E402 (only what is imported now is rewritten)

from .interruptions.theatre import COUNTS, Tally  # noqa: E402

#: A line that a test wants to have said at the end.
TOLD = "told"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what tests have recorded, in whichever process they ran: counts of runs that were stopped, and lines."""
    tally = Tally()
    reports = [one for some in terminalreporter.stats.values() for one in some if getattr(one, "when", "") == "call"]
    for name, value in (one for report in reports for one in report.user_properties):
        if name == COUNTS:
            tally.add(Tally(*value))
        elif name == TOLD:
            terminalreporter.write_line(str(value))
    if tally.scenarios:
        terminalreporter.write_line(f"interruptions: {tally}")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World.made(Path(tmp_path_factory.mktemp("ledgers"))) as made:
        yield made


@pytest.fixture
def pair(world: World) -> Pair:
    """A fresh mailbox on both sides."""
    return world.pair()
