# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What has been done: which folders were the same when, and which target message came from which source message.

The servers are the truth; the ledger only makes runs fast and remembers history. Losing it costs time, never mail.
It is an SQLite file (write-ahead log, one writer at a time, many processes), 0600, with an application id of its own so
that no other database is ever taken for a ledger. It holds addresses, folder names, UIDs, flags and digests of
messages; no password and no message text.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from .errors import BusyError, LedgerDamagedError, LedgerError, LedgerForeignError, LedgerNewerError, UnsupportedError

#: ``PRAGMA application_id``: "ATML".
APPLICATION_ID = 0x41544D4C
VERSION = 1
#: Phases in their order; a ledger's phase never goes back.
PHASES = ("mirror", "catch_up", "closed")
_BUSY_SECONDS = 60.0

_SCHEMA = """
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
) WITHOUT ROWID;
"""


class MessageRow(NamedTuple):
    """A message that a run brought; ``digest`` is BLAKE2b-128 of its bytes, None when it was recognised, not copied."""

    source_uid: int
    target_uid: int
    flags: bytes
    digest: bytes | None


@dataclass(frozen=True)
class FolderRow:
    """A folder as remembered; the states are four numbers each (messages, uidnext, uidvalidity, highestmodseq).

    ``reasons`` say why its UIDs are not the source's, where they are not.
    """

    id: int
    source_path: bytes
    source_uidvalidity: int
    target_uidvalidity: int
    fidelity: str
    reasons: tuple[str, ...]
    source_state: tuple[int, ...] | None
    target_state: tuple[int, ...] | None


