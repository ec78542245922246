# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Time zones in all the words that webmails have had for them."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import random
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.libraries import icalendar
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.zones import calendar_text, definition, zone_id
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Australia/Melbourne", "Australia/Melbourne"),
        ("australia/melbourne ", "Australia/Melbourne"),
        ("America/New York", "America/New_York"),
        ("AUS Eastern Standard Time", "Australia/Sydney"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("(GMT+10:00) Canberra, Melbourne, Sydney", "Australia/Canberra"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern", "Europe/Amsterdam"),
        ("(GMT-03:00) Nowhere at all", "Etc/GMT+3"),
        ("Melbourne", "Australia/Melbourne"),
        ("GMT+10", "Etc/GMT-10"),
        ("UTC -0500", "Etc/GMT+5"),
        ("+05:30", "Asia/Kolkata"),
        ("+0", "Etc/UTC"),
        ("GMT", "Etc/GMT"),
        ("AEST", "Australia/Sydney"),
        ("EST", "America/New_York"),
        ('"Europe/Paris"', "Europe/Paris"),
        ("", None),
        ("GMT+15", None),
        ("+07:13", None),
        ("Middle Earth", None),
        ("{{ lookup('pipe', 'id') }}", None),
    ],
)
def test_words_for_zones(written: str, zone: str | None) -> None:
    assert zone_id(written) == zone


@given(st.text(max_size=40))
def test_any_text_is_a_zone_that_can_be_written_or_none(written: str) -> None:
    found = zone_id(written)
    if found is not None:
        assert definition(found)["TZID"] == found


ZONES = [
    *("Europe/Berlin", "Australia/Melbourne", "America/New_York", "Asia/Kolkata", "Europe/Moscow", "America/Sao_Paulo"),
    *("Pacific/Auckland", "Europe/Dublin", "Asia/Tehran", "Africa/Casablanca", "Etc/GMT-10", "Australia/Lord_Howe"),
]


@pytest.mark.parametrize("zone", ZONES)
def test_a_definition_is_the_zone(zone: str) -> None:
    """At every hour around every change of the clocks, also in years for which nobody has listed them."""
    text = calendar_text(zone)
    assert "RDATE" not in text
    written = icalendar().Calendar.from_ical(text)
    assert len(written.walk("VTIMEZONE")) == 1
    read = importlib.import_module("dateutil.tz").tzical(io.StringIO(text)).get(zone)
    last = 2036 if zone == "Africa/Casablanca" else 2045  # Ramadan follows no rule of this calendar
    chance = random.Random(zone)
    for year in range(1996, last):
        for _number in range(20):
            time = dt.datetime(year, 1, 1, 12) + dt.timedelta(hours=chance.randrange(8700))  # noqa: DTZ001
            there, here = time.replace(tzinfo=ZoneInfo(zone)), time.replace(tzinfo=read)
            if there.utcoffset() == there.replace(fold=1).utcoffset():
                assert here.utcoffset() == there.utcoffset(), time


def test_a_definition_says_when_the_clocks_change() -> None:
    text = calendar_text("Europe/Berlin")
    (zone,) = icalendar().Calendar.from_ical(text).walk("VTIMEZONE")
    berlin = zone.to_tz()
    for month, hours in ((1, 1), (7, 2)):
        assert dt.datetime(2026, month, 1, tzinfo=berlin).utcoffset() == dt.timedelta(hours=hours)
    assert calendar_text("Europe/Berlin") == text
