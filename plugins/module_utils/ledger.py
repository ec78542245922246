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
import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .ledger_customer import CustomerTable
from .ledger_file import SQLITE_FAILS, locked, translate
from .ledger_refused import RefusedTable
from .ledger_underway import UnderwayTable

#: Size in bytes of a message's digest (BLAKE2b).
DIGEST_SIZE = 16
_VARIABLES = 500
_COLUMNS = {"source": "source_uid", "target": "target_uid"}


class MessageRow(NamedTuple):
    """A message that a run brought; ``digest`` is BLAKE2b-128 of its bytes, None when it was recognised, not copied."""

    source_uid: int
    target_uid: int
    flags: bytes
    digest: bytes | None


class DepartedRow(NamedTuple):
    """A message that a run brought and that is no longer on the source under this UIDVALIDITY and UID.

    ``target_uid`` is 0 where the target's copy can't be named any more.
    """

    source_uidvalidity: int
    source_uid: int
    target_uid: int
    flags: bytes
    digest: bytes | None


@dataclass(frozen=True)
class Merged:
    """What is known of a folder after the cut-over, beside what will be copied.

    ``departed`` are source UIDs that are no longer there; with ``source_renewed`` no row belongs to the source's new
    UIDVALIDITY. With ``target_renewed`` no target UID holds any more. ``used`` are
    messages, by their folder's number, that have been recognised under another name; ``known`` are the new rows.
    """

    departed: Sequence[int] = ()
    source_renewed: bool = False
    target_renewed: bool = False
    used: Sequence[tuple[int, DepartedRow]] = ()
    known: Sequence[MessageRow] = ()


@dataclass(frozen=True)
class FolderRow:
    """A folder as remembered; the states are four numbers each (messages, uidnext, uidvalidity, highestmodseq).

    ``reasons`` say why its UIDs are not the source's, where they are not. ``target_path`` is None when an older version
    wrote the row.
    """

    id: int
    source_path: bytes
    target_path: bytes | None
    source_uidvalidity: int
    target_uidvalidity: int
    fidelity: str
    reasons: tuple[str, ...]
    source_state: tuple[int, ...] | None
    target_state: tuple[int, ...] | None


