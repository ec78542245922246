# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The ledger as a file: its schema, how it is made, opened, brought up to date, and locked.

An SQLite file (write-ahead log, one writer at a time, many processes), 0600, with an application id of its own so that
no other database is ever taken for a ledger. A ledger of an older version is brought up to date in one transaction.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from .errors import BusyError, LedgerDamagedError, LedgerError, LedgerForeignError, LedgerNewerError

#: ``PRAGMA application_id``: "ATML".
APPLICATION_ID = 0x41544D4C
VERSION = 5
#: Phases in their order; a customer's phase never goes back.
PHASES = ("mirror", "catch_up", "closed")
_BUSY_SECONDS = 60.0
#: What SQLite raises. Its words quote the schema: where that is damaged, Python can't read them.
SQLITE_FAILS = (sqlite3.DatabaseError, UnicodeDecodeError)

_FIRST = """
CREATE TABLE customer (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    phase TEXT NOT NULL
);
CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY,
    source_user TEXT NOT NULL,
    target_user TEXT NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source_user, target_user)
);
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    source_path BLOB NOT NULL,
    source_uidvalidity INTEGER NOT NULL,
    target_uidvalidity INTEGER NOT NULL,
    fidelity TEXT NOT NULL,
    reasons TEXT NOT NULL,
    source_state TEXT,
    target_state TEXT,
    UNIQUE (mailbox, source_path)
);
CREATE TABLE message (
    folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    source_uid INTEGER NOT NULL,
    target_uid INTEGER NOT NULL,
    flags BLOB NOT NULL,
    digest BLOB,
    PRIMARY KEY (folder, source_uid)
) WITHOUT ROWID
"""
#: What each version added to the one before it: since when which phase holds, the target's names of folders, messages
#: found by their UID on the target, refused messages, UIDLs of a POP source, bytes read by day, and UIDs that must go.
_SECOND = """
CREATE TABLE phase (
    name TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) WITHOUT ROWID;
ALTER TABLE folder ADD COLUMN target_path BLOB;
CREATE INDEX message_target ON message (folder, target_uid);
CREATE TABLE refused (
    folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    source_uid INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    digest BLOB,
    file TEXT,
    PRIMARY KEY (folder, source_uid)
) WITHOUT ROWID;
CREATE TABLE uidl (
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    uidl BLOB NOT NULL,
    PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID;
CREATE TABLE spent (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;
CREATE TABLE withdrawal (
    folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    target_uidvalidity INTEGER NOT NULL,
    target_uid INTEGER NOT NULL,
    PRIMARY KEY (folder, target_uidvalidity, target_uid)
) WITHOUT ROWID
"""
#: For the time after the cut-over: messages that are no longer on the source, by which they are recognised when they
#: are seen there again elsewhere, and the folders that the source was subscribed to.
_THIRD = """
CREATE TABLE departed (
    folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    source_uidvalidity INTEGER NOT NULL,
    source_uid INTEGER NOT NULL,
    target_uid INTEGER NOT NULL,
    flags BLOB NOT NULL,
    digest BLOB,
    PRIMARY KEY (folder, source_uidvalidity, source_uid)
) WITHOUT ROWID;
ALTER TABLE mailbox ADD COLUMN subscriptions_known INTEGER NOT NULL DEFAULT 0;
CREATE TABLE subscription (
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    source_path BLOB NOT NULL,
    PRIMARY KEY (mailbox, source_path)
) WITHOUT ROWID
"""
#: Batches that have been sent and not been confirmed.
_FOURTH = """
CREATE TABLE underway (
    folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
    first_uid INTEGER NOT NULL,
    target_uidvalidity INTEGER NOT NULL,
    due INTEGER NOT NULL,
    source_uids BLOB NOT NULL,
    PRIMARY KEY (folder, first_uid)
) WITHOUT ROWID
"""
#: Calendars and contacts (see :mod:`.ledger_dav`).
_FIFTH = """
CREATE TABLE dav_account (
    id INTEGER PRIMARY KEY,
    source_user TEXT NOT NULL,
    target_user TEXT NOT NULL,
    objects INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source_user, target_user)
);
CREATE TABLE dav_collection (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES dav_account (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    source_key BLOB,
    target_key BLOB,
    source_state BLOB,
    target_state BLOB,
    source_properties TEXT,
    target_properties TEXT,
    UNIQUE (account, source_key)
);
CREATE TABLE dav_object (
    collection INTEGER NOT NULL REFERENCES dav_collection (id) ON DELETE CASCADE,
    source_name BLOB NOT NULL,
    target_name BLOB,
    source_version BLOB,
    target_version BLOB,
    target_seen BLOB,
    uid BLOB,
    source_digest BLOB,
    target_digest BLOB,
    PRIMARY KEY (collection, source_name)
) WITHOUT ROWID;
CREATE TABLE dav_foreign (
    collection INTEGER NOT NULL REFERENCES dav_collection (id) ON DELETE CASCADE,
    target_name BLOB NOT NULL,
    target_version BLOB NOT NULL,
    uid BLOB,
    digest BLOB NOT NULL,
    PRIMARY KEY (collection, target_name)
) WITHOUT ROWID;
CREATE TABLE dav_refused (
    collection INTEGER NOT NULL REFERENCES dav_collection (id) ON DELETE CASCADE,
    source_name BLOB NOT NULL,
    source_version BLOB NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    file TEXT,
    PRIMARY KEY (collection, source_name)
) WITHOUT ROWID
"""
_VERSIONS = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)


