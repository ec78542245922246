# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: folders that get another name between runs, on the source or by the operator's wish."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest

from tests.lab.maildir import Folder

from .checks import wire
from .checks.module import Result
from .checks.picture import Picture, differences, look
from .checks.world import Pair, plain, small_mails, with_gaps


def _fill(pair: Pair, *names: str, each: int = 6) -> None:
    with pair.at_source() as source:
        for name in names:
            if name not in source.folders():
                source.create(name)
            source.append_many(name, [plain(f"{number} of {name.encode().hex()}") for number in range(each)])
            source.subscribe(name)


def _renamed_at_source(pair: Pair, names: dict[str, str], subscribed: Sequence[str] = ()) -> None:
    with pair.at_source() as source:
        for old, new in names.items():
            source.rename(old, new)
        for old, new in [*names.items(), *((name, "") for name in subscribed)]:
            source.subscribe(old, wanted=False)
            if new:
                source.subscribe(new)


def _entry(pair: Pair, result: Result) -> dict[str, int]:
    return dict(result.mailbox(pair.address))


def _as_if_called(picture: Picture, names: dict[str, str]) -> Picture:
    folders = {names.get(name, name): folder for name, folder in picture.folders.items()}
    return Picture(folders, frozenset(names.get(name, name) for name in picture.subscribed), picture.uidl)


@pytest.mark.case(67)
def test_a_folder_renamed_on_the_source_is_renamed_on_the_target(pair: Pair) -> None:
    """With all below it, without a message being sent again, and without `allow_removals` being asked."""
    _fill(pair, "INBOX", "Before", "Before/Below", "Before/Below/Deep", "Beside")
    pair.done()
    names = {"Before": "After/Wards", "Before/Below": "After/Wards/Below"}
    _renamed_at_source(pair, {"Before": "After/Wards"})
    with pair.at_source() as source:
        for name in ("Before/Below", "Before/Below/Deep"):
            source.subscribe(name, wanted=False)
            source.subscribe(name.replace("Before", "After/Wards", 1))
        source.append("After/Wards", plain("new"))
        source.store("After/Wards/Below", source.uids("After/Wards/Below")[:2], "+FLAGS", "\\Flagged")
        source.expunge("After/Wards/Below/Deep", source.uids("After/Wards/Below/Deep")[:1])
    planned = pair.sync(check=True)
    assert not planned.failed, planned.text
    assert (planned["changed"], _entry(pair, planned)["folders_renamed"]) == (True, 3)
    assert "Before: rename to After/Wards (Before became After/Wards on the source)" in planned["diff"]["prepared"]
    assert set(look(pair.target).folders) == {"INBOX", "Before", "Before/Below", "Before/Below/Deep", "Beside"}
    result = pair.done()
    for one in (planned, result):
        entry = _entry(pair, one)
        assert (entry["folders_renamed"], entry["messages_copied"], entry["messages_removed"]) == (3, 1, 1)
        assert (entry["folders_created"], entry["folders_removed"], entry["flags_changed"]) == (0, 0, 2)
    there = pair.faithful()
    assert set(names.values()) < set(there.folders)
    renames = [one for one in wire.commands(pair.world.rawlog(), pair.address) if one.verb == "RENAME"]
    assert len(renames) == 1
    pair.settled()


@pytest.mark.case(67)
def test_a_folder_renamed_below_a_new_parent_leaves_the_rest_alone(pair: Pair) -> None:
    _fill(pair, "INBOX", "Up", "Up/One", "Up/Two")
    pair.done()
    _renamed_at_source(pair, {"Up/One": "Archive/2020/One"})
    assert _entry(pair, pair.done())["folders_renamed"] == 1
    pair.faithful()
    pair.settled()


def _same_second(pair: Pair, names: dict[str, str]) -> None:
    """Folders that have one UIDVALIDITY and the same UIDs, as where a server makes many within a second."""
    folders = [with_gaps(small_mails(12, seed), (name,), {}) for name, seed in names.items()]
    pair.write([Folder((), 77, 1, []), *folders])


@pytest.mark.case(67)
def test_folders_that_only_look_like_the_one_that_is_gone(pair: Pair) -> None:
    """Content decides which of two folders with one UIDVALIDITY is the one that was renamed."""
    _same_second(pair, {"One": "one", "Two": "two", "Three": "three"})
    pair.options = {"folders": {"exclude": ["Three"]}}
    pair.done()
    _renamed_at_source(pair, {"One": "Z-One", "Two": "A-Two"})
    pair.options = {}
    result = pair.done()
    entry = _entry(pair, result)
    assert (entry["folders_renamed"], entry["messages_copied"], entry["messages_removed"]) == (2, 12, 0)
    pair.faithful()
    pair.settled()


