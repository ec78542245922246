# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's short form: it runs, and what it measured was a right copy. No time is asserted."""

from __future__ import annotations

import pytest

from tests.benchmark import dav, engine, settings, tools
from tests.benchmark.measure import Figures


def test_every_row_was_measured_on_a_right_copy() -> None:
    with engine.bench() as where:
        rows = [*engine.small_messages(where, 300, 1), *engine.big_message(where, [3 * engine.MEGABYTE])]
    assert [row.tool.split(",")[0] for row in rows] == [*tools.peers(), "ours"]
    assert all(len(row.runs) == 1 and row.runs[0].wall > 0 and row.runs[0].memory > engine.MEGABYTE for row in rows)
    assert all(row.line().count("|") == engine.HEADER.splitlines()[0].count("|") for row in rows)


def test_a_wrong_copy_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def does_nothing(job: tools.Job) -> Figures:
        assert job.source_user
        return Figures(wall=0.1, cpu=0.1, memory=1)

    monkeypatch.setattr(tools, "peers", lambda: {"idle": does_nothing})
    with engine.bench() as where, pytest.raises(RuntimeError, match="0 of 10 messages came"):
        engine.small_messages(where, 10, 1)


def test_a_customers_settings_come_as_they_should_and_a_second_run_changes_nothing() -> None:
    steps = list(settings.steps(200, 600))
    assert [step.name for step in steps] == ["extract", "apply", "extract again", "apply again"]
    assert all(step.figures.wall > 0 for step in steps)
    assert all(step.line().count("|") == settings.HEADER.splitlines()[0].count("|") for step in steps)


def test_calendars_are_copied_by_every_tool_over_a_slow_way_too() -> None:
    rows = list(dav.rows(10, 1, [5], warm=False))
    assert [row.tool for row in rows] == list(dav.tools())
    assert all(row.objects == 20 and row.milliseconds == 5 and row.first[0].wall > 0 for row in rows)
    assert all(row.line().count("|") == dav.HEADER.splitlines()[0].count("|") for row in rows)


def test_calendars_that_did_not_come_are_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dav, "tools", lambda: {"idle": lambda *_sides: (["true"], "")})
    with pytest.raises(RuntimeError, match="5 of 5 events are not as they were"):
        list(dav.rows(5, 1, [0], warm=False))
