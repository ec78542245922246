# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin's table of aliases: forwards with and without a copy, lists, whole domains, vacation."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings import gotos
from ansible_collections.atmail.migration.plugins.module_utils.settings.gotos import Edit, GotoRow, Way
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Alias
from hypothesis import given
from hypothesis import strategies as st

ANN, AWAY = "ann@a.example", "ann#a.example@auto.example"
TARGETS = st.text("abyz09.'-=_\u00e4%", min_size=1, max_size=8).map(lambda local: f"{local}@far.example")
MAILBOXES = {ANN: True, "off@a.example": False}


def read(*rows: GotoRow) -> gotos.Ways:
    return gotos.read_ways(rows, MAILBOXES, {"a.example", "b.example"})


@pytest.mark.parametrize(
    ("goto", "enabled", "expected", "kinds"),
    [
        (ANN, True, Way(), set()),
        ("Ann@A.Example", True, Way(), set()),
        (f"{ANN},x@far.example", True, Way(("x@far.example",)), set()),
        ("x@far.example, Y@far.example\r\n", True, Way(("x@far.example", "y@far.example"), keep_copy=False), set()),
        (f"{ANN},{AWAY}", True, Way(away=True), set()),
        (f"x@far.example,{AWAY}", True, Way(("x@far.example",), keep_copy=False, away=True), set()),
        (AWAY, True, Way(away=True), {"copy_kept"}),
        ("ann+work@a.example", True, Way(), {"forward_to_folder"}),
        (f"{ANN},root,|/bin/cat", True, Way(), {"target_invalid"}),
        ("", True, Way(), set()),
        (f"{ANN},x@far.example", False, Way(), {"forward_disabled"}),
        (ANN, False, Way(), set()),
    ],
)
def test_a_mailboxs_own_row(goto: str, enabled: bool, expected: Way, kinds: set[str]) -> None:
    found = read(GotoRow(ANN, goto, enabled))
    assert found.mailboxes == {ANN: expected}
    assert found.aliases == ()
    assert {finding.kind for finding in found.findings} == kinds


def test_the_forwards_of_a_disabled_mailbox_stay_with_it() -> None:
    """PostfixAdmin switches a mailbox and its row off together."""
    found = read(GotoRow("off@a.example", "off@a.example,x@far.example", enabled=False))
    assert found.mailboxes == {"off@a.example": Way(("x@far.example",))}
    assert found.findings == ()


@pytest.mark.parametrize(
    ("row", "expected", "kinds"),
    [
        (GotoRow("info@a.example", ANN), Alias("info@a.example", (ANN,)), set()),
        (GotoRow("L@a.example", f"x@far.example,{ANN}"), Alias("l@a.example", (ANN, "x@far.example")), set()),
        (GotoRow("@a.example", ANN), Alias("@a.example", (ANN,)), set()),
        (GotoRow("@a.example", "@b.example", enabled=False), Alias("@a.example", ("@b.example",), False), set()),
        (GotoRow("i@a.example", f"@b.example,{ANN}"), Alias("i@a.example", (ANN,)), {"target_invalid"}),
        (GotoRow("i@a.example", f"i@a.example,{ANN}"), Alias("i@a.example", (ANN,)), {"target_invalid"}),
        (GotoRow("i@a.example", f"{ANN},i#a.example@auto.example"), Alias("i@a.example", (ANN,)), {"no_place"}),
        (GotoRow("i@a.example", "i@a.example"), None, {"target_invalid", "alias_invalid"}),
        (GotoRow("i@a.example", "root"), None, {"target_invalid", "alias_invalid"}),
        (GotoRow("i@else.example", ANN), None, {"domain_missing"}),
        (GotoRow("no address", ANN), None, {"alias_invalid"}),
        (GotoRow("@", ANN), None, {"alias_invalid"}),
    ],
)
def test_an_alias(row: GotoRow, expected: Alias | None, kinds: set[str]) -> None:
    found = read(row)
    assert found.aliases == ((expected,) if expected else ())
    assert found.mailboxes == {}
    assert {finding.kind for finding in found.findings} == kinds


def test_two_rows_of_one_address_are_told() -> None:
    found = read(GotoRow("i@b\u00fccher.example", ANN), GotoRow("i@xn--bcher-kva.example", ANN))
    assert {finding.kind for finding in found.findings} == {"domain_missing", "duplicate"}


@given(
    forwards=st.lists(TARGETS, max_size=3),
    keep=st.booleans(),
    away=st.booleans(),
)
def test_what_is_written_is_read_again(forwards: list[str], keep: bool, away: bool) -> None:
    way = Way(tuple(sorted(set(forwards) - {ANN})), keep or not set(forwards) - {ANN}, away)
    goto = gotos.written(ANN, way, "auto.example")
    assert read(GotoRow(ANN, goto)).mailboxes == {ANN: way}
    assert read(GotoRow(ANN, goto)).findings == ()


@given(st.lists(st.builds(GotoRow, st.text(max_size=12), st.text(max_size=30), st.booleans()), max_size=6))
def test_no_row_is_lost(rows: list[GotoRow]) -> None:
    found = read(*rows)
    assert len(found.aliases) + len(found.mailboxes) + len(found.findings) >= len(rows)


def test_the_vacation_domain_is_seen_in_the_rows() -> None:
    assert gotos.vacation_domain([ANN, f"{ANN},{AWAY}"]) == "auto.example"
    assert gotos.vacation_domain([ANN, "a#b@c.example,d#e@f.example", "g#h@f.example"]) == "f.example"
    assert gotos.vacation_domain([ANN]) is None


@pytest.mark.parametrize(
    ("goto", "edit", "expected"),
    [
        ("", Edit(), ANN),
        (ANN, Edit(added=frozenset({"y@far.example", "x@far.example"})), f"x@far.example,y@far.example,{ANN}"),
        (f"X@Far.example , root,{ANN}", Edit(removed=frozenset({"x@far.example"})), f"root,{ANN}"),
        (f"X@Far.example,{ANN}", Edit(keep_copy=False), "X@Far.example"),
        (f"x@far.example,{ANN}", Edit(removed=frozenset({"x@far.example"}), keep_copy=False), ANN),
        (f"X@far.example,{ANN}", Edit(added=frozenset({"x@far.example"})), f"X@far.example,{ANN}"),
        (ANN, Edit(away=True), f"{ANN},{AWAY}"),
        (f"{ANN},ann#a.example@old.example", Edit(), f"{ANN},{AWAY}"),
        (f"x@far.example,{AWAY}", Edit(away=False), "x@far.example"),
    ],
)
def test_an_edit_leaves_the_rest_as_it_is_spelt(goto: str, edit: Edit, expected: str) -> None:
    assert gotos.edited(ANN, goto, edit, "auto.example") == expected


@given(
    goto=st.lists(TARGETS | st.sampled_from(["root", ANN, AWAY]), max_size=4), added=st.frozensets(TARGETS, max_size=3)
)
def test_an_edit_adds_what_it_should_and_takes_nothing_else_away(goto: list[str], added: frozenset[str]) -> None:
    text = gotos.edited(ANN, ",".join(goto), Edit(added=added, keep_copy=True), "auto.example")
    targets, keeps, away = gotos.targets_of(ANN, text)
    assert set(targets) == (set(goto) - {ANN, AWAY}) | added
    assert keeps
    assert away == (AWAY in goto)
    assert gotos.edited(ANN, text, Edit(added=added, keep_copy=True), "auto.example") == text
