# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: names that no client has given, that are long or deep, or that mean something."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab.maildir import Folder, Mail
from tests.lab.state import RegionOptions, SiteOptions

from .checks.picture import look
from .checks.world import Pair, World, plain, small_mails, with_gaps


def _on_disk(pair: Pair, name: bytes) -> None:
    """A folder as another program has left it in the Maildir: the name is the directory's."""
    place = pair.world.site.maildir(pair.address) / f".{os.fsdecode(name)}"
    data = b"Subject: in %s\n\nhello\n" % name.hex().encode()
    for path in (place, place / "cur", place / "new", place / "tmp"):
        path.mkdir(mode=0o700)
    (place / "cur" / f"1600000000.M1P1.mail,S={len(data)}:2,S").write_bytes(data)
    pair.world.site.give_to_owner(place)


@pytest.mark.case(55, 56)
def test_names_that_only_another_program_can_have_given(pair: Pair) -> None:
    """What the target's Dovecot refuses gets a name that it takes; the plan and the findings tell which."""
    names = {
        b"tab&AAk-bed": "tab_bed",
        b"dbox-Mails": "dbox-Mails_",
        b"all*stars": "all*stars",
        b"&AOQ-.&2DzfiQ-": "ä/🎉",
    }
    for name in names:
        _on_disk(pair, name)
    planned = pair.sync(check=True)
    result = pair.done()
    there = look(pair.target)
    assert set(there.folders) == {"INBOX", *names.values()}
    assert all(len(there.folders[name].messages) == 1 for name in names.values())
    assert "dbox-Mails → dbox-Mails_ (the target keeps such a name for itself)" in planned["diff"]["prepared"]
    findings = " ".join(result.mailbox(pair.address)["findings"])
    assert "dbox-Mails is called dbox-Mails_ on the target" in findings
    assert "is called tab_bed on the target: its name holds control characters" in findings
    assert result.mailbox(pair.address)["fidelity"] == "faithful"
    pair.settled()
    assert pair.audit()["identical"] is True


@pytest.mark.case(53, 68)
def test_folders_that_the_source_lists_and_will_not_open(pair: Pair) -> None:
    """Dovecot does so with a tilde at the beginning and with a slash in a level: they are named, the rest arrives."""
    for name in (b"~tilde", b"a&AC8-b", b"Other"):
        _on_disk(pair, name)
    for _again in range(2):
        result = pair.sync()
        assert result.kinds(pair.address) == {"folder_failed"}
        assert {failure["folder"] for failure in result.failures(pair.address)} == {"~tilde", "a&AC8-b"}
        assert set(look(pair.target).folders) == {"INBOX", "Other"}
    pair.options = {"folders": {"exclude": ["~tilde", "a&AC8-b"]}}
    pair.done()
    pair.settled()


@pytest.mark.case(53)
def test_two_names_that_would_become_one_stop_the_mailbox_before_anything_is_written(pair: Pair) -> None:
    for name in (b"x&AAk-", b"x_", b"Other"):
        _on_disk(pair, name)
    before = look(pair.target)
    for check in (True, False):
        result = pair.sync(check=check)
        (failure,) = result.failures(pair.address)
        assert (failure["kind"], failure["option"]) == ("invalid_input", "folders.rename")
        assert "x\t and x_ would both become x_" in failure["message"]
        assert look(pair.target) == before
    pair.options = {"folders": {"rename": {"x\t": "tab x"}}}
    pair.done()
    assert set(look(pair.target).folders) == {"INBOX", "tab x", "x_", "Other"}
    pair.settled()


@pytest.mark.case(63)
def test_deep_and_long_names(pair: Pair) -> None:
    deep = tuple(f"d{number}" for number in range(40))
    folders = [
        with_gaps(small_mails(3, "deep"), deep, {}),
        with_gaps(small_mails(3, "long"), ("x" * 200,), {}),
        with_gaps(small_mails(3, "wide"), ("ü" * 50, "🎉" * 3), {}),
    ]
    pair.write([Folder((), 9, 1, []), *folders])
    pair.done()
    assert {"INBOX", "/".join(deep), "x" * 200, "ü" * 50 + "/" + "🎉" * 3} == set(pair.faithful().folders)
    pair.settled()


@pytest.fixture
def roomy(world: World) -> Iterator[World]:
    """A source that keeps folders within folders, where each level may be as long as a file's name."""
    site = "mail_location = maildir:~:LAYOUT=fs\nnamespace inbox {\n  separator = /\n}\n"

    with world.changed(site=SiteOptions(extra=site)):
        yield world


@pytest.mark.case(63)
def test_fifty_levels_and_levels_of_255_bytes(roomy: World) -> None:
    pair = roomy.pair()
    deep, longest = "/".join(f"level {number}" for number in range(50)), "y" * 255
    with pair.at_source() as source:
        for name in (deep, longest, f"{'z' * 255}/{'w' * 255}"):
            source.create(name)
            source.append(name, plain(name[:20]))
            source.subscribe(name)
    pair.done()
    pair.faithful()
    pair.settled()


