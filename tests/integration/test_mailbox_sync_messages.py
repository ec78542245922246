# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: messages, flags and dates as they should not be, and messages that can't be had or can't be put."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.lab import maildir, mailgen

from .checks.odd import DATES, MESSAGES
from .checks.picture import look
from .checks.wire import writes
from .checks.world import Pair, World, plain, small_mails, with_gaps


@pytest.mark.case(*sorted({number for number, _what, _message in MESSAGES}))
@pytest.mark.parametrize("kind", ["auto", "mapped"])
def test_odd_messages_arrive_byte_for_byte(pair: Pair, kind: str) -> None:
    pair.options = {"fidelity": kind}
    with pair.at_source() as source:
        for _number, _what, message in MESSAGES:
            source.append("INBOX", message)
    pair.done()
    picture = pair.faithful() if kind == "auto" else pair.mapped()
    assert picture.count == len(MESSAGES)
    pair.settled()


@pytest.mark.case(9, 10, 11, 12, 15)
def test_odd_messages_in_the_maildir_arrive_as_the_source_serves_them(pair: Pair) -> None:
    """NULs and bare LFs as delivery agents left them on disk, and what a crash of a file system left behind."""
    lines = [
        b"Subject: NUL in body\n\nbefore\0after\n\0\0",
        b"Subject: NUL \0 in header\n\nbody\n",
        b"Subject: bare LF\n\none\ntwo",
        b"Subject: CRLF on disk\r\n\r\none\r\ntwo\r\n",
        b"Subject: trailing NULs\n\nbody\n" + b"\0" * 4096,
        b"\0" * 4096,
        b"\n",
        b"\0",
    ]
    mails = [maildir.Mail((line,), 1_500_000_000 + number) for number, line in enumerate(lines)]
    pair.write([with_gaps(mails, (), {})])
    pair.done()
    assert pair.faithful().count == len(lines)
    pair.settled()


@pytest.mark.case(9, 10, 11)
def test_nuls_that_dovecot_hides_are_told_and_kept(pair: Pair) -> None:
    """BODY[] shows 0x80 for a NUL; what a 0x80 really is, BINARY[] tells: a euro sign is no NUL, nor is UTF-8."""
    base64 = b"Subject: b\nContent-Transfer-Encoding: base64\n\naGVsbG8K\n"
    lines = [
        b"Subject: NUL in body\n\nbefore\0after\n\0\0",
        b"Subject: NUL \0 in header\n\nbody\n",
        b"Subject: trailing NULs\n\nbody\n" + b"\0" * 4096,
        b"\0" * 100_000,
        b"Subject: a NUL beside it \x80\n\n\0\n",
        base64.replace(b"b\n", b"\0\n", 1),
        b"Subject: 5 \x80\n\nnone\n",
        "Subject: none\n\n\u201cnone\u201d\n".encode(),
        base64.replace(b"b\n", b"5 \x80\n", 1),
    ]
    pair.write([with_gaps([maildir.Mail((line,), 1_500_000_000) for line in lines], (), {})])
    told = {one["uid"]: one for one in pair.done().mailbox(pair.address)["refused"]}
    assert {one["kind"] for one in told.values()} == {"nul_hidden"}
    assert sorted(told) == [1, 2, 3, 4, 5, 6]
    assert told.pop(6)["file"] == ""  # its body is given out decoded
    for uid, one in told.items():
        assert Path(one["file"]).read_bytes() == lines[uid - 1].replace(b"\n", b"\r\n")
    pair.faithful()
    assert [one["uid"] for one in pair.settled().mailbox(pair.address)["refused"]] == [1, 2, 3, 4, 5, 6]
    with pair.at_source() as source:
        source.expunge("INBOX", [1, 2, 3, 4, 5, 6])
    gone = pair.done(allow_removals=1.0)
    assert gone.mailbox(pair.address)["refused"] == []
    assert not any(Path(one["file"]).exists() for one in told.values())


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


@pytest.mark.case(41, 43, 44, 45, 46)
def test_flags_and_keywords_of_all_kinds(pair: Pair) -> None:
    """System flags, odd keywords, and more of them than a Maildir has letters for."""
    odd = [
        "NIL",
        "$MDNSent",
        "$Forwarded",
        "Junk",
        "NonJunk",
        "a" * 50,
        "x.y/z:1",
        "$",
        "RECEIPTCHECKED",
        "a[b",
        "&AOk-",
    ]
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


@pytest.mark.case(50)
@pytest.mark.parametrize("change", ["+FLAGS", "-FLAGS"])
def test_flag_removal_and_addition_follow(pair: Pair, change: str) -> None:
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


@pytest.mark.case(36, 37)
def test_the_date_in_a_header_is_not_our_business(pair: Pair) -> None:
    """It is neither read nor mended, and changes nothing about INTERNALDATE."""
    assert len(DATES) == 28
    with pair.at_source() as source:
        for number, date in enumerate(DATES):
            for coded in (date.encode(), date.encode("latin-1")):
                message = plain(number).replace(b"Wed, 3 Feb 2021 04:05:06 +0100", coded)
                source.append("INBOX", message, date=f"{number % 28 + 1:2}-Mar-2019 04:05:06 +0100")
    pair.done()
    assert pair.faithful().count == 56
    pair.settled()


