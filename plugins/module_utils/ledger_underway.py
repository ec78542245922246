# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a ledger remembers of batches that have been sent and not been confirmed, and of messages that must not stay.

It is written before the target can have stored them: should the run end before the answer is known, the next one knows
what may be there without being in the ledger.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

from .ledger_file import LedgerFile


class BatchRow(NamedTuple):
    """A batch under way: to which UIDVALIDITY, the UID due to its first message, and whose messages are in it."""

    target_uidvalidity: int
    due: int
    source_uids: tuple[int, ...]


class UnderwayTable(LedgerFile):
    """The part of a ledger that keeps them."""

    def announce(self, folder: int, batch: BatchRow) -> None:
        """Remember a batch, before it is complete for the target."""
        uids = array("I", batch.source_uids).tobytes()
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO underway (folder, first_uid, target_uidvalidity, due, source_uids)"
                " VALUES (?, ?, ?, ?, ?)",
                (folder, batch.source_uids[0], batch.target_uidvalidity, batch.due, uids),
            )

    def underway(self, folder: int) -> list[BatchRow]:
        """The batches of a folder of which nobody knows what became of them."""
        rows = self._rows("SELECT target_uidvalidity, due, source_uids FROM underway WHERE folder = ?", (folder,))
        return [BatchRow(uidvalidity, due, tuple(array("I", uids))) for uidvalidity, due, uids in rows]

    def settled(self, folder: int) -> None:
        """Note that nothing of a folder is under way, and that nothing is left to be taken back."""
        with self.transaction() as db:
            db.execute("DELETE FROM underway WHERE folder = ?", (folder,))
            db.execute("DELETE FROM withdrawal WHERE folder = ?", (folder,))

    def withdraw(self, folder: int, target_uidvalidity: int, target_uids: Iterable[int]) -> None:
        """Remember, before it is tried, that messages which a run has added to the target must be taken back."""
        rows = [(folder, target_uidvalidity, uid) for uid in target_uids]
        with self.transaction() as db:
            db.executemany("INSERT OR IGNORE INTO withdrawal VALUES (?, ?, ?)", rows)

    def withdrawals(self, folder: int, target_uidvalidity: int) -> list[int]:
        """UIDs on the target that are still to be taken back, ascending; those of another UIDVALIDITY are void."""
        rows = self._rows(
            "SELECT target_uid FROM withdrawal WHERE folder = ? AND target_uidvalidity = ? ORDER BY target_uid",
            (folder, target_uidvalidity),
        )
        return [uid for (uid,) in rows]
