# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How long a migration takes: what mailboxes hold, what a connection does in a second, and how fast we may. Pure.

A mailbox is copied over one connection, several mailboxes at a time. How far a run has come grows at every moment by
the least of what the connections can do, what the pace allows just then, and what the largest mailbox alone can do;
:func:`finish` adds that up from one change of the limits to the next: an edge of the off-peak window, or a new day
(UTC) with a new budget.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from itertools import accumulate
from typing import Any

from .pace import Limits, Pace, Window
from .rates import Rates, rounded

#: Round trips that opening a folder takes on both sides together, whether or not there is anything new in it.
TRIPS_PER_FOLDER = 4
#: A message where the server tells no sizes, in bytes: somewhat more than the usual mean.
USUAL_MESSAGE = 100_000
#: What does not end in this time is said to take longer.
MAX_DAYS = 730
#: How much of a limit a run really uses, at best, likely and at worst: it waits for servers, and starts and ends.
_USED = (1.0, 0.9, 0.7)
_DAY = 86_400.0
#: A share of the work that is less than this is a rounding error.
_DUST = 1e-12


@dataclass(frozen=True)
class Load:
    """What a mailbox holds; ``bytes`` None when the server does not say."""

    name: str
    messages: int
    bytes: int | None
    folders: int = 1

    @property
    def octets(self) -> int:
        """Its bytes, guessed from the number of messages where they are not known."""
        return self.messages * USUAL_MESSAGE if self.bytes is None else self.bytes


@dataclass(frozen=True)
class Speed:
    """One set of rates out of their range: seconds for a log-in and a round trip, bytes and messages per second."""

    log_in: float
    round_trip: float
    bytes_per_second: float
    messages_per_second: float

    @classmethod
    def of(cls, rates: Rates, side: float = 0) -> Speed:
        """The rates as they are (0), at their best (1), or at their worst (-1)."""
        figures = (rates.log_in, rates.round_trip, rates.bytes_per_second, rates.messages_per_second)
        log_in, round_trip, octets, messages = ((figure.value, figure.spread**side) for figure in figures)
        return cls(
            log_in=log_in[0] / log_in[1],
            round_trip=round_trip[0] / round_trip[1],
            bytes_per_second=octets[0] * octets[1],
            messages_per_second=messages[0] * messages[1],
        )

    def seconds(self, load: Load, share: float = 1.0) -> float:
        """How long one connection works on this share of a mailbox's messages; looking at its folders costs all."""
        looking = self.log_in + load.folders * TRIPS_PER_FOLDER * self.round_trip
        mail = max(load.octets / self.bytes_per_second, load.messages / self.messages_per_second)
        return looking + share * mail


@dataclass(frozen=True)
class Work:
    """All that a run has to do: connections' seconds and those of the longest mailbox; messages; bytes, and those of
    the largest mailbox; how many mailboxes there are.
    """

    seconds: float = 0.0
    longest: float = 0.0
    messages: float = 0.0
    octets: float = 0.0
    largest: float = 0.0
    mailboxes: int = 0

    @classmethod
    def of(cls, loads: Iterable[Load], speed: Speed, share: float = 1.0) -> Work:
        """The work that these mailboxes are, or that a share of their messages is."""
        every = [(speed.seconds(load, share), load.messages * share, load.octets * share) for load in loads]
        if not every:
            return cls()
        seconds, messages, octets = zip(*every, strict=True)
        return cls(sum(seconds), max(seconds), sum(messages), sum(octets), max(octets), len(every))

    def progress(self, limits: Limits, most_connections: int) -> float:
        """The share of the work that is done in a second under these limits."""
        connections = max(1, min(limits.connections, most_connections, self.mailboxes))
        ways = [connections / self.seconds, 1 / self.longest]
        if limits.bytes_per_second and self.octets:
            ways.append(limits.bytes_per_second / self.octets)
        if limits.messages_per_second and self.messages:
            ways.append(limits.messages_per_second / self.messages)
        return min(ways)

    def daily(self, pace: Pace) -> float:
        """The share of the work that a day's budget lets through; infinite without one."""
        ways = [math.inf]
        if pace.bytes_per_day and self.octets:
            ways.append(pace.bytes_per_day / self.octets)
        if pace.bytes_per_day_per_account and self.largest:
            ways.append(pace.bytes_per_day_per_account / self.largest)
        return min(ways)


