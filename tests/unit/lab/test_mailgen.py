# SPDX-License-Identifier: GPL-3.0-or-later
"""The generator of mailboxes: the same again for the same seed, and everything in them that was promised."""

from __future__ import annotations

import email
import hashlib
import random
import statistics
from collections.abc import Callable, Iterable
from email.message import Message
from pathlib import Path

import pytest

from tests.lab import mailgen
from tests.lab.maildir import Folder, Mail, deliver, encode_name, write_folder, write_mailbox


def _digest(mails: Iterable[Mail]) -> str:
    digest = hashlib.sha256()
    for mail in mails:
        digest.update(repr((mail.date, mail.flags, mail.keywords)).encode())
        for part in mail.parts:
            digest.update(part)
    return digest.hexdigest()


def _tree(root: Path) -> dict[str, tuple[bytes, int]]:
    """All files below a folder: what is in them, and for messages their modification time."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), int(path.stat().st_mtime) if path.parent.name == "cur" else 0)
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("make", [mailgen.make_small, mailgen.make_mixed])
def test_same_seed_same_messages(make: Callable[[int, object], list[Mail]]) -> None:
    assert _digest(make(200, "a")) == _digest(make(200, "a"))
    assert _digest(make(200, "a")) != _digest(make(200, "b"))


def test_messages_are_these_very_ones() -> None:
    """A change of the generator changes what every benchmark and demo works on: it has to be meant."""
    assert _digest(mailgen.make_small(50, 1)) == "b353aa03b4a45971ca7d26c89a4c9d84d581b2bb4b5aa2d2db248374f0354c57"
    assert (
        _digest(mailgen.make_mixed(150, 1, max_size=100_000))
        == "3a135500eef5680d0a9d10eed6401f6dcf2d0d17977da73001962101bf564d3b"
    )


def test_same_seed_same_maildir(tmp_path: Path) -> None:
    plan = mailgen.Plan("ann@acme.example", messages=120, folders=12, max_size=50_000, huge_gap=True)
    for name in ("one", "two"):
        write_mailbox(tmp_path / name, mailgen.make_mailbox(plan), subscribed_but_missing=mailgen.MISSING)
    assert _tree(tmp_path / "one") == _tree(tmp_path / "two")


def test_small_messages_are_small() -> None:
    sizes = [mail.size for mail in mailgen.make_small(500)]
    assert min(sizes) > 1500
    assert max(sizes) < 4600
    assert 2600 < statistics.mean(sizes) < 3400


def test_sizes_are_log_normal_and_bounded() -> None:
    sizes = [mail.size for mail in mailgen.make_mixed(2000, max_size=300_000)]
    assert statistics.mean(sizes) > 1.5 * statistics.median(sizes)
    assert max(sizes) < 350_000
    assert sum(size > 100_000 for size in sizes) > 40


def test_mixed_has_every_kind() -> None:
    parsed = [email.message_from_bytes(b"".join(mail.parts)) for mail in mailgen.make_mixed(600)]
    kinds = {part.get_content_type() for message in parsed for part in message.walk()}
    assert {"text/plain", "text/html", "multipart/alternative", "multipart/mixed", "message/rfc822"} <= kinds
    assert max(_nesting(message) for message in parsed) >= 3
    assert any(message.get_content_disposition() == "attachment" for each in parsed for message in each.walk())
    assert sum(message["Message-ID"] is None for message in parsed) >= 2
    assert any(not message.keys() for message in parsed)
    assert sum(message["Date"] is None for message in parsed) >= 2


def test_mixed_has_eight_bit_text_and_odd_bytes() -> None:
    data = [b"".join(mail.parts) for mail in mailgen.make_mixed(600)]
    assert sum(not each.isascii() for each in data) > 30
    assert any(b"\r" in each for each in data)
    assert any(not each.endswith(b"\n") for each in data)
    assert any(max(map(len, each.split(b"\n"))) > 10_000 for each in data)


def test_mixed_has_exact_duplicates() -> None:
    mails = mailgen.make_mixed(300)
    assert len({mail.parts for mail in mails}) <= len(mails) - 5


def test_every_flag_and_keyword_is_there_and_old_dates() -> None:
    mails = mailgen.make_mixed(300)
    assert {flag for mail in mails for flag in mail.flags} == {
        "\\Seen",
        "\\Answered",
        "\\Flagged",
        "\\Draft",
        "\\Deleted",
    }
    assert {keyword for mail in mails for keyword in mail.keywords} == set(mailgen.KEYWORDS)
    assert min(mail.date for mail in mailgen.make_mixed(2000)) < 1_000_000_000


def test_mailbox_has_the_folders_and_messages_asked_for() -> None:
    folders = list(mailgen.make_mailbox(mailgen.Plan("x", messages=500, folders=24)))
    assert len(folders) == len({folder.path for folder in folders}) == 24
    assert sum(len(folder.messages) for folder in folders) == 500
    assert folders[0].path == ()
    assert any(not folder.messages for folder in folders)
    assert any(len(folder.path) == 3 for folder in folders)
    assert any(not name.isascii() for folder in folders for name in folder.path)
    assert any(not folder.subscribed for folder in folders)
    for folder in folders:
        uids = [uid for uid, dummy in folder.messages]
        assert uids == sorted(set(uids))
        assert folder.uidnext > max(uids, default=0)
        assert 0 < folder.uidvalidity < 2**32


def test_uids_have_holes_and_one_huge_gap() -> None:
    folders = list(mailgen.make_mailbox(mailgen.Plan("x", messages=900, folders=12, huge_gap=True)))
    steps = [
        after - before
        for folder in folders
        for (before, dummy), (after, dummy) in zip(folder.messages, folder.messages[1:], strict=False)
    ]
    assert sum(1 < step <= 30 for step in steps) > 50
    assert [step for step in steps if step > 30] == [step for step in steps if step >= 1_000_000]
    assert sum(step >= 1_000_000 for step in steps) == 1


def test_huge_message_is_huge_but_not_in_memory() -> None:
    mail = mailgen.make_huge(300 << 20)
    assert abs(mail.size - (300 << 20)) < 1 << 20
    assert sum(len(part) for part in {id(part): part for part in mail.parts}.values()) < 3 << 20


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("Sent", "Sent"),
        ("R&D", "R&-D"),
        ("Entwürfe", "Entw&APw-rfe"),
        ("日本語", "&ZeVnLIqe-"),
        ("~peter", "~peter"),
        ("台北", "&U,BTFw-"),
        ("🎉", "&2DzfiQ-"),
        ("ü&", "&APw-&-"),
    ],
)
def test_modified_utf7(name: str, encoded: str) -> None:
    """The last line of RFC 3501 section 5.1.3's example is among them."""
    assert encode_name(name) == encoded


