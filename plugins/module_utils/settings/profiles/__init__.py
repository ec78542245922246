# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Platforms as data: which tables and columns a database has, and what their values mean.

Adding a platform is adding one file with one value and naming it here.
"""

from __future__ import annotations

from ...errors import InputError
from .atmail import ATMAIL
from .cloud import CLOUD
from .postfixadmin import POSTFIXADMIN
from .shape import SourceProfile, TargetProfile

SOURCES: dict[str, SourceProfile] = {profile.name: profile for profile in (ATMAIL, POSTFIXADMIN)}
TARGETS: dict[str, TargetProfile] = {profile.name: profile for profile in (CLOUD,)}


def source_profile(name: str) -> SourceProfile:
    """The source profile of that name; InputError names those that there are."""
    if name not in SOURCES:
        raise InputError(f"there is no source profile {name!r}, only {', '.join(SOURCES)}", option="profile")
    return SOURCES[name]


def target_profile(name: str) -> TargetProfile:
    """The target profile of that name; InputError names those that there are."""
    if name not in TARGETS:
        raise InputError(f"there is no target profile {name!r}, only {', '.join(TARGETS)}", option="profile")
    return TARGETS[name]
