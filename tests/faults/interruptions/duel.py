# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs on one mailbox, with ledgers of their own: one step at a time, whose turn it is being drawn by lot.

Nothing keeps such runs apart but what they find on the target. The same seed gives the same turns, as far as the
servers answer in the same pieces.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from ansible_collections.atmail.migration.plugins.module_utils.mail import transfer

from .engine import Ran
from .stage import Stage
from .taps import Stopped, Tap, here, listening

#: A batch ends after so many bytes here, so that small mailboxes have many.
BATCH_BYTES = 1500
_PATIENCE = 60.0


class Turns:
    """Whose turn it is. A turn is some steps long; who has left gets none."""

    def __init__(self, seed: str, players: int, longest: int) -> None:
        self._chance = random.Random(seed)
        self._longest = longest
        self._players = list(range(players))
        self._changed = threading.Condition()
        self._whose = self._left = 0
        self._draw()

    def step(self, player: int) -> None:
        """Take a step of one's turn; wait for the next turn when it is over."""
        with self._changed:
            self._left -= 1
            if self._left <= 0:
                self._draw()
            self._wait(player)

    def begin(self, player: int) -> None:
        """Wait for one's first turn."""
        with self._changed:
            self._wait(player)

    def leave(self, player: int) -> None:
        """This one is done."""
        with self._changed:
            self._players.remove(player)
            self._draw()

    def _wait(self, player: int) -> None:
        if not self._changed.wait_for(lambda: self._whose == player, _PATIENCE):
            raise TimeoutError("the other run does not come to its end")

    def _draw(self) -> None:
        if self._players:
            self._whose = self._chance.choice(self._players)
            self._left = self._chance.randint(1, self._longest)
        with self._changed:
            self._changed.notify_all()


@dataclass
class Fate:
    """How one of the runs ended: by itself, or stopped at a step."""

    ran: Ran | None = None
    stopped_at: str = ""
    error: BaseException | None = None


def duel(stages: list[Stage], seed: str, *, longest: int = 12, stop: dict[int, int] | None = None) -> list[Fate]:
    """Runs at once; `stop` says which of them is ended at which of its steps. What they did is in their fates."""
    turns = Turns(seed, len(stages), longest)
    fates = [Fate() for _stage in stages]

    def go(player: int, stage: Stage) -> None:
        def decide(number: int, _name: str) -> bool:
            turns.step(player)
            return number == (stop or {}).get(player)

        tap = Tap(stage.ledger, decide, hide_appenduid=stage.scenario.hide_appenduid)
        try:
            with listening(tap):
                turns.begin(player)
                fates[player].ran = stage.sync()
        except Stopped:
            fates[player].stopped_at = tap.stopped_at
            stage.resume_with(tap)
        except BaseException as error:  # noqa: BLE001 - the thread's, given back to the test
            fates[player].error = error
        finally:
            turns.leave(player)

    with small_batches():
        threads = [threading.Thread(target=go, args=(player, stage)) for player, stage in enumerate(stages)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for fate in fates:
        if fate.error:
            raise fate.error
    return fates


_sleep: Callable[[float], None] = time.sleep


def _give_way(seconds: float) -> None:
    """A pause of a run is a step: the other may go on meanwhile."""
    tap = here()
    if tap is None:
        _sleep(seconds)
    else:
        tap.step("pause")


@contextmanager
def small_batches() -> Iterator[None]:
    """Batches are small, and nobody really pauses."""
    patch: Any = mock.patch.object
    with patch(transfer, "BATCH_BYTES", BATCH_BYTES), patch(time, "sleep", _give_way):
        yield
