# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A dump is read whatever it is compressed by; what is something else, damaged or cut off is said to be."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    DumpError,
    DumpTruncatedError,
    InputError,
    MigrationError,
    MissingProgramError,
)
from ansible_collections.atmail.migration.plugins.module_utils.platforms.dump.opening import opened

CONTENT = b"-- MySQL dump\n" + bytes(range(256)) * 9000
Pack = Callable[[bytes], bytes]


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


def two_streams(content: bytes) -> bytes:
    """As ``cat a.gz b.gz`` and parallel packers write it."""
    return gzip.compress(content[:1000]) + gzip.compress(content[1000:])


def whole(path: Path, size: int = 1 << 16) -> bytes:
    with opened(path) as read:
        return b"".join(iter(lambda: read(size), b""))


PACKERS: list[Pack] = [bytes, gzip.compress, two_streams, bz2.compress, lzma.compress, zstd]


@pytest.mark.parametrize("pack", PACKERS)
def test_what_is_in_the_file_comes_out(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "any name"
    path.write_bytes(pack(CONTENT))
    assert whole(path) == CONTENT


@pytest.mark.parametrize("pack", PACKERS[1:])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "dump"
    path.write_bytes(pack(os.urandom(100_000))[:-30])
    with pytest.raises(DumpTruncatedError) as caught:
        whole(path)
    assert caught.value.where["dump"] == str(path)


@pytest.mark.parametrize("pack", PACKERS[1:])
def test_a_damaged_file_is_named(tmp_path: Path, pack: Pack) -> None:
    packed = bytearray(pack(os.urandom(100_000)))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "dump"
    path.write_bytes(packed)
    with pytest.raises(DumpError):
        whole(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("CREATE TABLE".encode("utf-16"), "PowerShell"),
        (b"PGDMP\x01\x0e", "PostgreSQL"),
        (b"PK\x03\x04", "ZIP"),
        (b"SQLite format 3\x00", "SQLite"),
    ],
)
def test_what_is_no_dump_of_ours_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "dump"
    path.write_bytes(content)
    with pytest.raises(DumpError, match=message):
        whole(path)


def test_a_missing_file_and_a_missing_program_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="No such file"):
        whole(tmp_path / "none")
    path = tmp_path / "dump"
    path.write_bytes(zstd(CONTENT))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match="zstd"):
        whole(path)


def test_no_file_asks_for_any_memory_it_likes(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    path.write_bytes(lzma.compress(b"a", filters=filters))
    with pytest.raises(MigrationError) as caught:
        whole(path)
    assert caught.value.kind == "dump_invalid"
