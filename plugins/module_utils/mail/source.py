# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the engine asks of the side that it copies from, so that more than IMAP can be a source."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from ..errors import FolderError
from ..ledger import Ledger
from ..tasks import Account
from ..transport.imap import POP3
from .deltas import Changes, Since, read_changes
from .fetching import Message, fetch_messages, in_turn
from .folders import INBOX, packed
from .grants import read_grants
from .identity import Remembered
from .listing import Fingerprint, Listing, read_fingerprints, read_flags, read_some_flags
from .namespaces import PERSONAL
from .nuls import Revealed, reveal
from .polite import connect
from .pop_source import PopSource
from .server import Server
from .session import Selected, Session
from .survey import Side, survey


class Source(Protocol):
    """A mailbox to copy from; nothing here ever changes it. One step at a time uses it.

    All but :meth:`survey` and :meth:`examine` is about the folder that was examined last.
    """

    #: Whether the server knows flags, and when it received a message.
    tells_flags: bool
    tells_dates: bool

    @property
    def server(self) -> Server:
        """The server it is on."""

    @property
    def findings(self) -> Sequence[str]:
        """What an operator should know about the connection."""

    def survey(self, *, absent: bool = False, kinds: Collection[str] = (PERSONAL,)) -> Side:
        """All folders with their states; with ``absent`` also those that are subscribed and not there.

        ``kinds`` are the kinds of namespaces that are meant.
        """

    def grants(self, names: Sequence[bytes]) -> Mapping[bytes, Sequence[str]]:
        """Folder → who else has which rights there, of those of some folders that are shared."""

    def examine(self, name: bytes) -> Selected:
        """Open a folder without changing anything, not even who has seen it.

        :raises FolderError: it can't be opened.
        """

    def flags(self) -> Listing:
        """UID → flags of every message."""

    def some_flags(self, uids: Iterable[int]) -> dict[int, bytes]:
        """UID → flags of those of some messages that are there; ``uids`` ascending."""

    def changes(self, name: bytes, since: Since, wanted: str) -> tuple[Selected, Changes] | None:
        """Open a folder and tell what has changed since a state; None when every message has to be looked at.

        ``wanted`` is the way to ask, as the option ``delta`` has it (:mod:`deltas`).
        """

    def distrust(self, way: str) -> None:
        """Don't ask for changes in this way again: an answer did not add up."""

    def fingerprints(self, uids: Iterable[int]) -> dict[int, Fingerprint]:
        """UID → fingerprint of some messages; ``uids`` ascending."""

    def messages(self, uids: Iterable[int] | None, first: int, last: int) -> Iterator[Message]:
        """Messages in the order in which they arrive: ``uids`` (ascending), or all from ``first`` to ``last``.

        :raises MessageUnreadableError: not all are given out; those before have been.
        """

    def settle(self) -> None:
        """Have the server fix every UIDVALIDITY: some (Courier) do so only where a folder is opened for writing.

        Nothing is written. No folder is open afterwards.
        """

    def reveal(self, sizes: Mapping[int, int], digests: Mapping[int, bytes]) -> Iterator[Revealed]:
        """Those of some messages that hold NULs which :meth:`messages` gives out as 0x80 (:mod:`nuls`)."""

    def keep_alive(self) -> None:
        """Say something to a server that has heard nothing for long, if nothing is under way."""

    def while_waiting(self, elsewhere: Callable[[], None], every: float) -> None:
        """Call ``elsewhere`` about every so many seconds while the source is waited for."""

    def place(self) -> dict[str, str]:
        """Where this is, for errors."""

    def logout(self) -> None:
        """Say good-bye if that is still possible, and close."""

    def close(self) -> None:
        """Close at once."""


def open_source(server: Server, account: Account, ledger: Ledger, mailbox: int) -> Source:
    """The mailbox of an account, logged in; ``ledger`` remembers what a POP3 server does not tell.

    :raises MigrationError: as :func:`~..transport.login.log_in` and :func:`~..transport.pop.log_in` do.
    """
    if server.protocol == POP3:
        return PopSource(server, account, Remembered(ledger, mailbox, packed(INBOX)))
    return ImapSource(connect(server, account), account.user)


class ImapSource:
    """A source that is an IMAP mailbox."""

    tells_flags = True
    tells_dates = True

    def __init__(self, session: Session, user: str) -> None:
        self._session = session
        self._user = user
        self._exists = 0

    @property
    def server(self) -> Server:
        return self._session.server

    @property
    def findings(self) -> Sequence[str]:
        return self._session.findings

    def survey(self, *, absent: bool = False, kinds: Collection[str] = (PERSONAL,)) -> Side:
        return survey(self._session, absent=absent, kinds=kinds)

    def grants(self, names: Sequence[bytes]) -> Mapping[bytes, Sequence[str]]:
        return read_grants(self._session, names, self._user)

    def examine(self, name: bytes) -> Selected:
        selected = self._session.select(name, read_only=True)
        self._exists = selected.exists
        return selected

    def some_flags(self, uids: Iterable[int]) -> dict[int, bytes]:
        return read_some_flags(self._session, uids)

    def changes(self, name: bytes, since: Since, wanted: str) -> tuple[Selected, Changes] | None:
        found = read_changes(self._session, name, since, wanted)
        if found:
            self._exists = found[0].exists
        return found

    def distrust(self, way: str) -> None:
        self._session.distrusted.add(way)

    def flags(self) -> Listing:
        return read_flags(self._session, self._exists)

    def fingerprints(self, uids: Iterable[int]) -> dict[int, Fingerprint]:
        return read_fingerprints(self._session, uids)

    def messages(self, uids: Iterable[int] | None, first: int, last: int) -> Iterator[Message]:
        asked = None if uids is None else list(uids)
        return in_turn(fetch_messages(self._session, asked, first, last), asked)

    def settle(self) -> None:
        for folder in survey(self._session).existing().values():
            with contextlib.suppress(FolderError):
                self._session.select(folder.name, read_only=False)
        self._session.unselect()

    def reveal(self, sizes: Mapping[int, int], digests: Mapping[int, bytes]) -> Iterator[Revealed]:
        return reveal(self._session, sizes, digests) if self._session.has(b"BINARY") else iter(())

    def keep_alive(self) -> None:
        self._session.keep_alive()

    def while_waiting(self, elsewhere: Callable[[], None], every: float) -> None:
        self._session.while_waiting(elsewhere, every)

    def place(self) -> dict[str, str]:
        return self._session.place()

    def logout(self) -> None:
        self._session.logout()

    def close(self) -> None:
        self._session.wire.close()
