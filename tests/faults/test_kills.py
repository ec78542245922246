# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at any moment, then a rerun: nothing lost, nothing doubled, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.checks import wire
from tests.integration.checks.module import Running
from tests.integration.checks.picture import Picture, differences, look, placeholders
from tests.integration.checks.world import Pair, World, small_mails, with_gaps

pytestmark = [pytest.mark.case(75, 77), pytest.mark.long]
SEED = 20261123
#: Where UIDs are the source's, and where they are not.
MOMENTS = {"auto": 5, "mapped": 3}
#: Slow enough for moments to fall into the copying, whatever else the machine does.
PACE = {"messages_per_second": 1600}


def _folders(count: int, seed: str) -> list[Any]:
    """Folders with holes of all sizes in their UIDs: single, many in a row, more than placeholders are used for."""
    chance = random.Random(seed)
    inbox = {number: chance.choice((1, 2, 30, 300)) for number in range(0, count, 60)}
    return [
        with_gaps(small_mails(count, seed), (), inbox),
        with_gaps(small_mails(count // 4, f"{seed} sent"), ("Sent",), {count // 8: 3000, 3: 1}),
        with_gaps(small_mails(30, f"{seed} deep"), ("A", "B", "Größe"), {}),
        with_gaps([], ("Empty",), {}),
    ]


@pytest.fixture(scope="module")
def sources(world: World) -> list[tuple[Pair, Picture]]:
    """Two source mailboxes, 2,560 messages, and what they hold."""
    found = []
    for number, count in enumerate((1400, 600)):
        pair = world.pair(on_target=False)
        pair.write(_folders(count, f"killed {number}"))
        found.append((pair, look(pair.source)))
    return found


class Copying:
    """Runs that copy the two mailboxes to two fresh accounts of the target."""

    def __init__(self, world: World, sources: list[tuple[Pair, Picture]], fidelity: str) -> None:
        self.sources = sources
        self.targets = [world.pair(origin=source) for source, _picture in sources]
        self.fidelity = fidelity
        self.world = world

    def start(self, pace: Mapping[str, Any]) -> Running:
        first, *others = self.targets
        return first.start(others=others, fidelity=self.fidelity, pace=pace)

    def holds(self) -> int:
        """Messages that are there; what is there must be the source's, each once, and perhaps placeholders."""
        count = 0
        for (_source, picture), target in zip(self.sources, self.targets, strict=True):
            there = look(target.target)
            fillers = placeholders(there)
            for name, folder in there.folders.items():
                assert name in picture.folders
                real = {uid: one for uid, one in folder.messages.items() if f"{name} UID {uid}" not in fillers}
                if self.fidelity == "auto":
                    assert real.items() <= picture.folders[name].messages.items()
                count += len(real)
        return count

    def finish(self, *, twice: bool) -> None:
        """Run to the end: everything is there as it should be. Run once more, if so wished: there is nothing to do."""
        result = self.start({}).wait()
        assert not result.failed, result.text[:3000]
        faithful = self.fidelity == "auto"
        for (_source, picture), target in zip(self.sources, self.targets, strict=True):
            there = look(target.target)
            assert placeholders(there) == []
            assert differences(picture, there, faithful=faithful) == []
        again = self.start({}).wait() if twice else None
        assert again is None or (again.failed, again["changed"]) == (False, False), again.text[:3000]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(word) for word in task.read_text().split()]
    return found


def _kill(running: Running) -> None:
    """Kill -9 of the main process alone; its workers must go with it."""
    workers = _children(running.process.pid)
    running.process.kill()
    running.process.communicate()
    _are_gone(workers)


def _told(pid: int) -> list[str]:
    """What the kernel says of a process; nothing when it is gone by now."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/status").read_text().splitlines()[:7]
    return []


def _are_gone(workers: list[int]) -> None:
    end = time.monotonic() + 5
    while alive := [pid for pid in workers if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < end, f"workers outlived the module: {[_told(pid) for pid in alive]}"
        time.sleep(0.02)


@pytest.mark.parametrize("fidelity", MOMENTS)
def test_kill_at_random_moments(world: World, sources: list[tuple[Pair, Picture]], fidelity: str) -> None:
    """In every second case the run after it is killed, too. At least half of the moments fall into the copying."""
    chance = random.Random(f"{SEED} {fidelity}")
    everything = sum(picture.count for _source, picture in sources)
    began = time.monotonic()
    measured = Copying(world, sources, fidelity)
    measured.start(PACE).wait()
    whole = time.monotonic() - began
    in_the_middle = 0
    for number in range(MOMENTS[fidelity]):
        copying = Copying(world, sources, fidelity)
        for _again in range(1 + number % 2):
            running = copying.start(PACE)
            time.sleep(chance.uniform(0.2, 0.95) * whole)
            _kill(running)
            in_the_middle += 0 < copying.holds() < everything
        copying.finish(twice=number % 4 == 3)
    assert in_the_middle >= MOMENTS[fidelity] // 2


def _until_copying(world: World, users: list[str]) -> None:
    end = time.monotonic() + 30
    while not all("APPEND" in {one.verb for one in wire.commands(world.rawlog(), user)} for user in users):
        assert time.monotonic() < end, "nothing is copied"
        time.sleep(0.02)


@pytest.fixture
def four(world: World) -> Iterator[list[Pair]]:
    pairs = [world.pair() for _number in range(4)]
    for number, pair in enumerate(pairs):
        pair.write([with_gaps(small_mails(600, f"four {number}"), (), {5: 3, 300: 40})])
    yield pairs
    for pair in pairs:
        pair.ledger.unlink(missing_ok=True)


@pytest.mark.parametrize("connections", [2, 4])
def test_kill_of_one_worker(world: World, four: list[Pair], connections: int) -> None:
    """Its mailboxes are failed by name, the others are done; the next run does the rest."""
    if (os.cpu_count() or 1) < 2:
        pytest.skip("with one processor there is one worker only")
    first, *others = four
    running = first.start(others=others, pace={"messages_per_second": 600, "connections": connections})
    _until_copying(world, [pair.address for pair in four[:connections]])
    workers = _children(running.process.pid)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    result = running.wait()
    assert result.failed
    lost = [pair for pair in four if result.failures(pair.address)]
    assert 1 <= len(lost) <= 3
    for pair in four:
        if pair in lost:
            (failure,) = result.failures(pair.address)
            assert failure["mailbox"] == pair.address
            assert "worker" in failure["message"]
        else:
            pair.faithful()
    assert result.summary["mailboxes_failed"] == len(lost)
    first.done(others=others)
    for pair in four:
        pair.faithful()
    assert first.done(others=others)["changed"] is False


def test_terminated_politely(four: list[Pair], world: World) -> None:
    """SIGTERM, as an interrupted playbook sends it: the module ends, its workers too; the next run carries on."""
    first, *others = four
    running = first.start(others=others, pace={"messages_per_second": 600})
    _until_copying(world, [first.address])
    workers = _children(running.process.pid)
    running.process.terminate()
    running.process.communicate(timeout=15)
    _are_gone(workers)
    first.done(others=others)
    for pair in four:
        pair.faithful()
