# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimates: never shorter for more mail, never faster than the pace allows, and always a range."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.estimate import (
    USUAL_MESSAGE,
    Load,
    Plan,
    Speed,
    Work,
    beginning,
    estimate,
    finish,
    next_change,
    nights,
)
from ansible_collections.atmail.migration.plugins.module_utils.pace import Limits, Pace, Window
from ansible_collections.atmail.migration.plugins.module_utils.rates import (
    ASSUMED,
    BASES,
    Figure,
    Rates,
    choose,
    of_earlier_run,
    rounded,
)
from hypothesis import given, settings
from hypothesis import strategies as st

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
MB = 1_000_000
DAY = 86_400
#: A log-in and a folder cost nothing; a connection does 1 MB/s or 100 messages/s.
PLAIN = Speed(0, 0, MB, 100)
SURE = Rates(
    *(Figure(value, "given") for value in (0.5, 0.01, MB, 100)),
)
NIGHT = Window(time(22), time(6), ZoneInfo("UTC"), Limits(connections=4))


ALWAYS = Pace()


def took(octets: int, pace: Pace = ALWAYS, *, boxes: int = 1, cap: int = 100, **options: Any) -> float:
    loads = [Load(f"u{number}", 0, octets) for number in range(boxes)]
    return finish(Work.of(loads, PLAIN), pace, cap, options.pop("start", MIDNIGHT), **options)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (took(0), 0),
        (took(100 * MB), 100),
        # eight connections by default, never more than the servers take
        (took(100 * MB, boxes=16), 200),
        (took(100 * MB, boxes=16, cap=2), 800),
        (took(100 * MB, Pace(Limits(connections=3)), boxes=3), 100),
        # a limit of bytes counts for all connections together
        (took(100 * MB, Pace(Limits(bytes_per_second=MB / 2)), boxes=4), 800),
        (took(100 * MB, Pace(Limits(bytes_per_second=50 * MB)), boxes=4), 100),
        # a day's budget: 60 MB today, the rest tomorrow at its beginning
        (took(100 * MB, Pace(bytes_per_day=60 * MB)), DAY + 40),
        (took(100 * MB, Pace(bytes_per_day_per_account=60 * MB), boxes=5), DAY + 40),
        # from ten in the evening to six, then with other limits: 8 h of 4 connections, then of one
        (took(8 * 3600 * MB, Pace(Limits(1), NIGHT), boxes=5, start=MIDNIGHT - timedelta(hours=2)), 8 * 3600 * 2),
        (took(8 * 3600 * MB, Pace(Limits(1), NIGHT), start=MIDNIGHT, off_peak_only=True), 6 * 3600 + 16 * 3600 + 7200),
        (took(100 * MB, Pace(bytes_per_day=1)), math.inf),
        (took(100 * MB, within=99), math.inf),
        (took(100 * MB, within=100), 100),
    ],
)
def test_the_end_is_where_it_should_be(seconds: float, expected: float) -> None:
    # Five equal mailboxes of 8 h: 32 h of work in the first night, and 8 h by one connection on the day.
    assert seconds == pytest.approx(expected)


def test_messages_count_where_they_take_longer_than_their_bytes() -> None:
    assert PLAIN.seconds(Load("u", 500, MB)) == 5
    assert PLAIN.seconds(Load("u", 500, 50 * MB)) == 50
    assert PLAIN.seconds(Load("u", 5, None)) == 5 * USUAL_MESSAGE / MB
    limited = Pace(Limits(messages_per_second=10))
    assert finish(Work.of([Load("u", 500, MB)], PLAIN), limited, 8, MIDNIGHT) == 50


def test_limits_change_at_the_edges_of_the_window_and_budgets_at_midnight() -> None:
    berlin = replace(NIGHT, zone=ZoneInfo("Europe/Berlin"))
    at = MIDNIGHT + timedelta(hours=12)
    edges = []
    for _edge in range(4):
        at = next_change(at, berlin)
        edges.append((at.day, at.hour))
    assert edges == [(5, 21), (6, 0), (6, 5), (6, 21)]
    assert next_change(at, None) == datetime(2026, 1, 7, tzinfo=UTC)
    # the hour that a summer time takes away
    spring = datetime(2026, 3, 28, 20, tzinfo=UTC)
    assert [next_change(spring + timedelta(hours=hours), berlin).hour for hours in (0, 5)] == [21, 4]


