# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: messages, flags and dates as they should not be, and messages that can't be had or can't be put."""

from __future__ import annotations

import random

import pytest

from tests.lab import maildir, mailgen

from .checks.picture import look
from .checks.world import Pair, plain, small_mails, with_gaps

HEAD = b"From: a@example.com\r\nSubject: "

#: Case of NASTY-CASES → messages.
ODD = {
    "case_1 no header": b"\r\njust a body\r\n",
    "case_5 no message-id": HEAD + b"x\r\n\r\nbody\r\n",
    "case_10 trailing blanks": HEAD + b"y\r\n\r\nbody" + b" " * 5000,
    "case_13 bare CR": HEAD + b"cr\r\n\r\none\rtwo\rthree\r\n",
    "case_14 CR CR LF": HEAD + b"crcrlf\r\r\nTo: b@example.com\r\r\n\r\nbody\r\r\n",
    "case_15 no end of line": HEAD + b"noend\r\n\r\nbody without end",
    "case_16 header only": HEAD + b"only a header",
    "case_17 no colon": HEAD + b"colon\r\nthis line has none\r\n\r\nbody\r\n",
    "case_18 blank continuation": HEAD + b"folded\r\n \t \r\n more\r\n\r\nbody\r\n",
    "case_19 raw utf-8": HEAD + "Grüße 漢字".encode() + b"\r\n\r\n" + "Grüße".encode() + b"\r\n",
    "case_19 raw latin-1": HEAD + "Grüße".encode("latin-1") + b"\r\n\r\n" + "Grüße".encode("latin-1") + b"\r\n",
    "case_20 control characters": HEAD + bytes(range(1, 9)) + b"\x7f\r\n\r\n" + bytes(range(14, 32)) + b"\r\n",
    "case_21 header name": b"X Y: z\r\nX-\xfc: z\r\n" + HEAD + b"name\r\n\r\nbody\r\n",
    "case_22 long header": HEAD + b"h" * 100_000 + b"\r\n\r\nbody\r\n",
    "case_23 long body line": HEAD + b"b\r\n\r\n" + b"l" * 1_000_000 + b"\r\n",
    "case_24 many Received": b"Received: from x by y; Wed, 3 Feb 2021 04:05:06 +0100\r\n" * 2000
    + HEAD
    + b"r\r\n\r\n.\r\n",
    "case_25 mbox": b"From someone Wed Feb  3 04:05:06 2021\r\n" + HEAD + b"m\r\n\r\nFrom here\r\n>From there\r\n",
    "case_27 nested": b"".join(
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'
        b"Content-Type: message/rfc822\r\n\r\n" % (level, level)
        for level in range(50)
    )
    + HEAD
    + b"innermost\r\n\r\nbody\r\n",
    "case_29 eight bits": HEAD + b"8\r\nContent-Transfer-Encoding: binary\r\n\r\n" + bytes(range(1, 256)) * 40,
    "case_33 syntax": HEAD + b'a "quoted" {5} {5+}\\ (x) * OK [ALERT]\r\n\r\n* 1 FETCH (UID 1)\r\n)\r\n{10}\r\n',
    "case_34 other tools": HEAD + b"t\r\nX-TUID: abc123\r\nX-OfflineIMAP: 1\r\n\r\nbody\r\n",
    "dots": HEAD + b"dots\r\n\r\n.\r\n..\r\n.x\r\n",
    "one byte": b"x",
    "two bytes": b"\r\n",
}


def test_odd_messages_arrive_byte_for_byte(pair: Pair) -> None:
    with pair.at_source() as source:
        for message in ODD.values():
            source.append("INBOX", message)
    pair.done()
    assert pair.faithful().count == len(ODD)
    pair.settled()


def test_odd_messages_in_the_maildir_arrive_as_the_source_serves_them(pair: Pair) -> None:
    """case_9, case_11, case_12: NULs and bare LFs as delivery agents left them on disk."""
    lines = [
        b"Subject: NUL in body\n\nbefore\0after\n\0\0",
        b"Subject: NUL \0 in header\n\nbody\n",
        b"Subject: bare LF\n\none\ntwo",
        b"Subject: CRLF on disk\r\n\r\none\r\ntwo\r\n",
        b"\n",
        b"\0",
    ]
    mails = [maildir.Mail((line,), 1_500_000_000 + number) for number, line in enumerate(lines)]
    pair.write([with_gaps(mails, (), {})])
    pair.done()
    assert pair.faithful().count == len(lines)
    pair.settled()


