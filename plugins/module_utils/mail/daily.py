# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A mailbox's part of the day's budget, while messages are copied and when it is used up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..batch import Counter
from ..budget import DayBudget, DayLimits
from ..errors import DayBudgetError
from ..ledger import Ledger
from ..pace import Pace
from .outcome import Outcome


class Metered:
    """A run's counter that also asks the day's budget."""

    def __init__(self, counter: Counter, budget: DayBudget) -> None:
        self._counter, self._budget = counter, budget

    def expect(self, messages: int) -> None:
        """So many more messages are to be copied."""
        self._counter.expect(messages)

    def take(self, messages: int, size: int) -> None:
        """Wait until so much is due, and count it.

        :raises DayBudgetError: it is more than is left of today.
        """
        self._budget.take(size)
        self._counter.take(messages, size)


@contextmanager
def metered(counter: Counter, pace: Pace, ledger: Ledger, account: str) -> Iterator[Metered]:
    """A counter for one mailbox; what it did not need of the day's budget is given back at the end."""
    budget = DayBudget(DayLimits(pace.bytes_per_day, pace.bytes_per_day_per_account), ledger, account)
    try:
        yield Metered(counter, budget)
    finally:
        budget.close()


def tell_left(outcome: Outcome, ledger: Ledger) -> None:
    """Say in a failure for want of budget how many messages of the mailbox are still to be copied."""
    for failure in outcome.failures:
        if failure["kind"] == DayBudgetError.kind:
            known = ledger.message_counts(ledger.mailbox(outcome.source_user, outcome.target_user))
            left = max(0, outcome.messages - sum(known.values()))
            failure["message"] += f"; {left} of its {outcome.messages} messages are left"
            failure["messages_left"] = left
