# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: folders that are left out, renamed, gone, made anew, or called what nobody expects."""

from __future__ import annotations

import pytest

from .checks.picture import Picture, differences, look
from .checks.world import Pair, plain


def _folders(pair: Pair, *names: str, each: int = 4) -> None:
    with pair.at_source() as source:
        for name in names:
            if name not in source.folders():
                source.create(name)
            source.append_many(name, [plain(f"{number} of {name.encode().hex()}") for number in range(each)])
            source.subscribe(name)


def _as_if_called(picture: Picture, names: dict[str, str]) -> Picture:
    folders = {names.get(name, name): folder for name, folder in picture.folders.items()}
    return Picture(folders, frozenset(names.get(name, name) for name in picture.subscribed), picture.uidl)


def test_excluded_folders_stay_away_with_all_below_them(pair: Pair) -> None:
    _folders(pair, "INBOX", "Trash", "Trash/Old", "Lists", "Lists/a", "Lists/b", "Junk mail", "Keep/Trash")
    pair.options = {"folders": {"exclude": ["Trash", "Lists/%", "Junk*"]}}
    result = pair.done()
    there = look(pair.target)
    assert set(there.folders) == {"INBOX", "Lists", "Keep/Trash"}
    assert there.subscribed == {"INBOX", "Lists", "Keep/Trash"}
    assert differences(look(pair.source).only(*there.folders), there) == []
    assert result.summary["messages_copied"] == 12
    pair.settled()


def test_a_folder_excluded_later_is_not_removed(pair: Pair) -> None:
    _folders(pair, "INBOX", "Old")
    pair.done()
    pair.options = {"folders": {"exclude": ["Old"]}}
    with pair.at_source() as source:
        source.delete("Old")
    pair.done(allow_removals=1.0)
    assert len(look(pair.target).folders["Old"].messages) == 4


def test_renamed_folders_take_those_below_along(pair: Pair) -> None:
    _folders(pair, "INBOX", "Spam", "Gesendet", "Gesendet/2019", "Gesendete")
    names = {"Spam": "Junk", "Gesendet": "Sent/Alt & Wichtig", "Gesendet/2019": "Sent/Alt & Wichtig/2019"}
    pair.options = {"folders": {"rename": {"Spam": "Junk", "Gesendet": "Sent/Alt & Wichtig"}}}
    pair.done()
    assert differences(_as_if_called(look(pair.source), names), look(pair.target)) == []
    pair.settled()
    with pair.at_source() as source:
        source.append("Gesendet/2019", plain("new"))
        source.store("Spam", source.uids("Spam")[:2], "+FLAGS", "\\Seen")
    pair.done()
    assert differences(_as_if_called(look(pair.source), names), look(pair.target)) == []
    pair.settled()


@pytest.mark.case(53)
def test_two_folders_cannot_become_one(pair: Pair) -> None:
    _folders(pair, "INBOX", "Spam", "Junk")
    before = look(pair.target)
    result = pair.sync(folders={"rename": {"Spam": "Junk"}})
    assert (result.failed, result["kind"]) == (True, "invalid_input")
    assert look(pair.target) == before


def test_subscriptions_are_left_alone_when_asked(pair: Pair) -> None:
    _folders(pair, "INBOX", "One")
    pair.options = {"folders": {"subscribe": False}}
    assert pair.done().mailbox(pair.address)["subscriptions_changed"] == 0
    assert look(pair.target).subscribed == frozenset()
    pair.settled()


@pytest.mark.case(66)
def test_subscriptions_of_folders_that_are_not_there(pair: Pair) -> None:
    """case_66: kept as they are, and quiet in the second run."""
    _folders(pair, "INBOX", "Here")
    with pair.at_source() as source:
        source.create("Gone")
        source.subscribe("Gone")
        source.delete("Gone")
        assert "Gone" in source.subscribed()
        source.subscribe("Here", wanted=False)
    pair.done()
    there = look(pair.target)
    assert "Gone" not in there.folders
    assert there.subscribed == look(pair.source).subscribed == {"INBOX", "Gone"}
    pair.faithful()
    pair.settled()


