# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripted server without faults: a client that is not ours finds it correct, and the engine copies with it."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from imapclient import IMAPClient

from .scripted import PASSWORD, Behaviour, Mailbox, serving
from .scripted.engine import USER, Trial

PLAIN = b"Subject: %d\r\nMessage-ID: <%d@example.com>\r\n\r\nbody %d\r\n"


def _filled(count: int) -> Mailbox:
    """INBOX with so many messages and holes between their UIDs, and a folder for what was sent."""
    mailbox = Mailbox(subscribed=(b"INBOX", b"Sent"))
    for number in range(count):
        mailbox.inbox.add(PLAIN % (number, number, number), [b"\\Seen"] if number % 2 else [b"$Forwarded"])
    sent = mailbox.create(b"Sent", frozenset({b"\\Sent"}))
    for number in range(count // 10):
        sent.add(b"Subject: sent %d\r\n\r\n\xfc\r\n" % number, date=b"01-Jan-2001 01:02:03 -0800", uid=5 * number + 1)
    return mailbox


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    with ExitStack() as stack:
        source, target = (stack.enter_context(serving({USER: box})) for box in (_filled(300), Mailbox()))
        yield Trial(source, target, tmp_path / "ledger.sqlite3", faithful=True)


def test_imapclient_reads_and_writes() -> None:
    mailbox = _filled(30)
    with serving({USER: mailbox}) as server:
        client = IMAPClient("127.0.0.1", server.port, ssl=False)
        client.login(USER, PASSWORD)
        assert b"CONDSTORE" in client.capabilities()
        assert client.namespace().personal == (("", "/"),)
        assert {name for _flags, _mark, name in client.list_folders()} == {"INBOX", "Sent"}
        assert client.folder_status("Sent", ["MESSAGES", "UIDNEXT"]) == {b"MESSAGES": 3, b"UIDNEXT": 12}
        opened = client.select_folder("INBOX")
        assert (opened[b"EXISTS"], opened[b"UIDNEXT"]) == (30, 31)
        fetched = client.fetch([1, 30], ["FLAGS", "BODY.PEEK[]", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "RFC822.SIZE"])
        assert fetched[30][b"BODY[]"] == PLAIN % (29, 29, 29)
        assert fetched[1][b"BODY[HEADER.FIELDS (SUBJECT)]"] == b"Subject: 0\r\n\r\n"
        assert client.search(["KEYWORD", "$Forwarded", "UID", "1:4"]) == [1, 3]
        client.add_flags([5], [b"\\Deleted"])
        client.uid_expunge([5])
        assert b"APPENDUID 1000 31" in client.append("INBOX", b"Subject: x\r\n\r\nx\r\n", [b"\\Draft"])
        client.logout()
        assert mailbox.inbox.uids() == [*range(1, 5), *range(6, 32)]
        assert server.complaints == []


def test_a_wrong_password_and_an_unknown_command() -> None:
    with serving({USER: Mailbox()}, Behaviour(lacks=frozenset({"IDLE"}))) as server:
        client = imaplib.IMAP4("127.0.0.1", server.port)
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login(USER, "wrong")
        client.login(USER, PASSWORD)
        with pytest.raises(imaplib.IMAP4.error, match="unknown command"):
            client.xatom("IDLE")
        client.logout()
        assert len(server.complaints) == 1


def test_changes_are_told_by_mod_sequence() -> None:
    """QRESYNC and CONDSTORE (RFC 7162): the same changes are seen by both."""
    mailbox = _filled(20)
    before = mailbox.inbox.highestmodseq
    mailbox.inbox.set_flags(4, [b"\\Flagged"])
    mailbox.inbox.expunge([7, 8])
    with serving({USER: mailbox}) as server:
        client = imaplib.IMAP4("127.0.0.1", server.port)
        client.login(USER, PASSWORD)
        client.enable("QRESYNC")
        client.select("INBOX")
        assert client.response("HIGHESTMODSEQ") == ("HIGHESTMODSEQ", [b"%d" % (before + 2)])
        client.uid("FETCH", "1:*", f"(FLAGS) (CHANGEDSINCE {before} VANISHED)")
        assert client.response("VANISHED") == ("VANISHED", [b"(EARLIER) 7:8"])
        client.xatom("SELECT", f"INBOX (QRESYNC (1000 {before}))")
        assert client.response("VANISHED") == ("VANISHED", [b"(EARLIER) 7:8"])
        (changed,) = client.response("FETCH")[1][-1:]
        assert changed == b"4 (UID 4 FLAGS (\\Flagged) MODSEQ (%d))" % (before + 1)
        client.logout()
        assert server.complaints == []


@pytest.mark.parametrize("faithful", [True, False])
def test_the_engine_copies_and_follows(trial: Trial, faithful: bool) -> None:
    trial.faithful = faithful
    outcome = trial.run()
    assert (outcome.failures, outcome.messages_copied) == ([], 330)
    assert outcome.fidelity == ("faithful" if faithful else "mapped")
    assert trial.differences() == []
    inbox = trial.here.inbox
    inbox.set_flags(5, [b"\\Flagged"])
    inbox.expunge([7, 8])
    inbox.add(b"Subject: new\r\n\r\n")
    outcome = trial.run()
    assert (outcome.messages_copied, outcome.flags_changed, outcome.messages_removed) == (1, 1, 2)
    assert trial.differences() == []
    assert trial.run().unchanged
    assert trial.source.complaints == trial.target.complaints == []
