# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The objects that the lab fills calendars and address books with."""

from __future__ import annotations

import importlib

from tests.lab.objects import contacts, events, tasks
from tests.lab.odd_objects import odd_contacts, odd_events

# without types, and Radicale's own parser
vobject = importlib.import_module("vobject")


def test_ordinary_ones_are_the_same_for_the_same_seed_and_correct() -> None:
    one = [*events(40), *tasks(6), *contacts(60)]
    assert one == [*events(40), *tasks(6), *contacts(60)]
    assert len({thing.name for thing in one}) == len(one)
    assert next(events(1, "other")).data != next(events(1)).data
    for thing in one:
        assert vobject.readOne(thing.data.decode()).validate()
        assert all(len(line) <= 75 for line in thing.data.split(b"\r\n"))
        assert b"\n" not in thing.data.replace(b"\r\n", b"")


def test_odd_ones_have_names_of_their_own_and_the_sizes_asked_for() -> None:
    things = [*odd_events(attachment=50_000), *odd_contacts(photo=20_000)]
    assert len({thing.name for thing in things}) == len(things)
    assert all(thing.oddity for thing in things)
    sizes = {thing.oddity: len(thing.data) for thing in things}
    assert 50_000 * 4 / 3 < sizes["big_attachment"] < 50_000 * 1.5
    assert 20_000 * 4 / 3 < sizes["big_photo"] < 20_000 * 1.5
