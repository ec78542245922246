# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: the first copy, the run after it, and the runs that follow what people do on the source."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.lab import mailgen

from .checks import wire
from .checks.picture import differences, look
from .checks.world import Pair, World, plain, small_mails, with_gaps

RICH = mailgen.Plan("rich", messages=400, folders=15, median_size=3000, max_size=300_000, huge_gap=True)


@pytest.fixture(scope="module")
def rich(world: World) -> Pair:
    """A mailbox of many folders, copied once."""
    pair = world.pair()
    pair.fill(RICH)
    planned = pair.sync(check=True)
    assert not pair.ledger.exists()
    done = pair.done()
    assert {**planned.summary, "bytes_copied": 0} == {**done.summary, "bytes_copied": 0}
    assert planned["changed"] is done["changed"] is True
    return pair


def test_first_copy_is_the_same_in_everything_a_client_can_see(rich: Pair) -> None:
    picture = rich.faithful()
    assert picture.count == RICH.messages
    assert len(picture.folders) == RICH.folders
    assert len(picture.uidl) == len(picture.folders["INBOX"].messages)
    every = [message for folder in picture.folders.values() for message in folder.messages.values()]
    flags = {flag for message in every for flag in message.flags}
    assert {"\\seen", "\\answered", "\\flagged", "\\draft", "\\deleted", "$forwarded", "junk", "nil"} <= flags
    gaps = [uid - before for folder in picture.folders.values() for before, uid in _neighbours(folder.messages)]
    assert any(1 < gap <= 500 for gap in gaps)
    assert any(gap > 1000 for gap in gaps)


def _neighbours(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    return itertools.pairwise(sorted(uids))


def test_first_copy_says_what_it_did(world: World) -> None:
    pair = world.pair()
    pair.write([with_gaps(small_mails(30), (), {}), with_gaps(small_mails(12, "b"), ("Alt & Neu",), {3: 4})])
    result = pair.done()
    source = look(pair.source)
    assert result.summary == {
        "mailboxes": 1,
        "folders": 2,
        "messages_copied": 42,
        "bytes_copied": sum(m.size for folder in source.folders.values() for m in folder.messages.values()),
        "flags_changed": 0,
        "messages_removed": 0,
        "mailboxes_unchanged": 0,
        "mailboxes_failed": 0,
    }
    entry = result.mailbox(pair.address)
    assert (entry["fidelity"], entry["reasons"], entry["failures"]) == ("faithful", {}, [])
    assert (entry["messages"], entry["folders_created"], entry["unchanged"]) == (42, 1, False)


def test_second_run_changes_nothing_and_writes_nothing(rich: Pair) -> None:
    world = rich.world
    before = look(rich.target)
    wire.forget(world.rawlog(), rich.address)
    result = rich.settled()
    assert result.summary["mailboxes_unchanged"] == 1
    assert result.summary["messages_copied"] == result.summary["flags_changed"] == 0
    said = wire.commands(world.rawlog(), rich.address)
    verbs = [command.verb for command in said]
    assert set(verbs) <= {"CAPABILITY", "NAMESPACE", "LIST", "ID", "LOGOUT"}, verbs
    assert verbs.count("LIST") == 1
    assert "RETURN" in next(command.rest for command in said if command.verb == "LIST")
    assert look(rich.target) == before


def test_without_a_ledger_nothing_is_doubled_and_nothing_written(rich: Pair) -> None:
    rich.ledger.unlink()
    wire.forget(rich.world.rawlog(), rich.address)
    result = rich.settled()
    assert {one.verb for one in wire.writes(rich.world.rawlog(), rich.address)} <= {"SELECT"}
    assert result.mailbox(rich.address)["fidelity"] == "faithful"
    rich.faithful()
    wire.forget(rich.world.rawlog(), rich.address)
    rich.settled()
    assert "EXAMINE" not in {one.verb for one in wire.commands(rich.world.rawlog(), rich.address)}


def _worked_on(world: World) -> Pair:
    """A copied mailbox on whose source people have worked since."""
    pair = world.pair()
    pair.fill(mailgen.Plan("worked on 2", messages=160, folders=10, max_size=100_000))
    pair.done()
    with pair.at_source() as source:
        inbox = source.uids("INBOX")
        source.append_many("INBOX", [plain(f"new {number}") for number in range(5)])
        source.append("INBOX", plain("new and seen"), "\\Seen $Forwarded brandnew", "01-Jan-1999 00:00:01 -0800")
        source.store("INBOX", inbox[:4], "+FLAGS", "\\Flagged another")
        source.store("INBOX", inbox[4:8], "FLAGS", "\\Answered")
        source.store("INBOX", inbox[8:10], "FLAGS", "")
        source.expunge("INBOX", inbox[12:14])
        source.expunge("Sent", source.uids("Sent")[-1:])
        source.create("Neu/Ünter")
        source.append("Neu/Ünter", plain("in a new folder"))
        source.subscribe("Neu/Ünter")
        source.subscribe("Drafts", wanted=False)
    return pair


def test_later_runs_follow_new_mail_flags_removals_folders_and_subscriptions(world: World) -> None:
    pair = _worked_on(world)
    before = look(pair.target)
    planned = pair.sync(check=True)
    assert look(pair.target) == before
    result = pair.done()
    pair.faithful()
    assert (result.summary["messages_copied"], result.summary["messages_removed"]) == (7, 3)
    assert result.mailbox(pair.address)["subscriptions_changed"] == 2
    assert 5 <= result.summary["flags_changed"] <= 10
    same = ("messages_copied", "messages_removed", "flags_changed")
    assert [planned.summary[name] for name in same] == [result.summary[name] for name in same]
    pair.settled()


def test_check_mode_shows_the_plan_and_leaves_the_ledger_alone(world: World) -> None:
    pair = _worked_on(world)
    ledger, before = pair.ledger.read_bytes(), look(pair.target)
    wire.forget(world.rawlog(), pair.address)
    planned = pair.sync(check=True)
    assert planned["changed"] is True
    assert wire.writes(world.rawlog(), pair.address) == []
    assert look(pair.target) == before
    assert pair.ledger.read_bytes() == ledger
    lines = planned["diff"]["prepared"].splitlines()
    assert lines[0] == pair.address
    (inbox,) = [line for line in lines if line.strip().startswith("INBOX:")]
    assert "copy 6" in inbox
    assert "remove 2" in inbox
    assert "[faithful]" in inbox
    assert any("Neu/Ünter: create, copy 1" in line for line in lines)


def test_after_lost_ledger_later_runs_stay_faithful(world: World) -> None:
    pair = _worked_on(world)
    pair.done()
    pair.ledger.unlink()
    with pair.at_source() as source:  # removed is nothing: without a ledger that can't be told from foreign mail
        source.append_many("INBOX", [plain(f"newer {number}") for number in range(3)])
        source.store("INBOX", source.uids("INBOX")[:3], "-FLAGS", "\\Flagged")
    result = pair.done()
    assert result.summary["messages_copied"] == 3
    assert result.mailbox(pair.address)["fidelity"] == "faithful"
    pair.faithful()
    pair.settled()


def test_a_message_deleted_on_the_source_before_it_was_copied_leaves_a_hole(world: World) -> None:
    pair = world.pair()
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(n) for n in range(20)])
    pair.done()
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(f"more {n}") for n in range(900)])
        uids = source.uids("INBOX")
        source.expunge("INBOX", [*uids[25:40], *uids[100:800], *uids[-5:]])
    pair.done()
    pair.faithful()
    pair.settled()


