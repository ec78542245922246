# SPDX-License-Identifier: GPL-3.0-or-later
"""The quarantine's files and names."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.quarantine import Place, Quarantine
from ansible_collections.atmail.migration.plugins.module_utils.private_file import safe_name
from hypothesis import given
from hypothesis import strategies as st

PLACE = Place("ann@acme.example", b"Archive\x002019", 777, 46)
NAME = "ann@acme.example/Archive%2F2019.777.46.eml"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        (b"ann@acme.example", "ann@acme.example"),
        (b"INBOX", "INBOX"),
        (b"", "%"),
        (b".", "%2E"),
        (b"..", "%2E."),
        (b"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        (b".part-x", "%2Epart-x"),
        (b"a b%c\n\0*", "a%20b%25c%0A%00%2A"),
        (b"&AOk-", "%26AOk-"),
        ("é".encode(), "%C3%A9"),
    ],
)
def test_names_are_harmless(name: bytes, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_any_two_names_stay_two(one: bytes, other: bytes) -> None:
    safe = safe_name(one)
    assert safe
    assert len(safe) <= 200
    assert not set(safe) & set("/\\\0\n *")
    assert not safe.startswith(".")
    assert (safe == safe_name(other)) is (one == other)


def test_a_message_gets_its_name_when_it_is_complete(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "deep" / "quarantine")

    def pieces() -> Iterator[bytes]:
        yield b"Subject: x\r\n\r\n"
        assert not quarantine.holds(PLACE)
        yield b"\0\xff"

    held = quarantine.hold(PLACE, pieces())
    assert (held.size, held.nul, held.eight_bit) == (16, True, True)
    assert held.digest == blake2b(b"Subject: x\r\n\r\n\0\xff", digest_size=16).digest()
    assert not quarantine.holds(PLACE)
    assert b"".join(held.pieces()) == b"".join(held.pieces()) == b"Subject: x\r\n\r\n\0\xff"
    path = held.keep()
    assert path == quarantine.folder / NAME
    assert path.read_bytes() == b"Subject: x\r\n\r\n\0\xff"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, quarantine.folder)} == {0o700}
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert quarantine.release(PLACE)
    assert not quarantine.release(PLACE)
    assert list(quarantine.folder.iterdir()) == []


def test_the_same_message_is_kept_once(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    for body in (b"first", b"second"):
        quarantine.hold(PLACE, [body]).keep()
    assert [(path.name, path.read_bytes()) for path in tmp_path.rglob("*.eml")] == [(Path(NAME).name, b"second")]


def test_what_was_not_finished_is_removed(tmp_path: Path) -> None:
    """By whatever fails while it is written, and by the next run when this one was killed."""
    quarantine = Quarantine(tmp_path / "quarantine")

    def broken() -> Iterator[bytes]:
        yield b"some"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        quarantine.hold(PLACE, broken())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    left = quarantine.hold(PLACE, [b"killed here"])
    left.file.close()
    quarantine.hold(PLACE, [b"whole"]).discard()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
