# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a cut-over can be made to depend on: the audit's result, judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import DownloadsError, InputError, MigrationError, NotIdenticalError
from .downloads import IMAP_CLIENT, POP_CLIENT

DIFFERENCES, CONTENT, IMAP_DOWNLOADS, POP_DOWNLOADS = "differences", "content", "imap_downloads", "pop_downloads"
#: The values of the option ``fail_on``.
GATES = (DIFFERENCES, CONTENT, IMAP_DOWNLOADS, POP_DOWNLOADS)
_SHOWN = 3


def check_gates(wanted: Iterable[str], *, with_pop: bool) -> tuple[str, ...]:
    """The gates asked for; ``with_pop`` says that UIDLs are compared at all.

    :raises InputError: one that could never be passed.
    """
    gates = tuple(wanted)
    if POP_DOWNLOADS in gates and not with_pop:
        raise InputError("pop_downloads needs pop3_port on both sides", option="fail_on")
    return gates


def passed(result: Mapping[str, Any], *, failed: bool, with_pop: bool) -> list[str]:
    """The gates that nothing speaks against; a mailbox that could not be compared speaks against all of them."""
    clients = {download["client"] for download in result["downloads"]}
    holds = {
        DIFFERENCES: result["identical"],
        CONTENT: result["content_identical"],
        IMAP_DOWNLOADS: not failed and IMAP_CLIENT not in clients,
        POP_DOWNLOADS: not failed and with_pop and POP_CLIENT not in clients,
    }
    return [gate for gate in GATES if holds[gate]]


def gate(result: dict[str, Any], wanted: Sequence[str]) -> None:
    """Pass, or not.

    :raises NotIdenticalError: the sides differ.
    :raises DownloadsError: they differ in nothing that was asked for but what clients would download again.
    """
    closed = [one for one in wanted if one not in result["passed"]]
    if not closed:
        return
    error: MigrationError
    if DIFFERENCES in closed or CONTENT in closed:
        bad = [one["target_user"] for one in result["mailboxes"] if not one["identical"]]
        error = NotIdenticalError(f"not the same on both sides: {_some(bad)}")
    else:
        kinds = {one.removesuffix("_downloads") for one in closed}
        downloads = [one for one in result["downloads"] if one["client"] in kinds]
        count, size = sum(one["messages"] for one in downloads), sum(one["bytes"] for one in downloads)
        lines = [f"{one['mailbox']}, folder {one['folder']} ({one['client']}, {one['cause']})" for one in downloads]
        error = DownloadsError(f"mail clients would download {count} messages ({size} bytes) again: {_some(lines)}")
    error.done = result
    raise error


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return "; ".join(names[:_SHOWN]) + more