def finish(
    work: Work,
    pace: Pace,
    most_connections: int,
    start: datetime,
    *,
    off_peak_only: bool = False,
    within: float = MAX_DAYS * _DAY,
) -> float:
    """Seconds from ``start`` (aware) to the end of the work; infinite when that is more than ``within`` away.

    With ``off_peak_only`` nothing is done outside the off-peak window.
    """
    if not work.mailboxes or not work.seconds:
        return 0.0
    if off_peak_only and pace.off_peak and pace.off_peak.start == pace.off_peak.end:
        return math.inf
    done, now, budget = 0.0, start.astimezone(UTC), work.daily(pace)
    spent, day = 0.0, now.date()
    while (now - start).total_seconds() < within:
        if now.date() != day:
            spent, day = 0.0, now.date()
        until = next_change(now, pace.off_peak)
        working = not off_peak_only or pace.off_peak is None or pace.off_peak.holds(now)
        speed = work.progress(pace.at(now), most_connections) if working else 0.0
        possible = min(speed * (until - now).total_seconds(), max(0.0, budget - spent))
        if done + possible >= 1 - _DUST:
            took = (now - start).total_seconds() + (max(0.0, 1 - done) / speed if speed else 0.0)
            return took if took <= within else math.inf
        done, spent, now = done + possible, spent + possible, until
    return math.inf


def next_change(now: datetime, window: Window | None) -> datetime:
    """The next moment (UTC) after ``now`` at which other limits hold, or a new day begins."""
    best = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), clock_time(), UTC)
    if window is None:
        return best
    today = now.astimezone(window.zone).date()
    for days in (0, 1):
        for edge in (window.start, window.end):
            edge_at = datetime.combine(today + timedelta(days=days), edge, window.zone).astimezone(UTC)
            if now < edge_at < best:
                best = edge_at
    return best


def beginning(pace: Pace, reference: datetime = datetime(2026, 1, 5, tzinfo=UTC)) -> datetime:
    """When an estimate starts to count: at the beginning of the off-peak window, else at midnight (UTC).

    On a fixed day: the same data give the same estimate on every day.
    """
    window = pace.off_peak
    return datetime.combine(reference.date(), window.start, window.zone) if window else reference


def nights(seconds: float) -> int | None:
    """How many off-peak windows it takes to work so long after the first one's beginning; None for no end."""
    return None if math.isinf(seconds) else max(1, math.ceil(seconds / _DAY - _DUST))


@dataclass(frozen=True)
class Plan:
    """What an estimate is for: the mailboxes, the rates, the pace, the most connections to both sides, the share of
    the messages that is new in an incremental run, and the range of that share.
    """

    loads: Sequence[Load]
    rates: Rates
    pace: Pace
    connections: int
    changed: tuple[float, float, float] = (0.003, 0.01, 0.03)


def estimate(plan: Plan) -> dict[str, Any]:
    """The estimate as a plain value: the first copy, an incremental run, the mailboxes that matter, and waves.

    Times are in seconds, each with ``low``, ``likely`` and ``high``; None is more than two years.
    """
    likely = Speed.of(plan.rates)
    return {
        "rates": plan.rates.as_dict(),
        "connections": {
            "on_peak": min(plan.pace.limits.connections, plan.connections),
            "off_peak": min(plan.pace.off_peak.limits.connections, plan.connections) if plan.pace.off_peak else None,
        },
        "sizes_guessed": sum(load.bytes is None for load in plan.loads),
        "first_copy": _ranges(plan, (1.0, 1.0, 1.0)),
        "incremental": {**_ranges(plan, plan.changed), "changed_share": plan.changed[1]},
        "dominant": list(_dominant(plan, likely)),
        "waves": list(_waves(plan, likely)),
    }


def _ranges(plan: Plan, shares: tuple[float, float, float]) -> dict[str, Any]:
    """Low, likely and high; around the clock, and in off-peak windows only where there are any."""
    start = beginning(plan.pace)
    found: dict[str, Any] = {"around_the_clock": {}, "off_peak_only": {}, "nights": {}}
    for name, side, share, used in zip(("low", "likely", "high"), (1, 0, -1), shares, _USED, strict=True):
        work, pace = Work.of(plan.loads, Speed.of(plan.rates, side), share), _used(plan.pace, used)
        found["around_the_clock"][name] = _shown(finish(work, pace, plan.connections, start))
        if plan.pace.off_peak:
            seconds = finish(work, pace, plan.connections, start, off_peak_only=True)
            found["off_peak_only"][name] = _shown(seconds)
            found["nights"][name] = nights(seconds)
    return {key: value or None for key, value in found.items()}


