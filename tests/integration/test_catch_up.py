# SPDX-License-Identifier: GPL-3.0-or-later
"""After the cut-over: what came to the source is brought, and what users did on the target stays done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.users.account import contents, same
from tests.users.stage import Stage, Tally, opened

from .checks.mail import Mailbox
from .checks.picture import Picture, differences
from .checks.world import Pair, plain

COUNT = 4
FOLDERS = ("INBOX", "Sent", "Archive")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with opened(Path(tmp_path_factory.mktemp("stages"))) as made:
        yield made


@pytest.fixture
def stage(servers: Any) -> Iterator[Stage]:
    """An account with three folders of some messages each, mirrored."""
    pair, folder = servers
    made = Stage(pair, folder, Tally())
    source = made.at("source")
    for name in FOLDERS[1:]:
        source.create(name)
    for name in FOLDERS:
        source.append_many(name, [plain(f"{name} {number}") for number in range(1, COUNT + 1)])
    assert not made.run().kinds
    assert differences(made.look("source"), made.look("target")) == []
    yield made
    made.close()


def digest(name: object) -> str:
    return hashlib.sha256(plain(name)).hexdigest()


def uid_of(mailbox: Mailbox, folder: str, name: object) -> int:
    mailbox.select(folder)
    (found,) = mailbox._do("uid", "SEARCH", "HEADER", "Message-ID", f'"<{name}@example.com>"')
    (uid,) = found.split()
    return int(uid)


def folder_of(picture: Picture, name: object) -> list[str]:
    """Where a message is: the names of folders, one for each copy."""
    wanted = digest(name)
    return [
        path for path, one in picture.folders.items() for message in one.messages.values() if message.digest == wanted
    ]


def flags_of(picture: Picture, name: object) -> frozenset[str]:
    (found,) = [
        one.flags
        for folder in picture.folders.values()
        for one in folder.messages.values()
        if one.digest == digest(name)
    ]
    return found


def catch_up(stage: Stage, **changes: Any) -> Picture:
    """A run that must succeed, take nothing away, and leave nothing to do for another; the target after it."""
    before = stage.look("target")
    ran = stage.run(phase="catch_up", **changes)
    assert not ran.kinds, ran.result
    assert ran.result["summary"]["messages_removed"] == 0
    after = stage.look("target")
    assert contents(before) <= contents(after)
    again = stage.run(phase="catch_up", **changes)
    assert (again.kinds, again.changed) == (frozenset(), False), again.result
    assert same(after, stage.look("target"))
    return after


@pytest.mark.case(83)
def test_mail_on_both_sides_is_kept_and_nothing_goes(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    source.append("INBOX", plain("late on the source"), "\\Flagged")
    target.append("INBOX", plain("early on the target"))
    source.append("Sent", plain("sent late"))
    source.expunge("INBOX", source.uids("INBOX")[:3])
    source.delete("Archive")
    source.create("Projects")
    source.subscribe("Projects")
    source.append("Projects", plain("in a new folder"))
    after = catch_up(stage)
    assert contents(after).total() == len(FOLDERS) * COUNT + 4
    assert flags_of(after, "late on the source") == {"\\flagged"}
    # where the target gave out no UIDs of its own, mail still gets those of the source: no client loads it again
    here = stage.look("source")
    assert after.folders["Sent"].messages == here.folders["Sent"].messages
    assert after.folders["Projects"].messages == here.folders["Projects"].messages
    assert after.folders["Projects"].uidvalidity == here.folders["Projects"].uidvalidity
    assert "Projects" in after.subscribed


@pytest.mark.case(82)
def test_what_the_target_s_user_moved_or_deleted_does_not_come_back(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    target.expunge("INBOX", [uid_of(target, "INBOX", "INBOX 1")])
    target.create("Mine")
    target.move("INBOX", [uid_of(target, "INBOX", "INBOX 2")], "Mine")
    target.rename("Sent", "Sent before")
    target.delete("Archive")
    # on the source all of them are touched, and new mail comes
    for folder in FOLDERS:
        source.store(folder, source.uids(folder), "+FLAGS", "\\Answered")
    source.append("INBOX", plain("new"))
    after = catch_up(stage)
    assert folder_of(after, "INBOX 1") == []
    assert folder_of(after, "INBOX 2") == ["Mine"]
    assert flags_of(after, "INBOX 2") == frozenset()
    assert flags_of(after, "INBOX 3") == {"\\answered"}
    assert set(after.folders) == {"INBOX", "Mine", "Sent before"}
    # new mail for folders that are gone: they are made again, for the new mail alone
    source.append("Sent", plain("sent late"))
    source.append("Archive", plain("archived late"))
    after = catch_up(stage)
    for folder, name in (("Sent", "sent late"), ("Archive", "archived late")):
        assert [one.digest for one in after.folders[folder].messages.values()] == [digest(name)]
    assert len(after.folders["Sent before"].messages) == COUNT


@pytest.mark.case(50, 82)
def test_flags_flag_by_flag(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    first, second = 1, 2
    source.store("INBOX", [first], "+FLAGS", "\\Seen \\Flagged keyword \\Deleted")
    target.store("INBOX", [first], "+FLAGS", "\\Answered \\Flagged")
    source.store("INBOX", [second], "+FLAGS", "\\Seen")
    after = catch_up(stage)
    assert flags_of(after, "INBOX 1") == {"\\seen", "\\flagged", "\\answered", "keyword"}
    # what has been merged is the base now: the target's later doing wins, and a flag that is taken away goes
    target.store("INBOX", [first], "-FLAGS", "\\Seen")
    source.store("INBOX", [first], "-FLAGS", "\\Flagged")
    source.store("INBOX", [second], "-FLAGS", "\\Seen")
    after = catch_up(stage)
    assert flags_of(after, "INBOX 1") == {"\\answered", "keyword"}
    assert flags_of(after, "INBOX 2") == frozenset()


@pytest.mark.case(82)
def test_what_the_source_s_user_moved_is_not_doubled(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    target.expunge("INBOX", [uid_of(target, "INBOX", "INBOX 3")])
    source.move("INBOX", [1, 3], "Archive")
    source.copy("INBOX", [2], "Archive")
    source.rename("Sent", "Sent 2024")
    after = catch_up(stage)
    assert folder_of(after, "INBOX 1") == ["INBOX"]
    assert sorted(folder_of(after, "INBOX 2")) == ["Archive", "INBOX"]
    assert folder_of(after, "INBOX 3") == []
    assert folder_of(after, "Sent 1") == ["Sent"]
    assert contents(after).total() == len(FOLDERS) * COUNT


def make_anew(stage: Stage, *, same_uidvalidity: bool) -> None:
    """The target's user moves all that is in a folder to a new one of its name."""
    target = stage.at("target")
    before = target.status("Archive")["UIDVALIDITY"]
    target.rename("Archive", "Archive before")
    target.create("Archive")
    stage.set_uidvalidity("Archive", before + (0 if same_uidvalidity else 1000))
    target.move("Archive before", target.uids("Archive before"), "Archive")
    target.delete("Archive before")


