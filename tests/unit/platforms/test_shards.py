# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Tables that are one or many: found by listing, read together where they are alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError, MissingTableError
from ansible_collections.atmail.migration.plugins.module_utils.platforms import atmail_dav
from ansible_collections.atmail.migration.plugins.module_utils.platforms.atmail import COUNTED
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import Column, Overrides, Table
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shards import (
    SourceTable,
    bind_source,
    shard_names,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract import recognise
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles import source_profile
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles.atmail_extras import ATMAIL_EXTRAS

TABLES = {
    "books": Table(
        ("Abook",),
        {
            "account": Column(("Account",)),
            "own": Column(("Global",), required=False),
            "name": Column(("Name",), html=True),
        },
        required=False,
        sharded=True,
    ),
    "shared": Table(("Abook_shared",), {"account": Column(("Account",))}, required=False),
    "domains": Table(("Domains",), {"name": Column(("Hostname",))}, required=False, required_with=("aliases",)),
    "aliases": Table(("MailAliases",), {"name": Column(("AliasName",))}, required=False),
}
DOCS = Path(__file__).parents[3] / "docs"
BOOK = {"Account": "latin1", "Name": "latin1"}


def bound(schema: dict[str, dict[str, str]], **own: str) -> dict[str, SourceTable]:
    return bind_source(TABLES, Overrides(tables=own), schema, {"Abook_a": {"Name": 96}, "Abook_b": {"Name": 96}})


@pytest.mark.parametrize(
    ("tables", "shards"),
    [
        (["Abook_a", "Abook_z", "Abook_other", "Abook_shared", "Abook_backup"], ["Abook_a", "Abook_other", "Abook_z"]),
        (["abook_jo", "ABOOK_J1", "Abook_ann", "AbookGroup_a", "Abook_"], ["ABOOK_J1", "abook_jo"]),
        (["xAbook_a", "Abook_é"], []),
    ],
)
def test_shards_are_found_by_their_names(tables: list[str], shards: list[str]) -> None:
    assert shard_names(("Abook",), tables) == shards


def test_one_table_wins_over_what_an_upgrade_has_left() -> None:
    found = bound({"Abook": BOOK, "Abook_a": BOOK})["books"]
    assert found.only.name == "Abook"


def test_alike_shards_are_read_together() -> None:
    schema = {f"Abook_{letter}": BOOK for letter in "ab"} | {"Abook_c": {"Account": "utf8", "Name": "utf8"}}
    found = bound(schema)["books"]
    with pytest.raises(InputError):
        assert found.only is None
    first, second = found.queries(("account", "own"))
    assert first.sql == (
        "SELECT CAST(`Account` AS BINARY), NULL FROM `Abook_a` UNION ALL"
        " SELECT CAST(`Account` AS BINARY), NULL FROM `Abook_b`"
    )
    assert (first.times, first.table.widths) == (2, {"name": 96})
    assert second.sql == "SELECT `Account`, NULL FROM `Abook_c`"
    assert found.html == {"name"}


def test_hundreds_of_shards_are_a_few_statements() -> None:
    schema = {f"Abook_{a}{b}": BOOK for a in "abcdefghij" for b in "abcdefghij"}
    queries = list(bound(schema)["books"].queries(("account",), {"account": 1}))
    assert [query.times for query in queries] == [40, 40, 20]
    assert all(query.sql.count("%s") == query.times for query in queries)


def test_a_shard_without_the_column_that_is_asked_for_has_no_such_row() -> None:
    schema = {"Abook_a": BOOK, "Abook_b": {**BOOK, "Global": ""}}
    found = bound(schema)["books"]
    (query,) = found.queries(("account",), {"own": 2})
    assert query.sql == "SELECT CAST(`Account` AS BINARY) FROM `Abook_b` WHERE `Global` IN (%s, %s)"
    assert found.has("own")
    assert found.keys == ("account", "name", "own")


def test_an_override_may_be_a_pattern() -> None:
    schema = {"kontakte_a": BOOK, "kontakte_zz9": BOOK, "Abook_shared": BOOK, "Abook_a": BOOK}
    assert [each.name for each in bound(schema, books="Kontakte_*")["books"].shards] == ["kontakte_a", "kontakte_zz9"]
    assert [each.name for each in bound(schema, books="Abook_*")["books"].shards] == ["Abook_a"]
    with pytest.raises(MissingTableError):
        bound(schema, books="none_*")


def test_a_table_that_another_one_needs() -> None:
    assert bound({}) == {}
    with pytest.raises(MissingTableError):
        bound({"MailAliases": {"AliasName": ""}})


def test_every_key_of_atmail_is_in_its_docs() -> None:
    text = (DOCS / "atmail.md").read_text(encoding="utf-8")
    tables = [*source_profile("atmail").tables.items(), *atmail_dav.TABLES.items()]
    for key, table in tables:
        assert f"`{key}`" in text
        for column in table.columns if "contacts" not in key else ("id", "own", "file_as"):
            assert f"`{column}`" in text, f"{key}.{column}"


def test_what_is_counted_is_named_once_more_where_every_reader_sees_it() -> None:
    assert {extra.name for extra in ATMAIL_EXTRAS} == COUNTED


def test_overrides_of_calendars_and_contacts_are_no_business_of_accounts() -> None:
    schema = {
        "UserSession": {"Account": "", "Password": ""},
        "Users": dict.fromkeys(("Account", "UserStatus", "UserQuota"), ""),
    }

    class OneSchema:
        def columns(self) -> dict[str, dict[str, str]]:
            return schema

        def widths(self) -> dict[str, dict[str, int]]:
            return {}

    own = Overrides(
        {"appointments": "Kalender", "events": "Ereignisse"},
        {"recurrences": {"event": "ref"}},
        {"time_zone": "Europe/Berlin"},
    )
    site = recognise(OneSchema(), source_profile("atmail"), own)  # type: ignore[arg-type] # nothing else is asked
    assert set(site.tables) == {"passwords", "users"}
    with pytest.raises(InputError):
        recognise(OneSchema(), source_profile("atmail"), Overrides({"appointment": "x"}))  # type: ignore[arg-type]
