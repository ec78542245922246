# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What mail clients would have to download again, and why: pure comparison, no I/O.

An IMAP client knows a message by folder, UIDVALIDITY and UID (RFC 3501 section 2.3.1.1), a POP3 client by its UIDL (RFC
1939 section 7). Where these are others on the target, it takes a message that it has for one that it has not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import uidl
from .compare import Difference

IMAP_CLIENT, POP_CLIENT = "imap", "pop"


@dataclass(frozen=True)
class Download:
    """Messages of a folder that clients of one kind would download again.

    ``cause`` is ``folder`` (it has another name), ``uidvalidity``, ``uid``, ``uidl_format`` (the same numbers, written
    in another way), ``uidl`` or ``uidl_order`` (only for clients that go by a message's place in the list). ``advice``
    is what would help, where that is known.
    """

    folder: str
    client: str
    cause: str
    messages: int
    bytes: int
    advice: str = ""


@dataclass
class Tally:
    """Messages and their bytes."""

    messages: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """One more."""
        self.messages += 1
        self.bytes += size


def by_imap(
    folder: str, *, renamed: bool, same_uidvalidity: bool, there: Tally, extra: Tally, moved: Tally
) -> Iterator[Download]:
    """What IMAP clients would download again of a folder.

    ``there`` are the target's messages, ``extra`` those of them that the source has not, ``moved`` those that have
    another UID than on the source.
    """
    came = Tally(there.messages - extra.messages, there.bytes - extra.bytes)
    cause, again = ("uid", moved)
    if renamed or not same_uidvalidity:
        cause, again = ("folder" if renamed else "uidvalidity", came)
    if again.messages:
        yield Download(folder, IMAP_CLIENT, cause, again.messages, again.bytes)


# POP3


@dataclass(frozen=True)
class Listed:
    """A message as POP3 lists it; ``digest`` is its header's, empty where it was not read."""

    uidl: bytes
    size: int
    digest: bytes = b""


def doubtful(mine: Sequence[Listed], theirs: Sequence[Listed]) -> tuple[list[int], list[int]]:
    """The places (from 1) of messages that their size does not tell from another one, on either side.

    They are those with a neighbour of the same size, whose UIDLs could have changed places unnoticed, and those of
    which the two servers tell different sizes.
    """
    sizes = {one.uidl: one.size for one in theirs}
    uidls = {mine[place].uidl for place in _twins(mine) | _unequal(mine, sizes)}
    uidls |= {theirs[place].uidl for place in _twins(theirs)}
    found = [[place for place, one in enumerate(side, 1) if one.uidl in uidls] for side in (mine, theirs)]
    return found[0], found[1]


def _twins(side: Sequence[Listed]) -> set[int]:
    pairs = [place for place in range(1, len(side)) if side[place].size == side[place - 1].size]
    return {*pairs, *(place - 1 for place in pairs)}


def _unequal(side: Sequence[Listed], sizes: dict[bytes, int]) -> set[int]:
    return {place for place, one in enumerate(side) if sizes.get(one.uidl, one.size) != one.size}


def compare_maildrops(
    folder: str, source: Sequence[Listed], target: Sequence[Listed]
) -> tuple[list[Difference], list[Download]]:
    """What differs in two lists of UIDLs, and what POP3 clients would download again because of it."""
    pairs, left, right = _by_uidl(source, target)
    differences = [
        Difference(folder, "uidl_content", None, _text(mine), _text(theirs))
        for mine, theirs in pairs
        if not _same(mine, theirs)
    ]
    again = _renamed(left, right)
    differences += [Difference(folder, "uidl", None, _text(mine), _text(theirs)) for mine, theirs in again]
    renamed = Counter(one for pair in again for one in pair)
    differences += [Difference(folder, "uidl", None, _text(one), "missing") for one in _rest(left, renamed)]
    differences += [Difference(folder, "uidl", None, "missing", _text(one)) for one in _rest(right, renamed)]
    had = Counter(one.uidl for one in source)
    for name, count in Counter(one.uidl for one in target).items():
        if count > max(1, had[name]):
            differences.append(Difference(folder, "uidl_duplicate", None, str(had[name]), f"{count} times {name!r}"))
    downloads = [_download(folder, source, target, [theirs for _mine, theirs in again])] if again else []
    out_of_place = _out_of_place(source, target, {mine.uidl for mine, _theirs in pairs})
    if out_of_place.messages:
        differences.append(Difference(folder, "uidl_order", None, "", f"{out_of_place.messages} out of place"))
        downloads.append(Download(folder, POP_CLIENT, "uidl_order", out_of_place.messages, out_of_place.bytes))
    return differences, downloads


