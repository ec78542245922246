# SPDX-License-Identifier: GPL-3.0-or-later
"""How much may be read in a day: over processes, over runs, per account and together, with a day that is passed in."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.budget import CHUNK, DayBudget, DayLimits
from ansible_collections.atmail.migration.plugins.module_utils.errors import DayBudgetError, InputError
from ansible_collections.atmail.migration.plugins.module_utils.ledger import Ledger
from ansible_collections.atmail.migration.plugins.module_utils.pace import pace_from_options

MONDAY, TUESDAY = datetime(2026, 11, 23, 22, 30, tzinfo=UTC), datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.sqlite3")


def read(path: str, account: str, sizes: list[int], limits: DayLimits, now: datetime = MONDAY) -> int:
    """Read messages until the budget is used up; gives the bytes that were read."""
    total = 0
    with Ledger(path) as ledger, closing(DayBudget(limits, ledger, account, lambda: now)) as budget:
        try:
            for size in sizes:
                budget.take(size)
                total += size
        except DayBudgetError:
            return total
    return total


def test_a_day_ends_and_the_next_one_goes_on(path: str) -> None:
    limits = DayLimits(per_account=1000)
    assert read(path, "ann", [300] * 5, limits) == 900
    assert read(path, "ann", [300], limits) == 0, "another run of the same day"
    assert read(path, "ann", [100], limits) == 100
    assert read(path, "bob", [300] * 5, limits) == 900, "every account has its own"
    assert read(path, "ann", [300] * 5, limits, TUESDAY) == 900


def test_all_accounts_together(path: str) -> None:
    limits = DayLimits(together=1000, per_account=700)
    assert read(path, "ann", [100] * 20, limits) == 700
    assert read(path, "bob", [100] * 20, limits) == 300
    assert read(path, "cid", [100] * 20, limits) == 0


@pytest.mark.parametrize(
    ("limits", "whose"), [(DayLimits(together=1_500_000), "the run"), (DayLimits(per_account=1_500_000), "ann")]
)
def test_the_error_says_whose_budget_it_was_and_when_it_goes_on(path: str, limits: DayLimits, whose: str) -> None:
    with Ledger(path) as ledger, closing(DayBudget(limits, ledger, "ann", lambda: MONDAY)) as budget:
        budget.take(1_000_000)
        with pytest.raises(DayBudgetError, match=f"budget of 1.5 MB for {whose} is used up") as error:
            budget.take(1_000_000)
    assert error.value.kind == "budget_used_up"
    assert "2026-11-24" in error.value.safe_next


def test_a_message_larger_than_a_day_is_read_on_a_day_of_its_own(path: str) -> None:
    limits = DayLimits(together=1000)
    assert read(path, "ann", [10, 5000], limits) == 10
    assert read(path, "ann", [5000, 1], limits, TUESDAY) == 5000


def test_what_was_taken_in_advance_is_given_back(path: str) -> None:
    limits = DayLimits(together=100 * CHUNK)
    assert read(path, "ann", [1000], limits) == 1000
    with Ledger(path) as ledger, ledger.transaction() as db:
        assert db.execute("SELECT account, day, bytes FROM spent").fetchall() == [("ann", "2026-11-23", 1000)]


def test_a_run_that_is_killed_has_counted_no_less_than_it_read(path: str) -> None:
    with Ledger(path) as ledger:
        DayBudget(DayLimits(together=10 * CHUNK), ledger, "ann", lambda: MONDAY).take(5000)  # and no close
        with ledger.transaction() as db:
            ((counted,),) = db.execute("SELECT bytes FROM spent").fetchall()
    assert 5000 <= counted <= 5000 + CHUNK


def test_midnight_in_the_middle_of_a_run(path: str) -> None:
    clock = [MONDAY]
    limits = DayLimits(per_account=1000)
    with Ledger(path) as ledger, closing(DayBudget(limits, ledger, "ann", lambda: clock[0])) as budget:
        budget.take(900)
        clock[0] = TUESDAY
        budget.take(900)
        with pytest.raises(DayBudgetError):
            budget.take(900)


def test_without_a_limit_nothing_is_written(path: str) -> None:
    assert read(path, "ann", [10**12], DayLimits()) == 10**12
    with Ledger(path) as ledger, ledger.transaction() as db:
        assert db.execute("SELECT * FROM spent").fetchall() == []


def _read(path: str, account: str, read_bytes: object) -> None:
    got = read(path, account, [997] * 500, DayLimits(together=200_000))
    with read_bytes.get_lock():  # type: ignore[attr-defined]  # a multiprocessing.Value has no type of its own
        read_bytes.value += got  # type: ignore[attr-defined]  # the same


def test_processes_share_a_day(path: str) -> None:
    fork = multiprocessing.get_context("fork")
    total = fork.Value("q", 0)
    children = [fork.Process(target=_read, args=(path, f"user{number}", total)) for number in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert 190_000 <= total.value <= 200_000


def test_days_long_gone_are_forgotten(path: str) -> None:
    limits = DayLimits(together=1000)
    read(path, "ann", [10], limits, datetime(2026, 1, 1, tzinfo=UTC))
    read(path, "ann", [10], limits)
    with Ledger(path) as ledger, ledger.transaction() as db:
        assert db.execute("SELECT day FROM spent").fetchall() == [("2026-11-23",)]


@pytest.mark.parametrize("name", ["bytes_per_day", "bytes_per_day_per_account", "max_backoff"])
def test_options(name: str) -> None:
    assert getattr(pace_from_options({name: 2500}), name) == 2500
    assert getattr(pace_from_options({name: 7, "off_peak": {"start": "01:00", "end": "02:00"}}), name) == 7
    with pytest.raises(InputError) as error:
        pace_from_options({name: -1})
    assert error.value.where["option"] == f"pace.{name}"