def test_removals_above_the_limit_stop_the_folder_and_nothing_else(pair: Pair) -> None:
    other = pair.world.pair()
    _folders(pair, "INBOX", "Other", each=20)
    _folders(other, "INBOX")
    pair.options = {"allow_removals_below": 0}
    pair.done(others=[other])
    before = look(pair.target)
    with pair.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX")[:5])
        source.append("INBOX", plain("new here"))
        source.append("Other", plain("new in the other"))
    with other.at_source() as source:
        source.append("INBOX", plain("new in another mailbox"))
    planned = pair.sync(others=[other], check=True)
    result = pair.sync(others=[other])
    for one in (planned, result):
        assert (one.failed, one["kind"], one["changed"]) == (True, "too_many_removals", True)
        (failure,) = one.failures(pair.address)
        assert (failure["folder"], failure["kind"]) == ("INBOX", "too_many_removals")
        assert one.summary["messages_removed"] == 0
        assert one.summary["messages_copied"] == 2
    after = look(pair.target)
    assert before.folders["INBOX"].messages.items() <= after.folders["INBOX"].messages.items()
    assert len(after.folders["Other"].messages) == 21
    other.faithful()
    result = pair.done(others=[other], allow_removals=1.0)
    assert result.summary["messages_removed"] == 5
    pair.faithful()
    pair.settled()


def test_removals_up_to_the_limit_go_through(pair: Pair) -> None:
    _folders(pair, "INBOX", each=20)
    pair.done()
    with pair.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX")[3:7])
    assert pair.done(allow_removals=0.2).summary["messages_removed"] == 4
    pair.faithful()


def test_an_emptied_source_does_not_empty_the_target(pair: Pair) -> None:
    _folders(pair, "INBOX", each=12)
    pair.done()
    with pair.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX"))
    assert pair.sync()["kind"] == "too_many_removals"
    assert len(look(pair.target).folders["INBOX"].messages) == 12
    pair.done(allow_removals=1)
    assert len(pair.faithful().folders["INBOX"].messages) == 0
    pair.settled()


@pytest.mark.case(67)
def test_a_folder_gone_from_the_source(pair: Pair) -> None:
    """case_67: an empty one goes at once, one with mail when its removal is allowed, one with other mail never."""
    _folders(pair, "INBOX", each=20)
    _folders(pair, "Full", "Shared")
    _folders(pair, "Empty", each=0)
    pair.done()
    with pair.at_source() as source:
        for name in ("Full", "Empty", "Shared"):
            source.subscribe(name, wanted=False)
            source.delete(name)
    with pair.at_target() as target:
        target.append("Shared", plain("of the user's own"))
    result = pair.sync(allow_removals_below=0)
    assert result["kind"] == "too_many_removals"
    assert set(look(pair.target).folders) == {"INBOX", "Full", "Shared"}
    result = pair.done(allow_removals=1.0)
    there = look(pair.target)
    assert set(there.folders) == {"INBOX", "Shared"}
    assert len(there.folders["Shared"].messages) == 1
    assert there.subscribed <= {"INBOX", "Shared"}
    assert any("Shared" in text for text in result.mailbox(pair.address)["findings"])
    pair.settled()


@pytest.mark.case(67, 72)
def test_a_folder_deleted_and_made_again_under_its_name(pair: Pair) -> None:
    """case_67, case_72: another UIDVALIDITY; what came from the old one goes, once that is allowed."""
    _folders(pair, "INBOX", "Work")
    pair.done()
    with pair.at_source() as source:
        source.delete("Work")
        source.create("Work")
        source.append_many("Work", [plain(f"new {number}") for number in range(6)])
        source.append("Work", plain(f"1 of {b'Work'.hex()}"))
    result = pair.sync(allow_removals=0.0)
    assert result.failed
    assert result.kinds(pair.address) == {"too_many_removals"}
    assert len(look(pair.target).folders["Work"].messages) == 4
    pair.done(allow_removals=1.0)
    here, there = look(pair.source).folders["Work"], look(pair.target).folders["Work"]
    assert here.contents() == there.contents()
    pair.settled()


@pytest.mark.case(72)
def test_a_folder_that_only_got_another_uidvalidity(pair: Pair) -> None:
    """case_72: the same messages under a new UIDVALIDITY, as after a restored backup: nothing is copied again."""
    _folders(pair, "INBOX", "Work", each=20)
    pair.done()
    uidlist = pair.world.site.maildir(pair.address) / ".Work" / "dovecot-uidlist"
    head, _line, rest = uidlist.read_text().partition("\n")
    number, validity, *more = head.split()
    uidlist.write_text(" ".join([number, f"V{int(validity[1:]) + 1}", *more]) + "\n" + rest)
    for cache in uidlist.parent.glob("dovecot.index*"):
        cache.unlink()
    result = pair.sync(allow_removals=1.0)
    assert not result.failed
    assert result.summary["messages_copied"] == result.summary["messages_removed"] == 0
    here, there = look(pair.source).folders["Work"], look(pair.target).folders["Work"]
    assert here.contents() == there.contents()
    pair.settled()


