# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which messages of two listings need a closer look: all that are not the same on both sides and in the ledger.

Pure, and of few bytes a message: what is the same is left out of the plan (:class:`~.plan.Look`), so that a plan's size
follows what changed and not what is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..ledger import MessageRow
from .attributes import flag_key, is_placeholder
from .listing import Listing
from .plan import Look, Pair

_KNOWN, _SAME = 1, 2


class Sieve:
    """Two listings of a folder, and what the ledger knows of their messages.

    With ``same_uidvalidity`` a pair of two UIDs is looked at always: it may stand in the way of another message.
    """

    def __init__(self, source: Listing, target: Listing, *, same_uidvalidity: bool) -> None:
        self._source, self._target, self._same_uidvalidity = source, target, same_uidvalidity
        self._here, self._there = bytearray(len(source)), bytearray(len(target))
        self._pairs: dict[int, Pair] = {}
        self._moved = 0

    def pairs(self, rows: Iterable[MessageRow]) -> None:
        """Take in pairs that hold."""
        for row in rows:
            here, there = self._source.index(row.source_uid), self._target.index(row.target_uid)
            if self._is_same(row, here, there):
                self._here[here] = self._there[there] = _SAME
                self._moved += row.source_uid != row.target_uid
                continue
            self._pairs[row.source_uid] = Pair(row.target_uid, row.flags)
            if there >= 0:
                self._there[there] |= _KNOWN
                if here >= 0:
                    self._here[here] |= _KNOWN

    def _is_same(self, row: MessageRow, here: int, there: int) -> bool:
        if here < 0 or there < 0 or (self._same_uidvalidity and row.source_uid != row.target_uid):
            return False
        have, want = self._target.at(there)[1], self._source.at(here)[1]
        return flag_key(want) == row.flags == flag_key(have) and not is_placeholder(have)

    def unknown_in_both(self) -> Iterator[int]:
        """The UIDs, ascending, that are on both sides and of which no pair holds on either."""
        for here, uid in enumerate(self._source):
            if not self._here[here]:
                there = self._target.index(uid)
                if there >= 0 and not self._there[there] and not is_placeholder(self._target.at(there)[1]):
                    yield uid

    def look(self, *, ours: frozenset[int] = frozenset(), target_uidnext: int) -> Look:
        """What is left, to be planned; ``ours`` and ``target_uidnext`` as in :class:`~.plan.Look`."""
        here = dict(self._source.at(at) for at, state in enumerate(self._here) if state != _SAME)
        there = dict(self._target.at(at) for at, state in enumerate(self._there) if state != _SAME)
        return Look(
            source=here,
            target=there,
            pairs=self._pairs,
            ours=ours,
            same_uidvalidity=self._same_uidvalidity,
            target_uidnext=target_uidnext,
            untouched=len(self._target) - len(there),
            untouched_moved=self._moved,
        )
