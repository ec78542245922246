# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a ledger remembers of calendars and contacts: what belongs together, and which object came from which.

It holds names, versions and digests; no text of any event or contact. A UID may be an address, so only its digest is
kept. Names and versions are what a server says: they are kept as bytes, whatever is in them.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .dav.model import Kind, Properties
from .ledger_customer import CustomerTable
from .ledger_file import locked

#: ``ObjectRow.target_seen`` of an object that the target has no more.
GONE = ""
#: Kinds of :class:`RefusedRow`: not taken by the target; taken only after a repair; of a kind that the target does not
#: have; taken, and stored otherwise.
REFUSED, REPAIRED, UNSUPPORTED, ALTERED = "refused", "repaired", "unsupported", "altered"
#: Accounts are locked by numbers beyond those of mailboxes.
_LOCKS = 1 << 40


class ObjectRow(NamedTuple):
    """An object of the source and what became of it; ``source_name`` is its key within its collection.

    ``target_name`` None: it was not brought, and is not to be. ``source_version`` None: gone from the source, or not
    read yet. ``target_version`` is the version that a run left on the target; None: not known, since the server did not
    say it or no answer came. ``target_seen`` is the one that was there last, GONE when it is not there any more.
    ``uid`` is the digest of its UID, ``source_digest`` of the source's bytes, ``target_digest`` of what the target's
    text says (compare.digest); None: not known.
    """

    source_name: str
    target_name: str | None = None
    source_version: str | None = None
    target_version: str | None = None
    target_seen: str | None = None
    uid: bytes | None = None
    source_digest: bytes | None = None
    target_digest: bytes | None = None


class ForeignRow(NamedTuple):
    """An object of the target that no run brought: name, version, digests of its UID and of what it says."""

    target_name: str
    target_version: str
    uid: bytes | None
    digest: bytes


class RefusedRow(NamedTuple):
    """An object that the target did not take as it is: why, and the file that holds its bytes."""

    source_name: str
    source_version: str
    kind: str
    reason: str
    file: str | None = None


@dataclass(frozen=True)
class CollectionRow:
    """A collection as remembered. ``source_key`` None: it is the target's own.

    States and properties are those that both sides had when they were the same last; None when that never was.
    """

    id: int
    kind: Kind
    source_key: str | None
    target_key: str | None
    source_state: str | None = None
    target_state: str | None = None
    source_properties: Properties | None = None
    target_properties: Properties | None = None


@dataclass(frozen=True)
class Settled:
    """What both sides of a collection are now that they are the same."""

    id: int
    source_state: str | None
    target_state: str | None
    source_properties: Properties
    target_properties: Properties


