# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A mirror must not undo what users did since the cut-over, even where the ledger that knows of it has been lost.

The first mirror of a mailbox finds an empty target. When the ledger knows nothing of a mailbox, and yet its target
holds mail of the source, and after it newer mail that is not from there, somebody has been working on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import TargetInUseError
from .folders import show
from .listing import Fingerprint, is_gap, read_fingerprints, search
from .plan import COMPARE, Policy, Step, match
from .session import Session
from .source import Source

STOP, MIRROR = "stop", "mirror"
#: So many of the newest messages of a folder are looked at on each side.
_NEWEST = 500


def refuse_used_target(source: Source, target: Session, steps: Iterable[Step], policy: Policy) -> None:
    """Refuse a mirror without memory where a folder of the target looks used; nothing is written.

    :raises TargetInUseError: it does.
    """
    if policy.phase != "mirror" or policy.used_target == MIRROR:
        return
    for step in steps:
        if step.action == COMPARE and step.source and step.target and step.target.state and step.target.state.messages:
            newer = _newer_than_brought(source, target, step.source.name, step.target.name)
            if newer:
                raise TargetInUseError(
                    f"the ledger knows nothing of this mailbox, and after mail of the source its target holds {newer} "
                    "newer message(s) that are not from there: its user may be working there already",
                    folder=show(step.target_path),
                )


def _newer_than_brought(source: Source, target: Session, here: bytes, there: bytes) -> int:
    """How many messages of the target folder came after, and are newer than, all those that are the source's."""
    source.examine(here)
    mine = source.fingerprints(sorted(source.flags())[-_NEWEST:])
    target.select(there, read_only=True)
    theirs = read_fingerprints(target, search(target, b"UID 1:*")[-_NEWEST:])
    brought = set(match(mine, theirs).values())
    if not brought:
        return 0
    last, newest = max(brought), max(_received(theirs[uid]) for uid in brought)
    others = ((uid, print_) for uid, print_ in theirs.items() if uid not in brought and not is_gap(print_))
    return sum(uid > last and _received(print_) > newest for uid, print_ in others)


def _received(print_: Fingerprint) -> int:
    return print_.received or 0