class Ledger:
    """An open ledger. Each process and thread opens its own; :meth:`close` it, or use it as a context manager."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        """Open the ledger, or make it. ``read_only`` makes none: a ledger that is not there is empty."""
        if "://" in path:
            raise UnsupportedError("this version keeps its ledger in an SQLite file only", option="ledger")
        self.path = path
        self._read_only = read_only
        try:
            if read_only and not Path(path).exists():
                self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
                _make_schema(self._db)
            else:
                self._check_or_create()
                self._db = self._connect()
        except sqlite3.DatabaseError as error:
            raise _translate(error, path) from error
        except OSError as error:
            raise LedgerError(f"the ledger can't be opened: {error}", ledger=path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # opening

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        if db.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def _check_or_create(self) -> None:
        """Refuse a file that is not ours before anything is written to it; make the schema in a new one."""
        folder = Path(self.path).absolute().parent
        if not folder.is_dir():
            raise LedgerError(f"the folder {folder} does not exist", ledger=self.path)
        _make_new(self.path)
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        with contextlib.closing(db):
            if _is_current(db):
                return
            db.execute("BEGIN IMMEDIATE")
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if application != APPLICATION_ID and (application or tables):
                raise LedgerForeignError("this database is not a ledger of this collection", ledger=self.path)
            if version > VERSION:
                raise LedgerNewerError(
                    f"the ledger is of version {version}, this collection knows up to {VERSION}", ledger=self.path
                )
            if not tables:
                _make_schema(db)
            db.execute("COMMIT")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise _translate(error, self.path) from error

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _translate(error, self.path) from error

    # customer and mailboxes

    def phase(self) -> str:
        """The customer's phase: ``mirror``, ``catch_up`` or ``closed``."""
        return str(self._rows("SELECT phase FROM customer")[0][0])

    def mailbox(self, source_user: str, target_user: str) -> int:
        """The mailbox's number; it is entered when it is new (0 in a read-only ledger)."""
        key = (source_user, target_user)
        found = self._rows("SELECT id FROM mailbox WHERE source_user = ? AND target_user = ?", key)
        if found or self._read_only:
            return int(found[0][0]) if found else 0
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO mailbox (source_user, target_user) VALUES (?, ?)", key)
        return self.mailbox(source_user, target_user)

    def sizes(self) -> dict[tuple[str, str], int]:
        """Messages of every mailbox at its last complete run, by source and target user: large ones go first."""
        rows = self._rows("SELECT source_user, target_user, messages FROM mailbox")
        return {(source, target): messages for source, target, messages in rows}

    # folders

    def folders(self, mailbox: int) -> list[FolderRow]:
        """All folders of a mailbox."""
        rows = self._rows(
            "SELECT id, source_path, source_uidvalidity, target_uidvalidity, fidelity, reasons, source_state,"
            " target_state"
            " FROM folder WHERE mailbox = ?",
            (mailbox,),
        )
        return [
            FolderRow(number, path, ours, theirs, fidelity, tuple(why.splitlines()), _numbers(before), _numbers(after))
            for number, path, ours, theirs, fidelity, why, before, after in rows
        ]

    def begin_folder(
        self,
        mailbox: int,
        source_path: bytes,
        uidvalidities: tuple[int, int],
        fidelity: str,
        *,
        reasons: Sequence[str] = (),
        forget: bool = False,
    ) -> int:
        """Note that work on a folder begins: until :meth:`complete` it counts as unfinished. Gives its number.

        ``forget`` drops the messages remembered of it, because a UIDVALIDITY is no longer the one they belong to.
        """
        with self._transaction() as db:
            db.execute(
                "INSERT INTO folder (mailbox, source_path, source_uidvalidity, target_uidvalidity, fidelity, reasons)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (mailbox, source_path) DO UPDATE SET source_uidvalidity ="
                " excluded.source_uidvalidity, target_uidvalidity = excluded.target_uidvalidity,"
                " fidelity = excluded.fidelity, reasons = excluded.reasons, source_state = NULL, target_state = NULL",
                (mailbox, source_path, *uidvalidities, fidelity, "\n".join(reasons)),
            )
            (folder,) = db.execute(
                "SELECT id FROM folder WHERE mailbox = ? AND source_path = ?", (mailbox, source_path)
            ).fetchone()
            if forget:
                db.execute("DELETE FROM message WHERE folder = ?", (folder,))
        return int(folder)

    def complete(
        self, mailbox: int, states: Iterable[tuple[bytes, tuple[int, ...], tuple[int, ...]]], messages: int
    ) -> None:
        """Note both sides' states of folders that are now the same: (source path, source state, target state)."""
        rows = [(_text(source), _text(target), mailbox, path) for path, source, target in states]
        with self._transaction() as db:
            db.executemany(
                "UPDATE folder SET source_state = ?, target_state = ? WHERE mailbox = ? AND source_path = ?", rows
            )
            db.execute("UPDATE mailbox SET messages = ? WHERE id = ?", (messages, mailbox))

    def drop_folder(self, mailbox: int, source_path: bytes) -> None:
        """Forget a folder that is gone on both sides."""
        with self._transaction() as db:
            db.execute("DELETE FROM folder WHERE mailbox = ? AND source_path = ?", (mailbox, source_path))

    # messages

    def messages(self, folder: int) -> list[MessageRow]:
        """All messages of a folder that a run brought."""
        rows = self._rows("SELECT source_uid, target_uid, flags, digest FROM message WHERE folder = ?", (folder,))
        return [MessageRow(*row) for row in rows]

    def message_count(self, folder: int) -> int:
        """How many messages of a folder are remembered."""
        return int(self._rows("SELECT count(*) FROM message WHERE folder = ?", (folder,))[0][0])

    def add_messages(self, folder: int, rows: Iterable[MessageRow]) -> None:
        """Remember messages that were brought, or recognised."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO message (folder, source_uid, target_uid, flags, digest) VALUES (?, ?, ?, ?, ?)",
                [(folder, *row) for row in rows],
            )

    def set_flags(self, folder: int, flags: Iterable[tuple[int, bytes]]) -> None:
        """Remember the flags that both sides now have, by source UID."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE message SET flags = ? WHERE folder = ? AND source_uid = ?",
                [(value, folder, uid) for uid, value in flags],
            )

    def forget_messages(self, folder: int, source_uids: Iterable[int]) -> None:
        """Forget messages that are gone."""
        with self._transaction() as db:
            db.executemany(
                "DELETE FROM message WHERE folder = ? AND source_uid = ?", [(folder, uid) for uid in source_uids]
            )

    # one run at a time on a mailbox

    @contextlib.contextmanager
    def claimed(self, mailbox: int) -> Iterator[None]:
        """Keep other runs off a mailbox while this one works on it; a process that dies lets go by dying.

        A read-only ledger keeps nobody off: it only looks.

        :raises BusyError: another run has it.
        """
        if self._read_only:
            yield
            return
        lock = self.path + ".lock"
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(f"the lock file {lock} can't be opened: {error.strerror}", ledger=self.path) from error
        try:
            try:
                _lock_byte(descriptor, mailbox)
            except (BlockingIOError, PermissionError) as error:
                raise BusyError("another run is working on this mailbox", ledger=self.path) from error
            except OSError as error:
                raise LedgerError(
                    f"the lock file {lock} can't be locked: {error.strerror}", ledger=self.path
                ) from error
            yield
        finally:
            os.close(descriptor)


#: ``F_OFD_SETLK`` of fcntl(2): a lock belongs to the open file, not to the process, so that threads exclude each other.
_F_OFD_SETLK = getattr(fcntl, "F_OFD_SETLK", 37)


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
            _make_schema(db)
            db.execute("COMMIT")
        with contextlib.suppress(FileExistsError):
            Path(path).hardlink_to(temporary)
    finally:
        Path(temporary).unlink()


def _lock_byte(descriptor: int, offset: int) -> None:
    fcntl.fcntl(descriptor, _F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0))


def _is_current(db: sqlite3.Connection) -> bool:
    """Whether this is a ledger of this version; asked without keeping others from writing."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return bool(application == APPLICATION_ID and version == VERSION)


def _make_schema(db: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    db.execute("INSERT INTO customer (id, phase) VALUES (1, ?)", (PHASES[0],))
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def _numbers(text: str | None) -> tuple[int, ...] | None:
    return None if text is None else tuple(int(part) for part in text.split())


def _text(numbers: tuple[int, ...]) -> str:
    return " ".join(str(number) for number in numbers)


def _translate(error: sqlite3.DatabaseError, path: str) -> LedgerError:
    words = str(error)
    if "not a database" in words:
        return LedgerForeignError("this file is not a ledger of this collection", ledger=path)
    if "malformed" in words or "corrupt" in words:
        return LedgerDamagedError(f"the ledger is damaged: {words}", ledger=path)
    return LedgerError(f"the ledger can't be used: {words}", ledger=path)