def test_sizes_from_one_byte_to_many_megabytes(pair: Pair) -> None:
    """Around every limit of buffers and batches: 64 K, 256 K, 4 M; and one message larger than all of them."""
    chance = random.Random(7)
    head = b"Subject: sized\r\n\r\n"
    sizes = [65535, 65536, 65537, 262143, 262144, 262145, 262144 * 3 + 1, (4 << 20) - 1, 4 << 20, (4 << 20) + 1]
    with pair.at_source() as source:
        for number, size in enumerate(sizes):
            body = head + chance.randbytes(1000).hex().encode() * (size // 2000 + 1)
            source.append_many("INBOX", [plain(number)] * 3)
            source.append("INBOX", body[:size])
    pair.write_more(with_gaps([mailgen.make_huge(24 << 20)], ("Huge",), {}))
    pair.done()
    pair.faithful()
    pair.settled()


def test_flags_and_keywords_of_all_kinds(pair: Pair) -> None:
    """case_41 to case_46: system flags, odd keywords, more of them than a Maildir has letters for."""
    odd = ["NIL", "$MDNSent", "$Forwarded", "Junk", "NonJunk", "a" * 50, "x.y/z:1", "$", "receiptchecked"]
    many = [f"keyword{number:02}" for number in range(60)]
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(70)])
        uids = source.uids("INBOX")
        source.store("INBOX", uids[:1], "FLAGS", "\\Seen \\Answered \\Flagged \\Draft \\Deleted")
        source.store("INBOX", uids[1:2], "FLAGS", " ".join(odd))
        for uid, keyword in zip(uids[2:], many, strict=False):
            source.store("INBOX", [uid], "+FLAGS", keyword)
    pair.done()
    flags = {flag for message in pair.faithful().folders["INBOX"].messages.values() for flag in message.flags}
    assert {one.lower() for one in (*odd, *many)} <= flags
    pair.settled()


@pytest.mark.parametrize("change", ["+FLAGS", "-FLAGS"])
def test_flag_removal_and_addition_follow(pair: Pair, change: str) -> None:
    """case_50"""
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(1500)], "\\Flagged common")
    pair.done()
    with pair.at_source() as source:
        uids = source.uids("INBOX")
        source.store("INBOX", uids[::2], change, "\\Flagged common \\Seen other")
    result = pair.done()
    assert result.summary["flags_changed"] == 750
    assert result.summary["messages_copied"] == result.summary["messages_removed"] == 0
    pair.faithful()
    pair.settled()


DATES = [
    "01-Jan-1970 00:00:00 +0000",
    " 1-Jan-1970 14:00:01 +1400",
    "31-Dec-1999 23:59:59 -1200",
    " 9-Feb-2004 01:02:03 +0530",
    "28-Oct-2018 02:30:00 +0200",
    "28-Oct-2018 02:30:00 +0100",
    "22-Nov-2026 23:59:59 -0330",
]


def test_dates_are_the_same_instants(pair: Pair) -> None:
    """case_38, case_40. Dates to come (case_39) are not among them: Dovecot's APPEND makes them today's."""
    with pair.at_source() as source:
        for date in DATES:
            source.append("INBOX", plain(date.encode().hex()), date=date)
    pair.done()
    received = {message.received for message in pair.faithful().folders["INBOX"].messages.values()}
    assert len(received) == len(DATES)


@pytest.mark.case(2)
def test_an_empty_message_is_told_and_costs_no_other(pair: Pair) -> None:
    """A file of no bytes in the Maildir; APPEND can't bring one (RFC 3502 section 4), and there is nothing to bring."""
    mails = small_mails(20)
    mails[7] = maildir.Mail((b"",), 1_600_000_000)
    pair.write([with_gaps(mails, (), {}), with_gaps(small_mails(5, "other"), ("Other",), {})])
    for copied in (24, 0):
        result = pair.done()
        assert result.summary["messages_copied"] == copied
        assert result["changed"] is bool(copied)
        (told,) = result.mailbox(pair.address)["refused"]
        assert (told["folder"], told["uid"], told["kind"], told["file"]) == ("INBOX", 8, "empty", "")
        here, there = look(pair.source), look(pair.target)
        assert here.folders["INBOX"].messages.keys() - there.folders["INBOX"].messages.keys() == {8}
        assert here.folders["INBOX"].messages.items() >= there.folders["INBOX"].messages.items()
        assert here.folders["Other"].messages == there.folders["Other"].messages
    with pair.at_source() as source:
        source.append("INBOX", plain("after it"))
    assert pair.done().summary["messages_copied"] == 1
    with pair.at_source() as source:
        source.expunge("INBOX", [8])
    assert pair.done().mailbox(pair.address)["refused"] == []
    pair.faithful()
    pair.settled()
