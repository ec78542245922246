# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/nasty-cases.md and the tests agree: every number has its row, and the tests named there carry that number."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.tools.cases import ROOT

_ROW = re.compile(r"^\| (\d+) \| .+ \| .+ \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`([^`]+::[^`]+)`")
NUMBERS = range(1, 105)


@pytest.fixture(scope="module")
def rows() -> dict[int, list[str]]:
    text = (ROOT / "docs" / "nasty-cases.md").read_text()
    return {int(number): [f"tests/{test}" for test in _TEST.findall(tests)] for number, tests in _ROW.findall(text)}


def test_every_number_has_a_row_with_tests(rows: dict[int, list[str]]) -> None:
    assert list(rows) == list(NUMBERS)
    assert all(rows.values())


def test_the_tests_that_are_named_are_there_and_carry_the_number(rows: dict[int, list[str]]) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.tools.cases"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    shown = {int(number): set(tests) for number, tests in json.loads(said.stdout).items()}
    wrong = {number: [test for test in rows[number] if test not in shown.get(number, ())] for number in rows}
    assert {number: tests for number, tests in wrong.items() if tests} == {}