def compare_counts(folder: str, pop: tuple[int, int], imap: tuple[int, int]) -> Iterator[Difference]:
    """Messages that one protocol shows and the other does not, when that is not the same on both sides."""
    if pop[0] - imap[0] != pop[1] - imap[1]:
        here, there = (f"{one} by POP3, {other} by IMAP" for one, other in zip(pop, imap, strict=True))
        yield Difference(folder, "pop3_count", None, here, there)


def _by_uidl(
    source: Sequence[Listed], target: Sequence[Listed]
) -> tuple[list[tuple[Listed, Listed]], list[Listed], list[Listed]]:
    """Messages with the same UIDL (as often as both sides have it), and those left over on either side."""
    waiting: dict[bytes, list[Listed]] = defaultdict(list)
    for one in reversed(target):
        waiting[one.uidl].append(one)
    pairs: list[tuple[Listed, Listed]] = []
    left: list[Listed] = []
    for one in source:
        if waiting.get(one.uidl):
            pairs.append((one, waiting[one.uidl].pop()))
        else:
            left.append(one)
    spare = Counter({name: len(some) for name, some in waiting.items()})
    right: list[Listed] = []
    for one in reversed(target):  # the last ones of several are those left over
        if spare[one.uidl] > 0:
            spare[one.uidl] -= 1
            right.append(one)
    return pairs, left, right[::-1]


def _same(mine: Listed, theirs: Listed) -> bool:
    if mine.digest and theirs.digest:
        return mine.digest == theirs.digest
    return mine.size == theirs.size


def _renamed(left: Sequence[Listed], right: Sequence[Listed]) -> list[tuple[Listed, Listed]]:
    """Messages that have another UIDL now: first those of one size, then, to be on the safe side, as many as can be."""
    sizes: dict[int, list[Listed]] = defaultdict(list)
    for one in reversed(right):
        sizes[one.size].append(one)
    pairs = [(one, sizes[one.size].pop()) for one in left if sizes.get(one.size)]
    taken = Counter(one for pair in pairs for one in pair)
    return [*pairs, *zip(_rest(left, taken), _rest(right, taken), strict=False)]


def _rest(some: Iterable[Listed], without: Counter[Listed]) -> list[Listed]:
    left = Counter(without)
    found = []
    for one in some:
        if left[one] > 0:
            left[one] -= 1
        else:
            found.append(one)
    return found


def _out_of_place(source: Sequence[Listed], target: Sequence[Listed], common: set[bytes]) -> Tally:
    """The messages, among those that both sides know by the same UIDL, that stand in another order on the target."""
    mine = [one.uidl for one in source if one.uidl in common]
    theirs = [one for one in target if one.uidl in common]
    tally = Tally()
    for name, other in zip(mine, theirs, strict=False):
        if name != other.uidl:
            tally.add(other.size)
    return tally


def _download(folder: str, source: Sequence[Listed], target: Sequence[Listed], again: Sequence[Listed]) -> Download:
    """Those messages, with what in their UIDLs has changed."""
    here = uidl.numbers([one.uidl for one in source])
    there = uidl.numbers([one.uidl for one in target])
    cause, advice = "uidl", ""
    if here and there and here.format != there.format:
        same = here.uidvalidity in (0, there.uidvalidity) and set(here.uids) <= set(there.uids)
        cause = "uidl_format" if same else cause
        advice = f"set pop3_uidl_format to {here.format.template} for this user or tenant on the target" if same else ""
    elif here and there:
        cause = "uid" if here.uidvalidity == there.uidvalidity else "uidvalidity"
    return Download(folder, POP_CLIENT, cause, len(again), sum(one.size for one in again), advice)


def _text(one: Listed) -> str:
    return one.uidl.decode("ascii", "backslashreplace")
