# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a ledger remembers of the customer: the phase of the migration, which mail, calendars and contacts share."""

from __future__ import annotations

from datetime import UTC, datetime

from .errors import PhaseError, UnsupportedError
from .ledger_file import PHASES, LedgerFile, phase_beside, write_phase_beside


class CustomerTable(LedgerFile):
    """An open ledger, as far as it is about the customer as a whole."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        """Open the ledger, or make it. ``read_only`` makes none: a ledger that is not there is empty."""
        if "://" in path:
            raise UnsupportedError("this version keeps its ledger in an SQLite file only", option="ledger")
        super().__init__(path, read_only=read_only)

    def phase(self) -> str:
        """The customer's phase: ``mirror``, ``catch_up`` or ``closed``; the later of the ledger's and the one beside.

        :raises LedgerError: what stands beside the ledger makes no sense.
        """
        inside = str(self._rows("SELECT phase FROM customer")[0][0])
        return max(inside, phase_beside(self.path), key=PHASES.index)

    def phases(self) -> dict[str, int]:
        """Since when each phase holds that a run has entered, in seconds since 1970."""
        return dict(self._rows("SELECT name, since FROM phase"))

    def check_phase(self, asked: str) -> None:
        """Refuse a phase that the customer has left.

        :raises PhaseError: it is an earlier one than the customer's.
        """
        stored = self.phase()
        if PHASES.index(asked) >= PHASES.index(stored):
            return
        since = self.phases().get(stored)
        when = f" since {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC" if since else ""
        raise PhaseError(
            f"phase {asked} was asked for, but this customer is in phase {stored}{when}, and a phase never goes back",
            option="phase",
            ledger=self.path,
        )

    def enter(self, phase: str, now: int | None) -> tuple[str, str]:
        """The customer's phase before and after a run, moved on before anything is copied; None for ``now``: not moved.

        :raises PhaseError: the customer has left that phase; nothing has been changed.
        """
        before = self.phase()
        self.check_phase(phase)
        if now is not None:
            self.advance(phase, now)
        return before, phase

    def advance(self, phase: str, now: int) -> bool:
        """Move the customer on to a phase, at ``now`` (seconds since 1970); whether that is a new one.

        :raises PhaseError: it is an earlier one than the customer's.
        """
        self.check_phase(phase)
        known = self.phases()
        if self._rows("SELECT phase FROM customer")[0][0] == phase and (phase in known or phase == PHASES[0]):
            return False
        before = self.phase()
        with self.transaction() as db:
            # first the file beside: whatever happens in between, the phase has moved on
            write_phase_beside(self.path, phase, now)
            db.execute("UPDATE customer SET phase = ?", (phase,))
            db.execute("INSERT OR IGNORE INTO phase (name, since) VALUES (?, ?)", (phase, now))
        return before != phase
