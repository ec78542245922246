# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync and mailbox_audit: how many connections, how many log-ins, how long to wait, how much in a day."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab.dovecot import Dovecot
from tests.lab.state import RegionOptions, SiteOptions

from .checks import module
from .checks.module import Result
from .checks.picture import look, placeholders
from .checks.world import Pair, World, plain, small_mails, with_gaps


def _filled(world: World, count: int, messages: int = 20) -> list[Pair]:
    pairs = [world.pair() for _number in range(count)]
    for pair in pairs:
        pair.write([with_gaps(small_mails(messages, pair.address), (), {})])
    return pairs


# connections


@contextmanager
def _watched(*servers: Dovecot) -> Iterator[list[int]]:
    """The most IMAP connections that each server has at any time, as it says itself (`doveadm who`)."""
    most = [0] * len(servers)
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for number, server in enumerate(servers):
                command = ["doveadm", "-c", str(server.configuration), "who", "-1"]
                told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
                most[number] = max(most[number], sum(" imap " in line for line in told.splitlines()))
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({"pace": {"connections": 8}, "source": {"max_connections": 3}}, 3),
        ({"pace": {"connections": 8}, "target": {"max_connections": 2}}, 2),
        ({"pace": {"connections": 4}}, 4),
    ],
)
def test_all_processes_together_stay_below_the_cap(world: World, changes: dict[str, Any], most: int) -> None:
    first, *others = _filled(world, 10)
    changes["pace"]["messages_per_second"] = 80
    with _watched(world.site.dovecot, world.region.dovecot) as seen:
        first.done(others=others, **changes)
    assert 0 < seen[0] <= most
    assert 0 < seen[1] <= most
    if "target" not in changes:
        assert max(seen) == most, "the cap is used"
    del changes["pace"]["messages_per_second"]
    options = first.arguments(others=others, **changes, depth="full")
    del options["ledger"]
    with _watched(world.site.dovecot, world.region.dovecot) as seen:
        assert module.run("mailbox_audit", options, world.secrets())["identical"]
    assert max(seen) <= most


def test_the_cap_holds_for_one_source_account_with_several_targets(world: World) -> None:
    origin = world.pair()
    origin.write([with_gaps(small_mails(30), (), {})])
    copies = [world.pair(on_source=False, origin=origin) for _number in range(6)]
    with _watched(world.site.dovecot) as seen:
        copies[0].done(
            others=copies[1:],
            source={"max_connections_per_account": 2},
            pace={"connections": 6, "messages_per_second": 60},
        )
    assert 0 < seen[0] <= 2
    for one in copies:
        assert look(one.target).count == 30


# log-ins


def _failed_log_ins(log: Path, since: int) -> list[str]:
    """The users whose log-in was refused, from the server's own log."""
    time.sleep(0.3)
    text = log.read_bytes()[since:].decode("utf-8", "replace")
    return re.findall(r"imap-login: .*auth failed, \d+ attempts.*?user=<([^>]*)>", text)


def _run(pairs: list[Pair], **changes: Any) -> Result:
    return pairs[0].sync(others=pairs[1:], **changes)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_wrong_admin_password_is_tried_once_in_a_whole_run(world: World, side: str) -> None:
    pairs = _filled(world, 8, 3)
    log = (world.site if side == "source" else world.region).dovecot.log
    since = log.stat().st_size
    wrong: dict[str, Any] = {side: {"admin_password": "wrong"}}
    result = _run(pairs, **wrong, pace={"connections": 8})
    assert (result.failed, result["kind"]) == (True, "auth_failed")
    assert len(_failed_log_ins(log, since)) == 1
    assert result.summary["mailboxes_failed"] == 8
    told = [failure["message"] for pair in pairs for failure in result.failures(pair.address)]
    assert sum("not tried" in text for text in told) == 7
    options = pairs[0].arguments(others=pairs[1:], **wrong)
    del options["ledger"]
    since = log.stat().st_size
    assert module.run("mailbox_audit", options, world.secrets())["kind"] == "auth_failed"
    assert len(_failed_log_ins(log, since)) == 1
    _run(pairs)
    for pair in pairs:
        pair.faithful()


def test_each_accounts_own_wrong_password_is_tried_once(world: World) -> None:
    pairs = _filled(world, 5, 3)
    log, since = world.site.dovecot.log, world.site.dovecot.log.stat().st_size
    options = pairs[0].arguments(others=pairs[1:], source={"admin_user": None, "admin_password": None})
    for number, entry in enumerate(options["mailboxes"]):
        entry["source_password"] = pairs[number].source_password if number == 2 else "wrong"
    result = module.run("mailbox_sync", options, world.secrets())
    assert result.summary["mailboxes_failed"] == 4
    assert sorted(_failed_log_ins(log, since)) == sorted(one.address for n, one in enumerate(pairs) if n != 2)
    pairs[2].faithful()


