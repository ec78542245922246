# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Setting flags on the target: grouped by equal change, few commands, nothing waited for in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..errors import ServerError
from .plan import FlagChange
from .session import Selected, Session, refusal
from .uidset import chunks


@dataclass(frozen=True)
class _Store:
    """One STORE command."""

    change: FlagChange
    uids: bytes
    verb: bytes
    flags: tuple[bytes, ...]

    @property
    def command(self) -> bytes:
        """What is sent."""
        return b"UID STORE " + self.uids + b" " + self.verb + b" (" + b" ".join(self.flags) + b")"


def store_flags(session: Session, target: Selected, changes: Iterable[FlagChange]) -> tuple[int, set[bytes]]:
    """Make flag changes in the selected folder (UID STORE, RFC 3501 section 6.4.8).

    Gives how many messages were changed, and the flags that the folder can't store: a keyword that is refused costs no
    other flag.

    :raises ServerError: the server refused for another reason.
    """
    wanted, lost, stores = list(changes), set[bytes](), list[_Store]()
    for change in wanted:
        add = tuple(one for one in change.add if target.allows(one))
        lost |= set(change.add) - set(add)
        for verb, flags in ((b"+FLAGS.SILENT", add), (b"-FLAGS.SILENT", change.remove)):
            stores += [_Store(change, some, verb, flags) for some in chunks(change.uids) if flags]
    changed = _stored(session, stores, lost)
    return sum(len(change.uids) for change in wanted if id(change) in changed), lost


def _stored(session: Session, stores: Sequence[_Store], lost: set[bytes]) -> set[int]:
    """Store flags; gives the (ids of the) changes of which something was stored.

    Where flags are refused, each is tried alone; a keyword that is not taken is noted in ``lost``, and costs no more.
    """
    done, again = set[int](), list[_Store]()
    for store, reply in zip(stores, session.pipeline((store.command,) for store in stores), strict=True):
        if reply.ok:
            done.add(id(store.change))
            continue
        error = refusal(reply, "store flags", session, writing=True)
        if error.kind != ServerError.kind or all(flag.startswith(b"\\") for flag in store.flags):
            raise error
        if len(store.flags) == 1:
            lost.update(store.flags)
        else:
            again += [replace(store, flags=(flag,)) for flag in store.flags]
    return done | _stored(session, again, lost) if again else done
