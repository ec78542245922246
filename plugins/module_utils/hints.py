# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What servers say when they want us to slow down, wait or come back tomorrow: a table, and how to read it.

Response codes are those of RFC 5530 and Gmail's THROTTLED; what goes without a code is known by the words that each
vendor's server is seen to use. Everything here is pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Meanings. All but EXPIRED say "not now".
SLOW_DOWN, TOO_MANY, NOT_NOW, SPENT, EXPIRED = "slow_down", "too_many", "not_now", "spent", "expired"

#: How a meaning reads.
MEANINGS = {
    SLOW_DOWN: "asks us to slow down",
    TOO_MANY: "has too many connections of ours",
    NOT_NOW: "can't do it just now",
    SPENT: "has given this account all that it gives in a day",
    EXPIRED: "ended the session and wants a new log-in",
}


@dataclass(frozen=True)
class Hint:
    """What a server's words mean.

    ``seconds`` is how long it asks us to wait; where it names no time (``exact`` is false) it is what that server is
    usually content with, to be doubled each time that it was not. ``shared`` says that the whole server means it, not
    one account alone. ``vendor`` is whose words these are.
    """

    meaning: str
    seconds: float
    shared: bool
    vendor: str
    exact: bool = False


@dataclass(frozen=True)
class Saying:
    """A row of the table: words (a regular expression, case does not count) and what they mean.

    A group ``time`` in the words is the time to wait, in units of ``unit`` seconds. ``reading`` marks words that ask
    for patience where something is read, and where something is written are a refusal for good (RFC 5530, LIMIT:
    too many flags or folders).
    """

    words: str
    meaning: str
    seconds: float
    shared: bool
    vendor: str
    unit: float = 0.001
    reading: bool = False


_DAY = 86400.0
#: The first that fits counts: what is more exact stands first, bare response codes last.
SAYINGS = (
    Saying(r"suggested backoff time:? *(?P<time>\d+) *milli", SLOW_DOWN, 60, True, "Exchange"),
    Saying(r"suggested backoff time:? *(?P<time>\d+) *sec", SLOW_DOWN, 60, True, "Exchange", unit=1.0),
    Saying(r"request is throttled", SLOW_DOWN, 60, True, "Exchange"),
    Saying(r"authenticated but not connected", NOT_NOW, 30, False, "Exchange"),
    Saying(r"server unavailable\. *\d+", NOT_NOW, 30, True, "Exchange"),
    Saying(r"\bserver (?:is )?(?:too )?busy", NOT_NOW, 30, True, "Exchange"),
    Saying(r"session invalidated|accesstokenexpired", EXPIRED, 0, False, "Exchange"),
    Saying(r"connection is closed\. *\d+", EXPIRED, 0, False, "Exchange"),
    Saying(r"exceeded (?:command or )?bandwidth limit", SPENT, _DAY, False, "Gmail"),
    Saying(r"lockdown in sector", SPENT, _DAY, False, "Gmail"),
    Saying(r"too many simultaneous connections", TOO_MANY, 30, False, "Gmail"),
    Saying(r"session expired", EXPIRED, 0, False, "Gmail"),
    Saying(r"(?:temporary )?system error \(failure\)", NOT_NOW, 30, False, "Gmail"),
    Saying(r"mail_max_userip_connections|connections from user\+ip exceeded", TOO_MANY, 5, False, "Dovecot"),
    Saying(r"temporary authentication failure", NOT_NOW, 10, False, "Dovecot"),
    Saying(r"maximum connection limit reached", TOO_MANY, 20, True, "Courier"),
    Saying(r"rate limit(?:ed)?\b", SLOW_DOWN, 60, True, "Yahoo"),
    Saying(r"too many requests", SLOW_DOWN, 30, True, "Zimbra"),
    Saying(r"unable to obtain command lock", NOT_NOW, 10, False, "Zimbra"),
    Saying(
        r"too many (?:\w+ ){0,2}(?:connections|sessions|log-?ins)|connection limit (?:reached|exceeded)",
        TOO_MANY,
        20,
        True,
        "several",
    ),
    Saying(r"\[throttled\b|\bthrottled\b", SLOW_DOWN, 30, True, "Gmail"),
    Saying(r"\[inuse\b", NOT_NOW, 10, False, "RFC 5530"),
    Saying(r"\[unavailable\b", NOT_NOW, 15, False, "RFC 5530"),
    Saying(r"\[limit\b", SLOW_DOWN, 30, True, "RFC 5530", reading=True),
)
_TABLE = tuple((re.compile(saying.words, re.IGNORECASE), saying) for saying in SAYINGS)
_LONGEST = 1000


def read_hint(words: str, *, writing: bool = False) -> Hint | None:
    """What a server's words mean; None when they ask for no patience. Only the first thousand characters count.

    ``writing`` says that they answer a command that stores something.
    """
    for pattern, saying in _TABLE:
        match = pattern.search(words[:_LONGEST])
        if match and not (writing and saying.reading):
            time = match.groupdict().get("time")
            seconds = min(int(time[:12]) * saying.unit, _DAY) if time else saying.seconds
            return Hint(saying.meaning, seconds, saying.shared, saying.vendor, exact=bool(time))
    return None


def wait_for(hint: Hint, times: int, longest: float = 300.0) -> float:
    """Seconds to wait when a server says it for the ``times``-th time (from 1) without anything done in between."""
    if hint.exact or hint.meaning in (SPENT, EXPIRED):
        return hint.seconds
    return max(hint.seconds, min(hint.seconds * 2.0 ** min(times - 1, 20), longest))
