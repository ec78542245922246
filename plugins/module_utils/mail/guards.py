# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What keeps a run from emptying a target because its source is suddenly empty: pure decisions, and one shared count.

Mail that is gone from the source is removed from the target. That is right as long as its user removed it; it is the
worst that can be done when a disk was lost, or when the log-in leads into a mailbox that is not the user's. So a folder
may lose a share of its messages, or a few; a mailbox may not lose most of what it held, and a customer may not have
mailbox after mailbox empty. What was moved to another folder of the mailbox is not lost.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import RemovalsError
from .folders import INBOX, Path, wire_to_text
from .known_names import SPECIAL
from .survey import Folder, Side

if TYPE_CHECKING:
    from .plan import Base

#: So few messages of a folder may always be removed, unless another number is asked for.
ALLOW_BELOW = 10
TRASH, JUNK = b"\\trash", b"\\junk"
#: A mailbox that loses more than this share of its messages (or ``allow_removals``, if that is more) is stopped.
BIG_SHARE = 0.5
#: An INBOX that held so many messages and is empty now is a big drop, however much else the mailbox holds.
BIG_INBOX = 100
#: So many mailboxes, and more than half of those looked at, that are empty and were not: no user does that.
_EMPTIED = 5
_NAMES = {
    name.casefold(): use for use in (TRASH, JUNK) for name in SPECIAL[use]
}  # where the server does not tell a folder's use


def passing(folder: Folder | None) -> bytes:
    """TRASH or JUNK where mail only passes through a folder, so that it may be emptied; else nothing."""
    if folder is None:
        return b""
    uses = {use.lower() for use in folder.special_uses}
    for use in (TRASH, JUNK):
        if use in uses:
            return use
    if uses or len(folder.path) > 2 or (len(folder.path) == 2 and folder.path[0] != INBOX[0]):
        return b""
    return _NAMES.get((wire_to_text(folder.path[-1]) or "").casefold(), b"")


@dataclass(frozen=True)
class Allowance:
    """What may be removed: ``share`` of what runs brought, or so few as ``below``; ``moved`` came to other folders.

    A share of 0 allows nothing at all, one of 1 everything.
    """

    share: float = 0.2
    below: int = 0
    moved: int = 0

    def __str__(self) -> str:
        return f"allow_removals ({self.share:g}) and allow_removals_below ({self.below})"


def folder_trouble(removed: int, brought: int, allowance: Allowance) -> RemovalsError | None:
    """The error if a folder loses more than it may: ``removed`` of ``brought`` messages."""
    if removed <= allowance.share * brought:
        return None
    if allowance.share > 0 and removed <= max(allowance.below, allowance.moved):
        return None
    return RemovalsError(
        f"{removed} of {brought} messages are gone from the source; removing them is more than {allowance} let go"
    )


@dataclass(frozen=True)
class Census:
    """How many messages there were and are, by source folder.

    ``known`` is what runs brought, ``now`` what the source holds, ``before`` what it held at the last complete run (a
    folder that is not in it was not complete, and gains nothing). ``uses`` are the folders that mail only passes
    through. ``same_inbox`` says that INBOX is still the one it was: same UIDVALIDITY, and no lower UIDNEXT.
    """

    known: Mapping[Path, int]
    now: Mapping[Path, int]
    before: Mapping[Path, int] = field(default_factory=dict)
    uses: Mapping[Path, bytes] = field(default_factory=dict)
    same_inbox: bool = True

    @property
    def held(self) -> int:
        """Messages that were there to stay."""
        return sum(count for path, count in self.known.items() if path not in self.uses)

    @property
    def left(self) -> int:
        """Messages that are there to stay now."""
        return sum(count for path, count in self.now.items() if path not in self.uses)

    @property
    def moved(self) -> int:
        """Messages that folders have more than they had, junk left aside: at most so many were moved, not removed."""
        gains = (
            self.now.get(path, 0) - count for path, count in self.before.items() if self.uses.get(path, b"") != JUNK
        )
        return sum(gain for gain in gains if gain > 0)

    @property
    def lost(self) -> int:
        """Messages that are gone from the mailbox, as far as can be told from numbers alone."""
        drops = (count - self.now.get(path, 0) for path, count in self.known.items() if path not in self.uses)
        return max(0, sum(drop for drop in drops if drop > 0) - self.moved)

    @property
    def emptied(self) -> bool:
        """Whether nothing is left of a mailbox that held something."""
        return bool(self.held) and not self.left and not self.moved