class Ledger(CustomerTable, RefusedTable, UnderwayTable):
    """An open ledger. Each process and thread opens its own; :meth:`close` it, or use it as a context manager."""

    # mailboxes

    def mailbox(self, source_user: str, target_user: str) -> int:
        """The mailbox's number; it is entered when it is new (0 in a read-only ledger)."""
        key = (source_user, target_user)
        found = self._rows("SELECT id FROM mailbox WHERE source_user = ? AND target_user = ?", key)
        if found or self._read_only:
            return int(found[0][0]) if found else 0
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO mailbox (source_user, target_user) VALUES (?, ?)", key)
        return self.mailbox(source_user, target_user)

    def sizes(self) -> dict[tuple[str, str], int]:
        """Messages of every mailbox at its last complete run, by source and target user: large ones go first."""
        rows = self._rows("SELECT source_user, target_user, messages FROM mailbox")
        return {(source, target): messages for source, target, messages in rows}

    def messages_before(self, mailbox: int) -> int:
        """Messages of a mailbox at its last complete run; 0 when there was none."""
        rows = self._rows("SELECT messages FROM mailbox WHERE id = ?", (mailbox,))
        return int(rows[0][0]) if rows else 0

    # folders

    def folders(self, mailbox: int) -> list[FolderRow]:
        """All folders of a mailbox."""
        rows = self._rows(
            "SELECT id, source_path, target_path, source_uidvalidity, target_uidvalidity, fidelity, reasons,"
            " source_state, target_state FROM folder WHERE mailbox = ?",
            (mailbox,),
        )
        return [_folder_row(row) for row in rows]

    def begin_folder(
        self,
        mailbox: int,
        source_path: bytes,
        uidvalidities: tuple[int, int],
        fidelity: str,
        *,
        target_path: bytes,
        reasons: Sequence[str] = (),
        forget: bool = False,
        merged: Merged | None = None,
    ) -> int:
        """Note that work on a folder begins: until :meth:`complete` it counts as unfinished. Gives its number.

        ``forget`` drops what is remembered of its messages, because a UIDVALIDITY is no longer the one they belong to;
        ``merged`` is what a look at it after the cut-over has shown.
        """
        with self.transaction() as db:
            if merged:
                _depart(db, mailbox, source_path, merged)
            db.execute(
                "INSERT INTO folder"
                " (mailbox, source_path, target_path, source_uidvalidity, target_uidvalidity, fidelity, reasons)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (mailbox, source_path) DO UPDATE SET"
                " target_path = excluded.target_path, source_uidvalidity = excluded.source_uidvalidity,"
                " target_uidvalidity = excluded.target_uidvalidity, fidelity = excluded.fidelity,"
                " reasons = excluded.reasons, source_state = NULL, target_state = NULL",
                (mailbox, source_path, target_path, *uidvalidities, fidelity, "\n".join(reasons)),
            )
            (folder,) = db.execute(
                "SELECT id FROM folder WHERE mailbox = ? AND source_path = ?", (mailbox, source_path)
            ).fetchone()
            if forget:
                db.execute("DELETE FROM message WHERE folder = ?", (folder,))
                db.execute("DELETE FROM underway WHERE folder = ?", (folder,))
                db.execute("DELETE FROM withdrawal WHERE folder = ?", (folder,))
                db.execute("DELETE FROM refused WHERE folder = ?", (folder,))
            if merged:
                _merge(db, folder, merged)
        return int(folder)

    def complete(
        self, mailbox: int, states: Iterable[tuple[bytes, tuple[int, ...], tuple[int, ...]]], messages: int
    ) -> None:
        """Note both sides' states of folders that are now the same: (source path, source state, target state)."""
        rows = [(_text(source), _text(target), mailbox, path) for path, source, target in states]
        with self.transaction() as db:
            db.executemany(
                "UPDATE folder SET source_state = ?, target_state = ? WHERE mailbox = ? AND source_path = ?", rows
            )
            db.execute("UPDATE mailbox SET messages = ? WHERE id = ?", (messages, mailbox))

    def drop_folder(self, mailbox: int, source_path: bytes) -> None:
        """Forget a folder that is gone on both sides."""
        with self.transaction() as db:
            db.execute("DELETE FROM folder WHERE mailbox = ? AND source_path = ?", (mailbox, source_path))

    def move_folders(self, mailbox: int, moves: Iterable[tuple[bytes, bytes, bytes]]) -> None:
        """Note folders that have other names now: (source path before, source path, target path)."""
        rows = [(path, new, mailbox, before) for before, path, new in moves]
        with self.transaction() as db:
            db.executemany(
                "UPDATE folder SET source_path = ?, target_path = ? WHERE mailbox = ? AND source_path = ?", rows
            )

    # messages

    def messages(self, folder: int) -> list[MessageRow]:
        """All messages of a folder that a run brought."""
        rows = self._rows("SELECT source_uid, target_uid, flags, digest FROM message WHERE folder = ?", (folder,))
        return [MessageRow(*row) for row in rows]

    def each_message(self, folder: int) -> Iterator[MessageRow]:
        """All messages of a folder that a run brought, by source UID, without holding them all."""
        try:
            for row in self._db.execute(
                "SELECT source_uid, target_uid, flags, digest FROM message WHERE folder = ? ORDER BY source_uid",
                (folder,),
            ):
                yield MessageRow(*row)
        except SQLITE_FAILS as error:
            raise translate(error, self.path) from error

    def each_uid(self, folder: int, side: str) -> Iterator[int]:
        """The UIDs of a folder's messages on the ``source`` or the ``target``, ascending, without holding them all."""
        try:
            column = _COLUMNS[side]
            for (uid,) in self._db.execute(
                f"SELECT {column} FROM message WHERE folder = ? ORDER BY {column}",  # noqa: S608 - a name of ours
                (folder,),
            ):
                yield int(uid)
        except SQLITE_FAILS as error:
            raise translate(error, self.path) from error

    def messages_within(self, folder: int, side: str, runs: Iterable[tuple[int, int]]) -> list[MessageRow]:
        """Those messages of a folder whose UID on the ``source`` or the ``target`` lies in one of these runs."""
        found: list[MessageRow] = []
        for first, last in runs:
            rows = self._rows(
                "SELECT source_uid, target_uid, flags, digest FROM message"  # noqa: S608 - a column's name of ours
                f" WHERE folder = ? AND {_COLUMNS[side]} BETWEEN ? AND ?",
                (folder, first, last),
            )
            found += [MessageRow(*row) for row in rows]
        return found

    def messages_of(self, folder: int, source_uids: Iterable[int]) -> list[MessageRow]:
        """Those messages of a folder that came from these source UIDs."""
        return self._some_messages(_COLUMNS["source"], folder, source_uids)

    def messages_at(self, folder: int, target_uids: Iterable[int]) -> list[MessageRow]:
        """Those messages of a folder that have these UIDs on the target."""
        return self._some_messages(_COLUMNS["target"], folder, target_uids)

    def _some_messages(self, column: str, folder: int, uids: Iterable[int]) -> list[MessageRow]:
        found: list[MessageRow] = []
        for some in _batched(uids):
            marks = ",".join("?" * len(some))
            rows = self._rows(
                f"SELECT source_uid, target_uid, flags, digest FROM message WHERE folder = ? AND {column} IN ({marks})",  # noqa: S608 - a column's name of ours, and marks
                (folder, *some),
            )
            found += [MessageRow(*row) for row in rows]
        return found

    def message_counts(self, mailbox: int) -> dict[int, int]:
        """How many messages of each folder of a mailbox are remembered, by the folder's number."""
        rows = self._rows(
            "SELECT folder, count(*) FROM message WHERE folder IN (SELECT id FROM folder WHERE mailbox = ?)"
            " GROUP BY folder",
            (mailbox,),
        )
        return {folder: int(count) for folder, count in rows}

    def message_count(self, folder: int) -> int:
        """How many messages of a folder are remembered."""
        return int(self._rows("SELECT count(*) FROM message WHERE folder = ?", (folder,))[0][0])

    def arrived(self, folder: int, rows: Sequence[MessageRow]) -> None:
        """Remember the messages of a batch that was announced, and is no longer under way."""
        with self.transaction() as db:
            _add(db, folder, rows)
            if rows:
                db.execute("DELETE FROM underway WHERE folder = ? AND first_uid = ?", (folder, rows[0].source_uid))

    def add_messages(self, folder: int, rows: Iterable[MessageRow]) -> None:
        """Remember messages that were brought, or recognised."""
        with self.transaction() as db:
            _add(db, folder, rows)

    def set_flags(self, folder: int, flags: Iterable[tuple[int, bytes]]) -> None:
        """Remember the flags that both sides now have, by source UID."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE message SET flags = ? WHERE folder = ? AND source_uid = ?",
                [(value, folder, uid) for uid, value in flags],
            )

    def forget_messages(self, folder: int, source_uids: Iterable[int]) -> None:
        """Forget messages that are gone."""
        with self.transaction() as db:
            db.executemany(
                "DELETE FROM message WHERE folder = ? AND source_uid = ?", [(folder, uid) for uid in source_uids]
            )

    # after the cut-over

    def departed(self, mailbox: int) -> list[tuple[int, DepartedRow]]:
        """Messages of a mailbox that are no longer on the source, each with its folder's number."""
        rows = self._rows(
            "SELECT folder, departed.source_uidvalidity, source_uid, target_uid, flags, digest"
            " FROM departed JOIN folder ON folder.id = folder WHERE mailbox = ?",
            (mailbox,),
        )
        return [(folder, DepartedRow(*row)) for folder, *row in rows]

    def subscriptions(self, mailbox: int) -> frozenset[bytes] | None:
        """The folders that the source was subscribed to at the last run; None when no run has noted them."""
        if not self._rows("SELECT 1 FROM mailbox WHERE id = ? AND subscriptions_known", (mailbox,)):
            return None
        rows = self._rows("SELECT source_path FROM subscription WHERE mailbox = ?", (mailbox,))
        return frozenset(path for (path,) in rows)

    def set_subscriptions(self, mailbox: int, source_paths: Iterable[bytes]) -> None:
        """Note the folders that the source is subscribed to."""
        with self.transaction() as db:
            db.execute("UPDATE mailbox SET subscriptions_known = 1 WHERE id = ?", (mailbox,))
            db.execute("DELETE FROM subscription WHERE mailbox = ?", (mailbox,))
            db.executemany("INSERT INTO subscription VALUES (?, ?)", [(mailbox, path) for path in source_paths])

    # UIDs given to messages of a server that has none

    def uidls(self, mailbox: int) -> dict[int, bytes]:
        """UID → what the message is known by on a POP3 server."""
        return dict(self._rows("SELECT uid, uidl FROM uidl WHERE mailbox = ?", (mailbox,)))

    def set_uidls(self, mailbox: int, add: Mapping[int, bytes], forget: Iterable[int]) -> None:
        """Forget some of them, then remember others; a read-only ledger stays as it is."""
        if self._read_only:
            return
        with self.transaction() as db:
            db.executemany("DELETE FROM uidl WHERE mailbox = ? AND uid = ?", [(mailbox, uid) for uid in forget])
            db.executemany("INSERT OR REPLACE INTO uidl VALUES (?, ?, ?)", [(mailbox, *one) for one in add.items()])

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
        with locked(self.path, mailbox):
            yield


