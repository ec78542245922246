# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run over many mailboxes ends: with its result, or failed with everything done so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import failed_places
from ..errors import MailboxesFailedError
from ..progress import MAILBOXES


def failed_result(
    result: dict[str, Any], failures: Sequence[Sequence[dict[str, Any]]], *, ignore: bool
) -> dict[str, Any]:
    """The result, unless a mailbox failed and that is not to be ignored.

    :raises MailboxesFailedError: with the result in ``done``; its kind is the failures' own when they share one.
    """
    return failed_places.failed_result(result, failures, MailboxesFailedError, MAILBOXES, _line, ignore=ignore)


def _line(entry: Mapping[str, Any]) -> str:
    place = [f"folder {entry['folder']}"] if "folder" in entry else []
    place += [f"UID {entry['uid']}"] if "uid" in entry else []
    return f"{entry.get('mailbox', '?')}: {', '.join([*place, ''])}{entry['message']}"