@pytest.mark.case(63)
def test_a_thousand_folders(pair: Pair) -> None:
    """Made and filled in one run; the second costs one command on each side."""
    folders = [Folder((), 5, 1, [])]
    for number in range(1000):
        mails: list[tuple[int, Mail]] = [(7, small_mails(1, number)[0])] if number % 20 == 0 else []
        folders.append(Folder((f"F{number // 40:02}", f"G {number:04}"), 1000 + number, 9, mails))
    pair.write(folders)
    result = pair.done()
    assert result.mailbox(pair.address)["folders_created"] == 1000
    pair.faithful()
    assert pair.settled().mailbox(pair.address)["seconds"] < 10


@pytest.mark.case(62, 66)
def test_empty_folders_and_what_is_subscribed_to(pair: Pair) -> None:
    """Empty folders are folders; one need not be subscribed to, and one that is subscribed to need not be there."""
    with pair.at_source() as source:
        for name in ("Empty", "Empty/Below", "Unseen", "Short"):
            source.create(name)
        for name in ("Empty/Below", "Short"):
            source.subscribe(name)
        source.delete("Short")
        source.append("Unseen", plain("not subscribed to"))
    pair.done()
    there = pair.faithful()
    assert {"Empty", "Empty/Below", "Unseen"} < set(there.folders)
    assert there.subscribed == {"Empty/Below", "Short"}
    pair.settled()
    with pair.at_source() as source:
        source.subscribe("Unseen")
        source.subscribe("Empty/Below", wanted=False)
    assert pair.done().mailbox(pair.address)["subscriptions_changed"] == 2
    pair.faithful()
    pair.settled()


AUTOMATIC = """
namespace inbox {
  mailbox Drafts {
    auto = create
  }
  mailbox Sent {
    auto = subscribe
  }
  mailbox Trash {
    auto = subscribe
  }
  mailbox Junk {
    auto = create
  }
}
"""


@pytest.mark.case(64)
def test_folders_that_the_target_makes_by_itself(world: World) -> None:
    """They are there before the first run, empty: they get the source's numbers, or stay empty, and trouble nobody."""
    with world.changed(region=RegionOptions(rawlog=True, extra=AUTOMATIC)):
        pair = world.pair()
        pair.write(
            [
                Folder((), 11, 1, []),
                with_gaps(small_mails(9, "sent"), ("Sent",), {4: 2}),
                with_gaps([], ("Drafts",), {}),
                with_gaps(small_mails(3, "spam"), ("Spam",), {}),
            ]
        )
        pair.done()
        here, there = look(pair.source), look(pair.target)
        for name in here.folders:
            assert there.folders[name].messages == here.folders[name].messages
            assert there.folders[name].uidvalidity == here.folders[name].uidvalidity
        assert {name for name in there.folders if not there.folders[name].messages} == {
            "INBOX", "Drafts", "Junk", "Trash",
        }  # fmt: skip
        pair.settled()
        assert pair.audit()["identical"] is True


@pytest.mark.case(64)
def test_special_folders_find_their_place_on_the_target(pair: Pair) -> None:
    """Spam goes to Junk and Gesendet to Sent, where that is asked for; and stays there when it is not any more."""
    pair.write(
        [
            Folder((), 11, 1, []),
            with_gaps(small_mails(4, "spam"), ("Spam",), {}),
            with_gaps(small_mails(4, "old"), ("Spam", "2019"), {}),
            with_gaps(small_mails(4, "sent"), ("Gesendet",), {}),
            with_gaps(small_mails(4, "sent2"), ("Sent Items",), {}),
        ]
    )
    rules = {"special_use": "map"}
    planned = pair.sync(check=True, folders=rules)
    assert "Spam → Junk (folders.special_use)" in planned["diff"]["prepared"]
    pair.done(folders=rules)
    names = {"Spam": "Junk", "Spam/2019": "Junk/2019", "Sent Items": "Sent", "Gesendet": "Gesendet", "INBOX": "INBOX"}
    here, there = look(pair.source), look(pair.target)
    assert set(there.folders) == set(names.values())
    assert all(there.folders[new].messages == here.folders[old].messages for old, new in names.items())
    with pair.at_target() as target:
        assert "\\junk" in target.folders_with_uses()["Junk"]
    assert pair.audit(folders=rules)["identical"] is True
    for later in (rules, {"special_use": "keep"}):
        assert pair.done(folders=later)["changed"] is False
    with pair.at_source() as source:
        source.append("Spam", plain("more"))
    pair.done()
    assert len(look(pair.target).folders["Junk"].messages) == 5


@pytest.mark.case(68)
def test_a_folder_that_nobody_may_read_costs_no_other(pair: Pair) -> None:
    pair.write([Folder((), 11, 1, []), *(with_gaps(small_mails(4, name), (name,), {}) for name in ("A", "B", "C"))])
    locked = pair.world.site.maildir(pair.address) / ".B"
    os.chown(locked, 0, 0)
    try:
        result = pair.sync()
        assert result.failed
        assert {failure["folder"] for failure in result.failures(pair.address)} == {"B"}
        there = look(pair.target)
        assert {name: len(folder.messages) for name, folder in there.folders.items()} == {"INBOX": 0, "A": 4, "C": 4}
    finally:
        os.chown(locked, *pair.world.site.owner)
    pair.done()
    pair.faithful()
    pair.settled()
