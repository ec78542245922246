# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How much may be read from a source in a day, kept in the ledger: for all processes of a run, and over runs.

Bytes are taken from the ledger in advance, some at a time, and what was not needed is given back: a run that is killed
has counted a little too much, never too little. A day is one of UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .errors import DayBudgetError
from .ledger import Ledger
from .progress import size as shown

#: So many bytes are taken at a time: a hundredth of the budget, but no more than this.
CHUNK = 4 * 1024 * 1024
#: So many days are remembered.
_KEPT_DAYS = 31


@dataclass(frozen=True)
class DayLimits:
    """The most bytes of a day: of all accounts together, and of each; 0 for no limit."""

    together: int = 0
    per_account: int = 0

    def __bool__(self) -> bool:
        return bool(self.together or self.per_account)


class DayBudget:
    """What one mailbox may still read today. Not thread-safe: each mailbox has its own, and its own ledger."""

    def __init__(
        self,
        limits: DayLimits,
        ledger: Ledger,
        account: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limits, self._ledger, self._account, self._now = limits, ledger, account, now
        self._day, self._left = "", 0

    def take(self, size: int) -> None:
        """Account for so many bytes.

        :raises DayBudgetError: they are more than is left of today. One message alone may be larger than a whole day.
        """
        if not self._limits:
            return
        day = self._now().date().isoformat()
        if day != self._day:
            self._day, self._left = day, 0
        if size > self._left:
            self._left += self._more(size - self._left)
        self._left -= size

    def close(self) -> None:
        """Give back what was not needed."""
        left, self._left = self._left, 0
        if left:
            with self._ledger.transaction() as db:
                db.execute(
                    "UPDATE spent SET bytes = max(0, bytes - ?) WHERE account = ? AND day = ?",
                    (left, self._account, self._day),
                )

    def _more(self, needed: int) -> int:
        """Take at least ``needed`` bytes more from the ledger; gives how many it gave."""
        limits, first = self._limits, (self._now() - timedelta(days=_KEPT_DAYS)).date().isoformat()
        with self._ledger.transaction() as db:
            db.execute("DELETE FROM spent WHERE day < ?", (first,))
            (together,) = db.execute("SELECT coalesce(sum(bytes), 0) FROM spent WHERE day = ?", (self._day,)).fetchone()
            own = db.execute(
                "SELECT bytes FROM spent WHERE account = ? AND day = ?", (self._account, self._day)
            ).fetchone()
            both = ((limits.together, together), (limits.per_account, own[0] if own else 0))
            given = min(_grant(limit, spent, needed) for limit, spent in both if limit)
            if given < needed:
                raise self._used_up(limits.together and together + needed > limits.together)
            db.execute(
                "INSERT INTO spent (account, day, bytes) VALUES (?, ?, ?)"
                " ON CONFLICT (account, day) DO UPDATE SET bytes = bytes + excluded.bytes",
                (self._account, self._day, given),
            )
        return given

    def _used_up(self, together: object) -> DayBudgetError:
        whose = "the run" if together else self._account
        limit = self._limits.together if together else self._limits.per_account
        again = (self._now() + timedelta(days=1)).date()
        return DayBudgetError(
            f"the day's budget of {shown(limit)} for {whose} is used up",
            safe_next=f"Run again on {again} (UTC) or later: it carries on where it stopped.",
        )


def _grant(limit: int, spent: int, needed: int) -> int:
    """How many bytes a budget gives to somebody who needs so many; too few when it is used up."""
    if not spent:
        return max(needed, min(limit, limit // 100, CHUNK))
    room = limit - spent
    return min(room, max(needed, min(limit // 100, CHUNK)))
