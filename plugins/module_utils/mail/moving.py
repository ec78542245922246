# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Renaming folders on the target instead of copying them again: what is to be renamed, proved, and done.

Whatever happens in between, nothing is lost: a folder that was renamed without the ledger knowing is recognised by its
messages, like any other.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Mapping, Sequence

from ..errors import FolderError, MigrationError
from ..ledger import FolderRow, Ledger, MessageRow
from ..transport.wire import quoted
from .folders import FolderRules, Path, packed, show
from .listing import read_fingerprints
from .mapping import map_sides
from .moves import Move, Order, asked_moves, candidates, ordered, refuse
from .plan import Base, is_left_out
from .session import Session, refusal
from .source import Source
from .survey import Folder, Side

#: So many messages are compared at a time.
_WINDOW = 1000


def find_moves(
    sides: tuple[Source, Session],
    surveys: tuple[Side, Side],
    rules: FolderRules,
    known: Mapping[Path, tuple[FolderRow, Base]],
    ledger: Ledger,
) -> Order:
    """The folders to rename on the target, in an order that works; ``known`` is what the ledger remembers.

    :raises InputError: the operator asked for a new name that can't be given.
    """
    here, there = surveys
    bases = {path: base for path, (_row, base) in known.items() if not is_left_out(here, path, rules)}
    if not rules.rename and all(path in here.existing() for path in bases):
        return Order()
    pins = {path: base.target_path for path, base in bases.items() if base.target_path}
    folder_map = map_sides(here, there, rules, pins)
    moves = asked_moves(folder_map, bases, there)
    taken = {move.before for move in moves}
    for path, likely in candidates(here, there, folder_map, bases):
        for move in likely:
            if move.before in taken:
                continue
            row = known[move.before][0]
            if _is_same(sides, here.folders[path], there.folders[move.old], row, ledger):
                taken.add(move.before)
                moves.append(move)
                break
    order = ordered(moves, there)
    refuse(order.blocked)
    return order


def _is_same(sides: tuple[Source, Session], folder: Folder, there: Folder, row: FolderRow, ledger: Ledger) -> bool:
    """Whether a source folder is the one whose messages a target folder holds: every message known of it must be equal.

    Two folders may well have one UIDVALIDITY and the same UIDs, where a server makes many within a second.
    """
    if not ledger.message_count(row.id):
        return there.state is not None and there.state.messages == 0
    source, target = sides
    try:
        source.examine(folder.name)
        target.select(there.name, read_only=True)
        common = 0
        for rows in _windows(ledger, row.id):
            mine = source.fingerprints(sorted(one.source_uid for one in rows))
            theirs = read_fingerprints(target, sorted(one.target_uid for one in rows))
            pairs = [
                (mine[one.source_uid], theirs[one.target_uid])
                for one in rows
                if one.source_uid in mine and one.target_uid in theirs
            ]
            if any((left.size, left.header) != (right.size, right.header) for left, right in pairs):
                return False
            common += len(pairs)
    except FolderError:
        return False
    return common > 0


def _windows(ledger: Ledger, folder: int) -> Iterator[list[MessageRow]]:
    uids = ledger.each_uid(folder, "source")
    while some := list(itertools.islice(uids, _WINDOW)):
        yield ledger.messages_of(folder, some)


def carry_out(
    order: Order, target: Session, there: Side, ledger: Ledger, mailbox: int, *, unsubscribe: Container[Path]
) -> None:
    """Rename on the target, and note each folder in the ledger as soon as it has its new name.

    ``unsubscribe`` are old names to which the source is not subscribed any more.

    :raises FolderError: the server would not.
    """
    if not order.moves:
        return
    target.unselect()
    _unsubscribe(target, [there.folders[move.old] for move in order.moves if move.old in unsubscribe])
    commands = iter(order.commands)
    due = next(commands, None)
    for move in order.moves:
        if due is not None and due[1] == move.new:
            _rename(target, there, move, due[0])
            due = next(commands, None)
        ledger.move_folders(mailbox, [(packed(move.before), packed(move.path), packed(move.new))])


def _rename(target: Session, there: Side, move: Move, now: Path) -> None:
    """Give a folder its new name; ``now`` is where it is, which is elsewhere when one above it has been renamed."""
    name = there.folders[now].name if now == move.old else there.namespace.name(now)
    reply = target.run(b"RENAME ", quoted(name), b" ", quoted(there.namespace.name(move.new)))
    if not reply.ok:
        error: MigrationError = refusal(reply, f"rename the folder to {show(move.new)}", target)
        raise error.become(FolderError).at(folder=show(move.old))


def _unsubscribe(target: Session, folders: Sequence[Folder]) -> None:
    """Subscriptions stay with the old names on most servers; the new ones follow the source like any other.

    It is done first: when a run ends in the middle, the next one would not know any more whose subscription it was.
    """
    gone = [folder for folder in folders if folder.subscribed]
    commands = [(b"UNSUBSCRIBE ", quoted(folder.name)) for folder in gone]
    for folder, reply in zip(gone, target.pipeline(commands), strict=True):
        if not reply.ok:
            raise refusal(reply, "unsubscribe", target).at(folder=show(folder.path))
