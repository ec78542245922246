# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Names and numbers of an assessment in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..progress import amount, size

#: Keys of the counts that are said to migrate, in this order of the result.
COUNTS = {
    "domains": "domains",
    "accounts": "accounts",
    "accounts_enabled": "accounts that are enabled",
    "accounts_disabled": "accounts that are disabled",
    "mailboxes": "mailboxes",
    "folders": "folders",
    "messages": "messages",
    "bytes": "size of all messages",
    "aliases": "aliases",
    "forwards": "accounts with a forward",
    "auto_replies": "accounts with an auto-reply",
    "allowed_senders": "entries of whitelists",
    "blocked_senders": "entries of blacklists",
    "external_accounts": "mailboxes elsewhere that users poll",
    "shared_contacts": "shared contacts",
    "contacts": "contacts",
    "contact_groups": "groups of contacts",
    "calendars": "calendars",
    "events": "events",
}
#: Passwords by what they are; others are named by their scheme.
SCHEMES = {
    "PLAIN": "passwords in clear text, which are hashed on the cloud",
    "none": "accounts without a password that can be carried over",
}


def many(number: int, what: str) -> str:
    """So many of something that has its plural by an s."""
    return f"{amount(number)} {what}" if number == 1 else f"{amount(number)} {what}s"


def approximately(seconds: float | None) -> str:
    """A time in words: ``40 s``, ``25 min``, ``7 h``, ``12 days``; None is more than two years."""
    if seconds is None:
        return "more than two years"
    if 0 < seconds < 1:
        return "less than a second"
    for most, unit, name in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < most:
            return f"{amount(seconds / unit)} {name}"
    return f"{amount(seconds / 86_400)} days"


def between(ranges: Mapping[str, Any], show: Callable[[Any], str] = approximately) -> str:
    """A range in words: ``6 h (between 90 min and 24 h)``."""
    low, likely, high = (show(ranges[name]) for name in ("low", "likely", "high"))
    return likely if low == likely == high else f"{likely} (between {low} and {high})"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:,.3g} ms" if seconds < 1 else f"{seconds:,.3g} s"


#: What an estimate is based on: a name, and how a figure of it is shown.
RATES: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "log_in": ("a log-in", _time),
    "round_trip": ("an answer of the slower side", _time),
    "bytes_per_second": ("bytes over one connection", lambda number: f"{size(number)}/s"),
    "messages_per_second": ("messages over one connection", lambda number: f"{amount(number)}/s"),
}
