# SPDX-License-Identifier: GPL-3.0-or-later
"""The copying stream against scripted servers.

The scripts stand in for servers that answer in legal but unusual ways, or refuse at a chosen moment: no server that can
be installed here does that on demand. What real servers do is tested in tests/integration.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    MessageUnreadableError,
    MigrationError,
    OverQuotaError,
    ProtocolError,
    TargetMovedError,
)
from ansible_collections.atmail.migration.plugins.module_utils.ledger import MessageRow
from ansible_collections.atmail.migration.plugins.module_utils.mail.fetching import WHOLE, Message, fetch_messages
from ansible_collections.atmail.migration.plugins.module_utils.mail.server import Server
from ansible_collections.atmail.migration.plugins.module_utils.mail.session import Selected, Session
from ansible_collections.atmail.migration.plugins.module_utils.mail.transfer import (
    Appender,
    BatchRefusedError,
    ShiftedError,
    copy_messages,
)
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import Wire

DATE = b'"01-Jan-2020 00:00:00 +0000"'


@contextmanager
def scripted(serve: Callable[[socket.socket], None], *capabilities: bytes) -> Iterator[Session]:
    """A session whose server is the given function."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)

    def run() -> None:
        # the client may hang up at any moment: that is one of the things it does
        with theirs, contextlib.suppress(ConnectionError):
            serve(theirs)

    thread = threading.Thread(target=run)
    thread.start()
    session = Session(Server("source", "scripted"), Wire(ours), capabilities)
    session.selected = b"INBOX"
    try:
        yield session
    finally:
        session.wire.close()
        thread.join()


# reading


def fetched(answer: bytes) -> list[tuple[int, bytes, bytes]]:
    """UID, flags and bytes of the messages that ``fetch_messages`` makes of a server's answer."""

    def serve(sock: socket.socket) -> None:
        tag = sock.recv(1000).split(b" ")[0]
        sock.sendall(answer.replace(b"TAG", tag))

    with scripted(serve) as session:
        return [(one.uid, one.flags, b"".join(one.pieces())) for one in fetch_messages(session, None, 1, 9)]


BIG = b"x" * (WHOLE + 1000)
USUAL = b"* 1 FETCH (UID 7 FLAGS (\\Seen) INTERNALDATE " + DATE + b" BODY[] {3}\r\nabc)\r\n"


@pytest.mark.parametrize(
    ("answer", "messages"),
    [
        (USUAL, [(7, b"\\Seen", b"abc")]),
        (USUAL.replace(b"{3}\r\nabc", b"{0}\r\n"), [(7, b"\\Seen", b"")]),
        (USUAL.replace(b"{3}\r\nabc", b"{%d}\r\n" % len(BIG) + BIG), [(7, b"\\Seen", BIG)]),
        # case_87: the body first, and noise in between
        (
            b"* 1 FETCH (BODY[] {3}\r\nabc UID 7 FLAGS (\\Seen NIL) INTERNALDATE " + DATE + b")\r\n",
            [(7, b"\\Seen NIL", b"abc")],
        ),
        (
            b"* 3 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* OK [ALERT] hm\r\n" + USUAL + b"* 2 EXPUNGE\r\n" + USUAL,
            [(7, b"\\Seen", b"abc")] * 2,
        ),
        # case_88: a body as a quoted string
        (USUAL.replace(b"{3}\r\nabc", b'"a\\"c"'), [(7, b"\\Seen", b'a"c')]),
        (
            b"* 1 FETCH (BODY[] {%d}\r\n" % len(BIG) + BIG + b" UID 7 FLAGS () INTERNALDATE " + DATE + b")\r\n",
            [(7, b"", BIG)],
        ),
        # NIL: listed and not given out, as when somebody has just expunged it
        (USUAL.replace(b"{3}\r\nabc", b"NIL") + USUAL, [(7, b"\\Seen", b"abc")]),
        (b"", []),
    ],
)  # fmt: skip
def test_any_legal_form_of_a_message(answer: bytes, messages: list[tuple[int, bytes, bytes]]) -> None:
    assert fetched(answer + b"TAG OK done\r\n") == messages


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (USUAL + b"TAG NO some messages are gone\r\n", MessageUnreadableError),
        (b"* 1 FETCH (UID 7 BODY[] {3}\r\nabc)\r\nTAG OK\r\n", ProtocolError),
        (b"OTHER OK done\r\n", ProtocolError),
        # no string: a garbled head of a literal
        (USUAL.replace(b"{3}\r\nabc", b"[{78}") + b"TAG OK\r\n", ProtocolError),
        (USUAL.replace(b"abc)", b"abcdef") + b"TAG OK\r\n", ProtocolError),
        (b"* BYE shutting down\r\n", MigrationError),
        (USUAL[:-4], MigrationError),
    ],
)
def test_nonsense_is_an_error_and_never_a_message(answer: bytes, error: type[MigrationError]) -> None:
    """case_89: a truncated literal is never passed on as a whole message."""
    with pytest.raises(error):
        fetched(answer)