def test_an_estimate_begins_with_the_window_whatever_day_it_is() -> None:
    assert beginning(Pace()) == MIDNIGHT
    assert beginning(Pace(off_peak=NIGHT)).hour == 22
    assert nights(1) == nights(DAY) == 1
    assert nights(DAY + 1) == 2
    assert nights(math.inf) is None


limits = st.builds(
    Limits,
    connections=st.integers(1, 40),
    messages_per_second=st.sampled_from([0, 1, 50, 5000]),
    bytes_per_second=st.sampled_from([0, 100_000, 10**7]),
)
windows = st.none() | st.builds(
    Window,
    st.times(),
    st.times(),
    st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")]),
    limits,
)
paces = st.builds(
    Pace,
    limits,
    windows,
    bytes_per_day=st.sampled_from([0, 10**9, 10**12]),
    bytes_per_day_per_account=st.sampled_from([0, 10**9]),
)
boxes = st.builds(
    Load,
    st.text(max_size=3),
    st.integers(0, 10**6),
    st.none() | st.integers(0, 10**11),
    st.integers(0, 200),
)
starts = st.integers(0, 730 * DAY).map(lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
#: Long enough for a change of summer time, short enough for many examples.
MONTHS = 200 * DAY


@settings(deadline=None)
@given(st.lists(boxes, min_size=1, max_size=6), st.integers(1, 10**10), paces, starts, st.booleans())
def test_more_bytes_never_take_less_time(
    loads: list[Load], more: int, pace: Pace, start: datetime, off_peak_only: bool
) -> None:
    larger = [replace(loads[0], bytes=loads[0].octets + more), *loads[1:]]
    less_time, more_time = (
        finish(Work.of(each, PLAIN), pace, 20, start, off_peak_only=off_peak_only, within=MONTHS)
        for each in (loads, larger)
    )
    assert more_time >= less_time or more_time == pytest.approx(less_time)


@settings(deadline=None)
@given(st.lists(boxes, min_size=1, max_size=6), paces, starts, st.integers(1, 40), st.booleans())
def test_nothing_is_faster_than_the_pace_and_the_servers_allow(
    loads: list[Load], pace: Pace, start: datetime, cap: int, off_peak_only: bool
) -> None:
    work = Work.of(loads, PLAIN)
    seconds = finish(work, pace, cap, start, off_peak_only=off_peak_only, within=MONTHS)
    both = [pace.limits, pace.off_peak.limits] if pace.off_peak else [pace.limits]
    most = max(min(each.connections, cap) for each in both)
    octets = max(each.bytes_per_second or math.inf for each in both)
    messages = max(each.messages_per_second or math.inf for each in both)
    least = max(work.longest, work.seconds / most, work.octets / octets, work.messages / messages)
    assert seconds >= least * (1 - 1e-6)
    if pace.bytes_per_day and work.octets and seconds < math.inf:
        days = ((start + timedelta(seconds=seconds)).date() - start.date()).days + 1
        assert days >= math.floor(work.octets / pace.bytes_per_day * (1 - 1e-6))


@settings(deadline=None)
@given(st.lists(boxes, min_size=1, max_size=6), paces, starts)
def test_a_run_that_only_works_off_peak_ends_off_peak_and_not_before_one_that_always_works(
    loads: list[Load], pace: Pace, start: datetime
) -> None:
    work = Work.of(loads, PLAIN)
    always = finish(work, pace, 20, start, within=MONTHS)
    seldom = finish(work, pace, 20, start, off_peak_only=True, within=MONTHS)
    if pace.off_peak is None:
        assert seldom == always
    elif pace.off_peak.limits == pace.limits:
        assert seldom >= always or seldom == pytest.approx(always)
    if pace.off_peak and 0 < seldom < math.inf:
        end = start + timedelta(seconds=seldom)
        near = (end - timedelta(seconds=2), end, end + timedelta(seconds=2))
        # In the hour that summer time leaves out, a window may be told to begin late.
        odd = any(moment.utcoffset() != near[0].utcoffset() for moment in near)
        assert odd or any(pace.off_peak.holds(moment) for moment in near)


@settings(deadline=None, max_examples=50)
@given(st.lists(boxes, max_size=8), paces, st.sampled_from(list(BASES)))
def test_an_estimate_is_a_range_and_plain_data(loads: list[Load], pace: Pace, basis: str) -> None:
    rates = Rates(*(Figure(value, basis) for value in (0.5, 0.01, MB, 100)))
    found = estimate(Plan(loads, rates, replace(pace, bytes_per_day=0, bytes_per_day_per_account=0), 20))
    assert json.loads(json.dumps(found)) == found
    for part in ("first_copy", "incremental"):
        for kind in ("around_the_clock", "off_peak_only"):
            if found[part][kind] is None:
                assert pace.off_peak is None
                continue
            low, likely, high = (found[part][kind][name] for name in ("low", "likely", "high"))
            assert (low is None) <= (likely is None) <= (high is None)
            if high is not None:
                assert low <= likely <= high
    assert sum(wave["mailboxes"] for wave in found["waves"]) == len(loads)
    assert all(wave["fits"] or wave["mailboxes"] == 1 for wave in found["waves"])
    assert found["sizes_guessed"] == sum(load.bytes is None for load in loads)


def test_waves_fill_a_window_each_and_the_longest_mailboxes_come_first() -> None:
    hours = [12, 1, 1, 1, 1, 1, 1, 1]
    loads = [Load(f"u{number}", 0, each * 3600 * MB) for number, each in enumerate(hours)]
    pace = Pace(Limits(1), replace(NIGHT, limits=Limits(1), start=time(22), end=time(1, 30)))
    found = estimate(Plan(loads, SURE, pace, 8))
    assert [(wave["mailboxes"], wave["largest"], wave["fits"]) for wave in found["waves"]] == [
        (1, "u0", False),
        (3, "u1", True),
        (3, "u4", True),
        (1, "u7", True),
    ]
    assert [each["name"] for each in found["dominant"]] == ["u0"]
    assert found["connections"] == {"on_peak": 1, "off_peak": 1}


def test_a_limit_is_reached_at_best() -> None:
    """So that there is a range, too, where the pace alone decides."""
    pace = Pace(Limits(bytes_per_second=1000))
    found = estimate(Plan([Load("u", 0, 100_000)], SURE, pace, 8))["first_copy"]["around_the_clock"]
    assert (found["low"], found["likely"], found["high"]) == (100, 110, 140)
    budget = estimate(Plan([Load("u", 0, 7 * MB)], SURE, Pace(bytes_per_day=MB), 8))["first_copy"]["around_the_clock"]
    assert found["low"] < found["high"]
    assert 6 * DAY < budget["low"] < budget["high"]


# -- rates

SEED = {"mailboxes": [{"messages_copied": 900, "bytes_copied": 90 * MB, "seconds": 30.0}, {"messages_copied": 0}]}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (SEED, {"bytes_per_second": 3 * MB, "messages_per_second": 30}),
        ({"mailboxes": [{"messages_copied": 3, "bytes_copied": 9, "seconds": 1}]}, {}),
        ({"mailboxes": [{"messages_copied": "9" * 9, "bytes_copied": None, "seconds": True}, 7, None]}, {}),
        ({"mailboxes": {}}, {}),
        (
            {"estimate": {"rates": {"log_in": {"value": 3, "basis": "earlier"}, "x": 1, "round_trip": {"value": 2}}}},
            {"log_in": 3},
        ),
        ({"estimate": {"rates": {"log_in": {"value": "3", "basis": "earlier"}}}}, {}),
        ({"estimate": None}, {}),
        ([], {}),
        (None, {}),
    ],
)
def test_an_earlier_run_tells_what_came_of_it(record: Any, found: dict[str, float]) -> None:
    assert {name: figure.value for name, figure in of_earlier_run(record).items()} == found


