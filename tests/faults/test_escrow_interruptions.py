# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The escrow ended at every single step: at no moment is an original only in the past, and a rerun puts all back."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError

from tests.faults.escrow_taps import CUT, FAIL, FILES, KILL, Killed, Steps, watched
from tests.integration.escrow_lab import EscrowLab, Stored
from tests.integration.settings_lab import SettingsLab
from tests.lab.lab import Lab

#: Few rows, but of all kinds: two columns, NULL, other bytes than ASCII.
FEW: Stored = {
    b"ann@acme.example": (b"Ann's own 1", b"0123456789abcdef0123456789abcdef"),
    b"bob@acme.example": (None, None),
    "jürgen@acme.example".encode(): ("größe ".encode(), b""),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EscrowLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as temporary:
        yield EscrowLab(SettingsLab(temporary, tmp_path_factory.mktemp("escrow")))


def interrupted(lab: EscrowLab, state: str, at: int, how: str) -> Steps:
    """A run that is ended there; what it did until then."""
    with watched(Steps(at, how)) as steps, contextlib.suppress(Killed, MigrationError):
        lab.core(state)
    return steps


def steps_of(lab: EscrowLab, state: str, engine: str, how: str) -> list[int]:
    """The steps at which a whole run can be ended in this way; of MyISAM those that write, as reading is the same."""
    names = interrupted(lab, state, 0, KILL).names
    assert sum(name.startswith("sent UPDATE") for name in names) >= 3
    first = 1 if engine == "InnoDB" else names.index("before UPDATE ") + 1
    return [number for number, name in enumerate(names, 1) if number >= first and (how != FAIL or name.endswith(FILES))]


# InnoDB in every way; MyISAM, where a statement is no transaction, by what a crash leaves.
WAYS = [("InnoDB", KILL), ("InnoDB", CUT), ("InnoDB", FAIL), ("MyISAM", KILL)]


@pytest.mark.parametrize(("engine", "how"), WAYS)
def test_swapping_ended_at_every_step(lab: EscrowLab, engine: str, how: str) -> None:
    lab.clear(FEW, engine=engine)
    for at in steps_of(lab, "escrowed", engine, how):
        lab.again(FEW)
        ended = interrupted(lab, "escrowed", at, how)
        where = f"{how} at step {at} ({ended.ended_at})"
        assert ended.ended_at, where
        assert lab.lost(FEW) == [], where
        if at % 2:
            lab.core("escrowed")
            assert lab.lost(FEW) == [], where
            assert all(values[0] != FEW[account][0] for account, values in lab.rows().items()), where
        lab.core("reinstated")
        assert lab.rows() == FEW, where
        assert not lab.escrow.exists() or not lab.shown()["open_accounts"], where


@pytest.mark.parametrize(("engine", "how"), WAYS)
def test_reinstating_ended_at_every_step(lab: EscrowLab, engine: str, how: str) -> None:
    lab.clear(FEW, engine=engine)
    lab.core("escrowed")
    swapped, kept = lab.rows(), lab.escrow.read_bytes()
    for at in steps_of(lab, "reinstated", engine, how):
        lab.put(swapped)
        lab.escrow.write_bytes(kept)
        ended = interrupted(lab, "reinstated", at, how)
        where = f"{how} at step {at} ({ended.ended_at})"
        assert ended.ended_at, where
        assert lab.lost(FEW) == [], where
        assert lab.rows() == FEW or lab.shown()["open_accounts"], where
        lab.core("reinstated")
        assert lab.rows() == FEW, where
        assert not lab.shown()["open_accounts"], where


def test_the_taps_see_a_run_that_forgets_to_write_first(lab: EscrowLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test: without the file on disk, an original is lost."""
    from ansible_collections.atmail.migration.plugins.module_utils.settings import escrow_run

    monkeypatch.setattr(escrow_run._Work, "keep", lambda _self, _book: None)
    lab.clear(FEW)
    with contextlib.suppress(Killed, MigrationError):
        lab.core("escrowed")
    assert lab.lost(FEW)


def test_kill_9_of_the_module_at_random_moments(lab: EscrowLab) -> None:
    """A real process with a real kill, a thousand accounts in several statements, then one rerun."""
    chance = random.Random(20261123)
    many: Stored = {b"u%d@acme.example" % number: (b"own %d" % number, None) for number in range(1000)}
    lab.clear(many)
    began = time.monotonic()
    assert lab.base.run("password_escrow", lab.options("escrowed")).changed
    whole = time.monotonic() - began
    assert lab.base.run("password_escrow", lab.options("reinstated")).changed
    for state in ("escrowed", "reinstated"):
        running = start(lab, state)
        time.sleep(chance.uniform(0.5, 0.95) * whole)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()
        assert lab.lost(many) == []
    assert lab.base.run("password_escrow", lab.options("reinstated")).result["state"]["accounts"] == 0
    assert lab.rows() == many


def start(lab: EscrowLab, state: str) -> subprocess.Popen[bytes]:
    arguments = {"ANSIBLE_MODULE_ARGS": {**lab.options(state), "_ansible_check_mode": False}}
    program = [sys.executable, "-m", "ansible_collections.atmail.migration.plugins.modules.password_escrow"]
    running = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdin
    running.stdin.write(json.dumps(arguments).encode())
    running.stdin.close()
    running.stdin = None
    return running
