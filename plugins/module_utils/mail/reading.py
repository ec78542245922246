# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Reading one side of a folder for the audit, in a thread of its own, so that both sides are read at the same time.

What was read and is not wanted yet waits in piles (forty bytes a message), not in the server: a server whose client
does not read for some minutes hangs up.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from hashlib import blake2b
from queue import SimpleQueue
from typing import Self

from ..errors import MigrationError
from ..ledger import DIGEST_SIZE
from .attributes import flag_key, instant
from .fetching import Message, fetch_messages
from .listing import Attributes, each_attributes
from .pile import Entry, Pile
from .session import Session
from .survey import Folder
from .uidset import MAX_UID

_PILE = 1000


class Reading:
    """The messages of a folder, as (UID, entry), once, with digests of as much as ``depth`` says.

    ``missing`` is how many messages the server lists and does not give out, known at the end. Use it as a context
    manager; one that is left early closes its connection, because nobody knows what is still to come on it.
    """

    def __init__(self, session: Session, folder: Folder, depth: str) -> None:
        self._session, self._folder, self._depth = session, folder, depth
        self._piles: SimpleQueue[Pile | BaseException | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._read, name=f"audit {session.server.name}", daemon=True)
        self._ended = False
        self._over = threading.Event()
        self.missing = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if not self._ended:
            self._session.wire.close()
        self._over.set()
        self._thread.join()

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        """Every message once, mostly in ascending order.

        :raises MigrationError: the server could not be read to the end.
        """
        while (pile := self._piles.get()) is not None:
            if isinstance(pile, BaseException):
                raise pile
            yield from pile
        self._ended = True

    # the thread

    def _read(self) -> None:
        try:
            selected = self._session.select(self._folder.name, read_only=True)
            count = 0
            pile, last = Pile(), 0
            for uid, entry in self._entries() if selected.exists else ():
                if uid == last:
                    continue  # told twice
                pile.add(uid, entry)
                last = uid
                if len(pile) == _PILE:
                    count += _PILE
                    self._piles.put(pile)
                    pile = Pile()
            self.missing = max(0, selected.exists - count - len(pile))
            self._piles.put(pile)
            self._piles.put(None)
            self._wait_for_the_other()
        except Exception as error:  # noqa: BLE001 - it is raised where the messages are wanted
            self._piles.put(error)

    def _wait_for_the_other(self) -> None:
        """Keep the connection alive as long as the other side is read."""
        pause = self._session.server.keepalive / 4 or None
        while not self._over.wait(pause):
            with contextlib.suppress(MigrationError):  # should it be lost, the next folder finds out
                self._session.keep_alive()

    def _entries(self) -> Iterator[tuple[int, Entry]]:
        if self._depth == "counts":
            return ((uid, Entry(attributes)) for uid, attributes in each_attributes(self._session))
        section = b"" if self._depth == "full" else b"HEADER"
        return (_entry(message) for message in fetch_messages(self._session, None, 1, MAX_UID, section))


def _entry(message: Message) -> tuple[int, Entry]:
    digest = blake2b(digest_size=DIGEST_SIZE)
    for piece in message.pieces():
        digest.update(piece)
    return message.uid, Entry(
        Attributes(flag_key(message.flags), instant(message.date), message.octets), digest.digest()
    )
