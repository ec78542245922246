# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whose change it is: a table for single values and one for sets, and what must hold for all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings.merge import (
    POLICIES,
    Policy,
    merge_set,
    merge_value,
    noted,
)
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("now", "wanted", "applied", "policy", "value", "conflict"),
    [
        ("a", "a", {}, "keep", "a", False),
        ("a", "b", {"name": "a"}, "keep", "b", False),
        ("a", "b", {"name": "c"}, "keep", "a", True),
        ("a", "b", {"name": "c"}, "keep_and_warn", "a", True),
        ("a", "b", {"name": "c"}, "keep_and_fail", "a", True),
        ("a", "b", {"name": "c"}, "replace", "b", True),
        ("a", "b", {}, "keep", "a", True),
        (None, "b", {"name": None}, "keep", "b", False),
        (None, "b", {}, "keep", None, True),
        ("x" * 300, "b", {"name": noted("x" * 300)}, "keep", "b", False),
        ({"text": "x"}, None, {"name": noted({"text": "x"})}, "keep", None, False),
    ],
)
def test_a_value(now: Any, wanted: Any, applied: dict[str, Any], policy: Policy, value: Any, conflict: bool) -> None:
    merged = merge_value("name", now, wanted, applied, policy)
    assert (merged.value, bool(merged.conflict)) == (value, conflict)


@pytest.mark.parametrize(
    ("now", "wanted", "ours", "policy", "after", "conflict"),
    [
        ("", "ab", "", "keep", "ab", False),
        ("t", "ab", "", "keep", "abt", False),  # somebody's own stays, ours come
        ("abt", "a", "ab", "keep", "at", False),  # gone from the source: ours goes, somebody's stays
        ("a", "ab", "ab", "keep", "a", True),  # taken away on the target
        ("a", "ab", "ab", "keep_and_fail", "a", True),
        ("a", "ab", "ab", "replace", "ab", True),
        ("a", "ab", "a", "keep", "ab", False),  # new on the source
        ("t", "", "t", "keep", "", False),
        ("t", "", "", "replace", "t", False),
    ],
)
def test_a_set(now: str, wanted: str, ours: str, policy: Policy, after: str, conflict: bool) -> None:
    merged = merge_set("targets", now, wanted, {"targets": list(ours)}, policy)
    assert (merged.value, bool(merged.conflict)) == (tuple(after), conflict)


@pytest.mark.parametrize("note", ["abc", 7, None, {"a": 1}, [["a"]]])
def test_a_note_that_is_not_ours_counts_as_none(note: Any) -> None:
    assert merge_set("targets", "a", "", {"targets": note}, "replace").value == ("a",)


SETS = st.frozensets(st.sampled_from("abcdef"))


@settings(deadline=None)
@given(now=SETS, wanted=SETS, ours=SETS, policy=st.sampled_from(POLICIES))
def test_of_a_set_nothing_goes_that_no_migration_wrote_and_a_rerun_is_empty(
    now: frozenset[str], wanted: frozenset[str], ours: frozenset[str], policy: Policy
) -> None:
    after = merge_set("x", now, wanted, {"x": sorted(ours)}, policy).value
    assert now - frozenset(after) <= ours - wanted
    assert frozenset(after) - now <= wanted
    merged = merge_set("x", now, wanted, {"x": sorted(ours)}, policy)
    again = merge_set("x", merged.value, wanted, json.loads(json.dumps({"x": merged.note})), policy)
    assert (again.value, again.note) == (merged.value, merged.note)
