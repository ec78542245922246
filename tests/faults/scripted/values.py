# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server keeps: mailboxes, folders and messages as plain values that a test fills and looks at."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

DATE = b"03-Feb-2021 04:05:06 +0100"


@dataclass
class Message:
    """A message; `date` is its INTERNALDATE as it is told, `modseq` its mod-sequence (RFC 7162)."""

    uid: int
    body: bytes
    flags: frozenset[bytes] = frozenset()
    date: bytes = DATE
    modseq: int = 1


@dataclass
class Folder:
    r"""A folder; `messages` are in the order of their UIDs, `vanished` is UID → the mod-sequence of its expunge.

    `attributes` are those of LIST (`\Sent`, `\Noselect`); `keywords` is whether any keyword can be stored (`\*`).
    """

    uidvalidity: int = 1
    messages: list[Message] = field(default_factory=list)
    uidnext: int = 1
    highestmodseq: int = 1
    attributes: frozenset[bytes] = frozenset()
    keywords: bool = True
    vanished: dict[int, int] = field(default_factory=dict)

    @property
    def selectable(self) -> bool:
        """Whether it can hold messages."""
        return b"\\Noselect" not in self.attributes

    def add(self, body: bytes, flags: Iterable[bytes] = (), date: bytes = DATE, *, uid: int = 0) -> Message:
        """Append a message: with the next UID, or with one above it."""
        self.highestmodseq += 1
        message = Message(max(uid, self.uidnext), body, frozenset(flags), date, self.highestmodseq)
        self.uidnext = message.uid + 1
        self.messages.append(message)
        return message

    def find(self, uid: int) -> Message | None:
        """The message with this UID."""
        return next((message for message in self.messages if message.uid == uid), None)

    def set_flags(self, uid: int, flags: Iterable[bytes]) -> None:
        """Give a message these flags and no others."""
        message = self.find(uid)
        if message is not None and message.flags != frozenset(flags):
            self.highestmodseq += 1
            message.flags, message.modseq = frozenset(flags), self.highestmodseq

    def expunge(self, uids: Iterable[int]) -> list[int]:
        """Remove messages; the UIDs of those that were there, ascending."""
        wanted = set(uids)
        gone = [message.uid for message in self.messages if message.uid in wanted]
        if gone:
            self.highestmodseq += 1
            self.messages = [message for message in self.messages if message.uid not in wanted]
            self.vanished.update(dict.fromkeys(gone, self.highestmodseq))
        return gone

    def renumber(self, uidvalidity: int) -> None:
        """What a rebuilt index does: another UIDVALIDITY, and UIDs from 1 on."""
        self.uidvalidity = uidvalidity
        self.highestmodseq += 1
        self.vanished.clear()
        for number, message in enumerate(self.messages, 1):
            message.uid, message.modseq = number, self.highestmodseq
        self.uidnext = len(self.messages) + 1

    def contents(self) -> Counter[tuple[bytes, frozenset[bytes], bytes]]:
        """The messages as a multiset, without their numbers."""
        return Counter((message.body, message.flags, message.date) for message in self.messages)

    def uids(self) -> list[int]:
        """All UIDs, ascending."""
        return [message.uid for message in self.messages]


class Mailbox:
    """The folders of a user by their names on the wire; INBOX is always there. `lock` is held while it changes."""

    def __init__(
        self,
        folders: dict[bytes, Folder] | None = None,
        *,
        subscribed: Sequence[bytes] = (),
        separator: bytes = b"/",
        prefix: bytes = b"",
        namespaces: bytes = b"",
        alike: Callable[[bytes], bytes] = bytes,
        stored: Callable[[bytes], bytes] = bytes,
    ) -> None:
        """`namespaces` is the whole answer to NAMESPACE, where there are others besides.

        Names that `alike` makes equal are one folder; `stored` is how a new folder's name is kept.
        """
        self.folders: dict[bytes, Folder] = {b"INBOX": Folder(uidvalidity=1000), **(folders or {})}
        self.subscribed = set(subscribed)
        self.separator = separator
        self.prefix = prefix
        self.namespaces = namespaces
        self.alike, self.stored = alike, stored
        self.lock = threading.RLock()
        self._last_uidvalidity = max(folder.uidvalidity for folder in self.folders.values())

    @property
    def inbox(self) -> Folder:
        """The folder INBOX."""
        return self.folders[b"INBOX"]

    def called(self, name: bytes) -> bytes:
        """A folder's name as the server spells it; INBOX in any case is INBOX (RFC 3501 section 5.1)."""
        if name.upper() == b"INBOX" or name in self.folders:
            return b"INBOX" if name.upper() == b"INBOX" else name
        if self.alike is bytes:
            return name
        return next((one for one in self.folders if self.alike(one) == self.alike(name)), name)

    def create(self, name: bytes, attributes: frozenset[bytes] = frozenset()) -> Folder:
        """Make a folder with a UIDVALIDITY that none had before."""
        self._last_uidvalidity = max(self._last_uidvalidity, *(one.uidvalidity for one in self.folders.values())) + 1
        self.folders[name] = Folder(uidvalidity=self._last_uidvalidity, attributes=attributes)
        return self.folders[name]

    def count(self) -> int:
        """How many messages there are in all folders."""
        return sum(len(folder.messages) for folder in self.folders.values())
