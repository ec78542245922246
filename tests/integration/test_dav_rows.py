# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars and contacts out of a real MariaDB with the tables of every generation of Atmail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .dav_rows_lab import ANN, BOB, account, calendar, collections, event, everything, ics
from .generations_lab import Generations


@pytest.fixture(scope="module")
def generations() -> Iterator[Generations]:
    with Generations.temporary() as server:
        yield server


@pytest.mark.parametrize("generation", ["7", "7-early", "6"])
def test_calendars_come_as_they_are(generations: Generations, generation: str) -> None:
    atmail = generations.fresh(generation)
    first = calendar(atmail, ANN, "work", displayname="Wörk 😀"[:5], calendarcolor="#FF0000FF", calendarorder=2)
    calendar(atmail, "Bob@ACME.example", "home")
    texts = {f"{number}.ics": ics(f"uid-{number}", "Grüße {{ x }} '\"\\") for number in range(5)}
    for name, data in texts.items():
        event(atmail, first, name, data)
    with account(atmail) as source:
        found = collections(source)
        key = f"calendars/{first}"
        assert list(found) == [key, "contacts"]
        assert (found[key].slug, found[key].properties.color, found[key].properties.order) == ("work", "#FF0000FF", 2)
        items = everything(source, found[key])
        assert {name: item.data for name, item in items.items()} == texts
        changes = source.changes(found[key])
        assert changes.state == found[key].state
        assert source.changes(found[key], changes.state) == type(changes)({}, whole=False, state=changes.state)
    with account(atmail, BOB) as source:
        assert [each.slug for each in source.survey().collections] == ["home", "contacts"]
