# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Libraries that write iCalendar and vCard, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import MissingLibraryError

ICALENDAR_WANTED = "6.1"
VOBJECT_WANTED = "0.9.9"


def icalendar() -> Any:
    """The library icalendar, which knows time zones, too. Raises MissingLibraryError."""
    return _imported("icalendar", ICALENDAR_WANTED)


def windows_zones() -> dict[str, str]:
    """Windows' names of time zones → names of the IANA database. Raises MissingLibraryError."""
    found: dict[str, str] = _imported("icalendar.timezone.windows_to_olson", ICALENDAR_WANTED).WINDOWS_TO_OLSON
    return found


def rules() -> Any:
    """``dateutil.rrule``, which icalendar needs itself. Raises MissingLibraryError."""
    return _imported("dateutil.rrule", "2.8")


def vobject() -> Any:
    """The library vobject. Raises MissingLibraryError."""
    return _imported("vobject", VOBJECT_WANTED)


def _imported(name: str, wanted: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        message = f"the Python library {library} ({wanted} or later) is missing: {error}"
        raise MissingLibraryError(message, library=library) from error
