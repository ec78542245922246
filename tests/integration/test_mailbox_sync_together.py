# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync while others are at work: mail is delivered to the target, people use the source, two runs at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .checks import wire
from .checks.mail import Mailbox, Place
from .checks.picture import Message, look, placeholders
from .checks.world import Pair, plain, small_mails, with_gaps

#: Slow enough that there is time to come in between.
SLOWLY: dict[str, Any] = {"pace": {"messages_per_second": 900}}


def _filled(pair: Pair, count: int, *, seed: object = 0) -> None:
    gaps = {number: number % 40 for number in range(0, count, 37)}
    pair.write([with_gaps(small_mails(count, seed), (), gaps)])


@contextmanager
def _meanwhile(place: Place, work: Callable[[Mailbox, int], None], pause: float) -> Iterator[list[int]]:
    """Do something again and again in a thread, from now until the block ends; gives what has been done so far."""
    done: list[int] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def go() -> None:
        try:
            with place.open() as mailbox:
                while not stop.is_set():
                    work(mailbox, len(done))
                    done.append(len(done))
                    time.sleep(pause)
        except BaseException as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
    assert not failures


def _until(holds: Callable[[], bool], patience: float = 30.0) -> None:
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def _contents(place: Place, folder: str = "INBOX") -> Counter[Message]:
    return look(place).folders[folder].contents()


@pytest.mark.case(83)
@pytest.mark.parametrize("pause", [0.004, 0.12, 0.6])
def test_mail_delivered_to_the_target_during_the_copy(pair: Pair, pause: float) -> None:
    """Whatever comes in between, all of both is there once, in this run or in the next."""
    _filled(pair, 1500)

    def deliver(mailbox: Mailbox, number: int) -> None:
        mailbox.append("INBOX", plain(f"delivered {number}"), "\\Flagged")

    with _meanwhile(pair.target, deliver, pause) as delivered:
        result = pair.sync(**SLOWLY)
    assert len(delivered) > 1
    if result.failed:
        assert result.kinds(pair.address) == {"target_moved"}, result.text[:2000]
    _all_of_both(pair, len(delivered), complete=not result.failed)
    pair.done()
    _all_of_both(pair, len(delivered), complete=True)
    pair.settled()


def _all_of_both(pair: Pair, delivered: int, *, complete: bool) -> None:
    there = look(pair.target)
    assert placeholders(there) == []
    here, contents = _contents(pair.source), there.folders["INBOX"].contents()
    foreign = contents - here
    assert foreign.total() == delivered
    assert all("\\flagged" in message.flags for message in foreign)
    assert max(foreign.values(), default=1) == 1
    if complete:
        assert here - contents == Counter()


@pytest.mark.case(48, 80, 81)
def test_a_user_who_works_on_the_source_during_the_copy(pair: Pair) -> None:
    """Mail comes, flags change and messages go while they are read; the next run has it."""
    _filled(pair, 1500)

    def use(mailbox: Mailbox, number: int) -> None:
        mailbox.append("INBOX", plain(f"new {number}"))
        uids = mailbox.uids("INBOX")
        mailbox.store("INBOX", uids[number::100], "+FLAGS", "\\Flagged during")
        mailbox.expunge("INBOX", [uids[-20 - number], uids[number * 3]])

    with _meanwhile(pair.source, use, 0.05) as used:
        result = pair.sync(**SLOWLY)
    assert len(used) > 5
    assert not result.failed, result.text[:2000]
    pair.done()
    pair.faithful()
    pair.settled()


@pytest.mark.case(77)
def test_two_runs_with_one_ledger(pair: Pair) -> None:
    """The second leaves the mailbox alone and says so; the other mailboxes of its list are done."""
    other = pair.world.pair()
    _filled(pair, 1500)
    _filled(other, 20, seed="other")
    first = pair.start(**SLOWLY)
    _until(lambda: "APPEND" in {one.verb for one in wire.commands(pair.world.rawlog(), pair.address)})
    second = pair.sync(others=[other])
    assert first.process.poll() is None, "the first run was over too soon for this test"
    assert (second.failed, second["kind"]) == (True, "mailbox_busy")
    assert second.kinds(pair.address) == {"mailbox_busy"}
    assert second.failures(other.address) == []
    other.faithful()
    result = first.wait()
    assert not result.failed
    pair.faithful()
    pair.settled()


@pytest.mark.soak
@pytest.mark.case(77)
@pytest.mark.parametrize("fidelity", ["auto", "mapped"])
@pytest.mark.parametrize("second_starts_after", [0, 1])
def test_two_runs_with_different_ledgers(pair: Pair, fidelity: str, second_starts_after: int) -> None:
    """Nothing keeps them apart but what the target holds. Nothing is lost; nothing is doubled."""
    _filled(pair, 1200)
    other = Pair(pair.world, pair.address, pair.ledger.with_suffix(".other"))
    first = pair.start(fidelity=fidelity, **SLOWLY)
    _until(lambda: len(wire.commands(pair.world.rawlog(), pair.address)) >= second_starts_after * 4)
    second = other.start(fidelity=fidelity, **SLOWLY)
    for running in (first, second):
        result = running.wait()
        if result.failed:
            assert result.kinds(pair.address) <= {"target_moved", "folder_failed"}, result.text[:2000]
    for again in (pair, other, pair):
        result = again.sync(fidelity=fidelity)
        assert not result.failed, result.text[:2000]
    here, there = _contents(pair.source), _contents(pair.target)
    assert here - there == Counter(), "messages were lost"
    assert (there - here).total() == 0, f"{(there - here).total()} messages were doubled"
