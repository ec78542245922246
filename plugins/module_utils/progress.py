# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How far a run of ``mailbox_sync`` or ``dav_sync`` is, and how that reads.

The module writes a :class:`Progress` to a file about once a second (:func:`write_progress`); the action plugin reads
it through the connection and shows it. Both use this file, so that they cannot disagree. Everything but
:func:`write_progress` is pure: time comes in with the values, in seconds since the module started.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

#: Seconds that a rate looks back.
WINDOW = 15.0
#: So many customers are named when they are shown together.
_NAMED = 3
#: Seconds before a time left is named: earlier it would be noise.
SETTLING = 3.0


@dataclass(frozen=True)
class Words:
    """What a run works on, one of it and many, and what it copies, as people call them."""

    place: str
    places: str
    things: str


MAILBOXES = Words("mailbox", "mailboxes", "messages")
ACCOUNTS = Words("account", "accounts", "objects")


@dataclass(frozen=True)
class Progress:
    """How far a run is. ``messages_total`` is what is known so far: it grows while mailboxes are surveyed.

    Where a run works on something else, ``places`` and ``things`` say so.
    """

    mailboxes_total: int = 0
    mailboxes_done: int = 0
    mailboxes_failed: int = 0
    messages_done: int = 0
    messages_total: int = 0
    bytes_done: int = 0
    seconds: float = 0.0
    current: Sequence[str] = ()
    #: The module's process and process group, so that a run that nobody waits for can be ended; 0: unknown.
    pid: int = 0
    process_group: int = 0
    #: Mailboxes that wait because a server asked for it, and why.
    waiting: int = 0
    waiting_for: str = ""
    places: str = MAILBOXES.places
    things: str = MAILBOXES.things


@dataclass(frozen=True)
class Rate:
    """What was done per second lately: messages, bytes, mailboxes."""

    messages: float = 0.0
    bytes: float = 0.0
    mailboxes: float = 0.0


def write_progress(path: str, progress: Progress) -> None:
    """Rewrite the progress file in one step, readable by its owner alone.

    A run never fails because nobody can be told how far it is: an unwritable file is passed over.
    """
    temporary = f"{path}.new"
    with contextlib.suppress(OSError):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(progress), file)
        Path(temporary).replace(path)


