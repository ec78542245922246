# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What keeps a run from emptying a target because its source is suddenly empty, and from filling a broken one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import RemovalsError
from .plan import MIRROR, Policy

#: Of all that an account had this share may go at once (or ``allow_removals``, if that is more).
_MOST = 0.5


@dataclass(frozen=True)
class Loss:
    """What a collection lost: of ``brought`` objects so many are gone from the source, and so many from the target."""

    name: str
    brought: int
    gone: int = 0
    lost: int = 0


def check_losses(policy: Policy, losses: Sequence[Loss]) -> None:
    """Let an account go on, unless a collection of it, or all together, lost more than may be.

    A mirror may remove ``allow_removals`` of what a collection had, or so few as ``allow_removals_below``; with a share
    of 0 nothing at all. A catch-up removes nothing: it stops where a whole side is empty that was not.

    :raises RemovalsError: it may not; nothing has been written.
    """
    whole = Loss("", *(sum(getattr(loss, name) for loss in losses) for name in ("brought", "gone", "lost")))
    for loss in (*losses, whole) if policy.phase == MIRROR else (whole,):
        share = policy.allow_removals if loss.name else max(policy.allow_removals, _MOST)
        for number, side in ((loss.gone, "source"), (loss.lost, "target")):
            if _too_many(policy, number, loss.brought, share, removes=side == "source"):
                raise _error(loss, number, side, share)


def _too_many(policy: Policy, number: int, brought: int, share: float, *, removes: bool) -> bool:
    if not number or policy.allow_removals >= 1:
        return False
    if policy.phase != MIRROR:
        return number >= brought and number > policy.allow_removals_below
    if removes and policy.allow_removals == 0:
        return True
    return number > share * brought and number > policy.allow_removals_below


def _error(loss: Loss, number: int, side: str, share: float) -> RemovalsError:
    what = {
        "source": "are gone from the source; removing them from the target",
        "target": "that runs have brought are gone from the target; bringing them again",
    }[side]
    place = {"collection": loss.name} if loss.name else {}
    return RemovalsError(
        f"{number} of {loss.brought} objects {what} is more than the share of {share:g} that may be (allow_removals)",
        safe_next=(
            "Nothing was written or removed. Look whether that side is whole, and whether the log-in leads to the "
            "right account; if all is right, run once with a higher allow_removals."
        ),
        **place,
    )
