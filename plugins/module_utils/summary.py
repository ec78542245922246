# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The table at the end of a customer's ``mailbox_sync`` or ``dav_sync``: what is worth telling, never a flood. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .progress import ACCOUNTS, MAILBOXES, Words, amount, clean, size

#: At most so many failed mailboxes, and so many of the largest, get a row.
FAILED_ROWS = 20
LARGEST_ROWS = 10
_NAME_WIDTH = 40
_REASON_WIDTH = 100


@dataclass(frozen=True)
class _Form:
    """What a table is of: ``note`` is a key of words and its heading, ``changes`` are keys of counts and theirs."""

    words: Words
    note: tuple[str, str]
    changes: tuple[tuple[str, str], ...]
    where: str

    @property
    def head(self) -> tuple[str, ...]:
        return (self.words.place, self.note[1], *(title for _key, title in self.changes), "seconds", "failures")

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key, _title in self.changes)


_MAIL = _Form(
    MAILBOXES,
    ("fidelity", "fidelity"),
    (("messages_copied", "copied"), ("flags_changed", "flags"), ("messages_removed", "removed")),
    "folder",
)
_DAV = _Form(
    ACCOUNTS,
    ("objects", "objects"),
    (("objects_copied", "copied"), ("objects_changed", "changed"), ("objects_removed", "removed")),
    "collection",
)


def table(customer: str, result: Mapping[str, Any]) -> list[str]:
    """The lines of the table for a result of ``mailbox_sync``; none when nothing was done and nothing failed.

    It has a row for each failed mailbox, then for the largest of the others by messages copied, then the sum; under it
    the first reason of each failure shown.
    """
    return _table(customer, result, _MAIL)


def dav_table(customer: str, result: Mapping[str, Any]) -> list[str]:
    """The same for a result of ``dav_sync``, by accounts and objects."""
    return _table(customer, result, _DAV)


def _table(customer: str, result: Mapping[str, Any], form: _Form) -> list[str]:
    places = [entry for entry in _list(result.get(form.words.places)) if isinstance(entry, Mapping)]
    failed = [entry for entry in places if entry.get("failures")]
    touched = [entry for entry in places if not entry.get("failures") and _touched(entry, form)]
    if not failed and not touched:
        return []
    touched.sort(key=lambda entry: (-_count(entry, form.keys[0]), -_changes(entry, form), _name(entry)))
    shown = [*failed[:FAILED_ROWS], *touched[:LARGEST_ROWS]]
    rows = [form.head, *(_row(entry, form) for entry in shown), _sum_row(result, places, form)]
    lines = _aligned(rows)
    hidden = [
        (len(failed) - FAILED_ROWS, "more failed"),
        (len(touched) - LARGEST_ROWS, "smaller ones"),
        (len(places) - len(failed) - len(touched), "unchanged"),
    ]
    notes = [f"{amount(number)} {what}" for number, what in hidden if number > 0]
    tail = f" (not shown: {', '.join(notes)})" if notes else ""
    return [f"{clean(customer)}{tail}", *lines, *_reasons(failed[:FAILED_ROWS], form.where)]


def _row(entry: Mapping[str, Any], form: _Form) -> tuple[str, ...]:
    note = entry.get(form.note[0])
    return (
        _short(_name(entry), _NAME_WIDTH),
        amount(note) if isinstance(note, int) else clean(str(note or "-")),
        *(amount(_count(entry, key)) for key in form.keys),
        f"{_number(entry.get('seconds')):.1f}",
        amount(len(_list(entry.get("failures")))),
    )


def _sum_row(result: Mapping[str, Any], places: Sequence[Mapping[str, Any]], form: _Form) -> tuple[str, ...]:
    summary = result.get("summary")
    octets = _count(summary if isinstance(summary, Mapping) else {}, "bytes_copied")
    return (
        f"{amount(len(places))} {form.words.places}",
        size(octets),
        *(amount(sum(_count(entry, key) for entry in places)) for key in form.keys),
        "",
        amount(sum(len(_list(entry.get("failures"))) for entry in places)),
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows with columns in line: words to the left, numbers to the right, a rule above the sum."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    words, numbers = slice(0, 2), slice(2, None)
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[words], widths[words], strict=True)]
        cells += [cell.rjust(width) for cell, width in zip(row[numbers], widths[numbers], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    lines.insert(-1, "  " + "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return lines


def _reasons(failed: Iterable[Mapping[str, Any]], where: str) -> list[str]:
    lines = []
    for entry in failed:
        failure = _list(entry.get("failures"))[0]
        if isinstance(failure, Mapping):
            place = f" in {failure[where]}" if failure.get(where) else ""
            reason = f"{failure.get('kind', 'error')}{place}: {failure.get('message', '')}"
        else:
            reason = str(failure)
        lines.append(f"  {_short(_name(entry), _NAME_WIDTH)}: {_short(reason, _REASON_WIDTH)}")
    return lines


def _short(text: str, width: int) -> str:
    text = clean(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("target_user") or entry.get("source_user") or "?")


def _touched(entry: Mapping[str, Any], form: _Form) -> bool:
    """Whether something was done: messages, flags, or only folders and subscriptions."""
    return _changes(entry, form) > 0 or entry.get("unchanged") is False


def _changes(entry: Mapping[str, Any], form: _Form) -> int:
    return sum(_count(entry, key) for key in form.keys)


def _count(entry: Mapping[str, Any], key: str) -> int:
    return int(_number(entry.get(key)))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
