# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Copies too many: what a batch under way has left behind, when somebody else brought the same messages meanwhile."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..ledger_underway import BatchRow
from .listing import Fingerprint, read_fingerprints, search

if TYPE_CHECKING:
    from .folder import SharedState

_WINDOW = 2000


def surplus(wanted: Counter[Fingerprint], there: Mapping[int, Fingerprint]) -> list[int]:
    """Which target messages are copies too many of what is wanted, ascending: the lowest UIDs stay.

    Two runs that come upon each other's copies thus leave the same ones, and remove the same ones.
    """
    left = Counter(wanted)
    twins = []
    for uid in sorted(there):
        if there[uid] in wanted:
            left[there[uid]] -= 1
            if left[there[uid]] < 0:
                twins.append(uid)
    return twins


def copies_too_many(
    shared: SharedState, folder: int, batches: Sequence[BatchRow], target_uidvalidity: int
) -> list[int]:
    """The target UIDs of such copies, ascending; both folders are selected.

    Under the UIDVALIDITY at which the batches were sent, all of them have at least the UID that was due, and what the
    ledger knows is none of them. Under another one nothing is known but what is in both folders.
    """
    sent = shared.source.fingerprints(sorted({uid for batch in batches for uid in batch.source_uids}))
    if all(batch.target_uidvalidity == target_uidvalidity for batch in batches):
        first = max(1, min(batch.due for batch in batches))
        new = [uid for uid in search(shared.target, b"UID %d:*" % first) if uid >= first]
        ours = {row.target_uid for row in shared.ledger.messages_at(folder, new)}
        return surplus(
            Counter(sent.values()), read_fingerprints(shared.target, [uid for uid in new if uid not in ours])
        )
    kinds = set(sent.values())
    wanted = Counter(
        print_
        for some in _windows(shared.source.flags())
        for print_ in shared.source.fingerprints(some).values()
        if print_ in kinds
    )
    there = {
        uid: print_
        for some in _windows(search(shared.target, b"ALL"))
        for uid, print_ in read_fingerprints(shared.target, some).items()
        if print_ in kinds
    }
    return surplus(wanted, there)


def _windows(uids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(uids)
    while some := list(itertools.islice(rest, _WINDOW)):
        yield some
