# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A mailbox that can only be had by POP3: one folder, INBOX, whose messages are known by their UIDLs (RFC 1939).

POP3 has no flags, no INTERNALDATEs and no UIDs. Flags are left to the target. A message's date is the one that its
header tells. UIDs are read out of the UIDLs where they are in them, else given out in order and kept in the ledger.

The maildrop is only read, and left as it is: no DELE, and no QUIT once a message had to be taken by RETR, because some
servers do not show it again then.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from ..errors import MessageUnreadableError
from ..tasks import Account
from ..transport.pop import log_in
from . import uidl
from .dates import received_date
from .deltas import Changes, Since
from .fetching import Message
from .folders import INBOX
from .identity import Memory, Unremembered, number
from .listing import Fingerprint, Listing, header_digest
from .namespaces import PERSONAL, Namespace
from .nuls import Revealed
from .polite import politely
from .pop import Body, list_sizes, list_uidls, read_bodies, read_headers
from .server import Server
from .session import Selected
from .survey import Folder, FolderState, Side


class PopSource:
    """A source that is a POP3 maildrop; see :class:`~.source.Source`."""

    tells_flags = False
    tells_dates = False

    def __init__(self, server: Server, account: Account, remembered: Unremembered) -> None:
        self._server, self._account, self._remembered = server, account, remembered
        self._pop = politely(log_in, server, account)
        #: A message was asked for; answers are still to come; a message was not given out.
        self._took = self._busy = self._refused = False
        self._waits: tuple[Callable[[], None] | None, float] = (None, 0.0)
        self._numbers: dict[int, int] | None = None
        self._sizes: tuple[int, ...] | None = None
        self._state = FolderState()
        self._findings: tuple[str, ...] = ()

    @property
    def server(self) -> Server:
        return self._server

    def survey(self, *, absent: bool = False, kinds: Collection[str] = (PERSONAL,)) -> Side:  # noqa: ARG002 - as it is
        self._listing()
        inbox = Folder(name=b"INBOX", path=INBOX, selectable=True, subscribed=True, state=self._state)
        return Side(Namespace(), {INBOX: inbox}, partial=True)

    def examine(self, name: bytes) -> Selected:  # noqa: ARG002 - there is one folder only
        if self._refused:
            self._again()
        self._listing()
        state = self._state
        return Selected(state.messages, state.uidvalidity, state.uidnext, 0, frozenset(), any_keyword=False)

    def flags(self) -> Listing:
        return Listing.of(dict.fromkeys(self._listing(), b""))

    def some_flags(self, uids: Iterable[int]) -> dict[int, bytes]:
        listing = self._listing()
        return {uid: b"" for uid in uids if uid in listing}

    def changes(self, name: bytes, since: Since, wanted: str) -> tuple[Selected, Changes] | None:  # noqa: ARG002
        return None  # the whole list has been read already

    def distrust(self, way: str) -> None:
        """There is only one way."""

    def fingerprints(self, uids: Iterable[int]) -> dict[int, Fingerprint]:
        found: dict[int, Fingerprint] = {}
        for uid, body in self._bodies(uids):
            if body:
                found[uid] = Fingerprint(None, body.size, header_digest(body.header))
        return found

    def messages(self, uids: Iterable[int] | None, first: int, last: int) -> Iterator[Message]:
        chosen = sorted(uid for uid in self._listing() if first <= uid <= last) if uids is None else uids
        missing = 0
        for uid, body in self._bodies(chosen):
            if body:
                yield Message(uid, b"", received_date(body.header), body.size, body.pieces)
            else:
                missing += 1
        if missing:
            self._refused = True
            raise MessageUnreadableError(f"the source would not give out {missing} message(s)", **self.place())

    def grants(self, names: Sequence[bytes]) -> Mapping[bytes, Sequence[str]]:  # noqa: ARG002 - nothing is shared
        return {}

    def reveal(self, sizes: Mapping[int, int], digests: Mapping[int, bytes]) -> Iterator[Revealed]:
        del sizes, digests  # POP3 has no way to ask
        return iter(())

    def keep_alive(self) -> None:
        quiet = time.monotonic() - self._pop.wire.sent_at
        if not self._busy and self._server.keepalive and quiet >= self._server.keepalive:
            self._pop.run(b"NOOP", "stay connected")

    def settle(self) -> None:
        """Nothing: UIDLs are what they are."""

    def while_waiting(self, elsewhere: Callable[[], None] | None, every: float = 0.0) -> None:
        self._waits = (elsewhere, every)
        self._pop.wire.while_waiting(elsewhere, every)

    @property
    def findings(self) -> Sequence[str]:
        return (*self._pop.findings, *self._findings)

    def place(self) -> dict[str, str]:
        return self._server.place

    def logout(self) -> None:
        if self._took and not self._pop.whole_by_top:
            self.close()
        else:
            self._pop.quit()

    def close(self) -> None:
        self._pop.wire.close()

    def _again(self) -> None:
        """Log in anew: what a session shows of the maildrop never changes."""
        self.close()
        self._pop, self._numbers, self._sizes = politely(log_in, self._server, self._account), None, None
        self._took = self._busy = self._refused = False
        self._pop.wire.while_waiting(*self._waits)

    # for the audit

    @property
    def count(self) -> int:
        """How many messages the server lists."""
        return self._state.messages

    def sizes(self) -> Iterator[tuple[int, int]]:
        """UID and size of every message, in ascending order, as the server counts bytes."""
        sizes = self._all_sizes()
        return ((uid, sizes[one - 1]) for uid, one in sorted(self._listing().items()))

    def headers(self) -> Iterator[tuple[int, int, bytes]]:
        """UID, size and header of every message, in ascending order.

        :raises ServerError: the server has no TOP.
        """
        sizes = self._all_sizes()
        uid_of = {one: uid for uid, one in sorted(self._listing().items())}
        for one, header in read_headers(self._pop, uid_of):
            yield uid_of[one], sizes[one - 1], header

    def bodies(self) -> Iterator[tuple[int, Body]]:
        """UID and every message that is given out, in ascending order."""
        return ((uid, body) for uid, body in self._bodies(sorted(self._listing())) if body)

    # what is in the maildrop

    def _all_sizes(self) -> tuple[int, ...]:
        if self._sizes is None:
            self._sizes = list_sizes(self._pop)
        return self._sizes

    def _bodies(self, uids: Iterable[int]) -> Iterator[tuple[int, Body | None]]:
        listing = self._listing()
        sizes = self._all_sizes()
        uid_of = {listing[uid]: uid for uid in uids if uid in listing}
        self._took = self._busy = True
        for one, body in read_bodies(self._pop, ((one, sizes[one - 1]) for one in uid_of)):
            yield uid_of[one], body
        self._busy = False

    def _listing(self) -> dict[int, int]:
        """UID → message number."""
        if self._numbers is None:
            uidls = list_uidls(self._pop)
            uids, uidvalidity, uidnext = self._uids(uidls)
            self._numbers = {uid: one for one, uid in enumerate(uids, 1)}
            # there is no mod-sequence; a number that changes with every list does as well
            digest = hashlib.blake2b(b"\n".join(uidls), digest_size=7).digest()
            self._state = FolderState(len(uids), uidnext, uidvalidity, int.from_bytes(digest, "big") + 1)
        return self._numbers

    def _uids(self, uidls: tuple[bytes, ...]) -> tuple[Sequence[int], int, int]:
        """UIDs in the order of the list, UIDVALIDITY (below 0: none of the server's) and UIDNEXT."""
        if not uidls:
            before_all_went = self._remembered.uidvalidity()
            return (), before_all_went, self._remembered.uidnext(before_all_went)
        told = uidl.numbers(uidls)
        if told:
            self._findings = _told(told)
            uidvalidity = told.uidvalidity or 1
            return told.uids, uidvalidity, max(max(told.uids) + 1, self._remembered.uidnext(uidvalidity))
        before = self._remembered.recall()
        now = number(self._keys(uidls, before), before)
        self._remembered.keep(before, now)
        self._findings = (_untold(uidls),)
        return now.uids, now.uidvalidity, now.memory.next_uid

    def _keys(self, uidls: Sequence[bytes], before: Memory) -> list[bytes]:
        """What each message is known by: its UIDL, and where that is not unique or missing, also what it is."""
        twice = {one for one, count in Counter(uidls).items() if count > 1 or not one}
        twice |= {key.partition(b"\0")[0] for key in before.uids if b"\0" in key}
        vague = [n for n, one in enumerate(uidls, 1) if one in twice]
        digests = self._digests(vague) if vague else {}
        copies: Counter[bytes] = Counter()
        keys: list[bytes] = []
        for n, one in enumerate(uidls, 1):
            key = one + b"\0" + digests[n] if n in digests else one
            copies[key] += 1
            keys.append(key if copies[key] == 1 else key + b"\0%d" % copies[key])
        return keys

    def _digests(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Message number → digest of size and header."""
        sizes = self._all_sizes()
        headers = dict(read_headers(self._pop, numbers))
        return {n: header_digest(headers.get(n, b"") + b"%d" % sizes[n - 1]).hex().encode("ascii") for n in numbers}


def _told(told: uidl.Numbers) -> tuple[str, ...]:
    """What the operator should know of UIDLs that UIDs can be told from."""
    found = []
    if told.format.template != uidl.DEFAULT:
        found.append(
            f"the source's POP3 UIDLs are {told.format.maker}'s: set pop3_uidl_format to {told.format.template} for"
            " this user or tenant on the target, else POP3 clients will download the messages again"
        )
    if list(told.uids) != sorted(told.uids):
        found.append("the source lists its messages over POP3 in another order than that of their UIDs")
    return tuple(found)


def _untold(uidls: Sequence[bytes]) -> str:
    what = f"the source's POP3 UIDLs are {uidl.describe(uidls)}" if any(uidls) else "the source tells no POP3 UIDLs"
    return f"{what}: the target can make no such UIDLs, and POP3 clients will download the messages again"
