# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""UID sets as IMAP writes them (RFC 3501 section 9, sequence-set; RFC 4315 section 4, uid-set)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import ProtocolError

#: UIDs are 32-bit numbers, never 0 (RFC 3501 section 2.3.1.1).
MAX_UID = 2**32 - 1
#: Mod-sequences are 63-bit numbers (RFC 7162 section 1).
MAX_MODSEQ = 2**63 - 1


def number(text: bytes, most: int = MAX_UID) -> int:
    """A number that a server has sent.

    :raises ProtocolError: it is none, or larger than such a number can be.
    """
    value = int(text) if text.isdigit() and len(text) <= 20 else most + 1
    if value > most:
        raise ProtocolError(f"the server sent {text[:40]!r} where a number belongs, or one that is too large")
    return value


def ranges(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending UIDs as ``(first, last)`` runs."""
    first = last = 0
    for uid in uids:
        if first and uid == last + 1:
            last = uid
            continue
        if first:
            yield first, last
        first = last = uid
    if first:
        yield first, last


def outside(uids: Iterable[int], runs: Iterable[tuple[int, int]]) -> Iterator[int]:
    """Which of some ascending UIDs are in none of some ascending runs."""
    rest = iter(runs)
    run = next(rest, None)
    for uid in uids:
        while run and run[1] < uid:
            run = next(rest, None)
        if run is None or uid < run[0]:
            yield uid


def chunks(uids: Iterable[int], max_bytes: int = 4000) -> Iterator[bytes]:
    """Ascending UIDs as sets of at most ``max_bytes`` bytes each, so that no command line gets too long."""
    parts: list[bytes] = []
    size = 0
    for first, last in ranges(uids):
        part = _run(first, last)
        if parts and size + len(part) + 1 > max_bytes:
            yield b",".join(parts)
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield b",".join(parts)


def spans(text: bytes) -> Iterator[tuple[int, int]]:
    """The ``(first, last)`` runs of a set, in the set's order.

    :raises ProtocolError: not a set of UIDs.
    """
    for part in text.split(b","):
        first, colon, last = part.partition(b":")
        if not first.isdigit() or (colon and not last.isdigit()):
            raise ProtocolError(f"the server sent {text[:80]!r} where a UID set belongs")
        low, high = sorted((int(first), int(last) if colon else int(first)))
        if low < 1 or high > MAX_UID:
            raise ProtocolError(f"the server sent {text[:80]!r} where a UID set belongs")
        yield low, high


def expand(text: bytes, limit: int) -> list[int]:
    """The UIDs of a set in the set's order (an APPENDUID lists them in the order of the messages).

    :raises ProtocolError: not a set, or more than ``limit`` UIDs.
    """
    uids: list[int] = []
    for low, high in spans(text):
        if len(uids) + high - low + 1 > limit:
            raise ProtocolError(f"the server sent a UID set of more than {limit} messages")
        uids.extend(range(low, high + 1))
    return uids


def _run(first: int, last: int) -> bytes:
    return b"%d" % first if first == last else b"%d:%d" % (first, last)
