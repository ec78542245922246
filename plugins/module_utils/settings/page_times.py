# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How long copying takes, as sections of a page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..progress import amount, size
from .sections import Section, section, table
from .words import RATES, approximately, between

Result = Mapping[str, Any]


def times(result: Result) -> list[Section | None]:
    """The estimate, the mailboxes that matter, and the waves; none of them without an estimate."""
    made = result.get("estimate")
    if not made:
        return []
    share = 100 * made["incremental"]["changed_share"]
    runs = (
        (kind, ("the first copy", f"an incremental run ({share:g} % of the messages are new)")[number], made[part])
        for number, part in enumerate(("first_copy", "incremental"))
        for kind in ("around_the_clock", "off_peak_only")
    )
    times = (
        [what, kind.replace("_", " "), *_range(ranges[kind]), _nights(ranges) if kind == "off_peak_only" else ""]
        for kind, what, ranges in runs
        if ranges[kind]
    )
    basis = (
        [
            RATES[name][0],
            *(RATES[name][1](figure[key]) for key in ("value", "low", "high")),
            figure["basis"],
            figure["note"],
        ]
        for name, figure in made["rates"].items()
    )
    longest = (
        [
            each["name"],
            amount(each["messages"]),
            "" if each["bytes"] is None else size(each["bytes"]),
            approximately(each["seconds"]),
        ]
        for each in made["dominant"]
    )
    return [
        section(
            "How long it takes",
            _lines(made),
            table(["run", "when", "likely", "at best", "at worst", "nights"], times),
            table(["based on", "likely", "from", "to", "basis", "in detail"], basis),
        ),
        section(
            "The mailboxes that take the longest",
            ["These take half of the time together. One alone is copied over one connection, whatever the pace."],
            table(["account", "messages", "size", "alone takes"], longest),
        )
        if made["dominant"]
        else None,
        section("Waves", _wave_lines(made), table(["wave", "mailboxes", "the longest", "size", "takes"], _waves(made))),
    ]


def _lines(made: Result) -> list[str]:
    connections = made["connections"]
    off_peak = f", {connections['off_peak']} off-peak" if connections["off_peak"] else ""
    lines = [f"Connections at once: {connections['on_peak']}{off_peak}. Limits of the pace are counted in."]
    if made["sizes_guessed"]:
        lines.append(
            f"The server does not say how large {amount(made['sizes_guessed'])} of the mailboxes are: guessed."
        )
    if made["not_measured"]:
        lines.append(f"{amount(made['not_measured'])} mailboxes could not be opened and are not in it.")
    return lines


def _range(ranges: Mapping[str, Any]) -> list[str]:
    return [approximately(ranges[name]) for name in ("likely", "low", "high")]


def _nights(ranges: Mapping[str, Any]) -> str:
    return between(ranges["nights"], lambda nights: "no end" if nights is None else amount(nights))


def _wave_lines(made: Result) -> list[str]:
    if made["connections"]["off_peak"] is None:
        return ["There is no off-peak window, so that all mailboxes are one wave. They may be copied at any time."]
    lines = ["A wave is as many mailboxes as one off-peak window has room for, the longest first."]
    if not all(wave["fits"] for wave in made["waves"]):
        lines.append(
            "Some mailboxes take longer than a window: begin with them some nights before the others. What was copied"
            " stays, and the next run goes on there."
        )
    return lines


def _waves(made: Result) -> Iterable[list[str]]:
    for number, wave in enumerate(made["waves"], 1):
        took = approximately(wave["seconds"])
        yield [
            str(number),
            amount(wave["mailboxes"]),
            wave["largest"],
            size(wave["bytes"]),
            took if wave["fits"] else f"{took}, longer than a window",
        ]
