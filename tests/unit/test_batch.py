# SPDX-License-Identifier: GPL-3.0-or-later
"""Many jobs over processes and threads: every job once, in any number; a process that dies takes only its own along."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.batch import Counter, Run, twice
from ansible_collections.atmail.migration.plugins.module_utils.pace import Governor, Pace
from ansible_collections.atmail.migration.plugins.module_utils.progress import Progress


@dataclass(frozen=True)
class Job:
    name: str


def run(names: list[str], slots: int, told: list[Progress] | None = None) -> list[str]:
    def work(job: Job, counter: Counter) -> str:
        counter.expect(2)
        counter.take(1, 100)
        if job.name == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if job.name == "slow":
            time.sleep(1.2)
        counter.take(1, 100)
        return f"done {job.name}"

    return Run(
        jobs=[Job(name) for name in names],
        work=work,
        lost=lambda job, why: f"lost {job.name}: {why}",
        failed=lambda result: result.startswith("lost"),
        governor=Governor(Pace()),
        slots=slots,
        progress=told.append if told is not None else None,
    ).run()


@pytest.mark.parametrize("slots", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("count", [0, 1, 2, 25])
def test_every_job_once_and_in_order(count: int, slots: int) -> None:
    names = [str(number) for number in range(count)]
    assert run(names, slots) == [f"done {name}" for name in names]


def test_a_killed_process_fails_its_own_job_only() -> None:
    results = run(["a", "killed", *"bcdefgh"], 2)
    assert results[1].startswith("lost killed: the worker process died")
    assert [result for number, result in enumerate(results) if number != 1] == [f"done {name}" for name in "abcdefgh"]


def test_when_all_processes_are_gone_the_rest_is_failed_not_forgotten() -> None:
    results = run(["killed", "a", "b"], 1)
    assert results[0].startswith("lost killed")
    assert results[1:] == ["lost a: no worker process was left to do it", "lost b: no worker process was left to do it"]


def test_progress_is_told_from_the_start_to_the_end() -> None:
    told: list[Progress] = []
    run(["slow", "b"], 2, told)
    assert (told[0].mailboxes_total, told[0].mailboxes_done, told[0].pid) == (2, 0, os.getpid())
    assert any("slow" in one.current and one.mailboxes_done == 1 for one in told)
    last = told[-1]
    assert (last.mailboxes_done, last.messages_done, last.messages_total, last.bytes_done) == (2, 4, 4, 400)
    assert not last.current


def test_names_that_appear_twice() -> None:
    found = twice(["ann@x", "Ann@X", "bob@x"])
    assert set(found) == {"ann@x", "Ann@X"}
    assert all(error.kind == "duplicate" and "2 times" in error.message for error in found.values())