@pytest.mark.case(72, 82)
@pytest.mark.parametrize("same_uidvalidity", [False, True])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_folder_made_anew_brings_nothing_back_and_loses_no_base(
    stage: Stage, side: str, same_uidvalidity: bool
) -> None:
    source, target = stage.at("source"), stage.at("target")
    target.expunge("Archive", [1])
    if side == "source":
        source.expunge("Archive", [1, 4])
        stage.renumber("Archive", same_uidvalidity=same_uidvalidity)
        source = stage.at("source")
    else:
        make_anew(stage, same_uidvalidity=same_uidvalidity)
    source.append("Archive", plain("archived late"))
    source.store("Archive", [uid_of(source, "Archive", "Archive 2")], "+FLAGS", "\\Seen")
    after = catch_up(stage)
    assert folder_of(after, "Archive 1") == []
    assert flags_of(after, "Archive 2") == {"\\seen"}
    assert [folder_of(after, name) for name in ("Archive 3", "Archive 4", "archived late")] == [["Archive"]] * 3
    assert len(after.folders["Archive"].messages) == COUNT


@pytest.mark.case(72)
@pytest.mark.parametrize("same_uidvalidity", [False, True])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_folder_made_anew_before_the_cut_over_is_made_right(stage: Stage, side: str, same_uidvalidity: bool) -> None:
    stage.at(side).expunge("Archive", [1])
    if side == "source":
        stage.renumber("Archive", same_uidvalidity=same_uidvalidity)
    else:
        make_anew(stage, same_uidvalidity=same_uidvalidity)
    assert not stage.run().kinds
    assert differences(stage.look("source"), stage.look("target")) == []
    assert not stage.run().changed


