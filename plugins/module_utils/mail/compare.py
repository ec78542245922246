# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is not the same in two folders: pure comparison, no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .listing import Attributes
from .survey import FolderState

#: Differences that only concern how messages are numbered: their content is the same.
NUMBERING = frozenset({"uidvalidity", "uid", "uidnext"})


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same: ``what``, of which folder and (where it is about one) which source UID.

    ``what`` is one of ``folder_missing``, ``folder_extra``, ``uidvalidity``, ``uidnext``, ``subscription``,
    ``message_missing``, ``message_extra`` (then ``uid`` is the target's), ``uid``, ``flags``, ``internaldate``,
    ``size``, ``content``.
    """

    folder: str
    what: str
    uid: int | None = None
    source: str = ""
    target: str = ""


@dataclass(frozen=True)
class Entry:
    """A message as it is compared; ``digest`` is empty where only counts are compared."""

    attributes: Attributes
    digest: bytes = b""


def compare_states(folder: str, source: FolderState, target: FolderState) -> Iterator[Difference]:
    """Differences of two folders' numbers: a client notices another UIDVALIDITY, and a UIDNEXT that went back."""
    if source.uidvalidity != target.uidvalidity:
        yield Difference(folder, "uidvalidity", None, str(source.uidvalidity), str(target.uidvalidity))
    elif target.uidnext < source.uidnext:
        yield Difference(folder, "uidnext", None, str(source.uidnext), str(target.uidnext))


def compare_messages(
    folder: str, source: Mapping[int, Entry], target: Mapping[int, Entry], *, same_uids: bool
) -> Iterator[Difference]:
    """Differences of two folders' messages.

    With ``same_uids`` a message is compared with the one of its own UID. What is left over is paired by what it is, as
    a multiset: first by everything, then by all but the flags; the rest is missing on one side.
    """
    left, right = dict(source), dict(target)
    if same_uids:
        for uid in sorted(set(left) & set(right)):
            if left[uid].digest == right[uid].digest or not _elsewhere(left[uid], right):
                yield from _unequal(folder, uid, left.pop(uid), right.pop(uid))
    keys: tuple[Callable[[Entry], Hashable], ...] = (
        lambda entry: entry,
        lambda entry: (entry.attributes.received, entry.attributes.size, entry.digest),
    )
    for key in keys:
        for uid, other in _paired(left, right, key):
            mine, theirs = left.pop(uid), right.pop(other)
            if same_uids:
                yield Difference(folder, "uid", uid, str(uid), str(other))
            yield from _unequal(folder, uid, mine, theirs)
    for uid in sorted(left):
        yield Difference(folder, "message_missing", uid, "there", "missing")
    for uid in sorted(right):
        yield Difference(folder, "message_extra", uid, "missing", "there")


def _elsewhere(entry: Entry, others: Mapping[int, Entry]) -> bool:
    """Whether the same message stands under another UID; asked only where something is wrong already."""
    return bool(entry.digest) and any(other.digest == entry.digest for other in others.values())


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