# writing


@dataclass
class Target:
    """A scripted IMAP target that understands APPEND only; ``refuse`` is asked for each command with its bodies."""

    refuse: Callable[[list[bytes]], bytes | None] = lambda _bodies: None
    next_uid: int = 1
    stored: dict[int, bytes] = field(default_factory=dict)
    commands: list[bytes] = field(default_factory=list)
    appenduid: bool = True

    def serve(self, sock: socket.socket) -> None:
        """Answer APPEND commands until the client hangs up; an incomplete command is never carried out."""
        with sock.makefile("rb") as stream:
            while line := stream.readline():
                tag, bodies = line.split(b" ", 1)[0], []
                self.commands.append(line)
                while match := re.search(rb"\{(\d+)(\+?)\}\r\n$", line):
                    if not match[2]:
                        sock.sendall(b"+ go on\r\n")
                    bodies.append(stream.read(int(match[1])))
                    line = stream.readline()
                if line.endswith(b"\r\n"):
                    sock.sendall(tag + b" " + self.answer(bodies) + b"\r\n")

    def answer(self, bodies: list[bytes]) -> bytes:
        """Store the messages of one command, or refuse them all."""
        refusal = self.refuse(bodies)
        if refusal:
            return refusal
        first = self.next_uid
        for body in bodies:
            self.stored[self.next_uid] = body
            self.next_uid += 1
        return b"OK [APPENDUID 1 %d:%d] done" % (first, self.next_uid - 1) if self.appenduid else b"OK done"


MULTI = (b"MULTIAPPEND", b"LITERAL+", b"UIDPLUS")


@dataclass
class Copy:
    """What a copy of the given UIDs to a target told on its way."""

    target: Target
    faithful: bool = True
    limit: int = 3
    alone: bool = True
    rows: list[MessageRow] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)

    def run(self, uids: list[int], *capabilities: bytes, sizes: int = 10) -> Appender:
        """Copy messages whose bytes tell their UID."""
        with scripted(self.target.serve, *capabilities) as session:
            selected = Selected(0, 1, self.target.next_uid, 0, frozenset({b"\\seen", b"\\deleted"}), any_keyword=True)
            appender = Appender(
                session,
                selected,
                faithful=self.faithful,
                skip_to=self._skip,
                confirmed=lambda rows, _size: self.rows.extend(rows),
                dropped=lambda uid, _error: self.dropped.append(uid),
                limit=self.limit,
            )
            appender.alone = self.alone
            copy_messages(iter([message(uid, sizes) for uid in uids]), appender, self, set())
            return appender

    def _skip(self, uid: int) -> None:
        self.skipped.append(uid)
        self.target.next_uid = uid

    def take(self, messages: int, size: int) -> None:
        """No pace."""


def message(uid: int, size: int) -> Message:
    body = (b"%d " % uid).ljust(size, b"x") if size else b""
    return Message(uid, b"\\Seen", b"01-Jan-2020 00:00:00 +0000", len(body), lambda: (body,))


def uids_stored(target: Target) -> dict[int, int]:
    """Target UID → source UID of what is stored, without the placeholders."""
    return {uid: int(body.split()[0]) for uid, body in target.stored.items() if body[:1].isdigit()}


@pytest.mark.parametrize(
    "capabilities",
    [MULTI, (b"MULTIAPPEND", b"UIDPLUS"), (b"LITERAL+", b"UIDPLUS"), (b"UIDPLUS",), (b"LITERAL-", b"UIDPLUS")],
)
@pytest.mark.parametrize("faithful", [True, False])
def test_every_message_once_whatever_the_target_offers(capabilities: tuple[bytes, ...], faithful: bool) -> None:
    """case_84: with and without LITERAL+ and MULTIAPPEND."""
    copy = Copy(Target(), faithful=faithful)
    copy.run([1, 2, 3, 5, 6, 9, 10], *capabilities)
    if faithful:
        assert uids_stored(copy.target) == {uid: uid for uid in (1, 2, 3, 5, 6, 9, 10)}
    assert sorted(uids_stored(copy.target).values()) == [1, 2, 3, 5, 6, 9, 10]
    assert [(row.target_uid, row.source_uid) for row in copy.rows] == sorted(uids_stored(copy.target).items())
    literals = [b"+}" in command for command in copy.target.commands]
    assert all(literals) if b"LITERAL+" in capabilities or b"LITERAL-" in capabilities else not any(literals)


