# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Asking a server what has changed in a folder since a state that is remembered, by the best way that it has.

The ways (rungs), best first: QRESYNC, one command that tells new and changed messages and those that are gone (RFC 7162
section 3.2.5); CONDSTORE, which tells new and changed messages (section 3.1.4.1), and the set of UIDs only where the
count says that some are gone (ESEARCH, RFC 4731); and reading everything (:mod:`listing`). Servers lack these, and lie:
what one says is taken only when it adds up with what is remembered, else that way is not gone on this connection again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..errors import FolderError, ProtocolError, ServerError
from .listing import Listing, note_flags
from .session import Selected, Session
from .survey import FolderState
from .uidset import MAX_UID, number, outside, ranges, spans

AUTO, QRESYNC, CONDSTORE, LISTING = "auto", "qresync", "condstore", "listing"
#: The values of the option ``delta``.
WAYS = (AUTO, QRESYNC, CONDSTORE, LISTING)
_VANISHED = re.compile(rb"VANISHED \(EARLIER\) ([0-9:,]+)\Z", re.IGNORECASE)
_ESEARCH_ALL = re.compile(rb"ESEARCH .*\bALL ([0-9:,]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Changes:
    """What a server says has happened since a state.

    ``flags`` are those of new and of changed messages; ``gone`` are runs of UIDs that are no longer there, among which
    may be such as never were. ``way`` is how it was asked.
    """

    way: str
    flags: Listing
    gone: tuple[tuple[int, int], ...]

    def lost(self, uid: int) -> bool:
        """Whether a message is among those that are gone."""
        return any(first <= uid <= last for first, last in self.gone)


@dataclass(frozen=True)
class Since:
    """What is remembered of a folder: its state, and its UIDs, ascending, where a server can't tell who is gone."""

    state: FolderState
    known: Callable[[], Iterable[int]]


def best_way(session: Session, wanted: str) -> str:
    """The best way that the server has, and that has not failed here; ``wanted`` is the option ``delta``."""
    ways = {
        QRESYNC: (b"ENABLE", b"QRESYNC"),
        CONDSTORE: (b"CONDSTORE",) if session.has(b"CONDSTORE") else (b"QRESYNC",),
    }
    allowed = tuple(ways) if wanted == AUTO else (wanted,)
    return next(
        (way for way in allowed if way in ways and way not in session.distrusted and session.has(*ways[way])), LISTING
    )


def read_changes(session: Session, folder: bytes, since: Since, wanted: str) -> tuple[Selected, Changes] | None:
    """Open a folder for reading and ask what has changed; None when every message has to be looked at.

    :raises MigrationError: the connection broke, or the folder can't be opened at all.
    """
    way = best_way(session, wanted)
    if way == LISTING or not since.state.highestmodseq:
        return None
    try:
        found = _by_qresync(session, folder, since) if way == QRESYNC else _by_condstore(session, folder, since)
    except (ServerError, FolderError, ProtocolError):
        session.distrusted.add(way)
        return None
    if found is None or found[0].uidvalidity != since.state.uidvalidity or not found[0].highestmodseq:
        return None
    return found


def _by_qresync(session: Session, folder: bytes, since: Since) -> tuple[Selected, Changes] | None:
    if not session.enable(b"QRESYNC"):
        session.distrusted.add(QRESYNC)
        return None
    state = since.state
    parameters = b"(QRESYNC (%d %d))" % (state.uidvalidity, state.highestmodseq)
    selected, reply = session.open(folder, read_only=True, parameters=parameters)
    flags, gone = Listing(), []
    for response in reply.untagged:
        vanished = _VANISHED.match(response.text)
        if vanished:
            gone += list(spans(vanished[1]))
        else:
            note_flags(response, flags)
    return selected, Changes(QRESYNC, flags, tuple(gone))


def _by_condstore(session: Session, folder: bytes, since: Since) -> tuple[Selected, Changes]:
    state = since.state
    selected = session.select(folder, read_only=True)
    flags = Listing()
    last = selected.uidnext - 1 if selected.uidnext else MAX_UID
    if selected.exists:
        command = b"UID FETCH 1:%d (UID FLAGS) (CHANGEDSINCE %d)" % (max(1, last), state.highestmodseq)
        for response in session.must("tell what has changed", command).untagged:
            note_flags(response, flags)
    come = sum(uid >= state.uidnext for uid in flags)
    gone: tuple[tuple[int, int], ...] = ()
    if state.messages + come != selected.exists:
        there = list(_present(session)) if selected.exists else []
        gone = tuple(ranges(outside(since.known(), there)))
    return selected, Changes(CONDSTORE, flags, gone)


def _present(session: Session) -> Iterator[tuple[int, int]]:
    """The runs of UIDs in the selected folder, ascending."""
    extended = session.has(b"ESEARCH")
    reply = session.must("search", b"UID SEARCH RETURN (ALL) UID 1:*" if extended else b"UID SEARCH UID 1:*")
    found: list[tuple[int, int]] = []
    for response in reply.untagged:
        match = _ESEARCH_ALL.match(response.text)
        if match:
            found += spans(match[1])
        elif response.text[:7].upper() == b"SEARCH ":
            found += ranges(sorted(number(word) for word in response.text[7:].split() if word.isdigit()))
    yield from sorted(found)


def adds_up(since: FolderState, selected: Selected, changes: Changes, gone: int) -> bool:
    """Whether a server's answer is possible: as many are there as were, and came, without the ``gone`` known ones."""
    come = sum(uid >= since.uidnext for uid in changes.flags)
    return selected.exists == since.messages + come - gone and selected.highestmodseq >= since.highestmodseq
