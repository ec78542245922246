# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Looking at both sides of a folder: at what has changed since the last run where both servers can tell, else at all.

Nothing is written here. What comes out is a :class:`~.plan.Look`, from which the folder is planned.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import FolderError, RenumberedError
from ..ledger import FolderRow, Ledger, MessageRow
from .attributes import flag_key
from .deltas import LISTING, Changes, Since, adds_up, read_changes
from .listing import Listing, is_gap, read_fingerprints, read_flags, read_some_flags
from .plan import FAITHFUL, GONE, Look, Pair, Step, match, unknown
from .session import Selected
from .sieve import Sieve
from .survey import FolderState

if TYPE_CHECKING:
    from .folder import SharedState

#: So many messages are recognised at a time: their fingerprints are held in memory.
_WINDOW = 2000


@dataclass(frozen=True)
class Recognised:
    """UIDs of messages that are the same on both sides under one UID, in the listing of the source."""

    listing: Listing = field(default_factory=Listing)
    uids: array[int] = field(default_factory=lambda: array("I"))

    def rows(self) -> Iterator[MessageRow]:
        """What the ledger is to remember of them."""
        return (MessageRow(uid, uid, flag_key(self.listing[uid]), None) for uid in self.uids)


@dataclass(frozen=True)
class Seen:
    """Both sides of a folder, open for reading: ``source`` is None when the folder is gone from there.

    ``recognised`` are messages that the ledger did not know and that are the same under the same UID on both sides.
    ``way`` is how they were looked at (:mod:`deltas`). ``reused``: a side gives out known UIDs once more
    (:func:`reuses_uids`), so that nothing the ledger knows of them holds.
    """

    source: Selected | None
    target: Selected
    look: Look
    recognised: Recognised
    way: str
    reused: bool = False


def examine_source(shared: SharedState, step: Step) -> Selected:
    """Open the source folder for reading; it must be the one that was surveyed.

    :raises RenumberedError: it is not.
    :raises FolderError: it can't be opened.
    """
    folder = step.source
    if folder is None:
        raise FolderError("the folder is not on the source")
    selected = shared.source.examine(folder.name)
    if folder.state and selected.uidvalidity != folder.state.uidvalidity:
        raise RenumberedError("the folder's UIDVALIDITY changed on the source while it was read")
    if folder.state and not selected.uidnext:
        # Courier tells it in STATUS alone
        return replace(selected, uidnext=folder.state.uidnext)
    return selected


def look_at(shared: SharedState, step: Step, row: FolderRow | None, target_name: bytes) -> Seen:
    """Both sides of a folder; ``row`` is what the ledger remembers of it.

    :raises MigrationError: a side can't be read.
    """
    since = _bases(shared, step, row)
    found = _by_changes(shared, step, since, target_name) if since else None
    return found or _by_listing(shared, step, row, target_name)


# by what has changed


@dataclass(frozen=True)
class _Bases:
    """The states that both sides were left in, and the folder's number in the ledger."""

    folder: int
    source: FolderState
    target: FolderState


def _bases(shared: SharedState, step: Step, row: FolderRow | None) -> _Bases | None:
    """What changes can be counted from: a complete run, after which the target held what the ledger knows, no more.

    Where both sides have one UIDVALIDITY, every message must have had its own UID, too: what stands in the way of a
    message that comes later is seen in the whole folder only.
    """
    base = step.base
    if row is None or base is None or base.source is None or base.target is None or step.source is None:
        return None
    same = base.source.uidvalidity == base.target.uidvalidity
    usable = (
        (base.source.uidvalidity, base.target.uidvalidity) == (row.source_uidvalidity, row.target_uidvalidity)
        and not (same and (row.fidelity != FAITHFUL or row.reasons))
        and base.target.messages == shared.ledger.message_count(row.id)
    )
    return _Bases(row.id, base.source, base.target) if usable else None


def _by_changes(shared: SharedState, step: Step, bases: _Bases, target_name: bytes) -> Seen | None:
    """Look at what both servers say has changed; None when one can't tell, or what it tells does not add up."""
    ledger, folder, wanted = shared.ledger, bases.folder, shared.policy.delta
    name = step.source.name if step.source else b""
    here = shared.source.changes(name, Since(bases.source, lambda: ledger.each_uid(folder, "source")), wanted)
    if here is None:
        return None
    there = read_changes(
        shared.target, target_name, Since(bases.target, lambda: ledger.each_uid(folder, "target")), wanted
    )
    if there is None:
        return None
    (source, mine), (target, theirs) = here, there
    if source.uidnext < bases.source.uidnext or target.uidnext < bases.target.uidnext:
        return None
    rows = {row.source_uid: row for row in _touched(ledger, folder, mine, theirs)}
    gone = sum(mine.lost(row.source_uid) for row in rows.values())
    lost = sum(theirs.lost(row.target_uid) for row in rows.values())
    if not adds_up(bases.source, source, mine, gone) or not _all_known(bases.source, mine, rows):
        shared.source.distrust(mine.way)
        return None
    if not adds_up(bases.target, target, theirs, lost):
        shared.target.distrusted.add(theirs.way)
        return None
    uids = [row.source_uid for row in rows.values() if not mine.lost(row.source_uid)]
    others = [row.target_uid for row in rows.values() if not theirs.lost(row.target_uid)]
    flags = dict(mine.flags) | shared.source.some_flags(sorted(set(uids) - set(mine.flags)))
    held = dict(theirs.flags) | read_some_flags(shared.target, sorted(set(others) - set(theirs.flags)))
    if not set(uids) <= set(flags) or not set(others) <= set(held):
        return None
    look = Look(
        source=flags,
        target=held,
        pairs={row.source_uid: Pair(row.target_uid, row.flags) for row in rows.values()},
        same_uidvalidity=source.uidvalidity == target.uidvalidity,
        target_uidnext=target.uidnext,
        untouched=(untouched := target.exists - len(held)),
        # under one UIDVALIDITY all have their own UIDs (see _bases); under two, nobody has looked
        untouched_moved=0 if source.uidvalidity == target.uidvalidity else untouched,
    )
    return Seen(source, target, _matched(shared, look), Recognised(), mine.way)


