# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a kind of collections says of itself; the side (:mod:`.side`) puts several kinds together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid5

from ..model import Collection, Finding, Item, Survey
from .digests import word

#: What names and UIDs are made in (RFC 9562, section 5.5), where rows have none that can be used.
NAMESPACE = UUID("2f0ab1cf-3c1f-5c8e-9a40-6b1f6cf3d6a1")
#: What is read by one statement: so many rows at most, and not much more than so many bytes.
_ROWS, _BYTES = 500, 4 << 20
#: A name that can be the last part of a URL (RFC 3986, section 3.3), encoded or not.
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")


@dataclass(frozen=True)
class Entry:
    """An object in a listing: what it is read by, how large it is about (bytes), what it is called inside."""

    version: str
    id: Any
    size: int = 0
    uid: str = ""


@dataclass(frozen=True)
class Listing:
    """All objects of a collection by name, and the state that this was."""

    entries: Mapping[str, Entry]
    state: str
    findings: tuple[Finding, ...] = ()


@dataclass
class Said:
    """Findings about a collection, as they come."""

    collection: str
    findings: list[Finding] = field(default_factory=list)

    def warn(self, kind: str, message: str, name: str = "") -> None:
        """Something that was not left out, but should be looked at."""
        self.findings.append(Finding(kind, message, "warning", self.collection, name))

    def left_out(self, kind: str, message: str, name: str = "") -> None:
        """Something that was left out."""
        self.findings.append(Finding(kind, message, "error", self.collection, name))

    def note(self, kind: str, message: str, name: str = "") -> None:
        """Something that is good to know."""
        self.findings.append(Finding(kind, message, "note", self.collection, name))


class Shelf(Protocol):
    """The collections of one kind that an account has. All methods may be called by several threads."""

    def survey(self) -> Survey:
        """The collections."""

    def listing(self, collection: Collection) -> Listing:
        """What is in one of them."""

    def read(self, collection: Collection, entries: Mapping[str, Entry]) -> Iterator[Item]:
        """These objects, by name, as they are now."""


def made_id(account: str, *parts: object) -> str:
    """A UUID that is always the same for the same row of an account."""
    return str(uuid5(NAMESPACE, "\x1f".join((account, *map(str, parts)))))


def usable(name: str) -> bool:
    """Can this be the name of an object or a collection in a URL?"""
    return _NAME.fullmatch(name) is not None and name not in (".", "..")


def chunks(entries: Iterable[tuple[str, Entry]]) -> Iterator[Sequence[tuple[str, Entry]]]:
    """The entries in pieces that can be read at once."""
    piece: list[tuple[str, Entry]] = []
    size = 0
    for each in entries:
        if piece and (len(piece) == _ROWS or size + each[1].size > _BYTES):
            yield piece
            piece, size = [], 0
        piece.append(each)
        size += each[1].size
    if piece:
        yield piece


def state_of(digests: Iterable[str]) -> str:
    """What :func:`digests.together` makes of rows with these digests."""
    count = first = second = 0
    for digest in digests:
        count += 1
        first ^= int(digest[:16], 16)
        second ^= int(digest[16:], 16)
    return word((count, first, second))