@pytest.mark.case(67)
def test_another_folder_in_place_of_one_that_is_gone_is_not_taken_for_it(pair: Pair) -> None:
    _same_second(pair, {"Old": "old", "New": "new"})
    pair.options = {"folders": {"exclude": ["New"]}}
    pair.done()
    with pair.at_source() as source:
        source.subscribe("Old", wanted=False)
        source.delete("Old")
    pair.options = {}
    result = pair.sync(allow_removals=0.0)
    assert result.kinds(pair.address) == {"too_many_removals"}
    assert _entry(pair, result)["folders_renamed"] == 0
    there = look(pair.target)
    assert there.folders["New"].contents() == look(pair.source).folders["New"].contents()
    assert len(there.folders["Old"].messages) == 12
    pair.done(allow_removals=1.0)
    pair.faithful()
    pair.settled()


@pytest.mark.case(67)
def test_a_folder_that_is_excluded_now_is_not_taken_for_renamed(pair: Pair) -> None:
    """Although its very copy has come, with the same numbers."""
    _same_second(pair, {"Old": "same", "Copy": "same"})
    pair.options = {"folders": {"exclude": ["Copy"]}}
    pair.done()
    pair.options = {"folders": {"exclude": ["Old"]}}
    assert _entry(pair, pair.done())["folders_renamed"] == 0
    assert set(look(pair.target).folders) == {"INBOX", "Old", "Copy"}


@pytest.mark.case(67)
def test_a_rename_is_found_without_the_ledger_too(pair: Pair) -> None:
    """Then nothing is known to be gone: the folder is copied under its new name, and the old one stays."""
    _fill(pair, "INBOX", "Before")
    pair.done()
    pair.ledger.unlink()
    _renamed_at_source(pair, {"Before": "After"})
    pair.done()
    there = look(pair.target)
    assert there.folders["After"].contents() == there.folders["Before"].contents()
    pair.settled()


@pytest.mark.case(67)
def test_a_run_that_ended_right_after_the_rename(pair: Pair) -> None:
    """The folder has its new name on the target and the ledger does not know: nothing is sent again."""
    _fill(pair, "INBOX", "Before")
    pair.done()
    _renamed_at_source(pair, {"Before": "After"})
    with pair.at_target() as target:
        target.rename("Before", "After")
        target.subscribe("Before", wanted=False)
    result = pair.done()
    assert result.summary["messages_copied"] == result.summary["messages_removed"] == 0
    pair.faithful()
    pair.settled()


def test_a_new_rule_renames_what_was_brought(pair: Pair) -> None:
    """And a rule that is taken away moves nothing; one that names the folder itself brings it back."""
    _fill(pair, "INBOX", "Spam", "Spam/Old", "Other")
    pair.done()
    junk = {"Spam": "Junk", "Spam/Old": "Junk/Old"}
    rules = {"rename": {"Spam": "Junk"}}
    planned = pair.sync(check=True, folders=rules)
    assert "Spam: rename to Junk (folders.rename)" in planned["diff"]["prepared"]
    assert "Spam → Junk (folders.rename)" in planned["diff"]["prepared"]
    result = pair.done(folders=rules)
    for one in (planned, result):
        entry = _entry(pair, one)
        assert (entry["folders_renamed"], entry["messages_copied"], entry["folders_created"]) == (2, 0, 0)
    assert differences(_as_if_called(look(pair.source), junk), look(pair.target)) == []
    assert pair.done(folders=rules)["changed"] is False
    assert pair.done()["changed"] is False
    assert pair.audit()["identical"] is False
    assert pair.audit(ledger=str(pair.ledger))["identical"] is True
    assert differences(_as_if_called(look(pair.source), junk), look(pair.target)) == []
    result = pair.done(folders={"rename": {"Spam": "Spam"}})
    assert _entry(pair, result)["folders_renamed"] == 2
    pair.faithful()
    pair.settled()


def test_a_new_rule_that_cannot_be_followed_is_refused_before_anything_is_written(pair: Pair) -> None:
    _fill(pair, "INBOX", "Spam", "Other")
    pair.done()
    with pair.at_target() as target:
        target.create("Junk")
        target.create("Spam/Mine")
    with pair.at_source() as source:
        source.append("Other", plain("new"))
    before = look(pair.target)
    for new in ("Junk", "Bulk"):  # taken; free, but what is below would go along
        result = pair.sync(folders={"rename": {"Spam": new}})
        (failure,) = result.failures(pair.address)
        assert (failure["kind"], failure["folder"], failure["option"]) == ("invalid_input", "Spam", "folders.rename")
        assert "nothing has been changed" in failure["safe_next"]
        assert look(pair.target) == before
    pair.done()


def test_the_ledger_knows_what_a_folder_became(pair: Pair) -> None:
    """A ledger of an older version does not: then the folder is where the rules put it."""
    _fill(pair, "INBOX", "Spam")
    pair.options = {"folders": {"rename": {"Spam": "Junk"}}}
    pair.done()
    with sqlite3.connect(pair.ledger) as db:
        assert dict(db.execute("SELECT source_path, target_path FROM folder")) == {b"INBOX": b"INBOX", b"Spam": b"Junk"}
        db.execute("UPDATE folder SET target_path = NULL")
    assert pair.done()["changed"] is False