def test_the_best_figure_that_there_is_counts() -> None:
    measured = {"log_in": Figure(0.1, "measured"), "bytes_per_second": Figure(7, "measured")}
    rates = choose({"bytes_per_second": 5, "log_in": None}, of_earlier_run(SEED), measured)
    assert [rates.log_in.basis, rates.bytes_per_second.basis, rates.messages_per_second.basis] == [
        "measured",
        "given",
        "earlier",
    ]
    assert rates.round_trip == ASSUMED.round_trip
    shown = rates.as_dict()["bytes_per_second"]
    assert (shown["low"], shown["value"], shown["high"]) == (4.0, 5.0, 6.2)
    assert list(BASES.values()) == sorted(BASES.values())


@pytest.mark.parametrize("given_rates", [{"bytes_per_second": 0}, {"log_in": "x"}, {"log_in": True}, {"speed": 1}])
def test_a_rate_that_is_none_is_refused(given_rates: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="rate"):
        choose(given_rates)


@pytest.mark.parametrize(
    ("number", "shown"), [(0, 0), (123456, 120000), (0.01234, 0.012), (9.96, 10), (math.inf, math.inf)]
)
def test_numbers_are_rounded_to_what_they_are_worth(number: float, shown: float) -> None:
    assert rounded(number) == shown
