# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync where the target's UIDs can't be chosen: nothing lost, nothing doubled, nobody else's mail touched."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.lab import mailgen

from .checks import wire
from .checks.picture import FolderPicture, look
from .checks.world import Pair, World, plain

NO_API = {"doveadm_url": None, "doveadm_api_key": None}


def _contents(pair: Pair, folder: str) -> tuple[FolderPicture, FolderPicture]:
    return look(pair.source).folders[folder], look(pair.target).folders[folder]


@pytest.fixture
def mapped(world: World) -> Pair:
    """A mailbox whose runs have no doveadm."""
    pair = world.pair()
    pair.options = {"target": NO_API}
    return pair


def test_without_doveadm_everything_is_copied_and_the_reason_given(mapped: Pair) -> None:
    mapped.fill(mailgen.Plan("mapped", messages=200, folders=10, max_size=60_000, huge_gap=True))
    planned = mapped.sync(check=True)
    result = mapped.done()
    assert planned.summary["messages_copied"] == result.summary["messages_copied"] == 200
    for one in (planned, result):
        entry = one.mailbox(mapped.address)
        assert entry["fidelity"] == "mapped"
        assert len(entry["reasons"]) == 10
        assert all("doveadm_url" in reason for reasons in entry["reasons"].values() for reason in reasons)
    mapped.mapped()
    wire.forget(mapped.world.rawlog(), mapped.address)
    mapped.settled()
    assert wire.writes(mapped.world.rawlog(), mapped.address) == []


def test_later_runs_follow_the_source(mapped: Pair) -> None:
    mapped.fill(mailgen.Plan("mapped later", messages=120, folders=7, max_size=30_000))
    mapped.done()
    with mapped.at_source() as source:
        uids = source.uids("INBOX")
        source.append_many("INBOX", [plain(f"new {number}") for number in range(5)])
        source.store("INBOX", uids[:4], "FLAGS", "\\Flagged mine")
        source.store("INBOX", uids[4:6], "FLAGS", "")
        source.expunge("INBOX", uids[8:10])
        source.create("New")
        source.append("New", plain("in new"))
    result = mapped.done()
    assert (result.summary["messages_copied"], result.summary["messages_removed"]) == (6, 2)
    mapped.mapped()
    mapped.settled()


def test_fidelity_mapped_is_obeyed(world: World) -> None:
    pair = world.pair()
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(10)])
        source.expunge("INBOX", [1, 2, 3])
    entry = pair.done(fidelity="mapped").mailbox(pair.address)
    assert entry["fidelity"] == "mapped"
    source_folder, target_folder = _contents(pair, "INBOX")
    assert source_folder.contents() == target_folder.contents()
    assert set(target_folder.messages) == set(range(1, 8)) != set(source_folder.messages)


def _with_foreign_mail(pair: Pair) -> None:
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(30)])
        source.create("Other")
        source.append_many("Other", [plain(f"other {number}") for number in range(5)])
    with pair.at_target() as target:
        target.append_many("INBOX", [plain("foreign one"), plain("foreign two")], "\\Flagged mine")


def test_mail_that_no_run_brought_is_never_touched(pair: Pair) -> None:
    _with_foreign_mail(pair)
    foreign = look(pair.target).folders["INBOX"].contents()
    entry = pair.done().mailbox(pair.address)
    assert set(entry["reasons"]) == {"INBOX"}
    assert entry["fidelity"] == "mapped"
    source, target = _contents(pair, "INBOX")
    assert target.contents() == source.contents() + foreign
    pair.settled()
    with pair.at_source() as mailbox:
        mailbox.expunge("INBOX", mailbox.uids("INBOX")[:3])
        mailbox.append("INBOX", plain("new"))
    pair.done()
    source, target = _contents(pair, "INBOX")
    assert target.contents() == source.contents() + foreign
    pair.settled()
    pair.ledger.unlink()
    assert pair.done().summary["messages_removed"] == 0
    source, target = _contents(pair, "INBOX")
    assert (source.contents() + foreign) == target.contents()


