# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once on one mailbox, with a ledger each; whose turn a step is, is drawn by lot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import BusyError
from ansible_collections.atmail.migration.plugins.module_utils.ledger import Ledger

from .interruptions.duels import DUELS, Duels
from .interruptions.theatre import Theatre


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with Theatre.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def duels(theatre: Theatre) -> dict[str, Duels]:
    return {kind: Duels(theatre, kind) for kind in DUELS}


@pytest.mark.case(77)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", DUELS)
def test_nothing_is_lost_or_doubled(duels: dict[str, Duels], kind: str, seed: int) -> None:
    fates, verdict = duels[kind].fight(seed, kill=False)
    assert all(fate.ran for fate in fates)
    assert verdict.good, verdict


@pytest.mark.case(75, 77)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", DUELS)
def test_nor_when_one_of_them_is_killed(duels: dict[str, Duels], kind: str, seed: int) -> None:
    """What it had under way may arrive all the same, under whatever UIDs: its next run knows what it had sent."""
    fates, verdict = duels[kind].fight(seed, kill=True)
    assert any(fate.ran for fate in fates)
    assert verdict.good, verdict


@pytest.mark.case(77)
@pytest.mark.parametrize(("seed", "kill"), [(13, False), (29, True), (52, True)])
def test_turns_that_once_doubled_messages(duels: dict[str, Duels], seed: int, kill: bool) -> None:
    """One gave the folder a UIDVALIDITY of its own while the other had yet to take back what had got wrong UIDs; or
    one was killed when its batch was under way, and the batch came after the other's.
    """
    _fates, verdict = duels["auto"].fight(seed, kill=kill)
    assert verdict.good, verdict


@pytest.mark.case(77)
def test_a_lock_does_not_outlive_its_run(tmp_path: Path) -> None:
    """However a run ends: the lock is the open file's, not the file's."""
    path = str(tmp_path / "ledger.sqlite3")
    with Ledger(path) as one, Ledger(path) as other:
        number = one.mailbox("a", "a")
        with one.claimed(number), pytest.raises(BusyError), other.claimed(number):
            pass
        with other.claimed(number):
            pass
    assert Path(f"{path}.lock").exists()