def read_progress(text: str) -> Progress | None:
    """The progress that a file's text holds; None when it holds none (yet). Unknown keys are passed over."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    values: dict[str, Any] = {}
    for field in fields(Progress):
        value = data.get(field.name, field.default)
        if field.name == "current":
            values["current"] = tuple(str(name) for name in value) if isinstance(value, list) else ()
        elif isinstance(field.default, str):
            values[field.name] = str(value)
        elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            return None
        else:
            values[field.name] = float(value) if field.name == "seconds" else int(value)
    return Progress(**values)


def remember(samples: Sequence[Progress], progress: Progress) -> list[Progress]:
    """The samples that a rate is taken from: those of the last :data:`WINDOW` seconds, and one before them."""
    kept = [sample for sample in samples if sample.seconds < progress.seconds]
    while len(kept) > 1 and kept[1].seconds < progress.seconds - WINDOW:
        kept.pop(0)
    return [*kept, progress]


def rate(samples: Sequence[Progress]) -> Rate:
    """What is done per second, from the first of the samples to the last; a single sample counts from the start."""
    if not samples:
        return Rate()
    last = samples[-1]
    first = samples[0] if len(samples) > 1 else Progress()
    seconds = last.seconds - first.seconds
    if seconds <= 0:
        return Rate()
    return Rate(
        messages=max(0.0, (last.messages_done - first.messages_done) / seconds),
        bytes=max(0.0, (last.bytes_done - first.bytes_done) / seconds),
        mailboxes=max(0.0, (last.mailboxes_done - first.mailboxes_done) / seconds),
    )


def time_left(progress: Progress, speed: Rate) -> float | None:
    """Seconds until the run is done, at the given speed; None when that can't be said.

    Mailboxes that were not surveyed yet are taken to hold as many messages to copy as the others on average. A run that
    copies nothing (a rerun) is measured by its mailboxes.
    """
    open_mailboxes = progress.mailboxes_total - progress.mailboxes_done
    if open_mailboxes <= 0:
        return 0.0
    if progress.seconds < SETTLING:
        return None
    known = min(progress.mailboxes_done + len(progress.current), progress.mailboxes_total)
    by_messages = by_mailboxes = None
    if speed.messages > 0 and known:
        expected = progress.messages_total * progress.mailboxes_total / known
        by_messages = max(0.0, expected - progress.messages_done) / speed.messages
    average = progress.mailboxes_done / progress.seconds
    if average > 0:
        by_mailboxes = open_mailboxes / average
    return by_messages if by_messages is not None else by_mailboxes


def together(customers: Mapping[str, Progress]) -> tuple[str, Progress]:
    """Several customers as one: a name for them all, and the sum of what they do."""
    names = sorted(customers)
    name = ", ".join(names) if len(names) <= _NAMED else f"{amount(len(names))} customers"
    every = list(customers.values())
    return name, Progress(
        mailboxes_total=sum(each.mailboxes_total for each in every),
        mailboxes_done=sum(each.mailboxes_done for each in every),
        mailboxes_failed=sum(each.mailboxes_failed for each in every),
        messages_done=sum(each.messages_done for each in every),
        messages_total=sum(each.messages_total for each in every),
        bytes_done=sum(each.bytes_done for each in every),
        seconds=max((each.seconds for each in every), default=0.0),
        current=[mailbox for each in every for mailbox in each.current],
        waiting=sum(each.waiting for each in every),
        waiting_for=next((each.waiting_for for each in every if each.waiting_for), ""),
        places=every[0].places if every else MAILBOXES.places,
        things=every[0].things if every else MAILBOXES.things,
    )


def duration(seconds: float) -> str:
    """``0:07``, ``12:03``, ``3:04:05``, ``2 d 03:04`` (days, hours, minutes)."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour:02}:{minute:02}"
    return f"{hour}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def amount(number: float) -> str:
    """A count or a rate: with thousands separated, and one decimal only below ten."""
    return f"{number:.1f}" if 0 < number < 9.95 and number != int(number) else f"{number:,.0f}"


def size(octets: float) -> str:
    """A size in decimal units: ``512 B``, ``23.1 MB``."""
    if octets < 1000:
        return f"{octets:.0f} B"
    for unit in ("kB", "MB", "GB"):
        octets /= 1000
        if octets < 999.5:
            return f"{octets:.1f} {unit}" if octets < 99.95 else f"{octets:.0f} {unit}"
    return f"{octets / 1000:.1f} TB"


def clean(text: str) -> str:
    """A name from a server or an inventory, fit for a terminal: what does not print is shown as an escape."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def line(customer: str, progress: Progress, speed: Rate, width: int = 0) -> str:
    """One line that says how far a customer is; cut to ``width`` characters unless that is 0."""
    parts = [f"{amount(progress.mailboxes_done)}/{amount(progress.mailboxes_total)} {clean(progress.places)}"]
    if progress.mailboxes_failed:
        parts.append(f"{amount(progress.mailboxes_failed)} failed")
    total = f" of {amount(progress.messages_total)}" if progress.messages_total > progress.messages_done else ""
    things = clean(progress.things)
    parts.append(f"{amount(progress.messages_done)}{total} {things}")
    parts += [f"{amount(speed.messages)} {things}/s", f"{size(speed.bytes)}/s"]
    if progress.waiting:
        parts.append(f"{amount(progress.waiting)} waiting: {clean(progress.waiting_for)}")
    left = time_left(progress, speed)
    if left is not None:
        parts.append(f"{duration(left)} left")
    text = f"{clean(customer)}: {', '.join(parts)}"
    if width and len(text) > width:
        return text[: max(0, width - 1)] + "…"
    names = [clean(name) for name in progress.current[:3]]
    tail = f" · {', '.join(names)}" if names else ""
    return text + tail if width and len(text) + len(tail) <= width else text