class LedgerFile:
    """An open ledger as a file: rows and transactions. A context manager."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        """Open the ledger as :func:`open_ledger` does."""
        self.path = path
        self._read_only = read_only
        self._db = open_ledger(path, read_only=read_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything within is remembered, or nothing of it.

        :raises LedgerError: the file can't be written.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except SQLITE_FAILS as error:
            raise translate(error, self.path) from error

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._db.execute(statement, values).fetchall()
        except SQLITE_FAILS as error:
            raise translate(error, self.path) from error


def open_ledger(path: str, *, read_only: bool) -> sqlite3.Connection:
    """The ledger, made when it is not there. ``read_only`` changes and makes no file: what is missing is empty.

    :raises LedgerError: it can't be opened, is damaged, of a later version, or no ledger at all.
    """
    try:
        if read_only:
            return _looked_at(path)
        _check_or_create(path)
        return _connect(path)
    except SQLITE_FAILS as error:
        raise translate(error, path) from error
    except OSError as error:
        raise LedgerError(f"the ledger can't be opened: {error}", ledger=path) from error


def translate(error: sqlite3.DatabaseError | UnicodeDecodeError, path: str) -> LedgerError:
    """The error for what SQLite says."""
    if isinstance(error, UnicodeDecodeError):
        return LedgerDamagedError("the ledger is damaged: what SQLite says of it is no text", ledger=path)
    words = str(error)
    if "not a database" in words:
        return LedgerForeignError("this file is not a ledger of this collection", ledger=path)
    if "malformed" in words or "corrupt" in words:
        return LedgerDamagedError(f"the ledger is damaged: {words}", ledger=path)
    return LedgerError(f"the ledger can't be used: {words}", ledger=path)


def _connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    if not read_only and db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _looked_at(path: str) -> sqlite3.Connection:
    """A ledger to look at: one that is not there, or of an older version, is made in memory."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if not Path(path).exists():
        _bring_up(memory, 0)
        return memory
    db = _connect(path, read_only=True)
    version = _version(db, path)
    if version == VERSION:
        return db
    with contextlib.closing(db):
        db.backup(memory)
    _bring_up(memory, version)
    return memory


def _check_or_create(path: str) -> None:
    """Refuse a file that is not ours before anything is written to it; bring an older one up to date."""
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise LedgerError(f"the folder {folder} does not exist", ledger=path)
    _make_new(path)
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    with contextlib.closing(db):
        if _version(db, path) == VERSION:
            return
        db.execute("BEGIN IMMEDIATE")
        _bring_up(db, _version(db, path))
        db.execute("COMMIT")


