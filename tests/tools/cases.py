# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests show which of the nasty cases: by ``@pytest.mark.case(…)``, or ``case_30`` in a docstring or a name.

``python -m tests.tools.cases`` prints them as JSON: the number of a case → the tests, as ``path::function``.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"case_(\d+)")


class Collector:
    """A plugin of pytest that notes the numbers of all tests that are collected."""

    def __init__(self) -> None:
        self.found: dict[int, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """See what was collected."""
        for item in items:
            function = getattr(item, "function", None)
            name = f"{item.path.relative_to(ROOT)}::{getattr(item, 'originalname', None) or item.name}"
            said = f"{item.name} {getattr(function, '__doc__', None) or ''}"
            for number in {int(one) for one in _NAMED.findall(said)}:
                self.found[number].add(name)
            for mark in item.iter_markers("case"):
                for number in mark.args:
                    self.found[int(number)].add(name)


def shown() -> dict[int, list[str]]:
    """Number of a case → the tests that show it.

    :raises RuntimeError: the tests can't be collected.
    """
    collector = Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "--rootdir", str(ROOT)], [collector])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(said.getvalue()[-3000:])
    return {number: sorted(tests) for number, tests in sorted(collector.found.items())}


if __name__ == "__main__":
    json.dump(shown(), sys.stdout, indent=1)
