# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a run is told: which mailbox to work on, what all mailboxes have in common, and whom it tells how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..transport.imap import Account
from .guards import Drops
from .ladder import Refusals
from .plan import Policy
from .server import Server
from .transfer import Pacer


@dataclass(frozen=True)
class Task:
    """One mailbox to work on."""

    source: Account
    target: Account

    @property
    def name(self) -> str:
        """The mailbox as it is called on the target."""
        return self.target.user


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
