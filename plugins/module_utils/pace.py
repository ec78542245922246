# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How fast we may: limits on connections, messages per second and bytes per second, on-peak and off-peak.

The limits hold for a whole run: its processes share one account of time (:class:`Governor`).
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from datetime import time as clock_time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import InputError

#: Exchange asks for up to five minutes; twice that is enough for anybody, and no run waits for ever.
MAX_BACKOFF = 600.0

_LIMITS = {
    "connections": {"type": "int"},
    "messages_per_second": {"type": "float"},
    "bytes_per_second": {"type": "float"},
}
#: What the option ``pace`` of a module takes, as an AnsibleModule's argument_spec.
OPTIONS: dict[str, Any] = {
    **_LIMITS,
    "bytes_per_day": {"type": "int"},
    "bytes_per_day_per_account": {"type": "int"},
    "max_backoff": {"type": "float"},
    "off_peak": {
        "type": "dict",
        "options": {
            "start": {"type": "str"},
            "end": {"type": "str"},
            "timezone": {"type": "str", "default": "UTC"},
            **_LIMITS,
        },
    },
}


@dataclass(frozen=True)
class Limits:
    """``connections`` to each side at once; messages and bytes per second, 0 for no limit."""

    connections: int = 8
    messages_per_second: float = 0
    bytes_per_second: float = 0


@dataclass(frozen=True)
class Window:
    """A time of day in a time zone, possibly over midnight, in which other limits hold."""

    start: clock_time
    end: clock_time
    zone: ZoneInfo
    limits: Limits

    def holds(self, now: datetime) -> bool:
        """Whether ``now`` (aware) lies in the window; the start belongs to it, the end does not."""
        local = now.astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True)
class Pace:
    """The limits of a run: those of the day, and those off-peak if there is such a window.

    ``max_backoff`` is the longest that a mailbox waits in a row for a server that asks for patience, in seconds.
    Bytes per day are those read from the source, 0 for no limit.
    """

    limits: Limits = Limits()
    off_peak: Window | None = None
    max_backoff: float = MAX_BACKOFF
    bytes_per_day: int = 0
    bytes_per_day_per_account: int = 0

    @property
    def limited(self) -> bool:
        """Whether messages or bytes are limited at any time."""
        both = (self.limits, self.off_peak.limits) if self.off_peak else (self.limits,)
        return any(one.messages_per_second or one.bytes_per_second for one in both)

    @property
    def most_connections(self) -> int:
        """The most connections to each side at any time."""
        return max(self.limits.connections, self.off_peak.limits.connections if self.off_peak else 0)

    def at(self, now: datetime) -> Limits:
        """The limits that hold at a moment (aware)."""
        return self.off_peak.limits if self.off_peak and self.off_peak.holds(now) else self.limits


def pace_from_options(options: Mapping[str, Any] | None) -> Pace:
    """The pace from the module's ``pace`` option.

    :raises InputError: a negative limit, no connection, or an off-peak window without its times.
    """
    given = options or {}
    whole = _whole(given)
    limits = _limits(given, Limits(), "pace")
    window = given.get("off_peak") or {}
    if not any(value is not None for value in window.values()):
        return replace(whole, limits=limits)
    if not window.get("start") or not window.get("end"):
        raise InputError("an off-peak window needs start and end, as HH:MM", option="pace.off_peak")
    zone = str(window.get("timezone") or "UTC")
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"there is no time zone {zone!r}", option="pace.off_peak.timezone") from error
    return replace(
        whole,
        limits=limits,
        off_peak=Window(
            _clock(window["start"], "start"),
            _clock(window["end"], "end"),
            place,
            _limits(window, limits, "pace.off_peak"),
        ),
    )


def _whole(given: Mapping[str, Any]) -> Pace:
    """What holds at any time of the day."""
    max_backoff = MAX_BACKOFF if given.get("max_backoff") is None else float(given["max_backoff"])
    if max_backoff < 0:
        raise InputError("a time can't be negative; 0 means not to wait at all", option="pace.max_backoff")
    whole = Pace(
        max_backoff=max_backoff,
        bytes_per_day=int(given.get("bytes_per_day") or 0),
        bytes_per_day_per_account=int(given.get("bytes_per_day_per_account") or 0),
    )
    for name in ("bytes_per_day", "bytes_per_day_per_account"):
        if getattr(whole, name) < 0:
            raise InputError("a limit can't be negative; 0 means no limit", option=f"pace.{name}")
    return whole


def _limits(given: Mapping[str, Any], default: Limits, option: str) -> Limits:
    names = ("connections", "messages_per_second", "bytes_per_second")
    limits = replace(default, **{name: given[name] for name in names if given.get(name) is not None})
    if limits.connections < 1:
        raise InputError("connections must be 1 or more", option=f"{option}.connections")
    for name in names[1:]:
        if getattr(limits, name) < 0:
            raise InputError("a limit can't be negative; 0 means no limit", option=f"{option}.{name}")
    return limits


def _clock(text: str, name: str) -> clock_time:
    try:
        return clock_time.fromisoformat(str(text))
    except ValueError as error:
        raise InputError(f"{text!r} is no time of day (HH:MM)", option=f"pace.off_peak.{name}") from error


class Governor:
    """The account of time that all processes of a run share: who takes something waits until it is due.

    Made before the processes are forked. ``now`` gives aware wall-clock time, ``tick`` and ``sleep`` monotonic seconds.
    """

    def __init__(
        self,
        pace: Pace,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pace = pace
        self._now, self._tick, self._sleep = now, tick, sleep
        self._due = multiprocessing.get_context("fork").Value("d", 0.0) if pace.limited else None

    def take(self, messages: int, size: int) -> None:
        """Account for messages and bytes, and wait until they are due under the limits of the moment."""
        if self._due is None:
            return
        limits = self._pace.at(self._now())
        cost = max(
            messages / limits.messages_per_second if limits.messages_per_second else 0.0,
            size / limits.bytes_per_second if limits.bytes_per_second else 0.0,
        )
        with self._due.get_lock():
            tick = self._tick()
            start = max(self._due.value, tick)
            self._due.value = start + cost
        if start > tick:
            self._sleep(start - tick)
