# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""UIDs of our own for messages of a server that has none: given out in order, and remembered in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..ledger import FolderRow, Ledger


@dataclass(frozen=True)
class Memory:
    """What is remembered: key → UID. A new ``generation`` begins when the server's keys have become others."""

    generation: int = 1
    next_uid: int = 1
    uids: Mapping[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Numbering:
    """The UIDs of a list of keys, in its order; ``memory`` is what to remember, ``gone`` what is no longer listed."""

    uids: tuple[int, ...]
    memory: Memory
    gone: Mapping[bytes, int]

    @property
    def uidvalidity(self) -> int:
        """Below 0, so that no server's own is ever taken for it."""
        return -self.memory.generation


def number(keys: Sequence[bytes], memory: Memory) -> Numbering:
    """Give every key its UID: the one it had, or the next one. ``keys`` are all different.

    Where most keys are new and most of the known ones are gone, the server has made new ones for the same messages: a
    new generation begins, and what is known has to be found again by what it is.
    """
    here = set(keys)
    kept = sum(key in memory.uids for key in here)
    if kept * 2 < len(here) and kept * 2 < len(memory.uids):
        memory = Memory(memory.generation + 1)
    uids = dict(memory.uids)
    next_uid = memory.next_uid
    for key in keys:
        if key not in uids:
            uids[key] = next_uid
            next_uid += 1
    gone = {key: uid for key, uid in memory.uids.items() if key not in here}
    return Numbering(tuple(uids[key] for key in keys), Memory(memory.generation, next_uid, uids), gone)


class Unremembered:
    """No memory at all: what a look that leaves no trace knows."""

    def recall(self) -> Memory:
        """Nothing."""
        return Memory()

    def uidvalidity(self) -> int:
        """None."""
        return 0

    def uidnext(self, uidvalidity: int) -> int:  # noqa: ARG002 - there is none before
        """The first one."""
        return 1

    def keep(self, before: Memory, now: Numbering) -> None:
        """Forget it."""


class Remembered(Unremembered):
    """The ledger's part in it, for one mailbox. UID 0 stands for the generation and the next UID."""

    def __init__(self, ledger: Ledger, mailbox: int, source_path: bytes) -> None:
        super().__init__()
        self._ledger, self._mailbox, self._path = ledger, mailbox, source_path

    def recall(self) -> Memory:
        """What is remembered."""
        rows = self._ledger.uidls(self._mailbox)
        head = rows.pop(0, b"1 1").split()
        return Memory(int(head[0]), int(head[1]), {key: uid for uid, key in rows.items()})

    def uidvalidity(self) -> int:
        """The source's UIDVALIDITY at the last run; 0 when there was none."""
        row = self._row()
        return row.source_uidvalidity if row else 0

    def uidnext(self, uidvalidity: int) -> int:
        """The UIDNEXT that was given out last under a UIDVALIDITY: no lower one comes after it."""
        row = self._row()
        state = row.source_state if row and row.source_uidvalidity == uidvalidity else None
        return state[1] if state else 1

    def keep(self, before: Memory, now: Numbering) -> None:
        """Remember a numbering; forget what is no longer listed and that no message on the target came from.

        A key that is gone for one run only must come back under its UID, or its message would be copied twice.
        """
        memory = now.memory
        if memory.generation != before.generation:
            forget = set(before.uids.values())
            before = Memory(0)
        else:
            forget = set(now.gone.values()) - self._copied(now.gone.values())
        new = {uid: key for key, uid in memory.uids.items() if key not in before.uids}
        if (memory.generation, memory.next_uid) != (before.generation, before.next_uid):
            new[0] = b"%d %d" % (memory.generation, memory.next_uid)
        if new or forget:
            self._ledger.set_uidls(self._mailbox, new, forget)

    def _copied(self, uids: Iterable[int]) -> set[int]:
        """Those of these UIDs that a message on the target came from."""
        row = self._row()
        return {one.source_uid for one in self._ledger.messages_of(row.id, uids)} if row else set()

    def _row(self) -> FolderRow | None:
        rows = self._ledger.folders(self._mailbox)
        return next((one for one in rows if one.source_path == self._path), None)
