# SPDX-License-Identifier: GPL-3.0-or-later
"""Add up what the parts of ``make test`` left behind: ``python -m tests.tools.summary DIR``.

A part is ``NAME.part`` (exit code and seconds); a part of pytest also has ``NAME.xml`` (JUnit), whose test cases are
counted one by one. Any other part counts as one check. The sum is printed, and written to ``DIR/summary`` as
``N passed, N failed``.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """One part of the run: how many checks passed, failed and were skipped, and how long it took in seconds."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: int


def read_part(file: Path) -> Part:
    """Read one part; a part that failed without naming a failed test counts as one failure."""
    code, seconds = (int(word) for word in file.read_text().split())
    passed, failed, skipped = (0, 0, 0) if code else (1, 0, 0)
    junit = file.with_suffix(".xml")
    if junit.exists():
        passed, failed, skipped = count_cases(junit)
    if code and not failed:
        failed = 1
    return Part(file.stem, passed, failed, skipped, seconds)


def count_cases(junit: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped test cases of a JUnit file that pytest has just written."""
    passed = failed = skipped = 0
    for case in ET.parse(junit).getroot().iter("testcase"):  # noqa: S314 - our own file
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(directory: Path) -> int:
    """Print the table and the sum; 0 when something ran and nothing failed."""
    parts = [read_part(file) for file in sorted(directory.glob("*.part"))]
    for part in parts:
        skipped = f", {part.skipped} skipped" if part.skipped else ""
        print(f"{part.name:<16} {part.passed:>5} passed, {part.failed} failed{skipped} ({part.seconds} s)")
    passed, failed = sum(part.passed for part in parts), sum(part.failed for part in parts)
    line = f"{passed} passed, {failed} failed"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "summary").write_text(line + "\n")
    print(line)
    return 0 if parts and not failed else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
