# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a run is told: which mailbox to work on, what all mailboxes have in common, and whom it tells how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .guards import Drops
from .ladder import Refusals
from .plan import Policy
from .server import Server
from .transfer import Pacer


class Meter(Pacer, Protocol):
    """What a run tells while it works."""

    def expect(self, messages: int) -> None:
        """So many more messages are to be copied."""


@dataclass(frozen=True)
class Setting:
    """What all mailboxes of a run have in common."""

    source: Server
    target: Server
    policy: Policy
    check_mode: bool = False
    drops: Drops | None = None
    refusals: Refusals | None = None
