# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a ledger remembers of messages that the target did not take as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .ledger_file import LedgerFile

#: Kinds of :class:`RefusedRow`: refused for good, no bytes to be sent, stored only when it had been changed, and stored
#: as the source gives it out, which is not with all its bytes.
REFUSED, EMPTY, REPAIRED, HIDDEN = "refused", "empty", "repaired", "nul_hidden"


class RefusedRow(NamedTuple):
    """A message that the target did not take as it is: why, the digest of its bytes, and the file that holds them."""

    source_uid: int
    kind: str
    reason: str
    digest: bytes | None = None
    file: str | None = None


class RefusedTable(LedgerFile):
    """The part of a ledger that keeps them."""

    def refused(self, folder: int) -> dict[int, RefusedRow]:
        """The messages of a folder that the target did not take as they are, by source UID."""
        rows = self._rows(
            "SELECT source_uid, kind, reason, digest, file FROM refused WHERE folder = ? ORDER BY source_uid", (folder,)
        )
        return {row[0]: RefusedRow(*row) for row in rows}

    def refused_in(self, source_user: str, target_user: str) -> dict[bytes, dict[int, RefusedRow]]:
        """The same for a whole mailbox, by source path."""
        rows = self._rows(
            "SELECT f.source_path, r.source_uid, r.kind, r.reason, r.digest, r.file FROM refused r"
            " JOIN folder f ON f.id = r.folder JOIN mailbox m ON m.id = f.mailbox"
            " WHERE m.source_user = ? AND m.target_user = ?",
            (source_user, target_user),
        )
        found: dict[bytes, dict[int, RefusedRow]] = {}
        for path, *row in rows:
            found.setdefault(path, {})[row[0]] = RefusedRow(*row)
        return found

    def refuse(self, folder: int, row: RefusedRow) -> None:
        """Remember that the target did not take a message."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO refused (folder, source_uid, kind, reason, digest, file)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (folder, *row),
            )

    def accept(self, folder: int, source_uids: Iterable[int]) -> None:
        """Forget that messages were refused: they have been taken, or are gone from the source."""
        with self.transaction() as db:
            db.executemany(
                "DELETE FROM refused WHERE folder = ? AND source_uid = ?", [(folder, uid) for uid in source_uids]
            )
