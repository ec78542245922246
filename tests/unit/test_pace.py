# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast we may: limits by day and off-peak, in the customer's time zone, with a clock that is passed in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.pace import Governor, Limits, pace_from_options

NIGHT = {"start": "22:00", "end": "06:00", "timezone": "Europe/Berlin", "connections": 16, "messages_per_second": 0}


@pytest.mark.parametrize(
    ("utc", "connections"),
    [
        ("2026-01-15T12:00", 4),
        ("2026-01-15T20:59", 4),
        ("2026-01-15T21:00", 16),  # 22:00 in winter
        ("2026-07-15T20:00", 16),  # 22:00 in summer
        ("2026-07-15T03:59", 16),
        ("2026-07-15T04:00", 4),
    ],
)
def test_the_window_follows_the_time_zone(utc: str, connections: int) -> None:
    pace = pace_from_options({"connections": 4, "messages_per_second": 100, "off_peak": NIGHT})
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert pace.at(now).connections == connections


def test_what_off_peak_does_not_say_stays_as_by_day() -> None:
    pace = pace_from_options({"bytes_per_second": 1000, "off_peak": {"start": "01:00", "end": "02:00"}})
    assert pace.off_peak
    assert pace.off_peak.limits == Limits(bytes_per_second=1000)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"connections": 0}, "pace.connections"),
        ({"messages_per_second": -1}, "pace.messages_per_second"),
        ({"off_peak": {"start": "22:00"}}, "pace.off_peak"),
        ({"off_peak": {"start": "22:00", "end": "25:00"}}, "pace.off_peak.end"),
        ({"off_peak": {"start": "22:00", "end": "06:00", "timezone": "Mars/Olympus"}}, "pace.off_peak.timezone"),
        ({"off_peak": {"start": "22:00", "end": "06:00", "connections": 0}}, "pace.off_peak.connections"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], option: str) -> None:
    with pytest.raises(InputError) as error:
        pace_from_options(options)
    assert error.value.where["option"] == option


@pytest.mark.parametrize(
    ("options", "size", "seconds"),
    [
        ({"messages_per_second": 10}, 5, 9.9),
        ({"bytes_per_second": 100}, 50, 49.5),
        ({"messages_per_second": 10, "bytes_per_second": 100}, 50, 49.5),
        ({}, 50, 0.0),
    ],
)
def test_a_hundred_messages_take_their_time(options: dict[str, Any], size: int, seconds: float) -> None:
    clock = [0.0]

    def sleep(duration: float) -> None:
        clock[0] += duration

    governor = Governor(pace_from_options(options), tick=lambda: clock[0], sleep=sleep)
    for _message in range(100):
        governor.take(1, size)
    assert clock[0] == pytest.approx(seconds)
