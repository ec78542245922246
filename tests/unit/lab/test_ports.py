# SPDX-License-Identifier: GPL-3.0-or-later
"""Two labs never get the same port; a removed lab's ports are free again."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.lab import ports
from tests.lab.errors import LabError


@pytest.fixture(autouse=True)
def few_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims of this test only, in a range that is soon used up."""
    monkeypatch.setattr(ports, "CLAIMS", tmp_path / "claims")
    monkeypatch.setattr(ports, "FIRST", 32100)
    monkeypatch.setattr(ports, "LAST", 32120)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_no_port_twice(tmp_path: Path) -> None:
    one, two = _folder(tmp_path / "one"), _folder(tmp_path / "two")
    claimed = ports.claim(one, 6) + ports.claim(two, 6) + ports.claim(one, 2)
    assert len(set(claimed)) == 14


def test_used_up(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no 25 free ports"):
        ports.claim(_folder(tmp_path / "one"), 25)


def test_released_and_abandoned_ports_are_free_again(tmp_path: Path) -> None:
    one, two = _folder(tmp_path / "one"), _folder(tmp_path / "two")
    ports.claim(one, 9)
    ports.claim(two, 9)
    ports.release(one)
    two.rmdir()
    assert len(ports.claim(_folder(tmp_path / "three"), 16)) == 16


def test_taken_port_is_left_alone(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 32105))
        listener.listen()
        assert not ports.is_free(32105)
        with pytest.raises(LabError):
            ports.claim(_folder(tmp_path / "one"), 20)
