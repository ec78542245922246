# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A dump as a database to read from, for as long as somebody looks."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, MigrationError
from ...pgp.home import PgpKeys
from ...pgp.received import copy_received, is_pgp
from ...transport.database import Database
from ...transport.mariadbd import ThrowAway
from .load import Loaded, load, require_space
from .opening import opened

_HEAD = 512


@dataclass(frozen=True)
class Dump:
    """The file, and what is to be done about it. ``database``: which one of several in it; ``workspace``: a folder."""

    path: Path
    database: str | None = None
    allow_truncated: bool = False
    workspace: Path | None = None
    keys: PgpKeys | None = None


@contextlib.contextmanager
def dumped(dump: Dump) -> Iterator[tuple[Callable[[], Database], Loaded]]:
    """Opens sessions that may only read what is in the dump; their server is gone, with all its data, afterwards.

    Raises InputError, DumpError and its kinds, MissingProgramError, DatabaseError, and the errors of PGP.
    """
    with _about(dump), contextlib.ExitStack() as stack:
        encrypted = is_pgp(_head(dump.path))
        # What is wrong with a plain file is said before a server is started for it.
        read = None if encrypted else stack.enter_context(opened(dump.path))
        server = stack.enter_context(ThrowAway(dump.workspace))
        if read is None:
            read = stack.enter_context(opened(_decrypted(dump, server.folder)))
        with server.loader() as session:
            loaded = load(read, session, server.folder, dump.database, allow_truncated=dump.allow_truncated)
        yield server.reader, loaded


@contextlib.contextmanager
def _about(dump: Dump) -> Iterator[None]:
    """Every error names the dump."""
    try:
        yield
    except MigrationError as error:
        raise error.at(dump=str(dump.path)) from error.__cause__


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", option="dump.path") from error


def _decrypted(dump: Dump, folder: Path) -> Path:
    """What is inside an encrypted dump, in the server's private folder, which goes with the server."""
    plain = folder / "dump"
    handle = os.open(plain, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:

        def take(piece: bytes) -> None:
            require_space(shutil.disk_usage(folder).free, folder)
            file.write(piece)

        copy_received(dump.path, dump.keys, take)
    return plain
