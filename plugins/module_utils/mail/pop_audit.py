# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The audit's eyes for POP3: what both sides list, and the messages of a source that has nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from ..errors import ServerError
from ..ledger import DIGEST_SIZE
from ..tasks import Account
from ..transport.pop import Pop, log_in
from .downloads import Listed, doubtful
from .listing import Attributes, header_digest
from .pile import Entry
from .polite import politely
from .pop import list_sizes, list_uidls, read_headers
from .pop_source import PopSource
from .server import Server


def read_maildrops(
    source: tuple[Server, Account], target: tuple[Server, Account], depth: str
) -> tuple[list[Listed], list[Listed]]:
    """What POP3 lists on both sides; with a ``depth`` other than ``counts`` with the headers of what is not clear.

    :raises MigrationError: a side can't be read.
    """
    here = politely(log_in, *source)
    try:
        there = politely(log_in, *target)
        try:
            mine, theirs = _listed(here), _listed(there)
            if depth == "counts":
                return mine, theirs
            first, second = doubtful(mine, theirs)
            return _with_headers(here, mine, first), _with_headers(there, theirs, second)
        finally:
            there.quit()
    finally:
        here.quit()


def _listed(pop: Pop) -> list[Listed]:
    return [Listed(uidl, size) for uidl, size in zip(list_uidls(pop), list_sizes(pop), strict=True)]


def _with_headers(pop: Pop, listed: list[Listed], places: Sequence[int]) -> list[Listed]:
    """With the digests of the headers at these places; a server without TOP shows none, and sizes have to do."""
    try:
        for place, header in read_headers(pop, places) if places else ():
            listed[place - 1] = replace(listed[place - 1], digest=header_digest(header))
    except ServerError as error:
        if error.kind != ServerError.kind:
            raise
    return listed


class PopReading:
    """The messages of a source that has POP3 only, as :class:`~.reading.Reading` gives those of an IMAP folder.

    Flags and dates are empty: the server has none. With a depth other than ``full`` sizes are those that it lists.
    """

    def __init__(self, source: PopSource, depth: str) -> None:
        self._source, self._depth = source, depth
        self.missing = 0

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        count = 0
        for uid, entry in self._entries():
            count += 1
            yield uid, entry
        self.missing = self._source.count - count

    def _entries(self) -> Iterator[tuple[int, Entry]]:
        if self._depth == "counts":
            return ((uid, Entry(Attributes(b"", None, size))) for uid, size in self._source.sizes())
        if self._depth == "headers":
            return (
                (uid, Entry(Attributes(b"", None, size), _digest((header,))))
                for uid, size, header in self._source.headers()
            )
        return (
            (uid, Entry(Attributes(b"", None, body.size), _digest(body.pieces())))
            for uid, body in self._source.bodies()
        )


def _digest(pieces: Iterable[bytes]) -> bytes:
    digest = blake2b(digest_size=DIGEST_SIZE)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def without_attributes(messages: Iterable[tuple[int, Entry]]) -> Iterator[tuple[int, Entry]]:
    """Messages without their flags and dates, to be compared with such as never had any."""
    for uid, entry in messages:
        yield uid, replace(entry, attributes=Attributes(b"", None, entry.attributes.size))
