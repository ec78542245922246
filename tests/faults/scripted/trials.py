# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes for trials, and trials that last as long as a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .behaviour import Behaviour
from .engine import USER, Trial
from .server import serving
from .values import Mailbox

_MAIL = b"Subject: message %d\r\nMessage-ID: <%d@example.com>\r\n\r\nThe text of message %d.\r\n"


def mail(number: int) -> bytes:
    """A message of its own."""
    return _MAIL % (number, number, number)


def mailbox(count: int = 60) -> Mailbox:
    """INBOX with so many messages and holes between the UIDs; Sent with bytes above 127; two folders without mail."""
    made = Mailbox(subscribed=(b"INBOX", b"Sent"))
    made.inbox.uidvalidity = 77
    for number in range(count):
        flags = [b"\\Seen"] if number % 2 else [b"$Forwarded", b"\\Flagged"]
        made.inbox.add(mail(number), flags, uid=number + 1 + 3 * (number // 10))
    sent = made.create(b"Sent", frozenset({b"\\Sent"}))
    for number in range(count // 4):
        text = b"Subject: sent %d\r\n\r\nGr\xfc\xdfe %d\r\n" % (number, number)
        sent.add(text, date=b"17-Jul-2001 01:02:03 -0800", uid=5 * number + 1)
    made.create(b"Empty")
    made.create(b"Caf&AOk-")
    return made


@contextmanager
def trial(
    folder: Path,
    *,
    source: Behaviour | None = None,
    target: Behaviour | None = None,
    faithful: bool = False,
    origin: Mailbox | None = None,
) -> Iterator[Trial]:
    """A filled source and an empty target that behave like this, and a ledger in the folder."""
    with ExitStack() as stack:
        here = stack.enter_context(serving({USER: origin or mailbox()}, source))
        there = stack.enter_context(serving({USER: Mailbox()}, target))
        yield Trial(here, there, folder / "ledger.sqlite3", faithful=faithful)


def change(made: Mailbox) -> None:
    """What a user does between two runs: new mail, other flags, some mail gone, a new folder."""
    uids = made.inbox.uids()
    made.inbox.set_flags(uids[4], [b"\\Answered", b"later"])
    made.inbox.set_flags(uids[5], [])
    made.inbox.expunge(uids[20:23])
    for number in range(3):
        made.inbox.add(mail(9000 + number), [b"\\Draft"])
    made.create(b"New").add(mail(9100))
