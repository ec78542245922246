# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes are known again exactly, and exactly these are stopped."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from tests.lab import process
from tests.lab.process import ProcessId


def _spawn(tmp_path: Path, script: str) -> tuple[subprocess.Popen[bytes], ProcessId]:
    child = process.spawn(["/bin/sh", "-c", script], tmp_path / "log", {"PATH": os.environ["PATH"]})
    identity = ProcessId.of(child.pid)
    assert identity is not None
    return child, identity


def test_pid_file_knows_the_process_again(tmp_path: Path) -> None:
    child, identity = _spawn(tmp_path, "sleep 60")
    identity.save(tmp_path / "pid")
    known = process.load(tmp_path / "pid")
    assert known == identity
    assert known.alive()
    process.stop(known, patience=5)
    child.wait()
    assert not known.alive()


def test_reused_number_is_another_process(tmp_path: Path) -> None:
    child, identity = _spawn(tmp_path, "sleep 60")
    for other in (replace(identity, started=identity.started - 1), replace(identity, boot="before")):
        assert not other.alive()
        process.stop(other, patience=0.1)
        assert identity.alive()
    process.stop(identity, patience=5)
    child.wait()


def test_stop_takes_the_whole_family(tmp_path: Path) -> None:
    script = f"sleep 60 & setsid sleep 60 & echo $! > {tmp_path}/other-session; wait"
    child, identity = _spawn(tmp_path, script)
    while not (tmp_path / "other-session").exists() or not (tmp_path / "other-session").read_text():
        time.sleep(0.01)
    other = ProcessId.of(int((tmp_path / "other-session").read_text()))
    assert other is not None
    process.stop(identity, patience=5)
    child.wait()
    assert not other.alive()


def test_stop_takes_what_a_dead_leader_left(tmp_path: Path) -> None:
    wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done"
    child, identity = _spawn(tmp_path, f"sleep 60 & echo $! > {tmp_path}/left; {wait}")
    (tmp_path / "go").touch()
    child.wait()
    left = ProcessId.of(int((tmp_path / "left").read_text()))
    assert left is not None
    process.stop(identity, patience=1)
    assert not left.alive()


def test_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    child, identity = _spawn(tmp_path, f"trap '' TERM; touch {tmp_path}/ready; while :; do sleep 0.1; done")
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    process.stop(identity, patience=0.2)
    child.wait()
    assert not identity.alive()


def test_damaged_pid_file_names_nobody(tmp_path: Path) -> None:
    for text in ("", "1234", "{}", '{"pid": "x", "started": 1, "boot": ""}'):
        (tmp_path / "pid").write_text(text)
        assert process.load(tmp_path / "pid") is None
    assert process.load(tmp_path / "none") is None