def test_too_many_keywords(tmp_path: Path) -> None:
    mail = Mail((b"Subject: x\n\nx\n",), 1_000_000_000, keywords=tuple(f"k{n}" for n in range(27)))
    with pytest.raises(ValueError, match="27 keywords"):
        write_folder(tmp_path / "x", Folder((), 1, 2, [(1, mail)]))


def test_file_names_tell_sizes_and_flags(tmp_path: Path) -> None:
    mail = Mail((b"a\n", b"b\r\n"), 1_000_000_000, ("\\Seen", "\\Draft"), ("to-do",))
    write_folder(tmp_path / "x", Folder((), 7, 12, [(10, mail)]))
    (path,) = (tmp_path / "x" / "cur").iterdir()
    assert path.name == "1000000000.M000010P1000.mail,S=5,W=6:2,DSa"
    assert path.read_bytes() == b"a\nb\r\n"
    assert path.stat().st_mtime == 1_000_000_000
    lines = (tmp_path / "x" / "dovecot-uidlist").read_text().splitlines()
    assert lines[0].startswith("3 V7 N12 G")
    assert lines[1] == "10 :1000000000.M000010P1000.mail,S=5,W=6"
    assert (tmp_path / "x" / "dovecot-keywords").read_text() == "0 to-do\n"


def test_delivery_goes_to_new(tmp_path: Path) -> None:
    path = deliver(tmp_path / "x", b"Subject: x\n\nx\n", 1_500_000_000)
    assert path.parent == tmp_path / "x" / "new"
    assert path.stat().st_mtime == 1_500_000_000
    assert not list((tmp_path / "x" / "tmp").iterdir())


def test_folder_of_one_seed_does_not_depend_on_others() -> None:
    one = mailgen.make_folder(("A",), mailgen.make_small(10), random.Random(5))
    two = mailgen.make_folder(("A",), mailgen.make_small(10), random.Random(5))
    assert one == two


def _nesting(message: Message) -> int:
    """How deep messages lie in each other."""
    if message.get_content_type() == "message/rfc822":
        return 1 + max((_nesting(part) for part in _children(message)), default=0)
    return max((_nesting(part) for part in _children(message)), default=0)


def _children(message: Message) -> list[Message]:
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []
