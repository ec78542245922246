# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Setting flags on the target: grouped by equal change, few commands, nothing waited for in between."""

from __future__ import annotations

from collections.abc import Iterable

from .plan import FlagChange
from .session import Selected, Session, refusal
from .uidset import chunks


def store_flags(session: Session, target: Selected, changes: Iterable[FlagChange]) -> tuple[int, set[bytes]]:
    """Make flag changes in the selected folder (UID STORE, RFC 3501 section 6.4.8).

    Gives how many messages were changed, and the flags that the folder can't store.

    :raises ServerError: the server refused.
    """
    changed = 0
    lost: set[bytes] = set()
    for change in changes:
        add = [one for one in change.add if target.allows(one)]
        lost |= set(change.add) - set(add)
        verbs = [(b"+FLAGS.SILENT", add), (b"-FLAGS.SILENT", list(change.remove))]
        commands = [
            (b"UID STORE " + some + b" " + verb + b" (" + b" ".join(flags) + b")",)
            for some in chunks(change.uids)
            for verb, flags in verbs
            if flags
        ]
        for reply in session.pipeline(commands):
            if not reply.ok:
                raise refusal(reply, "store flags", session)
        changed += len(change.uids) if commands else 0
    return changed, lost