def test_a_big_gap_is_skipped_not_filled() -> None:
    copy = Copy(Target())
    appender = copy.run([1, 2, 100_000, 100_003], *MULTI)
    assert copy.skipped == [100_000]
    assert appender.placeholders == 2
    assert uids_stored(copy.target) == {1: 1, 2: 2, 100_000: 100_000, 100_003: 100_003}


def test_a_refused_batch_leaves_nothing_of_itself_or_of_what_follows() -> None:
    """case_93: the batch after it was under way; it must not take the refused messages' UIDs."""
    target = Target(
        refuse=lambda bodies: b"NO [CANNOT] bad" if any(body.startswith(b"5 ") for body in bodies) else None
    )
    copy = Copy(target)
    with pytest.raises(BatchRefusedError) as error:
        copy.run(list(range(1, 13)), *MULTI)
    assert error.value.source_uids == [4, 5, 6]
    assert uids_stored(target) == {1: 1, 2: 2, 3: 3}


def test_one_refused_message_costs_no_other_where_uids_are_free() -> None:
    target = Target(refuse=lambda bodies: b"NO bad" if bodies[0].startswith(b"2 ") else None)
    copy = Copy(target, faithful=False)
    copy.run([1, 2, 3, 4], b"LITERAL+", b"UIDPLUS")
    assert copy.dropped == [2]
    assert sorted(uids_stored(target).values()) == [1, 3, 4]


def test_a_full_quota_is_the_accounts_trouble_not_the_messages() -> None:
    """case_95."""
    copy = Copy(Target(refuse=lambda _bodies: b"NO [OVERQUOTA] Quota exceeded"), faithful=False)
    with pytest.raises(BatchRefusedError) as error:
        copy.run([1, 2], b"LITERAL+", b"UIDPLUS")
    assert isinstance(error.value.cause, OverQuotaError)
    assert copy.dropped == []


def test_other_mail_in_between_is_noticed_by_the_uids() -> None:
    """case_74: what was added with wrong UIDs is named, so that exactly that is taken back."""
    target = Target()

    def deliver(bodies: list[bytes]) -> None:
        if bodies[0].startswith(b"4 "):
            target.next_uid += 2

    target.refuse = deliver
    with pytest.raises(ShiftedError) as error:
        Copy(target).run([1, 2, 3, 4, 5, 6], *MULTI)
    assert error.value.uids == [6, 7, 8]


def test_in_a_folder_that_others_write_to_a_gap_is_skipped_and_never_filled() -> None:
    copy = Copy(Target(next_uid=4), alone=False)
    appender = copy.run([4, 5, 7, 9, 10], *MULTI)
    assert (copy.skipped, appender.placeholders) == ([7, 9], 0)
    assert uids_stored(copy.target) == {uid: uid for uid in (4, 5, 7, 9, 10)}


@pytest.mark.parametrize("uids", [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 8, 20]])
def test_other_mail_in_between_is_no_trouble_there(uids: list[int]) -> None:
    """case_83: what comes after it gets the target's own UIDs; nothing is taken back, and every pair is right."""
    target = Target()

    def deliver(bodies: list[bytes]) -> None:
        if bodies[0].startswith(b"4 "):
            target.next_uid += 30

    target.refuse = deliver
    copy = Copy(target, alone=False)
    copy.run(uids, *MULTI)
    assert [row.source_uid for row in copy.rows] == uids
    assert {row.target_uid: row.source_uid for row in copy.rows} == uids_stored(target)
    assert copy.skipped == []


def test_a_uid_that_was_given_out_already_is_refused_before_anything_is_sent() -> None:
    target = Target(next_uid=10)
    with pytest.raises(TargetMovedError):
        Copy(target).run([5], *MULTI)
    assert not target.commands


def test_without_appenduid_messages_are_named_as_unplaced() -> None:
    """case_71: they are looked up afterwards."""
    copy = Copy(Target(appenduid=False), faithful=False)
    appender = copy.run([1, 2, 3], b"MULTIAPPEND", b"LITERAL+")
    assert [row.source_uid for row in appender.unplaced] == [1, 2, 3]
    assert copy.rows == []


def test_an_empty_message_is_told_and_its_uid_stays_free() -> None:
    """case_2: IMAP can't append nothing; the messages around it keep their UIDs."""
    copy = Copy(Target())
    with scripted(copy.target.serve, *MULTI) as session:
        selected = Selected(0, 1, 1, 0, frozenset(), any_keyword=True)
        appender = Appender(
            session,
            selected,
            faithful=True,
            skip_to=copy.skipped.append,
            confirmed=lambda rows, _size: copy.rows.extend(rows),
            dropped=lambda uid, _error: copy.dropped.append(uid),
        )
        assert copy_messages(iter([message(1, 5), message(2, 0), message(3, 5)]), appender, copy, set()) == [2]
    assert copy.dropped == []
    assert uids_stored(copy.target) == {1: 1, 3: 3}
    assert appender.lost_flags == {b"\\Seen"}
