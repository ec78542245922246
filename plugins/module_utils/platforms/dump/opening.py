# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A dump's bytes, compressed or not. What a file is, its first bytes say, not its name."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import DumpError, DumpTruncatedError, InputError, MissingProgramError

#: Gives so many bytes or fewer, none at the end.
Read = Callable[[int], bytes]

_LONGEST_MARK = 16
_REFUSED = (
    (b"\xff\xfe", "is UTF-16: PowerShell's > writes that; mysqldump's own option --result-file does not"),
    (b"\xfe\xff", "is UTF-16; ask for it in UTF-8, as mysqldump writes it"),
    (b"PK\x03\x04", "is a ZIP archive; unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive; unpack it"),
    (b"Rar!", "is a RAR archive; unpack it"),
    (b"PGDMP", "is a dump of PostgreSQL; a dump of MySQL or MariaDB is needed"),
    (b"SQLite format 3\x00", "is an SQLite database; a dump of MySQL or MariaDB is needed"),
)
_DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, ValueError)
# A dictionary of 64 MiB is what `xz -9` takes; a hostile file may ask for gigabytes.
_LZMA_MEMORY = 128 * 1024 * 1024


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Read]:
    """A function that reads the dump.

    Raises InputError for a file that can't be read, DumpError for one that is something else or damaged,
    DumpTruncatedError for a compressed one without its end, MissingProgramError when zstd is needed and not there.
    """
    try:
        with path.open("rb") as file:
            mark = file.read(_LONGEST_MARK)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", option="dump.path") from error
    for start, what in _REFUSED:
        if mark.startswith(start):
            raise DumpError(f"the file {what}", dump=str(path))
    with contextlib.ExitStack() as stack:
        read = _reader(path, mark, stack)
        yield lambda size: _safely(read, size, path)


def _reader(path: Path, mark: bytes, stack: contextlib.ExitStack) -> Read:
    if mark.startswith(b"\x1f\x8b"):
        return stack.enter_context(gzip.open(path)).read1
    if mark.startswith(b"BZh"):
        return stack.enter_context(bz2.open(path)).read1
    if mark.startswith(b"\xfd7zXZ\x00"):
        return _xz(stack.enter_context(path.open("rb")).read)
    if mark.startswith(b"\x28\xb5\x2f\xfd"):
        return stack.enter_context(_zstd(path))
    return stack.enter_context(path.open("rb")).read


def _xz(read: Read) -> Read:
    """Like ``lzma.open``, which has no limit of memory."""

    def chunks() -> Iterator[bytes]:
        while data := read(1 << 16):
            unpacking = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY)
            yield unpacking.decompress(data, 1 << 20)
            while not bool(unpacking.eof):
                data = read(1 << 16) if bool(unpacking.needs_input) else b""
                if bool(unpacking.needs_input) and not data:
                    raise EOFError
                yield unpacking.decompress(data, 1 << 20)
            if unpacking.unused_data.strip(b"\x00"):
                raise ValueError("something follows the compressed data")

    pieces = chunks()
    return lambda _size: next((piece for piece in pieces if piece), b"")


@contextlib.contextmanager
def _zstd(path: Path) -> Iterator[Read]:
    """By the program: Python has no library for it before 3.14."""
    program = shutil.which("zstd")
    if program is None:
        raise MissingProgramError("the dump is compressed by zstd, which is not installed here", program="zstd")
    command = [program, "--quiet", "--decompress", "--stdout", "--memory=128MB", "--", os.fspath(path)]
    with subprocess.Popen(  # noqa: S603 -- a fixed program; the path is an argument of its own
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        output = child.stdout
        if output is None:
            raise EOFError

        def read(size: int) -> bytes:
            data = output.read(size)
            if not data and child.wait() != 0:
                raise EOFError
            return data

        try:
            yield read
        finally:
            child.kill()


def _safely(read: Read, size: int, path: Path) -> bytes:
    try:
        return read(size)
    except EOFError:
        raise DumpTruncatedError("the compressed file ends before its end, or is damaged", dump=str(path)) from None
    except _DAMAGED as error:
        raise DumpError(f"the compressed file is damaged ({type(error).__name__})", dump=str(path)) from None
    except OSError as error:
        if error.errno is None:  # bz2 has no error of its own
            raise DumpError("the compressed file is damaged", dump=str(path)) from None
        raise InputError(f"{path} cannot be read: {error.strerror}", option="dump.path") from error