def _used(pace: Pace, share: float) -> Pace:
    """The pace with this share of its limits of messages and bytes."""
    window = pace.off_peak
    return replace(
        pace,
        limits=_used_limits(pace.limits, share),
        off_peak=replace(window, limits=_used_limits(window.limits, share)) if window else None,
        # A limit stays one, and none stays none.
        bytes_per_day=math.ceil(pace.bytes_per_day * share),
        bytes_per_day_per_account=math.ceil(pace.bytes_per_day_per_account * share),
    )


def _used_limits(limits: Limits, share: float) -> Limits:
    return replace(
        limits,
        messages_per_second=limits.messages_per_second * share,
        bytes_per_second=limits.bytes_per_second * share,
    )


def _dominant(plan: Plan, speed: Speed) -> Iterator[dict[str, Any]]:
    """The mailboxes that hold half of all work, ten at most: the longest ones set the length of a run."""
    ordered = _ordered(plan.loads, speed)
    whole = sum(speed.seconds(load) for load in ordered)
    so_far = 0.0
    for load in ordered[:10]:
        if so_far >= whole / 2:
            return
        so_far += speed.seconds(load)
        yield {
            "name": load.name,
            "messages": load.messages,
            "bytes": load.bytes,
            "seconds": _shown(speed.seconds(load)),
        }


def _waves(plan: Plan, speed: Speed) -> Iterator[dict[str, Any]]:
    """The mailboxes by the off-peak windows that they fill, the longest first; all in one without such a window.

    A mailbox that no window is long enough for is a wave of its own, which is said (``fits``).
    """
    ordered = _ordered(plan.loads, speed)
    start, window = beginning(plan.pace), plan.pace.off_peak
    room = (_end_of(window, start) - start).total_seconds() if window else math.inf
    sums = _Sums(ordered, speed)
    first = 0
    while first < len(ordered):
        low, high = first + 1, len(ordered)
        while low < high:
            middle = (low + high + 1) // 2
            took = finish(sums.work(first, middle), plan.pace, plan.connections, start, within=room)
            low, high = (middle, high) if took <= room else (low, middle - 1)
        work = sums.work(first, low)
        took = finish(work, plan.pace, plan.connections, start)
        yield {
            "mailboxes": work.mailboxes,
            "largest": ordered[first].name,
            "messages": int(work.messages),
            "bytes": int(work.octets),
            "seconds": _shown(took),
            "fits": took <= room,
        }
        first = low


class _Sums:
    """The work of any run of mailboxes, the longest of which comes first, without adding them up again and again."""

    def __init__(self, ordered: Sequence[Load], speed: Speed) -> None:
        self._octets = [load.octets for load in ordered]
        self._own = [speed.seconds(load) for load in ordered]
        self._seconds = list(accumulate(self._own, initial=0.0))
        self._messages = list(accumulate((load.messages for load in ordered), initial=0))
        self._bytes = list(accumulate(self._octets, initial=0))

    def work(self, first: int, end: int) -> Work:
        """The work of the mailboxes from ``first`` to before ``end``."""
        return Work(
            seconds=self._seconds[end] - self._seconds[first],
            longest=self._own[first],
            messages=self._messages[end] - self._messages[first],
            octets=self._bytes[end] - self._bytes[first],
            largest=max(self._octets[first:end]),
            mailboxes=end - first,
        )


def _end_of(window: Window, start: datetime) -> datetime:
    """When the window that begins at ``start`` ends."""
    at = datetime.combine(start.date(), window.end, window.zone)
    return at if window.end > window.start else datetime.combine(at.date() + timedelta(days=1), window.end, window.zone)


def _ordered(loads: Iterable[Load], speed: Speed) -> list[Load]:
    return sorted(loads, key=lambda load: (-speed.seconds(load), load.name))


def _shown(seconds: float) -> float | None:
    return None if math.isinf(seconds) else rounded(seconds)