@pytest.mark.case(82)
def test_a_lost_ledger_loses_no_message_and_doubles_none(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    catch_up(stage)
    target.create("Mine")
    target.move("INBOX", [1, 2], "Mine")
    target.rename("Sent", "Sent before")
    target.store("INBOX", [3], "+FLAGS", "\\Seen")
    target.expunge("Archive", [1])
    source.append("INBOX", plain("new"))
    stage.lose_ledger()
    after = catch_up(stage)
    assert set(contents(after).values()) == {1}
    assert contents(after).total() == len(FOLDERS) * COUNT + 1
    assert folder_of(after, "INBOX 1") == ["Mine"]
    assert "Sent" not in after.folders
    assert flags_of(after, "INBOX 3") == {"\\seen"}
    # without a base nobody can know that a user has deleted it: better back than lost
    assert folder_of(after, "Archive 1") == ["Archive"]


def test_subscriptions_are_only_added(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    target.subscribe("INBOX")
    source.subscribe("Sent")
    assert catch_up(stage).subscribed >= {"INBOX", "Sent"}
    target.subscribe("Sent", wanted=False)
    source.append("Sent", plain("sent late"))
    assert "Sent" not in catch_up(stage).subscribed
    source.subscribe("Sent", wanted=False)
    catch_up(stage)
    source.subscribe("Sent")
    assert "Sent" in catch_up(stage).subscribed


# phases


def test_a_phase_never_goes_back(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    source.append("INBOX", plain("new"))
    checked = stage.check(phase="catch_up")
    assert checked["phase"] == {"before": "mirror", "after": "catch_up"}
    assert (checked["changed"], checked["summary"]["messages_copied"]) == (True, 1)
    target.append("INBOX", plain("foreign"))
    ran = stage.run(phase="catch_up")
    assert (ran.changed, ran.result["phase"]) == (True, {"before": "mirror", "after": "catch_up"})
    before = stage.look("target")
    source.expunge("INBOX", [1])
    for options in ({"phase": "mirror"}, {}):
        ran = stage.run(**options)
        assert ran.kinds == {"phase_passed"}
        assert same(before, stage.look("target"))
    for changed in (True, False):
        ran = stage.run(phase="closed")
        assert (ran.changed, ran.result["mailboxes"][0]["unchanged"]) == (changed, True)
    assert stage.run(phase="catch_up").kinds == {"phase_passed"}
    stage.lose_ledger()
    assert stage.run(phase="catch_up").kinds == {"phase_passed"}
    assert same(before, stage.look("target"))


def test_a_mirror_without_memory_stops_at_a_target_in_use(stage: Stage) -> None:
    source, target = stage.at("source"), stage.at("target")
    target.store("INBOX", [1], "+FLAGS", "\\Seen")
    stage.lose_ledger()
    source.append("Sent", plain("sent late"))
    later = " 3-Feb-2026 04:05:06 +0100"
    target.append("INBOX", plain("delivered after the cut-over"), date=later)
    before = stage.look("target")
    for checked in (True, False):
        kinds = {one["kind"] for one in stage.check()["mailboxes"][0]["failures"]} if checked else stage.run().kinds
        assert kinds == {"target_in_use"}
        assert same(before, stage.look("target"))
    assert not stage.run(used_target="mirror").kinds
    assert folder_of(stage.look("target"), "sent late") == ["Sent"]


def test_as_a_module(pair: Pair) -> None:
    """Check mode, a run, and another, by the module itself."""
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(number) for number in range(5)])
    pair.done()
    with pair.at_source() as source:
        source.append("INBOX", plain("new"))
    with pair.at_target() as target:
        target.expunge("INBOX", [1])
    checked = pair.done(check=True, phase="catch_up")
    assert checked["diff"]["prepared"].startswith("phase: mirror -> catch_up\n")
    results = [pair.done(phase="catch_up") for _again in range(2)]
    assert [one["changed"] for one in (checked, *results)] == [True, True, False]
    assert [one.summary["messages_copied"] for one in (checked, *results)] == [1, 1, 0]
    refused = pair.sync()
    assert (refused.failed, refused["kind"]) == (True, "phase_passed")
    assert pair.done(phase="closed")["phase"]["after"] == "closed"
