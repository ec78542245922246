# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Folders that a run has brought and that are to be called something else now: pure decisions, no I/O.

There are two kinds. The operator has given ``folders.rename`` another entry; or the user has renamed a folder on the
source, which shows as one that is gone and one that is new with the same UIDVALIDITY (RFC 3501 section 6.3.5 keeps
messages and UIDs). Both are carried out by RENAME on the target, which costs nothing, instead of by copying again.

RENAME takes along what is below a folder. So a folder is renamed only when everything below it on the target is to move
in the same way, and when nothing is there already under the new name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..errors import InputError
from .folders import INBOX, Path, show
from .mapping import FolderMap
from .plan import Base
from .survey import Side


@dataclass(frozen=True)
class Move:
    """A folder that a run has brought: its source path then and now, its target path as it is and as it is to be."""

    before: Path
    path: Path
    old: Path
    new: Path

    @property
    def asked(self) -> bool:
        """Whether the operator asked for it; else the user has renamed the folder on the source."""
        return self.before == self.path

    @property
    def line(self) -> str:
        """What diff mode shows of it."""
        why = "folders.rename" if self.asked else f"{show(self.before)} became {show(self.path)} on the source"
        return f"{show(self.old)}: rename to {show(self.new)} ({why})"


@dataclass(frozen=True)
class Order:
    """Moves in the order in which they can be done, and those that can't be.

    ``commands`` are the RENAMEs that are needed, as (name now, new name); the other folders move with those above them.
    """

    moves: tuple[Move, ...] = ()
    commands: tuple[tuple[Path, Path], ...] = ()
    blocked: tuple[Move, ...] = ()


def asked_moves(folder_map: FolderMap, bases: Mapping[Path, Base], target: Side) -> list[Move]:
    """Folders for which ``folders.rename`` says something else than when they were brought, and that are still there.

    One that is under its new name already, because a run ended before it could note that, moves nothing.
    """
    moves = (Move(path, path, old, folder_map.paths[path]) for path, old in folder_map.moves.items())
    return [move for move in moves if _is_there(target, move.old, bases[move.before])]


def candidates(
    source: Side, target: Side, folder_map: FolderMap, bases: Mapping[Path, Base]
) -> Iterator[tuple[Path, list[Move]]]:
    """For each folder that is new on the source, those that are gone and could have been it, likeliest first."""
    gone: dict[int, list[Path]] = defaultdict(list)
    for path, base in bases.items():
        there = base.target_path
        if path not in source.existing() and path != INBOX and there and _is_there(target, there, base):
            gone[base.source_uidvalidity].append(path)
    for path, new in folder_map.paths.items():
        state = source.folders[path].state
        if state is None or path in bases or path == INBOX or new in target.existing() or new == INBOX:
            continue
        found = [
            Move(before, path, there, new)
            for before in gone.get(state.uidvalidity, [])
            if (there := bases[before].target_path) and _can_be(bases[before], state.uidnext)
        ]
        if found and state.uidvalidity:
            yield path, sorted(found, key=lambda move: (move.before[-1] != path[-1], move.before))


def _is_there(target: Side, path: Path, base: Base) -> bool:
    folder = target.folders.get(path)
    return bool(folder and folder.state and folder.state.uidvalidity == base.target_uidvalidity)


def _can_be(base: Base, uidnext: int) -> bool:
    """Whether a folder can have gone on to this UIDNEXT from what is known of it: UIDs are never given out again."""
    return base.source is None or not uidnext or uidnext >= base.source.uidnext


def ordered(moves: Iterable[Move], target: Side) -> Order:
    """The moves in an order in which each finds its new name free."""
    there = {path: folder.selectable for path, folder in target.folders.items()}
    above = _above(there)
    pending = {move.old: move for move in sorted(moves, key=lambda move: (len(move.old), move.old))}
    now = {old: old for old in pending}
    done: list[Move] = []
    commands: list[tuple[Path, Path]] = []
    while ready := next((old for old in pending if _possible(old, pending, now, there, above)), None):
        here, new = now[ready], pending[ready].new
        if here != new:
            commands.append((here, new))
            if here in above:
                there = {below(path, here, new): holds for path, holds in there.items()}
                now = {old: below(path, here, new) for old, path in now.items()}
            else:
                there[new], now[ready] = there.pop(here), new
            above |= _above(there) if here in above else _above([new])
        done.append(pending.pop(ready))
    return Order(tuple(done), tuple(commands), tuple(pending.values()))


def _above(paths: Iterable[Path]) -> set[Path]:
    """All that is above a folder."""
    return {path[:level] for path in paths for level in range(1, len(path))}


def _possible(
    old: Path, pending: Mapping[Path, Move], now: Mapping[Path, Path], there: Mapping[Path, bool], above: set[Path]
) -> bool:
    here, new = now[old], pending[old].new
    if here == new:
        return True
    if here == INBOX or new in there or new[: len(here)] == here:
        return False
    if here not in above:
        return True
    wanted = {now[other]: move.new for other, move in pending.items()}
    along = [path for path, holds in there.items() if holds and path[: len(here)] == here and path != here]
    return all(wanted.get(path) == below(path, here, new) for path in along)


def below(path: Path, old: Path, new: Path) -> Path:
    """Where a folder is once ``old`` has been renamed."""
    return new + path[len(old) :] if path[: len(old)] == old else path


def refuse(blocked: Iterable[Move]) -> None:
    """Refuse what the operator asked for and can't be done.

    :raises InputError: there is such a folder.
    """
    for move in blocked:
        if move.asked:
            raise InputError(
                f"{show(move.path)} is {show(move.old)} on the target and can't become {show(move.new)} there: that"
                " name is taken, or there are folders below it that would move with it",
                folder=show(move.path),
                option="folders.rename",
                safe_next=f'Keep it with {{"{show(move.path)}": "{show(move.old)}"}} in folders.rename, or make room'
                " for it on the target; nothing has been changed.",
            )


def as_if_done(target: Side, moves: Iterable[Move]) -> Side:
    """The target as it looks to a plan once the moves are done, with the names that the folders still have."""
    folders = dict(target.folders)
    moved = [(move, folders.pop(move.old)) for move in moves]
    folders.update((move.new, replace(folder, path=move.new, subscribed=False)) for move, folder in moved)
    return Side(target.namespace, folders)
