# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a run is given: its accounts, and what all of them have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..tasks import Account
from .pairing import Rules
from .plan import Policy
from .quarantine import Quarantine
from .sides import Source, Target


class Meter(Protocol):
    """What a run tells while it works."""

    def expect(self, messages: int) -> None:
        """So many more objects are to be copied."""

    def take(self, messages: int, size: int) -> None:
        """So many objects, and bytes, have been copied."""


@dataclass(frozen=True)
class Setting:
    """What all accounts of a run have in common. ``connections`` are those of one account to each side.

    ``open_source`` and ``open_target`` give an account's side, which asks nothing before its first survey.
    """

    open_source: Callable[[Account], Source]
    open_target: Callable[[Account], Target]
    policy: Policy
    quarantine: Quarantine
    rules: Rules = field(default_factory=Rules)
    repair: bool = True
    connections: int = 4
    check_mode: bool = False
