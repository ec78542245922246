# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run's processes owe one server together: caps, one try for a password, patience. With a clock of our own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.courtesy import Caps, Courtesy, Lease
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    AuthError,
    ConnectionLostError,
    ThrottledError,
)
from ansible_collections.atmail.migration.plugins.module_utils.hints import SLOW_DOWN, SPENT, TOO_MANY, Hint

FORK = multiprocessing.get_context("fork")
NAMES = [f"user{number}@x" for number in range(30)]
SLOW = Hint(SLOW_DOWN, 60, shared=True, vendor="x")
OWN = Hint(TOO_MANY, 5, shared=False, vendor="x")


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def tick(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def courtesy(
    most: int = 100, per_account: int = 0, *, admin: bool = True, patience: float = 600, clock: Clock | None = None
) -> Courtesy:
    caps = Caps(lambda: most, most, per_account)
    tick, sleep = (clock.tick, clock.sleep) if clock else (time.monotonic, time.sleep)
    return Courtesy(
        "source x:993", NAMES, caps, admin=admin, patience=patience, tick=tick, sleep=sleep, chance=lambda: 0.0
    )


def opened(one: Courtesy, name: str) -> Lease:
    """A connection that stays open."""
    with one.admitted(name) as lease:
        return lease


def refused(one: Courtesy, name: str, *, credentials: bool = True) -> None:
    error = AuthError("the server refused the log-in: nonsense")
    error.credentials = credentials
    with pytest.raises(AuthError), one.admitted(name):
        raise error


# connections


def _work(one: Courtesy, top: object, names: list[str]) -> None:
    for name in names:
        with one.admitted(name) as lease:
            pass
        with top.get_lock():  # type: ignore[attr-defined]  # a multiprocessing.Value has no type of its own
            top.value = max(top.value, one.connections)  # type: ignore[attr-defined]  # the same
        time.sleep(0.01)
        lease.release()
        lease.release()


def test_the_cap_holds_over_all_processes() -> None:
    one, top = courtesy(3), FORK.Value("i", 0)
    children = [FORK.Process(target=_work, args=(one, top, NAMES[:10])) for _number in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert top.value == 3
    assert one.connections == 0


def test_the_cap_of_one_account_leaves_room_for_others() -> None:
    clock = Clock()
    one = courtesy(4, 2, clock=clock)
    first = opened(one, "user1@x")
    opened(one, "user1@x")
    opened(one, "user2@x")
    began = clock.now
    with one.admitted("user1@x", meanwhile=first.release):
        assert clock.now > began
    assert one.connections == 3


def _hold_and_die(one: Courtesy) -> None:
    for name in NAMES[:2]:
        opened(one, name)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_gives_its_connections_back() -> None:
    one = courtesy(2)
    child = FORK.Process(target=_hold_and_die, args=(one,))
    child.start()
    child.join(30)
    with one.admitted("user5@x"):
        assert one.connections <= 2


def test_the_cap_follows_the_time_of_day() -> None:
    clock = Clock()
    caps = Caps(lambda: 1 if clock.now < 2000 else 2, 2)
    one = Courtesy("x", NAMES, caps, admin=True, patience=1, tick=clock.tick, sleep=clock.sleep)
    with one.admitted("user1@x"):
        pass
    with one.admitted("user2@x"):
        assert clock.now >= 2000


# passwords


def _try(one: Courtesy, tried: object, name: str) -> None:
    try:
        with one.admitted(name):
            with tried.get_lock():  # type: ignore[attr-defined]  # a multiprocessing.Value has no type of its own
                tried.value += 1  # type: ignore[attr-defined]  # the same
            time.sleep(0.05)
            error = AuthError("wrong")
            error.credentials = True
            raise error
    except AuthError:
        return


@pytest.mark.parametrize(("admin", "names", "tries"), [(True, NAMES[:8], 1), (False, NAMES[:4] * 2, 4)])
def test_a_wrong_password_is_tried_once_by_all_processes(admin: bool, names: list[str], tries: int) -> None:
    one, tried = courtesy(admin=admin), FORK.Value("i", 0)
    children = [FORK.Process(target=_try, args=(one, tried, name)) for name in names]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert tried.value == tries


def test_the_error_says_whose_log_in_was_refused_and_what_the_server_said() -> None:
    one = courtesy()
    refused(one, "user1@x")
    with pytest.raises(AuthError, match=r"not tried.*user1@x.*nonsense") as error, one.admitted("user2@x"):
        pass
    assert error.value.where["server"] == "source x:993"


def test_an_admin_user_who_was_let_in_before_is_doubted_after_three_refusals_in_a_row() -> None:
    one = courtesy()
    for name in NAMES[:2]:
        with one.admitted(name):
            pass
    refused(one, "user3@x")
    refused(one, "user4@x")
    with one.admitted("user5@x"):
        pass
    for name in NAMES[6:9]:
        refused(one, name)
    with pytest.raises(AuthError, match="not tried"), one.admitted("user9@x"):
        pass


def test_what_is_not_about_the_password_stops_nobody() -> None:
    one = courtesy()
    refused(one, "user1@x", credentials=False)
    with pytest.raises(ConnectionLostError), one.admitted("user2@x"):
        raise ConnectionLostError("gone")
    with one.admitted("user3@x"):
        pass
    assert one.connections == 1


# patience


def test_one_is_told_and_all_wait() -> None:
    clock = Clock()
    one = courtesy(clock=clock)
    assert one.told(SLOW, 1, clock.now) == 60
    assert one.told(SLOW, 1, clock.now) == 60, "the same complaint, and no longer a wait"
    began = clock.now
    one.ease()
    assert clock.now == began + 1, "a message under way is held up for a second at most"
    heard: list[float] = []
    with one.admitted("user9@x", meanwhile=lambda: heard.append(clock.now)):
        assert clock.now == pytest.approx(began + 60)
    assert len(heard) > 50


def test_what_concerns_one_account_holds_up_nobody_else() -> None:
    clock = Clock()
    one = courtesy(clock=clock)
    assert one.told(OWN, 2, clock.now) == 10
    with one.admitted("user9@x"):
        assert clock.now == 1000


@pytest.mark.parametrize("hint", [SLOW, OWN])
def test_waits_end_with_the_patience_of_the_run(hint: Hint) -> None:
    clock = Clock()
    one = courtesy(patience=500, clock=clock)
    waited: list[float] = []
    since = clock.now
    while (seconds := one.told(hint, len(waited) + 1, since)) is not None:
        waited.append(seconds)
        one.wait(seconds)
    assert sum(waited) <= 500
    assert waited == sorted(waited)
    assert len(waited) > 1


def test_a_day_is_never_waited_for() -> None:
    assert courtesy(clock=Clock()).told(Hint(SPENT, 86400, shared=False, vendor="x"), 1, 1000.0) is None


def test_after_ten_who_waited_in_vain_nobody_tries_any_more_until_something_goes_well() -> None:
    clock = Clock()
    one = courtesy(patience=30, clock=clock)
    for _number in range(10):
        with one.admitted("user1@x") as lease:
            pass
        lease.release()
        assert one.told(SLOW, 1, clock.now) is None
    with pytest.raises(ThrottledError, match="10 mailboxes waited for it in vain"), one.admitted("user2@x"):
        pass
    one.went_well()
    with one.admitted("user3@x"):
        pass


def test_who_waits_is_counted() -> None:
    clock = Clock()
    seen: list[int] = []

    def sleep(seconds: float) -> None:
        seen.append(one.waiting)
        clock.sleep(seconds)

    one = Courtesy("x", [], Caps(lambda: 1, 1), admin=True, patience=9, tick=clock.tick, sleep=sleep)
    one.wait(3)
    assert seen
    assert set(seen) == {1}
    assert one.waiting == 0
