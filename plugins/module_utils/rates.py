# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How fast mail moves: figures that know where they come from, and how far off they may be. Pure.

The best of what there is counts, figure by figure: what the inventory gives, then what an earlier run of this customer
took, then what was measured just now, and at last an assumption that says that it is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .errors import InputError

#: What an estimate is based on, best first, and the factor by which the truth may lie on either side.
BASES = {"given": 1.25, "earlier": 1.5, "measured": 2.0, "assumed": 4.0}
#: An earlier run tells nothing when it copied less than this.
_ENOUGH_MESSAGES, _ENOUGH_BYTES = 100, 1_000_000


@dataclass(frozen=True)
class Figure:
    """A number above 0, where it comes from (one of :data:`BASES`), and that in words."""

    value: float
    basis: str
    note: str = ""

    @property
    def spread(self) -> float:
        """The factor by which the truth may lie on either side."""
        return BASES[self.basis]

    def as_dict(self) -> dict[str, Any]:
        """The figure as a plain value, with its range."""
        return {
            "value": rounded(self.value),
            "low": rounded(self.value / self.spread),
            "high": rounded(self.value * self.spread),
            "basis": self.basis,
            "note": self.note,
        }


@dataclass(frozen=True)
class Rates:
    """What one connection does: seconds for a log-in and for a round trip, bytes and messages copied in a second."""

    log_in: Figure
    round_trip: Figure
    bytes_per_second: Figure
    messages_per_second: Figure

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The figures by name."""
        return {field.name: getattr(self, field.name).as_dict() for field in fields(self)}


#: Cautious figures for two servers that are far apart, and disks that are old.
ASSUMED = Rates(
    log_in=Figure(0.5, "assumed", "nothing is known of this source yet"),
    round_trip=Figure(0.05, "assumed", "nothing is known of this source yet"),
    bytes_per_second=Figure(1_000_000, "assumed", "nothing is known of this source yet"),
    messages_per_second=Figure(30, "assumed", "nothing is known of this source yet"),
)
NAMES = tuple(field.name for field in fields(Rates))


def choose(
    given: Mapping[str, Any] | None = None,
    earlier: Mapping[str, Figure] | None = None,
    measured: Mapping[str, Figure] | None = None,
) -> Rates:
    """The best figure that there is for each rate.

    :raises InputError: a given rate is not a number above 0, or there is no such rate.
    """
    best = {name: getattr(ASSUMED, name) for name in NAMES}
    return Rates(**{**best, **(measured or {}), **(earlier or {}), **_given(given or {})})


def of_earlier_run(record: Any) -> dict[str, Figure]:
    """What a record of ``mailbox_sync`` (its ``mailboxes``) tells: what a mailbox's connections copied in a second.

    A mailbox's seconds hold its log-in and all its waiting, too: the figures are what really came of it. The record of
    an assessment tells those that it had from an earlier run. Nothing for a record that is none, or that copied too
    little to tell.
    """
    known = _remembered(record)
    if known:
        return known
    seconds = messages = octets = 0.0
    for entry in _entries(record):
        copied, took = _number(entry.get("messages_copied")), _number(entry.get("seconds"))
        if copied > 0 and took > 0:
            seconds, messages, octets = seconds + took, messages + copied, octets + _number(entry.get("bytes_copied"))
    if messages < _ENOUGH_MESSAGES or octets < _ENOUGH_BYTES:
        return {}
    note = f"{messages:,.0f} messages with {octets / 1e6:,.1f} MB were copied in {seconds:,.0f} s of connections' time"
    return {
        "bytes_per_second": Figure(octets / seconds, "earlier", note),
        "messages_per_second": Figure(messages / seconds, "earlier", note),
    }


def rounded(value: float, digits: int = 2) -> float:
    """To so many digits that count: nobody should take an estimate for more exact than it is."""
    if not value or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def _given(given: Mapping[str, Any]) -> dict[str, Figure]:
    found = {}
    for name, value in given.items():
        if name not in NAMES:
            raise InputError(f"there is no rate {name!r}, only {', '.join(NAMES)}", option="estimate.rates")
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise InputError("a rate must be a number above 0", option=f"estimate.rates.{name}")
        found[name] = Figure(float(value), "given", "from the inventory")
    return found


def _remembered(record: Any) -> dict[str, Figure]:
    """The figures of an earlier run in the record of an assessment."""
    made = record.get("estimate") if isinstance(record, Mapping) else None
    rates = made.get("rates") if isinstance(made, Mapping) else None
    found = {}
    for name, figure in rates.items() if isinstance(rates, Mapping) else ():
        if name not in NAMES or not isinstance(figure, Mapping) or figure.get("basis") != "earlier":
            continue
        if _number(figure.get("value")) > 0:
            found[name] = Figure(_number(figure["value"]), "earlier", str(figure.get("note", "")))
    return found


def _entries(record: Any) -> Iterable[Mapping[str, Any]]:
    entries = record.get("mailboxes") if isinstance(record, Mapping) else None
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
