# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tables are counted, and how; the counting itself is tried on real databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings.assess import numbers
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles import SOURCES
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles.other_extras import CSV_EXTRAS
from ansible_collections.atmail.migration.plugins.module_utils.settings.stays import STAYS, finding
from ansible_collections.atmail.migration.plugins.module_utils.settings.tally import Tally, tables_of

SCHEMA: dict[str, dict[str, str]] = {
    name: {}
    for name in (
        "Abook_a",
        "Abook_jo",
        "Abook_other",
        "Abook_shared",
        "AbookGroup_a",
        "calendarObjects",
        "SMSlog",
        "sms_x",
    )
}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Abook", ["Abook_a", "Abook_jo", "Abook_other"]),
        ("AbookGroup", ["AbookGroup_a"]),
        ("Abook_shared", ["Abook_shared"]),
        ("calendarobjects", ["calendarObjects"]),
        ("SMS*", ["SMSlog", "sms_x"]),
        ("Users", []),
        ("", []),
    ],
)
def test_a_name_stands_for_its_shards_and_for_other_spellings(name: str, found: list[str]) -> None:
    assert tables_of(SCHEMA, name) == found


@pytest.mark.parametrize(
    ("domains", "count"), [([], 10), (["a.example"], 3), (["a.example", "b.example"], 8), (["c.example"], 0)]
)
def test_what_belongs_to_other_domains_is_not_counted(domains: list[str], count: int) -> None:
    """Two rows say not whose they are."""
    assert Tally(10, {"x@a.example": 3, "y@b.example": 5}).of(domains) == count
    assert Tally(10).of(domains) == 10


@pytest.mark.parametrize(
    ("version", "parts"),
    [("7.8.0", (7, 8, 0)), ("6.20.10 (beta 3)", (6, 20, 10)), ("v7.10", (7, 10)), ("", ()), ("unknown", ())],
)
def test_versions_are_numbers(version: str, parts: tuple[int, ...]) -> None:
    assert numbers(version) == parts
    assert numbers("7.10") > numbers("7.8") > numbers("6.30")


def test_everything_that_stays_is_said_in_one_set_of_words() -> None:
    extras = [extra for profile in SOURCES.values() for extra in profile.extras] + list(CSV_EXTRAS)
    staying = [extra for extra in extras if extra.reason is not None]
    assert {extra.name for extra in staying} <= set(STAYS)
    assert all(extra.reason == STAYS[extra.name].reason for extra in staying)
    # What can't be seen has to be asked for.
    assert all(STAYS[extra.name].ask for extra in staying if not extra.table)
    said = finding("ann@acme.example", "filters", 3)
    assert (said.kind, said.account, said.level) == ("filters", "ann@acme.example", "note")
    assert said.message.startswith(f"3 {STAYS['filters'].label}")
    assert said.message.endswith(STAYS["filters"].reason)


def test_everything_that_stays_is_on_its_page_of_the_docs() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "assessment.md").read_text()
    assert [name for name in STAYS if f"`{name}`" not in page] == []
