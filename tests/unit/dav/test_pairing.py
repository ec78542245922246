# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which collections belong together, what is set on them, and what stops an account."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.guards import Loss, check_losses
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection, Kind, Properties
from ansible_collections.atmail.migration.plugins.module_utils.dav.opening import shared_out
from ansible_collections.atmail.migration.plugins.module_utils.dav.pairing import Pair, Rules, free_slug, pair, to_amend
from ansible_collections.atmail.migration.plugins.module_utils.dav.plan import CATCH_UP, MIRROR, Policy
from ansible_collections.atmail.migration.plugins.module_utils.errors import RemovalsError
from ansible_collections.atmail.migration.plugins.module_utils.ledger_dav import CollectionRow


def one(side: str, slug: str, name: str | None = None, kind: Kind = Kind.CALENDAR, **more: Any) -> Collection:
    return Collection(kind, f"{side}/{kind}/{slug}", slug, Properties(name=name, **more))


def paired(source: list[Collection], target: list[Collection], rules: Rules | None = None, *rows: CollectionRow) -> Any:
    found = pair(rules or Rules(), rows, source, target)
    return {
        each.source.slug if each.source else None: each.target.slug if each.target else None for each in found.pairs
    }


def test_by_address_then_by_name_and_each_once() -> None:
    target = [one("t", "b", "Work"), one("t", "work", "Other"), one("t", "x", "Work")]
    assert paired([one("s", "work", "Work"), one("s", "w2", "Work")], target) == {"work": "work", "w2": "b"}
    assert paired([one("s", "q", "Nothing")], target) == {"q": None}
    assert paired([one("s", "work", "Work", Kind.ADDRESS_BOOK)], target) == {"work": None}


def test_what_is_remembered_counts_more() -> None:
    row = CollectionRow(1, Kind.CALENDAR, "s/calendar/work", "t/calendar/x")
    target = [one("t", "work", "Work"), one("t", "x", "Renamed by its user")]
    assert paired([one("s", "work", "Work")], target, None, row) == {"work": "x"}
    # another one must not take its place
    both = [one("s", "x", "Renamed by its user"), one("s", "work", "Work")]
    assert paired(both, target, None, row) == {"x": None, "work": "x"}


def test_another_kind_of_source_finds_what_the_first_one_brought() -> None:
    row = CollectionRow(1, Kind.CALENDAR, "calendars/7", "t/calendar/work")
    found = pair(Rules(), [row], [one("s", "work", "Work")], [one("t", "work", "Work")])
    assert [(each.row, each.target is not None) for each in found.pairs] == [(row, True)]


def test_what_is_gone_or_nobodys() -> None:
    row = CollectionRow(1, Kind.CALENDAR, "s/calendar/old", "t/calendar/old")
    found = pair(Rules(), [row], [], [one("t", "old"), one("t", "own")])
    assert [(each.source, each.target and each.target.slug) for each in found.pairs] == [(None, "old")]
    assert [each.slug for each in found.others] == ["own"]


def test_rules() -> None:
    rules = Rules(("birth*", "*@holidays"), {"Work": "Arbeit"})
    source = [one("s", "b", "Birthdays"), one("s", "de@holidays"), one("s", "work", "Work")]
    assert paired(source, [one("t", "work", "Work"), one("t", "a", "Arbeit")], rules) == {"work": "a"}
    assert rules.wanted(source[2]).name == "Arbeit"


def test_a_slug_that_is_free() -> None:
    assert free_slug(one("s", "work"), [one("t", "work"), one("t", "work-2")]) == "work-3"
    assert free_slug(one("s", ".."), []) == "calendar"


HERE = Properties(name="Work", color="#111111")


@pytest.mark.parametrize(
    ("phase", "row", "mine", "theirs", "wanted"),
    [
        (MIRROR, None, HERE, Properties(name="Work"), Properties(color="#111111")),
        (CATCH_UP, None, HERE, Properties(name="Work"), Properties()),
        # the target never kept the colour: it is not asked for again
        (MIRROR, (HERE, Properties(name="Work")), HERE, Properties(name="Work"), Properties()),
        (MIRROR, (HERE, HERE), HERE, Properties(name="Mine", color="#111111"), Properties(name="Work")),
        (CATCH_UP, (HERE, HERE), HERE, Properties(name="Mine", color="#111111"), Properties()),
        (CATCH_UP, (HERE, HERE), Properties(name="New", color="#111111"), HERE, Properties(name="New")),
        (CATCH_UP, (HERE, HERE), Properties(name="New"), Properties(name="Mine", color="#111111"), Properties()),
    ],
)
def test_properties(
    phase: str, row: tuple[Properties, Properties] | None, mine: Properties, theirs: Properties, wanted: Properties
) -> None:
    known = CollectionRow(1, Kind.CALENDAR, "s", "t", None, None, *(row or (None, None)))
    both = Collection(Kind.CALENDAR, "s", "s", mine), Collection(Kind.CALENDAR, "t", "t", theirs)
    assert to_amend(phase, Pair(known, *both, mine)) == wanted


@pytest.mark.parametrize(
    ("policy", "losses", "stopped"),
    [
        (Policy(), [Loss("a", 100, gone=20)], False),
        (Policy(), [Loss("a", 100, gone=21)], True),
        (Policy(), [Loss("a", 100, lost=21)], True),
        (Policy(), [Loss("a", 12, gone=10)], False),
        (Policy(), [Loss("a", 12, gone=12)], True),
        (Policy(), [Loss(name, 9, gone=9) for name in "abc"], True),
        (Policy(), [Loss("a", 9, gone=9), Loss("b", 100)], False),
        (Policy(allow_removals=0), [Loss("a", 100, gone=1)], True),
        (Policy(allow_removals=0), [Loss("a", 100, lost=1)], False),
        (Policy(allow_removals=1), [Loss("a", 100, gone=100, lost=0)], False),
        (Policy(CATCH_UP), [Loss("a", 100, gone=99), Loss("b", 1)], False),
        (Policy(CATCH_UP), [Loss("a", 100, gone=100)], True),
        (Policy(CATCH_UP), [Loss("a", 100, lost=100)], True),
        (Policy(CATCH_UP, allow_removals=1), [Loss("a", 100, lost=100)], False),
    ],
)
def test_losses(policy: Policy, losses: list[Loss], stopped: bool) -> None:
    if stopped:
        with pytest.raises(RemovalsError):
            check_losses(policy, losses)
    else:
        check_losses(policy, losses)


@pytest.mark.parametrize(
    ("most", "accounts", "wanted"),
    [(16, 1, (1, 16)), (16, 2, (2, 8)), (16, 5, (4, 4)), (16, 900, (4, 4)), (1, 9, (1, 1)), (3, 0, (1, 3))],
)
def test_connections_are_shared_out(most: int, accounts: int, wanted: tuple[int, int]) -> None:
    assert shared_out(most, accounts) == wanted
