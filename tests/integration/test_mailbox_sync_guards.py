# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: what users remove is removed; what a broken source lost is not."""

from __future__ import annotations

import shutil

from .checks.picture import look
from .checks.world import Pair, World, plain


def _fill(pair: Pair, **folders: int) -> None:
    with pair.at_source() as source:
        for name, count in folders.items():
            if name != "INBOX":
                source.create(name)
            if count:
                source.append_many(name, [plain(f"{name} {number}") for number in range(count)])


def test_a_few_messages_of_a_small_folder_and_all_of_trash_may_go(pair: Pair) -> None:
    _fill(pair, INBOX=40, Small=3, Trash=30)
    pair.done()
    with pair.at_source() as source:
        source.expunge("Small", source.uids("Small")[:2])
        source.expunge("Trash", source.uids("Trash"))
    assert pair.done().summary["messages_removed"] == 32
    pair.faithful()
    pair.settled()


def test_nothing_goes_where_nothing_may(pair: Pair) -> None:
    _fill(pair, INBOX=40, Trash=30)
    pair.done()
    with pair.at_source() as source:
        source.expunge("Trash", source.uids("Trash")[:1])
    result = pair.sync(allow_removals=0)
    assert [failure["folder"] for failure in result.failures(pair.address)] == ["Trash"]
    assert len(look(pair.target).folders["Trash"].messages) == 30


def test_what_was_moved_within_the_mailbox_is_not_lost(pair: Pair) -> None:
    _fill(pair, INBOX=150, Old=60)
    pair.done()
    with pair.at_source() as source:
        source.create("Archive")
        source.append_many("Archive", [plain(f"INBOX {number}") for number in range(140)])
        source.expunge("INBOX", source.uids("INBOX")[:140])
        source.rename("Old", "Older")
    pair.done()
    there = pair.faithful()
    assert {name: len(folder.messages) for name, folder in there.folders.items()} == {
        "INBOX": 10,
        "Archive": 140,
        "Older": 60,
    }
    pair.settled()


def test_a_source_that_lost_a_mailbox_empties_no_target(world: World, pair: Pair) -> None:
    """The disk of one mailbox is gone, and the server makes a new one: nothing is removed anywhere in the mailbox."""
    other = world.pair()
    for one in (pair, other):
        _fill(one, INBOX=120, Work=8, Few=2)
        one.options = {"allow_removals": 0.9}
    pair.done(others=[other])
    shutil.rmtree(world.site.maildir(pair.address))
    with pair.at_source() as source:
        source.append("INBOX", plain("welcome to your new mailbox"))
    with other.at_source() as source:
        source.append("INBOX", plain("newer"))
    for result in (pair.sync(others=[other], check=True), pair.sync(others=[other])):
        (failure,) = result.failures(pair.address)
        assert (failure["kind"], failure["mailbox"]) == ("too_many_removals", pair.address)
        assert "129 of 130 messages of the mailbox are gone" in failure["message"]
        assert "allow_removals: 1" in failure["safe_next"]
        assert result.summary["messages_copied"] == 1
        assert result.summary["messages_removed"] == 0
    assert look(pair.target).count == 130
    other.faithful()
    pair.done(others=[other], allow_removals=1.0)
    assert look(pair.target).count == 1


def test_users_who_fetch_their_last_messages_by_pop_stop_nothing(world: World) -> None:
    pair = world.pair()
    _fill(pair, INBOX=4)
    pair.done()
    with pair.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX"))
    assert pair.done().summary["messages_removed"] == 4
    pair.settled()


def test_when_one_small_mailbox_after_the_other_is_empty_the_rest_is_kept(world: World) -> None:
    pairs = [world.pair() for _number in range(8)]
    for one in pairs:
        _fill(one, INBOX=3)
    first, *others = pairs
    first.done(others=others)
    for one in pairs:
        with one.at_source() as source:
            source.expunge("INBOX", source.uids("INBOX"))
    result = first.sync(others=others)
    assert (result.failed, result["kind"]) == (True, "too_many_removals")
    assert "mailboxes looked at so far are empty" in result.text
    assert sum(look(one.target).count > 0 for one in pairs) >= 4
    first.done(others=others, allow_removals=1)
    assert sum(look(one.target).count for one in pairs) == 0
