# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Passwords swapped in a real Atmail database through real SSH, and every original back, byte for byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.integration.escrow_lab import ROWS, EscrowLab
from tests.integration.settings_lab import SettingsLab
from tests.lab.lab import Lab


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EscrowLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as lab:
        yield EscrowLab(SettingsLab(lab, tmp_path_factory.mktemp("escrow")))


@pytest.fixture
def lab(module_lab: EscrowLab) -> EscrowLab:
    module_lab.clear()
    return module_lab


def run(lab: EscrowLab, state: str, *, check: bool = False, **changes: object) -> object:
    return lab.base.run("password_escrow", lab.options(state, **changes), check=check)


@pytest.mark.parametrize("engine", ["InnoDB", "MyISAM"])
def test_check_run_rerun_both_ways(module_lab: EscrowLab, engine: str) -> None:
    lab = module_lab
    lab.clear(engine=engine)
    done = lab.base.run("password_escrow", lab.options("escrowed"), check=True)
    assert done.changed
    assert lab.rows() == ROWS
    assert not lab.escrow.exists()

    done = lab.base.run("password_escrow", lab.options("escrowed"))
    assert done.changed
    assert done.result["summary"] == {"accounts": 10, "escrowed": 10, "in_place": 0, "left_out": 0}
    swapped = lab.rows()
    assert all(swapped[account][0] != values[0] for account, values in ROWS.items())
    assert (
        swapped[b"plain@acme.example"][1] == hashlib.md5(swapped[b"plain@acme.example"][0] or b"").hexdigest().encode()
    )
    assert lab.escrow.stat().st_mode & 0o777 == 0o600
    assert lab.shown()["open_accounts"] == 10
    again = lab.base.run("password_escrow", lab.options("escrowed"))
    assert not again.changed
    assert again.result["summary"]["in_place"] == 10
    assert lab.rows() == swapped

    assert lab.base.run("password_escrow", lab.options("reinstated"), check=True).changed
    assert lab.rows() == swapped
    back = lab.base.run("password_escrow", lab.options("reinstated"))
    assert back.changed
    assert back.result["summary"] == {"accounts": 0, "reinstated": 10, "proved": 10, "kept": 0, "gone": 0}
    assert lab.rows() == ROWS
    assert lab.shown()["open_accounts"] == 0
    assert not lab.base.run("password_escrow", lab.options("reinstated")).changed
    assert lab.rows() == ROWS
    secrets = [(value or b"").decode() for values in ROWS.values() for value in values if value]
    secrets += [entry.generated for entry in lab.book().entries]
    for outcome in (done, again, back):
        assert not [secret for secret in secrets if secret in outcome.output]
        assert not [secret for secret in secrets if json.dumps(secret)[1:-1] in outcome.output]
    assert not [secret for secret in secrets if secret in lab.escrow.read_text()]
    assert sorted(each.name for each in lab.folder.glob("escrow*")) == ["escrow.json", "escrow.json.lock"]