class DavLedger(CustomerTable):
    """An open ledger; threads of one process may share it, one at a time."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        """Open the ledger, or make it. ``read_only`` makes none: a ledger that is not there is empty."""
        super().__init__(path, read_only=read_only)
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything within is remembered, or nothing of it; other threads wait meanwhile.

        :raises LedgerError: the file can't be written.
        """
        with self._lock, super().transaction() as db:
            yield db

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return super()._rows(statement, values)

    def account(self, source_user: str, target_user: str) -> int:
        """The account's number; it is entered when it is new (0 in a read-only ledger)."""
        key = (source_user, target_user)
        found = self._rows("SELECT id FROM dav_account WHERE source_user = ? AND target_user = ?", key)
        if found or self._read_only:
            return int(found[0][0]) if found else 0
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO dav_account (source_user, target_user) VALUES (?, ?)", key)
        return self.account(source_user, target_user)

    def sizes(self) -> dict[tuple[str, str], int]:
        """Objects of every account at its last complete run, by source and target user: large ones go first."""
        rows = self._rows("SELECT source_user, target_user, objects FROM dav_account")
        return {(source, target): objects for source, target, objects in rows}

    @contextlib.contextmanager
    def claimed(self, account: int) -> Iterator[None]:
        """Keep other runs off an account while this one works on it; a process that dies lets go by dying.

        :raises BusyError: another run has it.
        """
        if self._read_only:
            yield
            return
        with locked(self.path, _LOCKS + account):
            yield

    # collections

    def collections(self, account: int) -> list[CollectionRow]:
        """All collections of an account."""
        rows = self._rows(
            "SELECT id, kind, source_key, target_key, source_state, target_state, source_properties, target_properties"
            " FROM dav_collection WHERE account = ? ORDER BY id",
            (account,),
        )
        return [_collection_row(row) for row in rows]

    def link(self, account: int, kind: Kind, source_key: str | None, target_key: str, known: int | None = None) -> int:
        """Note that a collection of the source goes to one of the target; its number.

        ``known`` is the row that it has already: it was called something else on one of the sides. What both sides were
        like is no longer known then.
        """
        with self.transaction() as db:
            if known is not None:
                db.execute(
                    "UPDATE dav_collection SET source_key = ?, target_key = ?, source_state = NULL, target_state = NULL"
                    " WHERE id = ?",
                    (_blob(source_key), _blob(target_key), known),
                )
                return known
            cursor = db.execute(
                "INSERT INTO dav_collection (account, kind, source_key, target_key) VALUES (?, ?, ?, ?)",
                (account, str(kind), _blob(source_key), _blob(target_key)),
            )
        return int(cursor.lastrowid or 0)

    def settle(self, account: int, collections: Iterable[Settled], objects: int) -> None:
        """Note collections that are the same on both sides now, and how many objects the account has."""
        rows = [
            (
                _blob(one.source_state),
                _blob(one.target_state),
                _json(one.source_properties),
                _json(one.target_properties),
                one.id,
            )
            for one in collections
        ]
        with self.transaction() as db:
            db.executemany(
                "UPDATE dav_collection SET source_state = ?, target_state = ?, source_properties = ?,"
                " target_properties = ? WHERE id = ?",
                rows,
            )
            db.execute("UPDATE dav_account SET objects = ? WHERE id = ?", (objects, account))

    def drop(self, collections: Iterable[int]) -> None:
        """Forget collections that are gone on both sides, and everything that was in them."""
        with self.transaction() as db:
            db.executemany("DELETE FROM dav_collection WHERE id = ?", [(number,) for number in collections])

    # objects

    def objects(self, collection: int) -> dict[str, ObjectRow]:
        """The objects of a collection, by their names on the source."""
        rows = self._rows(
            "SELECT source_name, target_name, source_version, target_version, target_seen, uid, source_digest,"
            " target_digest FROM dav_object WHERE collection = ?",
            (collection,),
        )
        found = (ObjectRow(*(_text(word) for word in row[:5]), *row[5:]) for row in rows)  # type: ignore[arg-type]
        return {row.source_name: row for row in found}

    def counts(self, account: int) -> dict[int, int]:
        """How many objects of each collection runs have brought and the source has, by the collection's number."""
        rows = self._rows(
            "SELECT collection, count(*) FROM dav_object WHERE target_name IS NOT NULL AND source_version IS NOT NULL"
            " AND collection IN (SELECT id FROM dav_collection WHERE account = ?) GROUP BY collection",
            (account,),
        )
        return {number: int(count) for number, count in rows}

    def uids(self, account: int) -> list[tuple[int, bytes]]:
        """UIDs of an account's objects that left the place where they were: of those that are no longer on the source,
        were removed on the target, or are the target's own; each with its collection's number.
        """
        return [
            (int(number), uid)
            for number, uid in self._rows(
                "SELECT o.collection, o.uid FROM dav_object o JOIN dav_collection c ON c.id = o.collection"
                " WHERE c.account = ? AND o.uid IS NOT NULL AND (o.source_version IS NULL OR o.target_seen = ?)"
                " UNION SELECT f.collection, f.uid FROM dav_foreign f JOIN dav_collection c ON c.id = f.collection"
                " WHERE c.account = ? AND f.uid IS NOT NULL",
                (account, _blob(GONE), account),
            )
        ]

    def save(self, collection: int, rows: Iterable[ObjectRow], forget: Iterable[str] = ()) -> None:
        """Forget objects by their names on the source, then remember others."""
        blobs = [(*(_blob(word) for word in row[:5]), *row[5:]) for row in rows]
        gone = [(collection, _blob(name)) for name in forget]
        with self.transaction() as db:
            db.executemany("DELETE FROM dav_object WHERE collection = ? AND source_name = ?", gone)
            db.executemany(
                "INSERT OR REPLACE INTO dav_object (collection, source_name, target_name, source_version,"
                " target_version, target_seen, uid, source_digest, target_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(collection, *row) for row in blobs],
            )

    # what the target has of its own

    def foreign(self, collection: int) -> dict[str, ForeignRow]:
        """The target's own objects in a collection, by name, as they were seen last."""
        rows = self._rows(
            "SELECT target_name, target_version, uid, digest FROM dav_foreign WHERE collection = ?", (collection,)
        )
        found = (
            ForeignRow(_text(name) or "", _text(version) or "", uid, digest) for name, version, uid, digest in rows
        )
        return {row.target_name: row for row in found}

    def set_foreign(self, collection: int, rows: Iterable[ForeignRow], forget: Iterable[str]) -> None:
        """Remember what the target has of its own, and forget what it has no more."""
        with self.transaction() as db:
            db.executemany(
                "DELETE FROM dav_foreign WHERE collection = ? AND target_name = ?",
                [(collection, _blob(name)) for name in forget],
            )
            db.executemany(
                "INSERT OR REPLACE INTO dav_foreign (collection, target_name, target_version, uid, digest)"
                " VALUES (?, ?, ?, ?, ?)",
                [(collection, _blob(row.target_name), _blob(row.target_version), row.uid, row.digest) for row in rows],
            )

    # what the target did not take

    def refused(self, account: int) -> dict[int, dict[str, RefusedRow]]:
        """What the target did not take as it is, by the collection's number and the name on the source."""
        rows = self._rows(
            "SELECT r.collection, r.source_name, r.source_version, r.kind, r.reason, r.file FROM dav_refused r"
            " JOIN dav_collection c ON c.id = r.collection WHERE c.account = ? ORDER BY r.collection, r.source_name",
            (account,),
        )
        found: dict[int, dict[str, RefusedRow]] = {}
        for number, name, version, kind, reason, file in rows:
            row = RefusedRow(_text(name) or "", _text(version) or "", kind, reason, file)
            found.setdefault(number, {})[row.source_name] = row
        return found

    def refuse(self, collection: int, row: RefusedRow) -> None:
        """Remember that the target did not take an object as it is."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO dav_refused (collection, source_name, source_version, kind, reason, file)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (collection, _blob(row.source_name), _blob(row.source_version), row.kind, _shown(row.reason), row.file),
            )

    def accept(self, collection: int, source_names: Iterable[str]) -> None:
        """Forget that objects were refused: they have been taken as they are, or are gone from the source."""
        with self.transaction() as db:
            db.executemany(
                "DELETE FROM dav_refused WHERE collection = ? AND source_name = ?",
                [(collection, _blob(name)) for name in source_names],
            )


def _collection_row(row: Sequence[Any]) -> CollectionRow:
    number, kind, source_key, target_key, source_state, target_state, mine, theirs = row
    return CollectionRow(
        number,
        Kind(kind),
        _text(source_key),
        _text(target_key),
        _text(source_state),
        _text(target_state),
        _properties(mine),
        _properties(theirs),
    )


def _blob(text: str | None) -> bytes | None:
    """A server's word as bytes, whatever is in it; a lone surrogate is a byte that was no UTF-8."""
    return None if text is None else text.encode("utf-8", "surrogatepass")


def _shown(text: str) -> str:
    """Words for people, as text that SQLite takes."""
    return text.encode("utf-8", "replace").decode()


def _text(data: bytes | None) -> str | None:
    return None if data is None else bytes(data).decode("utf-8", "surrogatepass")


def _json(properties: Properties) -> str:
    values: dict[str, Any] = asdict(properties)
    if properties.components is not None:
        values["components"] = sorted(properties.components)
    return json.dumps(values, sort_keys=True)


def _properties(text: str | None) -> Properties | None:
    """The properties that :func:`_json` wrote."""
    if text is None:
        return None
    values: Mapping[str, Any] = json.loads(text)
    components: Sequence[str] | None = values["components"]
    return Properties(**{**values, "components": None if components is None else frozenset(components)})
