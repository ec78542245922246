# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run over many mailboxes ends: with its result, or failed with everything done so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import MailboxesFailedError

_SHOWN = 5


def failed_result(
    result: dict[str, Any], failures: Sequence[Sequence[dict[str, Any]]], *, ignore: bool
) -> dict[str, Any]:
    """The result, unless a mailbox failed and that is not to be ignored.

    :raises MailboxesFailedError: with the result in ``done``; its kind is the failures' own when they share one.
    """
    bad = [some for some in failures if some]
    if not bad or ignore:
        return result
    entries = [entry for some in bad for entry in some]
    first = "; ".join(_line(some[0]) for some in bad[:_SHOWN])
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    kinds = {entry["kind"] for entry in entries}
    error = MailboxesFailedError(
        f"{len(bad)} of {len(failures)} mailboxes failed: {first}{more}.",
        safe_next=entries[0]["safe_next"] if len(kinds) == 1 else None,
        mailbox=entries[0].get("mailbox"),
    )
    if len(kinds) == 1:
        error.kind = kinds.pop()
    error.done = result
    raise error


def _line(entry: dict[str, Any]) -> str:
    place = [f"folder {entry['folder']}"] if "folder" in entry else []
    place += [f"UID {entry['uid']}"] if "uid" in entry else []
    return f"{entry.get('mailbox', '?')}: {', '.join([*place, ''])}{entry['message']}"