def _touched(ledger: Ledger, folder: int, mine: Changes, theirs: Changes) -> Iterator[MessageRow]:
    """What the ledger knows of the messages that have changed, or are gone, on either side."""
    yield from ledger.messages_of(folder, mine.flags)
    yield from ledger.messages_at(folder, theirs.flags)
    yield from ledger.messages_within(folder, "source", mine.gone)
    yield from ledger.messages_within(folder, "target", theirs.gone)


def _all_known(since: FolderState, changes: Changes, rows: Mapping[int, MessageRow]) -> bool:
    """Whether every old message that has changed on the source is one that a run brought."""
    return all(uid in rows for uid in changes.flags if uid < since.uidnext)


# by everything


def source_renewed(row: FolderRow, source: Selected) -> bool:
    """Whether the source folder is another one than the ledger's, under the same name."""
    return source.uidvalidity != row.source_uidvalidity or reuses_uids(row.source_state, source)


def target_renewed(row: FolderRow, target: Selected) -> bool:
    """Whether the target folder is another one than the ledger's, under the same name."""
    return target.uidvalidity != row.target_uidvalidity or reuses_uids(row.target_state, target)


def reuses_uids(state: tuple[int, ...] | None, now: Selected) -> bool:
    """Whether UIDNEXT went back under one UIDVALIDITY: that never happens in one folder (RFC 3501, 2.3.1.1).

    A folder made anew within the same second, or a server restored from a backup, gives out known UIDs once more.
    ``state`` is the one after the last complete run (see :class:`~..ledger.FolderRow`).
    """
    return bool(state and state[2] == now.uidvalidity and now.uidnext < state[1])


def _by_listing(shared: SharedState, step: Step, row: FolderRow | None, target_name: bytes) -> Seen:
    """Look at every message of both sides."""
    source = examine_source(shared, step) if step.action != GONE else None
    here = shared.source.flags() if source else Listing()
    target = shared.target.select(target_name, read_only=True)
    there = read_flags(shared.target, target.exists)
    states = ((row.source_state, source), (row.target_state, target)) if row else ()
    reused = any(now is not None and reuses_uids(state, now) for state, now in states)
    same = source is not None and source.uidvalidity == target.uidvalidity and not reused
    sieve = Sieve(here, there, same_uidvalidity=same)
    ours: frozenset[int] = frozenset()
    if row and not target_renewed(row, target):
        if source is None or not source_renewed(row, source):
            sieve.pairs(shared.ledger.each_message(row.id))
        else:
            ours = frozenset(shared.ledger.each_uid(row.id, "target"))
    recognised = Recognised(here, array("I", _alike(shared, sieve.unknown_in_both()) if same else ()))
    sieve.pairs(recognised.rows())
    look = sieve.look(ours=ours, target_uidnext=target.uidnext)
    _asked_again(shared, look, here if source else None, there)
    return Seen(source, target, _matched(shared, look), recognised, LISTING, reused)


def _asked_again(shared: SharedState, look: Look, here: Listing | None, there: Listing) -> None:
    """Ask a second time for messages that are known and in no list, before one is removed or comes twice.

    :raises FolderError: one of them is there after all.
    """
    gone = [] if here is None else sorted(uid for uid in look.pairs if uid not in here)
    lost = sorted({pair.target_uid for pair in look.pairs.values() if pair.target_uid not in there})
    if gone and shared.source.some_flags(gone):
        raise FolderError("the source lists fewer messages than it has", **shared.source.place())
    if lost and read_some_flags(shared.target, lost):
        raise FolderError("the target lists fewer messages than it has", **shared.target.place())


def _alike(shared: SharedState, uids: Iterator[int]) -> Iterator[int]:
    """Which of these UIDs are the same message on both sides."""
    while some := list(itertools.islice(uids, _WINDOW)):
        mine, theirs = shared.source.fingerprints(some), read_fingerprints(shared.target, some)
        yield from (
            uid for uid in some if uid in mine and mine[uid].copied_as(theirs.get(uid)) and not is_gap(mine[uid])
        )


def _matched(shared: SharedState, look: Look) -> Look:
    """Match messages of which no pair is known by what they are; tell the placeholders that have lost their flags."""
    here, there = unknown(look)
    if not there:
        return look
    theirs = read_fingerprints(shared.target, sorted(there))
    gaps = frozenset(uid for uid, print_ in theirs.items() if is_gap(print_))
    rest = {uid: print_ for uid, print_ in theirs.items() if uid not in gaps}
    found = match(shared.source.fingerprints(sorted(here)), rest) if here and rest else {}
    return replace(look, matched=found, gaps=gaps)