def _add(db: sqlite3.Connection, folder: int, rows: Iterable[MessageRow]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO message (folder, source_uid, target_uid, flags, digest) VALUES (?, ?, ?, ?, ?)",
        [(folder, *row) for row in rows],
    )


def _depart(db: sqlite3.Connection, mailbox: int, source_path: bytes, merged: Merged) -> None:
    """Put rows of messages that are no longer on the source aside, under the UIDVALIDITY they had."""
    known = db.execute(
        "SELECT id, source_uidvalidity FROM folder WHERE mailbox = ? AND source_path = ?", (mailbox, source_path)
    ).fetchone()
    if known is None:
        return
    folder, uidvalidity = known
    copied = (
        "INSERT OR REPLACE INTO departed (folder, source_uidvalidity, source_uid, target_uid, flags, digest)"
        " SELECT folder, ?, source_uid, target_uid, flags, digest FROM message WHERE folder = ?"
    )
    if merged.source_renewed:
        db.execute(copied, (uidvalidity, folder))
        db.execute("DELETE FROM message WHERE folder = ?", (folder,))
        db.execute("DELETE FROM refused WHERE folder = ?", (folder,))
        return
    db.executemany(copied + " AND source_uid = ?", [(uidvalidity, folder, uid) for uid in merged.departed])
    db.executemany(
        "DELETE FROM message WHERE folder = ? AND source_uid = ?", [(folder, uid) for uid in merged.departed]
    )


