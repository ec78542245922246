# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Many mailboxes or accounts at once: processes, each with some threads, that take one after another from one list.

The largest go first (by what the ledger remembers), so that no long one is left to the end. A process that dies fails
what it was working on; the others finish the list. When the run itself dies, its processes die with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Generic, Protocol, TypeVar

from .courtesy import Courtesy
from .errors import DuplicateError
from .pace import Governor
from .progress import MAILBOXES, Progress, Words

_FORK = multiprocessing.get_context("fork")
_PR_SET_PDEATHSIG = 1
_TICK_SECONDS = 1.0
_COUNTERS = 3  # messages done, bytes done, messages expected


class Job(Protocol):
    """Something to be done to one mailbox or account."""

    @property
    def name(self) -> str:
        """Its name, for progress."""


JobT = TypeVar("JobT", bound=Job)
ResultT = TypeVar("ResultT")


class Counter:
    """The part of a run's counters that one process writes; several of its threads do."""

    def __init__(self, governor: Governor, shared: Any, offset: int, courtesies: Sequence[Courtesy] = ()) -> None:
        self._governor, self._shared, self._offset = governor, shared, offset
        self._courtesies = courtesies
        self._lock = threading.Lock()

    def expect(self, messages: int) -> None:
        """So many more messages or objects are to be copied."""
        with self._lock:
            self._shared[self._offset + 2] += messages

    def take(self, messages: int, size: int) -> None:
        """Wait until so much is due, and count it."""
        self._governor.take(messages, size)
        for courtesy in self._courtesies:
            courtesy.ease()
        with self._lock:
            self._shared[self._offset] += messages
            self._shared[self._offset + 1] += size


def twice(names: Sequence[str], words: Words = MAILBOXES) -> dict[str, DuplicateError]:
    """The names that appear more than once (case does not count), each with its error; ``words`` say of what."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
    return {
        name: DuplicateError(
            f"{name} appears {seen[name.lower()]} times in the list of {words.places}", **{words.place: name}
        )
        for name in names
        if seen[name.lower()] > 1
    }


@dataclass
class Run(Generic[JobT, ResultT]):
    """One run over a list of jobs.

    ``work`` does one job and gives its result, never raising for the job's sake; ``lost`` makes the result of a job
    whose process died; ``failed`` tells whether a result is a failure. ``courtesies`` are of the servers that jobs
    connect to; ``words`` say what jobs are, for progress.
    """

    jobs: Sequence[JobT]
    work: Callable[[JobT, Counter], ResultT]
    lost: Callable[[JobT, str], ResultT]
    failed: Callable[[ResultT], bool]
    governor: Governor
    slots: int
    progress: Callable[[Progress], None] | None = None
    courtesies: Sequence[Courtesy] = ()
    words: Words = MAILBOXES

    def __post_init__(self) -> None:
        slots = max(1, min(self.slots, len(self.jobs)))
        self._processes = min(os.cpu_count() or 1, slots)
        self._threads = [slots // self._processes + (n < slots % self._processes) for n in range(self._processes)]
        self._next = _FORK.Value("i", 0)
        self._taken = _FORK.RawArray("i", [-1] * len(self.jobs))
        self._counters = _FORK.RawArray("q", _COUNTERS * self._processes)
        self._results: dict[int, ResultT] = {}
        self._began = time.monotonic()

    def run(self) -> list[ResultT]:
        """Do all jobs; the results in the order of the jobs."""
        self._tell()
        if not self.jobs:
            return []
        children = [self._fork(number) for number in range(self._processes)]
        try:
            self._collect(children)
        finally:
            for child, _pipe in children:
                child.kill() if child.is_alive() else None
                child.join()
        for number, job in enumerate(self.jobs):
            self._results.setdefault(number, self.lost(job, "no worker process was left to do it"))
        self._tell()
        return [self._results[number] for number in range(len(self.jobs))]

    # the parent

    def _fork(self, number: int) -> tuple[Any, Any]:
        reader, writer = _FORK.Pipe(duplex=False)
        child = _FORK.Process(target=self._child, args=(number, writer, os.getpid()), daemon=True)
        child.start()
        writer.close()
        return child, reader

    def _collect(self, children: list[tuple[Any, Any]]) -> None:
        open_pipes: dict[Any, tuple[int, Any]] = {
            pipe: (number, child) for number, (child, pipe) in enumerate(children)
        }
        while open_pipes:
            pipe: Any
            for pipe in wait(list(open_pipes), timeout=_TICK_SECONDS):
                try:
                    index, result = pipe.recv()
                    self._results[index] = result
                except (EOFError, OSError):
                    number, child = open_pipes.pop(pipe)
                    child.join()
                    self._bury(number, child.exitcode)
            self._tell()

    def _bury(self, number: int, exit_code: int | None) -> None:
        """A process has ended: what it had taken and not done is lost."""
        for index, job in enumerate(self.jobs):
            if self._taken[index] == number and index not in self._results:
                self._results[index] = self.lost(job, f"the worker process died (exit code {exit_code})")

    def _tell(self) -> None:
        if self.progress is None:
            return
        waited_for = [one for one in self.courtesies if one.waiting]
        current = [self.jobs[n].name for n in range(len(self.jobs)) if self._taken[n] >= 0 and n not in self._results]
        self.progress(
            Progress(
                mailboxes_total=len(self.jobs),
                mailboxes_done=len(self._results),
                mailboxes_failed=sum(self.failed(result) for result in self._results.values()),
                messages_done=sum(self._counters[0::_COUNTERS]),
                messages_total=sum(self._counters[2::_COUNTERS]),
                bytes_done=sum(self._counters[1::_COUNTERS]),
                seconds=round(time.monotonic() - self._began, 3),
                current=current[:10],
                waiting=sum(courtesy.waiting for courtesy in waited_for),
                waiting_for="; ".join(f"the {courtesy.place} {courtesy.meaning}" for courtesy in waited_for),
                pid=os.getpid(),
                process_group=os.getpgrp(),
                places=self.words.places,
                things=self.words.things,
            )
        )

    # a worker process

    def _child(self, number: int, pipe: Any, parent: int) -> None:
        _die_with(parent)
        counter = Counter(self.governor, self._counters, number * _COUNTERS, self.courtesies)
        sending = threading.Lock()

        def take_jobs() -> None:
            for index in self._take(number):
                result = self.work(self.jobs[index], counter)
                with sending:
                    pipe.send((index, result))

        threads = [threading.Thread(target=take_jobs) for _extra in range(self._threads[number] - 1)]
        for thread in threads:
            thread.start()
        take_jobs()
        for thread in threads:
            thread.join()

    def _take(self, number: int) -> Iterator[int]:
        while True:
            with self._next.get_lock():
                index = self._next.value
                if index >= len(self.jobs):
                    return
                self._next.value += 1
                self._taken[index] = number
            yield index


def _die_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that ends (prctl(2), PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
