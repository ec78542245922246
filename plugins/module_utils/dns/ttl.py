# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How long resolvers remember what will change at the cut-over (H14): at most five minutes, and since a day. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import InputError
from ..transport.nameserver import Told
from .finding import OK, WRONG, Verdict

#: Seconds, and how long they must have been so.
LIMIT = 300
HOURS = 24
_LOWER = "Lower the TTL a day before the cut-over, and as long as the TTL of today before it where that is longer."


@dataclass(frozen=True)
class Since:
    """Since when the TTL of a record set is low on all servers (None: it is not), and the highest one ever seen.

    ``high_at`` is when it was seen to be high last; ``values`` are the records of today, so that they are known when
    they have to be put back.
    """

    low: datetime | None = None
    highest: int = 0
    high_at: datetime | None = None
    values: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The value as it is recorded."""
        return {
            "low_since": _iso(self.low),
            "high_at": _iso(self.high_at),
            "highest": self.highest,
            "values": list(self.values),
        }


def _iso(time: datetime | None) -> str:
    return time.isoformat(timespec="seconds") if time else ""


def key_of(name: str, kind: str) -> str:
    """What a record set is recorded by."""
    return f"{name} {kind}"


def parse_recorded(recorded: Mapping[str, Any]) -> dict[str, Since]:
    """What earlier checks have recorded. Raises InputError."""
    found = {}
    for key, value in recorded.items():
        try:
            low, high = (parse_time(value[at], "recorded") if value[at] else None for at in ("low_since", "high_at"))
            found[key] = Since(low, int(value["highest"]), high, tuple(str(one) for one in value["values"]))
        except (KeyError, TypeError, ValueError, InputError):
            raise InputError(f"{key}: this is nothing that an earlier check has recorded", option="recorded") from None
    return found


def parse_time(text: str, option: str) -> datetime:
    """An ISO 8601 time, of UTC where it does not say. Raises InputError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no time (2026-11-23T10:00:00Z)", option=option) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def updated(before: Since, ttl: int, limit: int, now: datetime, lowered: datetime | None) -> Since:
    """What is known after a look at the highest ``ttl`` of a zone's own servers; ``lowered`` is what people say,
    which counts unless we have seen a high TTL after it.
    """
    highest = max(before.highest, ttl)
    if ttl > limit:
        return Since(None, highest, now)
    known = [before.low, lowered if lowered and (before.high_at is None or lowered > before.high_at) else None]
    return Since(min((time for time in known if time and time <= now), default=now), highest, before.high_at)


def judge_ttl(since: Since, limit: int, hours: float, now: datetime, told: Told) -> Verdict:
    """What is thought of the TTL of one answer."""
    if told.server.resolver:
        if told.ttl > limit:
            return Verdict(WRONG, f"remembers the record for {told.ttl} s more", "Wait until then, and check again.")
        return Verdict(OK, f"remembers it for {limit} s at most")
    if told.ttl > limit:
        return Verdict(WRONG, f"the TTL is {told.ttl} s, {limit} s are wanted", _LOWER)
    if since.low is None:
        return Verdict(WRONG, "another server still has a higher TTL", _LOWER)
    wait = max(timedelta(hours=hours), timedelta(seconds=since.highest))
    ready = since.low + wait
    if ready > now:
        text = f"the TTL is low since {since.low:%Y-%m-%d %H:%M} UTC, which counts from {ready:%Y-%m-%d %H:%M} UTC on"
        return Verdict(WRONG, text, "Cut over after that time.")
    return Verdict(OK, f"the TTL is {told.ttl} s since {since.low:%Y-%m-%d %H:%M} UTC")