def test_an_account_that_is_not_there_does_not_stop_the_run(world: World) -> None:
    """Dovecot lets the admin user in and then knows no such user: that is not a wrong password."""
    ghost = world.pair(on_source=False)
    pairs = _filled(world, 4, 3)
    result = _run([ghost, *pairs], pace={"connections": 1})
    assert result.kinds(ghost.address) == {"auth_failed"}
    assert result.summary["mailboxes_failed"] == 1
    for pair in pairs:
        pair.faithful()


# patience


@pytest.fixture
def narrow(world: World) -> Iterator[World]:
    """A source that lets each user have one connection."""
    one = "protocol imap {\n  mail_max_userip_connections = 1\n}\n"
    with world.changed(site=SiteOptions(extra=one)):
        yield world


@pytest.mark.case(92)
def test_a_user_whose_own_mail_program_is_connected_is_waited_for(narrow: World) -> None:
    pair, other = _filled(narrow, 2)
    with contextlib.ExitStack() as stack:
        stack.enter_context(pair.at_source())
        running = pair.start(others=[other], pace={"connections": 2})
        time.sleep(3)
        stack.close()
        result = running.wait()
    assert not result.failed, result.text[:2000]
    (finding,) = result.mailbox(pair.address)["findings"]
    assert "waited" in finding
    assert "mail_max_userip_connections" in finding
    assert result.mailbox(other.address)["findings"] == []
    assert result.mailbox(other.address)["seconds"] < result.mailbox(pair.address)["seconds"]
    for one in (pair, other):
        one.faithful()


@pytest.mark.case(92)
def test_waiting_has_an_end_and_the_others_go_on(narrow: World) -> None:
    pair, other = _filled(narrow, 2)
    with pair.at_source():
        result = pair.sync(others=[other], pace={"max_backoff": 2})
    assert (result.failed, result["kind"]) == (True, "throttled")
    assert result.kinds(pair.address) == {"throttled"}
    assert "Run again later" in result.failures(pair.address)[0]["safe_next"]
    other.faithful()
    pair.done(others=[other])
    pair.faithful()


@pytest.mark.case(92)
def test_the_target_may_be_narrow_too(world: World) -> None:
    one = "protocol imap {\n  mail_max_userip_connections = 1\n}\n"
    with world.changed(region=RegionOptions(rawlog=True, extra=one)):
        (pair,) = _filled(world, 1)
        with pair.at_target():
            assert pair.sync(pace={"max_backoff": 0})["kind"] == "throttled"
        pair.done()
        pair.faithful()


# budgets


def _yesterday(ledger: Path) -> None:
    """Let a day go by."""
    with contextlib.closing(sqlite3.connect(ledger, isolation_level=None)) as db:
        db.execute("UPDATE spent SET day = '2000-01-01'")


@pytest.mark.parametrize("fidelity", ["faithful", "mapped"])
def test_a_days_budget_is_kept_and_the_next_day_goes_on(world: World, fidelity: str) -> None:
    pair, other = world.pair(), world.pair()
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(f"large {number}", "x" * 60 * 500) for number in range(40)])
        source.expunge("INBOX", source.uids("INBOX")[3:6])
        source.create("Later")
        source.append_many("Later", [plain(f"later {number}") for number in range(5)])
    other.write([with_gaps(small_mails(10, "other"), (), {})])
    pair.options = {"fidelity": fidelity, "pace": {"bytes_per_day_per_account": 500_000}}
    result = pair.sync(others=[other])
    assert (result.failed, result["kind"]) == (True, "budget_used_up")
    (failure,) = result.failures(pair.address)
    there = look(pair.target)
    assert failure["messages_left"] == 42 - there.count
    assert 14 <= there.count <= 17
    assert "(UTC)" in failure["safe_next"]
    assert placeholders(there) == []
    assert result.mailbox(other.address)["messages_copied"] == 10
    again = pair.sync(others=[other])
    assert again["kind"] == "budget_used_up"
    assert look(pair.target).count == there.count
    days = 1
    while result.failed:
        _yesterday(pair.ledger)
        result = pair.sync(others=[other])
        days += 1
        assert days < 5
    assert days == 3
    pair.faithful() if fidelity == "faithful" else pair.mapped()
    pair.settled()


def test_a_budget_for_all_accounts_together(world: World) -> None:
    pairs = _filled(world, 4, 30)
    size = 30 * 220  # about what one of them holds
    pairs[0].options = {"pace": {"bytes_per_day": 2 * size, "connections": 4}}
    result = pairs[0].sync(others=pairs[1:])
    assert result["kind"] == "budget_used_up"
    assert 0 < result.summary["bytes_copied"] <= 2 * size
    _yesterday(pairs[0].ledger)
    pairs[0].options = {}
    pairs[0].done(others=pairs[1:])
    for pair in pairs:
        pair.faithful()
