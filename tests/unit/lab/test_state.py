# SPDX-License-Identifier: GPL-3.0-or-later
"""lab.json: written privately, read back as it was, refused when it is something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab import passwords, state
from tests.lab.errors import LabError
from tests.lab.layout import Layout
from tests.lab.state import Account, LabState, RegionOptions, RegionState, SiteOptions, SiteState


def _state() -> LabState:
    site = SiteState(
        ports={"imap": 1},
        secrets={"master": "s"},
        accounts={"a@x": Account("a@x", "p", "md5", enabled=False, messages=3, folders=2)},
        region="eu",
        options=SiteOptions(prefix="INBOX.", owner=(3000, 3001), rawlog=True),
        scale="test",
    )
    region = RegionState(ports={"imap": 2}, options=RegionOptions(doveadm=False, extra="x = y"))
    return LabState({"acme": site}, {"eu": region})


def test_read_back_as_written(tmp_path: Path) -> None:
    state.save(tmp_path, _state(), {"ca": "x"})
    assert state.load(tmp_path) == _state()
    assert (tmp_path / state.FILE).stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / state.FILE).read_text())["ca"] == "x"


def test_no_lab_no_state(tmp_path: Path) -> None:
    assert state.load(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1, "state": {"sites": []}}', '{"format": 99, "state": {}}']
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / state.FILE).write_text(text)
    with pytest.raises(LabError, match=r"lab\.json"):
        state.load(tmp_path)


def test_socket_paths_are_short(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path / ("x" * 200))
    assert len(str(layout.run)) < 40


def test_stored_passwords() -> None:
    assert passwords.atmail("secret", "plain") == "secret"
    assert passwords.atmail("secret", "md5") == "5ebe2294ecd0e0f08eab7690d2a6ee69"
    assert passwords.atmail("secret", "md5_crypt").startswith("$1$")
    assert passwords.cloud("secret").startswith("{SSHA512}")
    with pytest.raises(LabError, match="rot13"):
        passwords.atmail("secret", "rot13")