@pytest.mark.case(67)
def test_a_renamed_folder_is_there_under_its_new_name(pair: Pair) -> None:
    _folders(pair, "INBOX", "Before", "Before/Below")
    pair.done()
    with pair.at_source() as source:
        source.rename("Before", "After/Wards")
        for old, new in (("Before", "After/Wards"), ("Before/Below", "After/Wards/Below")):
            source.subscribe(old, wanted=False)
            source.subscribe(new)
    pair.done(allow_removals=1.0)
    pair.faithful()
    pair.settled()


NASTY = [
    "double  blank",
    "trailing blank ",
    " leading blank",
    "quote\"and'apostrophe",
    "back\\slash",
    "amper&sand &- &AAA-",
    "Sent",
    "SENT",
    "sent",
    "emoji 🎉🧑‍🚀",
    "e\u0301 decomposed",
    "\u00e9 composed",
    "{5}",
    "(paren)",
    "[brackets]",
    "#hash",
    "~tilde",
    "$dollar %percent",
    "NIL",
    "日本語/深い/フォルダ",
    "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o",
    "x" * 200,
]


@pytest.mark.case(54, 55, 57, 58, 60, 63)
def test_names_that_nobody_expects(pair: Pair) -> None:
    """case_54, case_55, case_57, case_58, case_60, case_63: whatever name the source allows arrives as it is."""
    made: list[str] = []
    with pair.at_source() as source:
        for name in NASTY:
            if source.tried_to_create(name):
                source.append_many(name, [plain(number) for number in range(3)])
                source.subscribe(name)
                made.append(name)
    assert len(made) >= 20, set(NASTY) - set(made)
    pair.done()
    pair.faithful()
    pair.settled()


@pytest.mark.case(55)
def test_star_in_a_name(pair: Pair) -> None:
    """case_55: `*` and `%` are wildcards elsewhere, here they are names."""
    with pair.at_source() as source:
        if not source.tried_to_create("all*stars"):
            pytest.skip("this source lets nobody make such a folder")
        source.append("all*stars", plain("one"))
    pair.done()
    pair.faithful()


@pytest.mark.case(61, 62)
def test_a_parent_that_holds_no_messages(pair: Pair) -> None:
    """case_61: a name that can't be selected above a folder; and folders of every kind that are empty (case_62)."""
    _folders(pair, "Nobody/Child")
    _folders(pair, "Empty", "Empty/Below", each=0)
    pair.done()
    assert "Nobody" not in look(pair.source).folders
    pair.faithful()
    pair.settled()


@pytest.mark.case(63)
def test_hundreds_of_folders(pair: Pair) -> None:
    """case_63: made, filled here and there, and settled by one command in the second run."""
    names = [f"F{number // 50:02}/G{number:04}" for number in range(250)]
    with pair.at_source() as source:
        for number, name in enumerate(names):
            source.create(name)
            if number % 10 == 0:
                source.append(name, plain(number))
    result = pair.done()
    assert result.mailbox(pair.address)["folders_created"] >= 250
    pair.faithful()
    again = pair.settled()
    assert again.mailbox(pair.address)["seconds"] < 5


@pytest.mark.case(64)
def test_special_use_is_carried_over(pair: Pair) -> None:
    """case_64: the target knows the use by the folder's name, or is told, or the result says that it can't be."""
    _folders(pair, "Sent", "Drafts", "INBOX")
    pair.done()
    with pair.at_target() as target:
        attributes = target.folders_with_uses()
    assert "\\sent" in attributes["Sent"]
    assert "\\drafts" in attributes["Drafts"]
    pair.faithful()


@pytest.mark.parametrize("on_the_source", [False, True])
def test_a_probe_that_a_killed_run_has_left_goes_unless_it_is_the_users_own(pair: Pair, on_the_source: bool) -> None:
    probe = "atmail-migration-probe"
    _folders(pair, probe if on_the_source else "Other")
    pair.done()
    if not on_the_source:
        with pair.at_target() as target:
            target.create(probe)
            target.append(probe, plain("left"))
        assert pair.sync(check=True).failed is False
        assert probe in look(pair.target).folders
        pair.done()
    pair.faithful()
    assert pair.done()["changed"] is False
