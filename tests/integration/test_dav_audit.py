# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`dav_audit` between two real servers: what is the same, every kind of difference, and what can't be compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.auditing import audit
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError

from tests.lab.objects import events
from tests.lab.radicale import DavCloud

from .dav_sync_lab import ANN, BOB, USERS, Way, fill, side

COUNT = 8


@pytest.fixture(scope="module")
def clouds() -> Iterator[tuple[DavCloud, DavCloud]]:
    people = dict.fromkeys(USERS, "x")
    with DavCloud.temporary(people) as here, DavCloud.temporary(people) as there:
        yield here, there


@pytest.fixture(scope="module")
def way(clouds: tuple[DavCloud, DavCloud], tmp_path_factory: pytest.TempPathFactory) -> Way:
    """Two accounts that have been copied."""
    here, there = clouds
    for user in USERS:
        fill(here, user, COUNT)
    way = Way(here.options(), there, tmp_path_factory.mktemp("audit") / "ledger")
    assert way.run()["summary"]["accounts_failed"] == 0
    return way


def proof(way: Way, **changes: Any) -> dict[str, Any]:
    """The module's result, whether it fails or not; nothing is ever written."""
    before = way.cloud.radicale.log_size()
    try:
        return audit({**way.options(), **changes})
    except MigrationError as error:
        return {**error.done, "kind": error.kind}
    finally:
        methods = {method for method, _path in way.cloud.radicale.requests(before)}
        assert methods <= {"OPTIONS", "PROPFIND", "REPORT", "GET"}


@pytest.mark.parametrize("depth", ["counts", "full"])
def test_what_was_copied_is_the_same(way: Way, depth: str) -> None:
    result = proof(way, depth=depth, fail_on=["differences"])
    assert (result["identical"], result["content_identical"], result["differences"]) == (True, True, [])
    counted = [(one["calendars"], one["events"], one["address_books"], one["contacts"]) for one in result["accounts"]]
    assert counted == [(3, 3 * COUNT, 2, 4 * COUNT)] * 2


def test_every_difference_is_named_without_a_word_of_the_object(way: Way, clouds: tuple[DavCloud, DavCloud]) -> None:
    _here, there = clouds
    with side(there, BOB) as opened:
        found = {one.slug: one for one in opened.survey().collections}
        work = found["cal-0"]
        names = sorted(opened.changes(work).versions)
        item = next(opened.read(work, names[:1]))
        opened.put(work, item.name, item.data.replace(b"SUMMARY:", b"SUMMARY:geheim "), version=item.version)
        gone = next(opened.read(work, names[1:2]))
        opened.remove(work, gone.name, version=gone.version)
        extra = next(iter(events(1, "of the target alone")))
        opened.put(found["cal-1"], extra.name, extra.data, version=None)
        opened.make(work.kind, "empty", work.properties)
    result = proof(way)
    assert [(one["target_user"], one["identical"]) for one in result["accounts"]] == [(ANN, True), (BOB, False)]
    assert not result["content_identical"]
    said = {(one["collection"], one["what"], one["name"], one["detail"]) for one in result["differences"]}
    assert said == {
        ("cal-0", "content", item.name, "VCALENDAR, VEVENT, SUMMARY: another value"),
        ("cal-0", "object_missing", gone.name, ""),
        ("cal-1", "object_extra", extra.name, ""),
        ("empty", "collection_extra_empty", "", ""),
    }
    assert {one["account"] for one in result["differences"]} == {BOB}
    assert "geheim" not in json.dumps(result)
    assert proof(way, fail_on=["content"])["kind"] == "not_identical"
    counted = proof(way, depth="counts")["differences"]
    assert {(one["collection"], one["what"]) for one in counted} >= {("cal-0", "count"), ("cal-1", "count")}


def test_an_account_that_can_not_be_compared_is_not_the_same(way: Way, clouds: tuple[DavCloud, DavCloud]) -> None:
    here, _there = clouds
    options = way.options(
        source={"protocol": "dav", "url": here.url, "ca_path": str(here.ca)},
        accounts=[{"source_user": BOB, "source_password": "wrong"}, {"source_user": ANN, "source_password": "x"}],
    )
    failed = proof(way, **options)
    assert failed["kind"] == "auth_failed"
    assert [one["identical"] for one in failed["accounts"]] == [False, True]
    assert [one["kind"] for one in failed["accounts"][0]["failures"]] == ["auth_failed"]
    assert failed["identical"] is False
    assert "kind" not in proof(way, **{**options, "ignore_account_errors": True})


def test_without_a_ledger_names_are_enough(way: Way, tmp_path: Path) -> None:
    for changes in ({"ledger": ""}, {"ledger": str(tmp_path / "another")}):
        result = proof(way, accounts=[{"source_user": ANN}], **changes)
        assert result["identical"], result["differences"]
    assert list(tmp_path.iterdir()) == []