def take_census(source: Side, bases: Mapping[Path, Base], known: Mapping[Path, int], *, complete: bool) -> Census:
    """The census of a mailbox: ``known`` are the messages that the ledger remembers by source folder.

    ``complete`` says that a run over the mailbox came to its end once: a folder that is not in the ledger is then new.
    """
    states = {path: folder.state for path, folder in source.existing().items() if folder.state}
    troubled = {path for path, folder in source.folders.items() if folder.selectable and not folder.state}
    if source.partial:
        troubled |= known.keys() - states.keys()
    before = {path: base.source.messages for path, base in bases.items() if base.source}
    if complete:
        before |= {path: 0 for path in states if path not in bases}
    inbox, was = states.get(INBOX), bases.get(INBOX)
    folders = {path: source.folders.get(path) or Folder(b"", path, selectable=True) for path in {*known, *states}}
    return Census(
        known={path: count for path, count in known.items() if path not in troubled},
        now={path: state.messages for path, state in states.items()},
        before=before,
        uses={path: use for path, folder in folders.items() if (use := passing(folder))},
        same_inbox=bool(
            inbox
            and was
            and inbox.uidvalidity == was.source_uidvalidity
            and (was.source is None or inbox.uidnext >= was.source.uidnext)
        ),
    )


def mailbox_trouble(census: Census, allowance: Allowance) -> RemovalsError | None:
    """The error if a whole mailbox lost so much that no removal should be believed."""
    if allowance.share >= 1:
        return None
    what = _big_drop(census, allowance)
    if not what:
        return None
    return RemovalsError(
        f"{what}; the source may be broken, or the log-in may lead into another mailbox",
        safe_next=(
            "Nothing was removed or changed in this mailbox. Look at the source; if its user did this, run this"
            " mailbox once with allow_removals: 1."
        ),
    )


def _big_drop(census: Census, allowance: Allowance) -> str:
    if census.emptied and (census.held > allowance.below or allowance.share <= 0 or not census.same_inbox):
        return f"the mailbox is empty on the source, where {census.held} messages were"
    most = max(allowance.below, max(BIG_SHARE, allowance.share) * census.held)
    if census.lost > most:
        return f"{census.lost} of {census.held} messages of the mailbox are gone from the source"
    inbox = census.known.get(INBOX, 0)
    if inbox >= BIG_INBOX and not census.now.get(INBOX, 0) and census.lost > allowance.share * inbox:
        return f"INBOX is empty on the source, where {inbox} messages were"
    return ""


class Drops:
    """How many mailboxes of a run were found empty that were not: counted by all its processes together."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self._lock = context.Lock()
        self._seen, self._emptied = context.RawValue("i", 0), context.RawValue("i", 0)

    def trouble(self, census: Census, allowance: Allowance) -> RemovalsError | None:
        """Count a mailbox; the error if too many of the run's mailboxes are empty for that to be their users' doing."""
        if not census.held:
            return None
        with self._lock:
            self._seen.value += 1
            self._emptied.value += census.emptied
            seen, emptied = self._seen.value, self._emptied.value
        if allowance.share >= 1 or not census.emptied or emptied < _EMPTIED or emptied * 2 <= seen:
            return None
        return RemovalsError(
            f"{emptied} of {seen} mailboxes looked at so far are empty on the source and were not",
            safe_next=(
                "Nothing was removed in this mailbox. Look at the source and at its log-in; if it is right, run again "
                "with allow_removals: 1."
            ),
        )
