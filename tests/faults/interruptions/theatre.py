# SPDX-License-Identifier: GPL-3.0-or-later
"""Where scenarios are played: the servers, the taps in place, and the account of all performances."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.throwaway import fast_folder
from tests.lab.virtual import VirtualPair

from . import engine, taps
from .stage import Play, Scenario, Verdict

SEED = 20261123


@dataclass
class Tally:
    """The account: scenarios and their steps, how often a run was stopped, and what was found after it all."""

    scenarios: int = 0
    steps: int = 0
    stopped: int = 0
    lost: int = 0
    doubled: int = 0
    altered: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another account to this one."""
        for name in ("scenarios", "steps", "stopped", "lost", "doubled", "altered"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wrong += other.wrong

    def note(self, what: str, verdict: Verdict) -> None:
        """Add one verdict."""
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.altered += verdict.altered
        if not verdict.good:
            numbers = f"{verdict.lost} lost, {verdict.doubled} doubled, {verdict.altered} altered"
            self.wrong.append(f"{what}: {numbers}; {'; '.join(verdict.wrong)}")

    def counts(self) -> list[int]:
        """The numbers, in the order of the fields."""
        return [self.scenarios, self.steps, self.stopped, self.lost, self.doubled, self.altered]

    def __str__(self) -> str:
        return (
            f"{self.scenarios} scenarios with {self.steps} steps: {self.stopped} runs stopped and resumed,"
            f" {self.lost} lost, {self.doubled} doubled, {self.altered} altered"
        )


#: The property of a test that holds its account, for the sum at a session's end.
COUNTS = "interruptions"


@dataclass(frozen=True)
class Theatre:
    """The servers and a folder for ledgers."""

    servers: VirtualPair
    folder: Path

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Theatre]:
        """Everything is ready, for a while."""
        folder = Path(tempfile.mkdtemp(prefix="theatre-", dir=fast_folder()))
        try:
            with VirtualPair.temporary() as servers, taps.installed(), engine.inline():
                yield cls(servers, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def play(self, scenario: Scenario, *, every: int = 1, sample: int = 0, twice: int = 0) -> Tally:
        """Play a scenario without a stop, then with a stop at its steps: at every so-many-th, or at a sample of them.

        `twice` is how many performances are stopped, resumed and stopped again, both at steps chosen by chance.
        """
        tally = Tally(scenarios=1)
        play = Play(self.servers, self.folder, scenario)
        chance = random.Random(f"{SEED} {scenario.name}")
        try:
            names, verdict = play.count()
            tally.steps = len(names)
            tally.note(f"{scenario.name}, not stopped", verdict)
            all_steps = range(1, len(names) + 1)
            chosen: list[Sequence[int]] = [(step,) for step in all_steps[::every]]
            if sample:
                chosen = [(step,) for step in sorted(chance.sample(all_steps, min(sample, len(names))))]
            chosen += [(chance.choice(all_steps), chance.choice(all_steps)) for _again in range(twice)]
            for steps in chosen:
                where, verdict = play.stopped(*steps)
                tally.stopped += bool(where)
                tally.note(f"{scenario.name}, stopped at {' and '.join(map(str, steps))} ({where})", verdict)
        finally:
            play.close()
        return tally


def timed(theatre: Theatre, scenario: Scenario, *, every: int, twice: int) -> tuple[Tally, float]:
    """A scenario's account, and how many seconds it took."""
    began = time.monotonic()
    tally = theatre.play(scenario, every=every, twice=twice)
    return tally, time.monotonic() - began