def test_exact_copies_stay_as_many_as_they_are(world: World) -> None:
    """case_7: the same message three times in a folder, and case_8: in two folders."""
    pair = world.pair()
    with pair.at_source() as source:
        source.append_many("INBOX", [plain("twin")] * 3 + [plain("single")])
        source.create("Other")
        source.append_many("Other", [plain("twin")] * 2)
    pair.done()
    assert len(pair.faithful().folders["INBOX"].messages) == 4
    with pair.at_source() as source:
        source.expunge("INBOX", source.uids("INBOX")[1:2])
    pair.done(allow_removals=1.0)
    assert len(pair.faithful().folders["INBOX"].messages) == 3
    pair.settled()


def test_several_mailboxes_at_once(world: World) -> None:
    pairs = [world.pair() for _number in range(6)]
    for number, pair in enumerate(pairs):
        pair.fill(mailgen.Plan(f"many {number}", messages=40 + 30 * number, folders=6, max_size=50_000))
    first, *others = pairs
    result = first.done(others=others)
    assert result.summary["mailboxes"] == 6
    assert [entry["target_user"] for entry in result["mailboxes"]] == [pair.address for pair in pairs]
    for pair in pairs:
        pair.faithful()
    again = first.done(others=others)
    assert again["changed"] is False
    assert again.summary["mailboxes_unchanged"] == 6


def test_own_passwords_and_another_name_on_the_target(world: World) -> None:
    source, target = world.pair(on_target=False), world.pair(on_source=False)
    with source.at_source() as mailbox:
        mailbox.append_many("INBOX", [plain(n) for n in range(10)])
    entry = {
        "source_user": source.address,
        "source_password": source.source_password,
        "target_user": target.address,
        "target_password": target.target_password,
    }
    nobody = {"admin_user": None, "admin_password": None}
    result = source.done(mailboxes=[entry], source=nobody, target=nobody)
    assert target.target_password not in result.text
    assert differences(look(source.source), look(target.target)) == []


def test_through_ansible_itself(world: World, tmp_path: Path) -> None:
    """By `ansible-playbook` and its full name: first changed, then not; the result is what the playbook sees."""
    pair = world.pair()
    pair.fill(mailgen.Plan("by ansible", messages=60, folders=6, max_size=30_000))
    register = {"ansible.builtin.copy": {"content": "{{ done | to_json }}", "dest": "{{ to }}"}, "no_log": True}
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {"atmail.migration.mailbox_sync": "{{ options }}", "register": "done"},
                register,
            ],
        }
    ]
    (tmp_path / "play.json").write_text(json.dumps(play))
    outputs = []
    for name in ("first", "second"):
        variables = {"options": pair.arguments(), "to": str(tmp_path / name)}
        (tmp_path / "vars.json").write_text(json.dumps(variables))
        outputs.append(_ansible(tmp_path))
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("first", "second"))
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["summary"]["messages_copied"] == 60
    for output in outputs:
        for secret in world.secrets():
            assert secret not in output
    pair.faithful()


def _ansible(folder: Path) -> str:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local"]
    interpreter = ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        [*command, *interpreter, "-e", f"@{folder / 'vars.json'}", str(folder / "play.json")],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "ANSIBLE_LOCAL_TEMP": str(folder / "local"), "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
