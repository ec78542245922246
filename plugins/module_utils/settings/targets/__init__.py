# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The platforms that can be written to, each behind :class:`..target.TargetAdapter`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...platforms.shape import Overrides
from ...transport.database import Database
from ..target import TargetAdapter
from .cloud import CloudTarget
from .postfixadmin import PostfixAdminTarget

#: Profile → what opens it.
OPENING: Mapping[str, Callable[[Database, Overrides], TargetAdapter]] = {
    "cloud": CloudTarget.open,
    "postfixadmin": PostfixAdminTarget.open,
}


def open_target(profile: str, database: Database, overrides: Overrides) -> TargetAdapter:
    """The target. Raises MissingTableError, MissingColumnError, InputError for a wrong override."""
    return OPENING[profile](database, overrides)