def _merge(db: sqlite3.Connection, folder: int, merged: Merged) -> None:
    if merged.target_renewed:
        db.execute("UPDATE message SET target_uid = 0 WHERE folder = ?", (folder,))
        db.execute("UPDATE departed SET target_uid = 0 WHERE folder = ?", (folder,))
    for other, row in merged.used:
        key = (other, row.source_uidvalidity, row.source_uid)
        db.execute("DELETE FROM departed WHERE folder = ? AND source_uidvalidity = ? AND source_uid = ?", key)
        db.execute(
            "DELETE FROM message WHERE folder = ? AND source_uid = ? AND EXISTS"
            " (SELECT 1 FROM folder WHERE id = ? AND source_uidvalidity = ?)",
            (other, row.source_uid, other, row.source_uidvalidity),
        )
    db.executemany(
        "INSERT OR REPLACE INTO message (folder, source_uid, target_uid, flags, digest) VALUES (?, ?, ?, ?, ?)",
        [(folder, *row) for row in merged.known],
    )


def _batched(values: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """Tuples of as many values as a statement may have (itertools.batched is of Python 3.12)."""
    rest = iter(values)
    while some := tuple(itertools.islice(rest, _VARIABLES)):
        yield some


def _folder_row(row: Sequence[Any]) -> FolderRow:
    number, path, new, ours, theirs, fidelity, reasons, source, target = row
    return FolderRow(
        number, path, new, ours, theirs, fidelity, tuple(reasons.splitlines()), _numbers(source), _numbers(target)
    )


def _numbers(text: str | None) -> tuple[int, ...] | None:
    return None if text is None else tuple(int(part) for part in text.split())


def _text(numbers: tuple[int, ...]) -> str:
    return " ".join(str(number) for number in numbers)
