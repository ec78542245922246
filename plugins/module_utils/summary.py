# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The table at the end of a customer's ``mailbox_sync``: what is worth telling, and never a flood. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .progress import amount, clean, size

#: At most so many failed mailboxes, and so many of the largest, get a row.
FAILED_ROWS = 20
LARGEST_ROWS = 10
_NAME_WIDTH = 40
_REASON_WIDTH = 100

_HEAD = ("mailbox", "fidelity", "copied", "flags", "removed", "seconds", "failures")
_CHANGES = ("messages_copied", "flags_changed", "messages_removed")


def table(customer: str, result: Mapping[str, Any]) -> list[str]:
    """The lines of the table for a result of ``mailbox_sync``; none when nothing was done and nothing failed.

    It has a row for each failed mailbox, then for the largest of the others by messages copied, then the sum; under it
    the first reason of each failure shown.
    """
    mailboxes = [entry for entry in _list(result.get("mailboxes")) if isinstance(entry, Mapping)]
    failed = [entry for entry in mailboxes if entry.get("failures")]
    touched = [entry for entry in mailboxes if not entry.get("failures") and _touched(entry)]
    if not failed and not touched:
        return []
    touched.sort(key=lambda entry: (-_count(entry, "messages_copied"), -_changes(entry), _name(entry)))
    shown = [*failed[:FAILED_ROWS], *touched[:LARGEST_ROWS]]
    rows = [_HEAD, *(_row(entry) for entry in shown), _sum_row(result, mailboxes)]
    lines = _aligned(rows)
    hidden = [
        (len(failed) - FAILED_ROWS, "more failed"),
        (len(touched) - LARGEST_ROWS, "smaller ones"),
        (len(mailboxes) - len(failed) - len(touched), "unchanged"),
    ]
    notes = [f"{amount(number)} {what}" for number, what in hidden if number > 0]
    tail = f" (not shown: {', '.join(notes)})" if notes else ""
    return [f"{clean(customer)}{tail}", *lines, *_reasons(failed[:FAILED_ROWS])]


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _short(_name(entry), _NAME_WIDTH),
        clean(str(entry.get("fidelity") or "-")),
        *(amount(_count(entry, key)) for key in _CHANGES),
        f"{_number(entry.get('seconds')):.1f}",
        amount(len(_list(entry.get("failures")))),
    )


def _sum_row(result: Mapping[str, Any], mailboxes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    summary = result.get("summary")
    octets = _count(summary if isinstance(summary, Mapping) else {}, "bytes_copied")
    return (
        f"{amount(len(mailboxes))} mailboxes",
        size(octets),
        *(amount(sum(_count(entry, key) for entry in mailboxes)) for key in _CHANGES),
        "",
        amount(sum(len(_list(entry.get("failures"))) for entry in mailboxes)),
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows with columns in line: words to the left, numbers to the right, a rule above the sum."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    words, numbers = slice(0, 2), slice(2, None)
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[words], widths[words], strict=True)]
        cells += [cell.rjust(width) for cell, width in zip(row[numbers], widths[numbers], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    lines.insert(-1, "  " + "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return lines


def _reasons(failed: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = []
    for entry in failed:
        failure = _list(entry.get("failures"))[0]
        if isinstance(failure, Mapping):
            place = f" in {failure['folder']}" if failure.get("folder") else ""
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


def _touched(entry: Mapping[str, Any]) -> bool:
    """Whether something was done: messages, flags, or only folders and subscriptions."""
    return _changes(entry) > 0 or entry.get("unchanged") is False


def _changes(entry: Mapping[str, Any]) -> int:
    return sum(_count(entry, key) for key in _CHANGES)


def _count(entry: Mapping[str, Any], key: str) -> int:
    return int(_number(entry.get(key)))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