def test_mail_delivered_to_the_target_after_a_faithful_copy_stays(pair: Pair) -> None:
    """case_74, case_83: it was faithful; mail arrived on the target; new mail on the source still comes over.

    The delivered message has the UID that the source then gave out: no client may take one for the other, so the
    folder gets a UIDVALIDITY of its own.
    """
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(20)])
    pair.done()
    with pair.at_target() as target:
        target.append("INBOX", plain("delivered to the cloud"))
    delivered = look(pair.target).folders["INBOX"].contents() - look(pair.source).folders["INBOX"].contents()
    assert delivered.total() == 1
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(f"new {number}") for number in range(3)])
        source.expunge("INBOX", source.uids("INBOX")[:2])
    entry = pair.done().mailbox(pair.address)
    assert "INBOX" in entry["reasons"]
    here, there = _contents(pair, "INBOX")
    assert there.contents() == here.contents() + delivered
    assert here.messages[21] not in delivered
    assert there.uidvalidity != here.uidvalidity
    pair.settled()


def test_target_filled_by_another_tool_is_recognised_message_by_message(pair: Pair) -> None:
    """case_6, case_7: fingerprints as a multiset; three copies on the source stay three, two of them being there."""
    same_id = [plain("one id", body) for body in ("first body", "second body, longer")]
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(10)])
        source.append_many("INBOX", [plain("twin")] * 3)
        source.append_many("INBOX", same_id)
        source.append("INBOX", b"\r\nno header at all\r\n")
    with pair.at_target() as target:
        target.append_many("INBOX", [plain("twin")] * 2)
        target.append_many("INBOX", [plain(number) for number in reversed(range(4, 10))])
        target.append("INBOX", same_id[1])
        target.append("INBOX", b"\r\nno header at all\r\n")
    result = pair.done()
    assert result.summary["messages_copied"] == 4 + 1 + 1
    pair.mapped()
    pair.settled()


def test_more_copies_on_the_target_than_on_the_source(pair: Pair) -> None:
    """Four twins there, two here: two are recognised, two are foreign and stay."""
    with pair.at_source() as source:
        source.append_many("INBOX", [plain("twin")] * 2)
    with pair.at_target() as target:
        target.append_many("INBOX", [plain("twin")] * 4)
    result = pair.done()
    assert result.summary["messages_copied"] == 0
    assert len(look(pair.target).folders["INBOX"].messages) == 4
    pair.settled()


def test_flags_follow_where_the_target_was_filled_by_another_tool(pair: Pair) -> None:
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(6)], "\\Seen \\Flagged")
    with pair.at_target() as target:
        target.append_many("INBOX", [plain(number) for number in range(6)], "\\Answered other")
    result = pair.done()
    assert (result.summary["messages_copied"], result.summary["flags_changed"]) == (0, 6)
    pair.mapped()
    pair.settled()


def test_lost_ledger_doubles_nothing(mapped: Pair) -> None:
    mapped.fill(mailgen.Plan("mapped and lost", messages=150, folders=8, max_size=30_000))
    with mapped.at_source() as source:
        source.append_many("INBOX", [plain("twin")] * 3)
    mapped.done()
    mapped.ledger.unlink()
    result = mapped.sync()
    assert not result.failed
    assert result.summary["messages_copied"] == 0
    mapped.mapped()


def test_faithful_fails_where_it_cannot_be_had_and_writes_nothing(pair: Pair) -> None:
    _with_foreign_mail(pair)
    before = look(pair.target).folders["INBOX"]
    result = pair.sync(fidelity="faithful")
    assert (result.failed, result["kind"]) == (True, "not_faithful")
    (failure,) = result.failures(pair.address)
    assert (failure["kind"], failure["folder"], failure["mailbox"]) == ("not_faithful", "INBOX", pair.address)
    after = look(pair.target)
    assert after.folders["INBOX"] == before
    assert len(after.folders["Other"].messages) == 5
    assert after.folders["Other"].uidvalidity == look(pair.source).folders["Other"].uidvalidity


def test_faithful_without_doveadm_writes_nothing_at_all(mapped: Pair) -> None:
    mapped.fill(mailgen.Plan("faithful only", messages=40, folders=6, max_size=20_000))
    before = look(mapped.target)
    planned = mapped.sync(check=True, fidelity="faithful")
    result = mapped.sync(fidelity="faithful")
    for one in (planned, result):
        assert (one.failed, one["kind"], one["changed"]) == (True, "not_faithful", False)
        assert one.kinds(mapped.address) == {"not_faithful"}
        assert one.summary["messages_copied"] == 0
    assert look(mapped.target) == before
    assert Counter(one.verb for one in wire.writes(mapped.world.rawlog(), mapped.address)) == Counter()
