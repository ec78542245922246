# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers whose answers are garbled (case 99): only errors of our own, no hang, and nothing wrong on the target.

The short form takes seconds; `make fuzz` (FUZZ_ANSWERS=…, FUZZ_SEED=… to begin elsewhere) goes on
until that many answers have been garbled.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from .scripted import Behaviour
from .scripted.engine import Trial
from .scripted.mutations import Mutator
from .scripted.trials import change, mailbox, trial

ANSWERS = int(os.environ.get("FUZZ_ANSWERS", "400"))
#: Seconds until the engine gives up waiting for an answer, here; and those that a run may take with all its attempts.
TIMEOUT, PATIENCE = 0.2, 60.0
#: Runs over a mailbox with garbled answers, before one without.
RUNS = 3


def _intact(one: Trial) -> None:
    """Each message on the target is one of the source, byte by byte, or a filler of a gap that a broken run left."""
    known = {message.body for folder in one.here.folders.values() for message in folder.messages} | one.was
    for name, folder in one.there.folders.items():
        wrong = [message.body for message in folder.messages if message.body not in known]
        assert all(body.startswith(b"X-Atmail-Migration: a gap") for body in wrong), (name, wrong[:2])


def _garbled(one: Trial, seed: int, every: int, side: str) -> int:
    """Some runs with garbled answers of one side or of both, while the user works; how many answers were garbled."""
    mutators = []
    for number, server in enumerate((one.source, one.target)):
        if side in ("both", ("source", "target")[number]):
            mutators.append(Mutator(seed * 2 + number, every))
            server.behaviour = Behaviour(mutate=mutators[-1])
    for run in range(RUNS):
        began = time.monotonic()
        outcome = one.run()
        took = time.monotonic() - began
        kinds = {str(failure["kind"]) for failure in outcome.failures}
        assert "internal_error" not in kinds, (seed, outcome.failures)
        assert "error" not in kinds, (seed, outcome.failures)
        assert took < PATIENCE, (seed, took)
        _intact(one)
        if run == 0:
            one.was = {message.body for message in one.here.inbox.messages}
            change(one.here)
    one.source.behaviour = one.target.behaviour = Behaviour()
    return sum(mutator.count for mutator in mutators)


def _resumed(one: Trial, seed: int) -> None:
    """A run without garbled answers ends well, and the target holds every message of the source once, and no other."""
    one.policy, one.timeout = {"allow_removals": 1.0}, 30.0
    outcome = one.run()
    assert outcome.failures == [], (seed, outcome.failures)
    for name in {*one.here.folders, *one.there.folders}:
        here, there = (box.folders.get(name) for box in (one.here, one.there))
        wanted = Counter(message.body for message in (here.messages if here else ()))
        held = Counter(message.body for message in (there.messages if there else ()))
        assert not wanted - held, (seed, name, "lost", list(wanted - held)[:2])
        # a message that went while nobody could tell stays; none is there twice
        assert all(count <= wanted[body] or body in one.was for body, count in held.items()), (
            seed,
            name,
            held - wanted,
        )
        assert max(held.values(), default=1) <= 1, (seed, name, "twice", held.most_common(2))


@pytest.mark.case(99)
@pytest.mark.timeout(0)
def test_garbled_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    first = int(os.environ.get("FUZZ_SEED", "0"))
    pause = time.sleep
    # the engine waits between its attempts: that is not what is tried here
    monkeypatch.setattr(time, "sleep", lambda seconds: pause(min(seconds, 0.005)))
    garbled, seed = 0, first
    while garbled < ANSWERS:
        seed += 1
        side, every = ("source", "target", "both")[seed % 3], (2, 4, 15, 60)[seed % 4]
        with ExitStack() as stack:
            folder = tmp_path / str(seed)
            folder.mkdir()
            one = stack.enter_context(trial(folder, faithful=seed % 2 == 0, origin=mailbox(40)))
            one.timeout = TIMEOUT
            garbled += _garbled(one, seed, every, side)
            _resumed(one, seed)
    record_property("told", f"{garbled} garbled answers in {seed - first} mailboxes")
