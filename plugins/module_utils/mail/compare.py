# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is not the same in two folders: pure comparison, no I/O."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Container, Generator, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .pile import Entry, Pile
from .survey import FolderState

#: So many messages are held as objects at a time; more are piled up (forty bytes each).
_WAITING = 20_000
#: Differences that only concern how messages are numbered: their content is the same.
NUMBERING = frozenset(
    {"uidvalidity", "uid", "uidnext", "uidl", "uidl_order", "uidl_duplicate", "uidl_content", "pop3_count"}
)
#: Differences that cost nobody any content: a message without a byte can't be appended, and holds nothing.
CONTENT_KEPT = NUMBERING | {"message_empty"}


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same: ``what``, of which folder and (where it is about one) which source UID.

    ``what`` is one of ``folder_missing``, ``folder_extra``, ``uidvalidity``, ``uidnext``, ``subscription``,
    ``message_missing``, ``message_empty``, ``message_extra`` (then ``uid`` is the target's), ``uid``, ``flags``,
    ``internaldate``, ``size``, ``content``, ``unreadable`` (how many messages a side lists and does not give out).
    ``reason`` and ``file`` are what the ledger knows of a message that the target refused. Of POP3 there are ``uidl``,
    ``uidl_order``, ``uidl_duplicate``, ``uidl_content`` (one UIDL, two messages) and ``pop3_count``. ``size`` is the
    message's on the target, in bytes, for ``uid`` and ``message_extra``.
    """

    folder: str
    what: str
    uid: int | None = None
    source: str = ""
    target: str = ""
    reason: str = ""
    file: str = ""
    size: int = 0


def compare_states(folder: str, source: FolderState, target: FolderState) -> Iterator[Difference]:
    """Differences of two folders' numbers: a client notices another UIDVALIDITY, and a UIDNEXT that went back."""
    if source.uidvalidity != target.uidvalidity:
        yield Difference(folder, "uidvalidity", None, str(source.uidvalidity), str(target.uidvalidity))
    elif target.uidnext < source.uidnext:
        yield Difference(folder, "uidnext", None, str(source.uidnext), str(target.uidnext))


def compare_messages(
    folder: str, source: Iterable[tuple[int, Entry]], target: Iterable[tuple[int, Entry]], *, same_uids: bool
) -> Iterator[Difference]:
    """Differences of two folders' messages, each given as (UID, entry), mostly in ascending order.

    With ``same_uids`` a message is compared with the one of its own UID. What is left over is paired by what it is, as
    a multiset: first by everything, then by all but the flags; the rest is missing on one side. What is the same is
    held only until its counterpart has come, so that a million messages need little memory.
    """
    if same_uids:
        left, right = yield from _same_uid(folder, source, target)
        left, right = yield from _clashes(folder, left, right)
    else:
        left, right = _alike(source, target)
    yield from _by_content(folder, left, right, same_uids=same_uids)


# what is the same, and is let go at once


Piles: TypeAlias = tuple[Pile, Pile]


def _same_uid(
    folder: str, source: Iterable[tuple[int, Entry]], target: Iterable[tuple[int, Entry]]
) -> Generator[Difference, None, Piles]:
    """What is left when messages of the same content under the same UID are taken away; these may differ otherwise."""
    left, right = Pile(), Pile()
    mine, theirs = iter(source), iter(target)
    here, there = next(mine, None), next(theirs, None)
    while here or there:
        if here and there and here[0] == there[0] and here[1].digest == there[1].digest:
            if here != there:
                yield from _unequal(folder, here[0], here[1], there[1])
            here, there = next(mine, None), next(theirs, None)
        elif here and (not there or here[0] <= there[0]):
            left.add(*here)
            here = next(mine, None)
        elif there:
            right.add(*there)
            there = next(theirs, None)
    return left, right


def _alike(source: Iterable[tuple[int, Entry]], target: Iterable[tuple[int, Entry]]) -> Piles:
    """What is left when messages that are the same in everything are taken away, one for one, whatever their UIDs."""
    piles = (Pile(), Pile())
    waiting: tuple[dict[Entry, list[int]], dict[Entry, list[int]]] = ({}, {})
    counts = [0, 0]
    for both in itertools.zip_longest(source, target):
        for side, one in enumerate(both):
            if one is None:
                continue
            uid, entry = one
            other = waiting[1 - side]
            uids = other.get(entry)
            if uids:
                uids.pop(0)
                counts[1 - side] -= 1
                if not uids:
                    del other[entry]
                continue
            waiting[side].setdefault(entry, []).append(uid)
            counts[side] += 1
            if counts[side] > _WAITING:
                _give_up_waiting(piles[side], waiting[side])
                counts[side] = 0
    for pile, some in zip(piles, waiting, strict=True):
        _give_up_waiting(pile, some)
    return piles


def _give_up_waiting(pile: Pile, waiting: dict[Entry, list[int]]) -> None:
    for uid, entry in sorted(((uid, entry) for entry, uids in waiting.items() for uid in uids), key=lambda one: one[0]):
        pile.add(uid, entry)
    waiting.clear()


# what is not


def _clashes(folder: str, left: Pile, right: Pile) -> Generator[Difference, None, Piles]:
    """Compare what both sides have under one UID, unless it stands elsewhere as well; gives what is left then."""
    if not left or not right:
        return left, right
    mine, theirs = _by_uid(left), _by_uid(right)
    both = mine.keys() & theirs.keys()
    digests = {entry.digest for _uid, entry in right} if both else set()
    settled = set[int]()
    for uid in sorted(both):
        one, other = left[mine[uid]][1], right[theirs[uid]][1]
        if one.digest == other.digest or one.digest not in digests:
            settled.add(uid)
            yield from _unequal(folder, uid, one, other)
    return (_but(left, settled), _but(right, settled)) if settled else (left, right)


def _by_uid(pile: Pile) -> dict[int, int]:
    return {uid: at for at, (uid, _entry) in enumerate(pile)}


def _but(pile: Pile, uids: Container[int]) -> Pile:
    rest = Pile()
    for uid, entry in pile:
        if uid not in uids:
            rest.add(uid, entry)
    return rest


def _by_content(folder: str, left: Pile, right: Pile, *, same_uids: bool) -> Iterator[Difference]:
    """Pair what is left by what it is, part by part; the rest is missing on one side."""
    parts = 1 + (len(left) + len(right)) // _WAITING
    for some, others in zip(left.split(parts), right.split(parts), strict=True):
        mine, theirs = dict(left[at] for at in some), dict(right[at] for at in others)
        yield from _paired_off(folder, mine, theirs, same_uids=same_uids)


def _paired_off(
    folder: str, left: dict[int, Entry], right: dict[int, Entry], *, same_uids: bool
) -> Iterator[Difference]:
    keys: tuple[Callable[[Entry], Hashable], ...] = (
        lambda entry: entry,
        lambda entry: (entry.attributes.received, entry.attributes.size, entry.digest),
    )
    for key in keys:
        for uid, other in _paired(left, right, key):
            mine, theirs = left.pop(uid), right.pop(other)
            if same_uids:
                yield Difference(folder, "uid", uid, str(uid), str(other), size=theirs.attributes.size)
            yield from _unequal(folder, uid, mine, theirs)
    for uid in sorted(left):
        what = "message_missing" if left[uid].attributes.size else "message_empty"
        yield Difference(folder, what, uid, "there", "missing")
    for uid in sorted(right):
        yield Difference(folder, "message_extra", uid, "missing", "there", size=right[uid].attributes.size)


def _paired(
    left: Mapping[int, Entry], right: Mapping[int, Entry], key: Callable[[Entry], Hashable]
) -> list[tuple[int, int]]:
    candidates: dict[Hashable, list[int]] = defaultdict(list)
    for uid in sorted(right, reverse=True):
        candidates[key(right[uid])].append(uid)
    return [(uid, candidates[key(left[uid])].pop()) for uid in sorted(left) if candidates.get(key(left[uid]))]


def _unequal(folder: str, uid: int, mine: Entry, theirs: Entry) -> Iterator[Difference]:
    one, other = mine.attributes, theirs.attributes
    values: Iterable[tuple[str, object, object]] = (
        ("flags", one.flags.decode("utf-8", "replace"), other.flags.decode("utf-8", "replace")),
        ("internaldate", one.received, other.received),
        ("size", one.size, other.size),
        ("content", mine.digest.hex(), theirs.digest.hex()),
    )
    for what, here, there in values:
        if here != there:
            yield Difference(folder, what, uid, str(here), str(there))