def _make_new(path: str) -> None:
    """Make an empty ledger that its owner alone can read, unless there is a file already.

    It gets its name when it is complete, so that no other process ever sees half of it, and it is never opened beside
    SQLite: closing any descriptor of a file takes away the locks that other threads of this process hold on it through
    SQLite (sqlite.org/howtocorrupt.html, section 2.2).
    """
    if Path(path).exists():
        return
    descriptor, temporary = tempfile.mkstemp(dir=Path(path).absolute().parent, prefix=".ledger-")
    os.close(descriptor)
    try:
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            _bring_up(db, 0)
            db.execute("COMMIT")
        with contextlib.suppress(FileExistsError):
            Path(path).hardlink_to(temporary)
    finally:
        Path(temporary).unlink()


def _version(db: sqlite3.Connection, path: str) -> int:
    """A ledger's version, 0 for an empty database; asked without keeping others from writing.

    :raises LedgerForeignError: it is another program's database.
    :raises LedgerNewerError: a later version of this collection made it.
    """
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application or tables:
            raise LedgerForeignError("this database is not a ledger of this collection", ledger=path)
        return 0
    if version > VERSION:
        raise LedgerNewerError(
            f"the ledger is of version {version}, this collection knows up to {VERSION}", ledger=path
        )
    return int(version)


def _bring_up(db: sqlite3.Connection, version: int) -> None:
    """Bring a ledger of an older version up to date; version 0 is an empty database."""
    for statements in _VERSIONS[version:]:
        for statement in statements.split(";"):
            db.execute(statement)
    if not version:
        db.execute("INSERT INTO customer (id, phase) VALUES (1, ?)", (PHASES[0],))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


# the phase, once more


def phase_beside(path: str) -> str:
    """The phase that stands in a small file beside the ledger; the first one when there is no such file.

    It outlives the ledger: where that is lost, or an old copy of it is put back, no mirror may follow a cut-over.

    :raises LedgerError: the file can't be read, or says nothing that makes sense.
    """
    file = Path(path + ".phase")
    try:
        words = file.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return PHASES[0]
    except (OSError, ValueError) as error:
        raise LedgerError(f"{file} can't be read: {error}", ledger=path, safe_next=_PHASE_FILE) from error
    if not words or words[0] not in PHASES:
        raise LedgerError(f"{file} names no phase", ledger=path, safe_next=_PHASE_FILE)
    return words[0]


def write_phase_beside(path: str, phase: str, since: int) -> None:
    """Write that file, whole or not at all; ``since`` is in seconds since 1970.

    :raises LedgerError: it can't be written.
    """
    file = Path(path + ".phase")
    try:
        descriptor, temporary = tempfile.mkstemp(dir=file.absolute().parent, prefix=".phase-")
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"{phase} {since}\n")
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    except OSError as error:
        raise LedgerError(f"{file} can't be written: {error}", ledger=path) from error


_PHASE_FILE = (
    "Look which phase the customer is in (mirror, catch_up or closed) and write that one word into the file; "
    "nothing has been changed."
)


# one run at a time


#: ``F_OFD_SETLK`` of fcntl(2): a lock belongs to the open file, not to the process, so that threads exclude each other.
_F_OFD_SETLK = getattr(fcntl, "F_OFD_SETLK", 37)


@contextlib.contextmanager
def locked(path: str, number: int) -> Iterator[None]:
    """Hold the lock of one mailbox of a ledger; a process that dies lets go by dying.

    :raises BusyError: another run has it.
    """
    lock = path + ".lock"
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"the lock file {lock} can't be opened: {error.strerror}", ledger=path) from error
    try:
        try:
            _lock_byte(descriptor, number)
        except (BlockingIOError, PermissionError) as error:
            raise BusyError("another run is working on this mailbox", ledger=path) from error
        except OSError as error:
            raise LedgerError(f"the lock file {lock} can't be locked: {error.strerror}", ledger=path) from error
        yield
    finally:
        os.close(descriptor)


def _lock_byte(descriptor: int, offset: int) -> None:
    fcntl.fcntl(descriptor, _F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0))
