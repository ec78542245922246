# SPDX-License-Identifier: GPL-3.0-or-later
"""The same servers as the integration tests have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.integration.checks")

from tests.integration.checks.world import Pair, World  # noqa: E402 (only what is imported now is rewritten)

from .interruptions.theatre import TALLY  # noqa: E402


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many runs were stopped, where some were."""
    tally = config.stash.get(TALLY, None)
    if tally is not None:
        terminalreporter.write_line(f"interruptions: {tally}")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World.made(Path(tmp_path_factory.mktemp("ledgers"))) as made:
        yield made


@pytest.fixture
def pair(world: World) -> Pair:
    """A fresh mailbox on both sides."""
    return world.pair()
