# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Records are written by the controller, privately and at once, and nowhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent


def keep(folder: Path, files: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the action as a task of its own, on a host that can't be reached."""
    options = json.dumps({"folder": str(folder), "files": files})
    command: list[Any] = [BIN / "ansible", "all", "-i", "unreachable.invalid,", "-m", "atmail.migration.evidence"]
    return subprocess.run([*command, "-a", options, *arguments], capture_output=True, text=True, check=False)


def test_files_are_private_and_exact(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "evidence"
    files = {"a.json": '{"ü": "{{ 7 * 7 }}"}\n', "b.md": ""}
    assert keep(folder, files, "--check").returncode == 0
    assert not folder.exists()
    for _run in range(2):
        run = keep(folder, files)
        assert (run.returncode, '"changed": false' in run.stdout) == (0, True), run.stdout + run.stderr
    assert [(file.name, file.stat().st_mode & 0o777) for file in sorted(folder.iterdir())] == [
        ("a.json", 0o600),
        ("b.md", 0o600),
    ]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    for name in ("../outside", "/etc/outside", ""):
        run = keep(tmp_path / "evidence", {name: "text"})
        assert run.returncode == 2
        assert "is not the plain name of a file" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = keep(tmp_path / "file" / "evidence", {"a.json": "{}"})
    assert run.returncode == 2
    assert "cannot be written: Not a directory" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