RECEIVED = [
    "01-Jan-1970 00:00:00 +0000",
    " 1-Jan-1970 14:00:01 +1400",
    "31-Dec-1999 23:59:59 -1200",
    " 9-Feb-2004 01:02:03 +0530",
    "28-Oct-2018 02:30:00 +0200",
    "28-Oct-2018 02:30:00 +0100",
    "31-Mar-2019 02:30:00 +0100",
    "29-Feb-2020 23:59:59 -0930",
    "22-Nov-2026 23:59:59 -0330",
]


@pytest.mark.case(38, 40)
def test_dates_are_the_same_instants(pair: Pair) -> None:
    """Blanks instead of a first zero, far zones, an hour that there was twice and one that there was not."""
    with pair.at_source() as source:
        for date in RECEIVED:
            source.append("INBOX", plain(date.encode().hex()), date=date)
    pair.done()
    received = {message.received for message in pair.faithful().folders["INBOX"].messages.values()}
    assert len(received) == len(RECEIVED)
    pair.settled()


@pytest.mark.case(38, 39)
@pytest.mark.parametrize("lose_ledger", [False, True])
def test_dates_to_come_are_told_and_double_nothing(pair: Pair, lose_ledger: bool) -> None:
    """Dovecot's APPEND makes a date in the future today's; all else is kept, and nothing comes twice for it."""
    dates = [1_900_000_000, 2**31 - 1, 2**31, 2**31 + 86400 * 3650]
    mails = [maildir.Mail((b"Subject: %d\n\nx\n" % date,), date, ("\\Flagged",)) for date in dates]
    pair.write([with_gaps([*small_mails(3), *mails, *small_mails(3, "after")], (), {})])
    result = pair.done()
    assert any("4 message(s) have a date in the future" in text for text in result.mailbox(pair.address)["findings"])
    for _again in range(2):
        here, there = (look(place).folders["INBOX"].messages for place in (pair.source, pair.target))
        assert {uid: (one.digest, one.flags) for uid, one in here.items()} == {
            uid: (one.digest, one.flags) for uid, one in there.items()
        }
        assert [uid for uid, one in here.items() if one.received != there[uid].received] == [4, 5, 6, 7]
        if lose_ledger:
            pair.ledger.unlink()
        assert pair.done()["changed"] is False
    audit = pair.audit()
    assert {(one["what"], one["uid"]) for one in audit["differences"]} == {
        ("internaldate", uid) for uid in (4, 5, 6, 7)
    }


@pytest.mark.case(6, 7, 8)
@pytest.mark.parametrize("kind", ["auto", "mapped"])
def test_copies_and_namesakes_stay_as_many_as_they_are(pair: Pair, kind: str) -> None:
    """One Message-ID with several bodies, one message three times in a folder, and once more in another folder."""
    pair.options = {"fidelity": kind}
    same = plain("same")
    with pair.at_source() as source:
        source.create("Other")
        source.append_many("INBOX", [same, plain("before"), same, same])
        source.append_many("INBOX", [plain("id", body) for body in ("one", "two", "three")])
        source.append_many("Other", [same, plain("id", "two")])
    pair.done()
    picture = pair.faithful() if kind == "auto" else pair.mapped()
    assert {name: len(folder.messages) for name, folder in picture.folders.items()} == {"INBOX": 7, "Other": 2}
    pair.ledger.unlink()
    pair.settled()
    with pair.at_source() as source:
        source.append("INBOX", same)
    assert pair.done().summary["messages_copied"] == 1
    if kind == "auto":
        pair.faithful()
    else:
        pair.mapped()


@pytest.mark.case(42)
def test_recent_is_never_sent(pair: Pair, world: World) -> None:
    for number in range(3):
        world.site.deliver(pair.address, plain(number).replace(b"\r\n", b"\n"), 1_600_000_000 + number)
    with pair.at_source() as source:
        source.append_many("INBOX", [plain("x"), plain("y")], "\\Seen")
    pair.done()
    pair.faithful()
    assert not any("recent" in one.rest.lower() for one in writes(world.rawlog(), pair.address))
    pair.settled()


@pytest.mark.case(48, 49)
def test_flags_that_change_while_their_messages_are_copied(pair: Pair) -> None:
    """The next run brings what changed behind the copy; two flags that come at once are both there."""
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(400)])
    running = pair.start(pace={"messages_per_second": 200})
    with pair.at_source() as source:
        uids = source.uids("INBOX")
        for turn in range(8):
            source.store("INBOX", uids[turn::8], "+FLAGS", "\\Seen")
            source.store("INBOX", uids[turn::8], "+FLAGS", "\\Draft changed")
            source.store("INBOX", uids[turn::16], "-FLAGS", "\\Seen")
    assert not running.wait().failed
    pair.done()
    pair.faithful()
    pair.settled()


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
