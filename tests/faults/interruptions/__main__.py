# SPDX-License-Identifier: GPL-3.0-or-later
"""The long form (``make interrupt``): every scenario, stopped at every step; some runs are stopped twice; duels."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from .duels import DUELS, Duels
from .scenarios import SCENARIOS
from .theatre import Tally, Theatre, timed

_Job = tuple[int, int, int]


def _some(names: Sequence[str]) -> list[int]:
    """The numbers of the scenarios in whose names one of the texts is; of all of them without any text."""
    return [
        number
        for number, scenario in enumerate(SCENARIOS)
        if not names or any(name.lower() in scenario.name.lower() for name in names)
    ]


def _play_all(numbers: Sequence[int], every: int, twice: int) -> Iterator[tuple[int, Tally, float]]:
    with Theatre.opened() as theatre:
        for number in numbers:
            yield number, *timed(theatre, SCENARIOS[number], every=every, twice=twice)


def _end_well() -> None:
    """A process that is asked to end stops its servers first."""

    def ended(*_signal: object) -> None:
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, ended)


def _part(numbers: Sequence[int], every: int, twice: int) -> Tally:
    """What one process does; each has servers of its own."""
    whole = Tally()
    for number, tally, seconds in _play_all(numbers, every, twice):
        whole.add(tally)
        print(f"{SCENARIOS[number].name}: {tally} ({seconds:.1f} s)", flush=True)
        for text in tally.wrong[:5]:
            print(f"  WRONG {text[:3000]}", flush=True)
    return whole


def _duels(kind: str, count: int) -> Tally:
    """Duels of one kind, every second with a kill."""
    tally = Tally()
    with Theatre.opened() as theatre:
        duels = Duels(theatre, kind)
        for number in range(count):
            _fates, verdict = duels.fight(number, kill=number % 2 == 1)
            tally.note(f"duel {kind} {number}", verdict)
    found = f"{tally.lost} lost, {tally.doubled} doubled, {tally.altered} altered"
    print(f"two runs at once, {kind}: {count} times, {found}", flush=True)
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was lost, doubled, altered or otherwise wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.interruptions", description=__doc__)
    parser.add_argument("names", nargs="*", help="only scenarios with one of these texts in their names")
    parser.add_argument("--every", type=int, default=1, help="stop at every so-many-th step (1: at all)")
    parser.add_argument("--twice", type=int, default=10, help="runs of each scenario that are stopped twice")
    parser.add_argument(
        "--duels", type=int, default=50, help="how often two runs are made at once, in each of the ways"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes, each with its own servers")
    options = parser.parse_args(arguments)
    numbers = _some(options.names)
    jobs = max(1, min(options.jobs, len(numbers)))
    whole = Tally()
    with ProcessPoolExecutor(jobs, initializer=_end_well) as pool:
        parts = [numbers[start::jobs] for start in range(jobs)]
        running = [pool.submit(_part, part, options.every, options.twice) for part in parts]
        running += [pool.submit(_duels, kind, options.duels) for kind in (DUELS if options.duels else ())]
        for done in as_completed(running):
            whole.add(done.result())
    print(whole)
    print(f"{len(whole.wrong)} performances were not as they must be" if whole.wrong else "all as it must be")
    return 1 if whole.wrong or not whole.stopped else 0


if __name__ == "__main__":
    sys.exit(main())
