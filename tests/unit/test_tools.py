# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that the Makefile and the demo call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.__main__ import tasks_changed
from tests.tools.summary import Part, main, read_part

JUNIT = (
    "<testsuites><testsuite><testcase/><testcase><failure/></testcase><testcase><error/></testcase>"
    "<testcase><skipped/></testcase><testcase/></testsuite></testsuites>"
)


@pytest.mark.parametrize(
    ("code", "junit", "part"),
    [
        ("0 7", "", Part("p", 1, 0, 0, 7)),
        ("2 7", "", Part("p", 0, 1, 0, 7)),
        ("1 7", JUNIT, Part("p", 2, 2, 1, 7)),
        ("1 7", "<testsuites/>", Part("p", 0, 1, 0, 7)),
    ],
)
def test_a_part_is_counted(tmp_path: Path, code: str, junit: str, part: Part) -> None:
    (tmp_path / "p.part").write_text(code + "\n")
    if junit:
        (tmp_path / "p.xml").write_text(junit)
    assert read_part(tmp_path / "p.part") == part


@pytest.mark.parametrize(
    ("parts", "line", "code"),
    [
        ({}, "0 passed, 0 failed", 1),
        ({"ruff": "0 1", "mypy": "0 2"}, "2 passed, 0 failed", 0),
        ({"ruff": "0 1", "mypy": "1 2"}, "1 passed, 1 failed", 1),
    ],
)
def test_the_last_line_is_the_sum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], parts: dict[str, str], line: str, code: int
) -> None:
    for name, text in parts.items():
        (tmp_path / f"{name}.part").write_text(text)
    assert main(tmp_path) == code
    assert capsys.readouterr().out.splitlines()[-1] == line
    assert (tmp_path / "summary").read_text() == line + "\n"


@pytest.mark.parametrize(
    ("log", "changed"),
    [
        ("", None),
        ("changed=3\n", None),
        ("PLAY RECAP ***\nacme : ok=1 changed=0 failed=0\nglobex : ok=1 changed=0\n", 0),
        ("PLAY RECAP\nacme : changed=9\nPLAY RECAP\nacme : ok=1 changed=2\nglobex : ok=1 changed=3\n", 5),
    ],
)
def test_changed_is_taken_from_the_last_recap(log: str, changed: int | None) -> None:
    assert tasks_changed(log) == changed
