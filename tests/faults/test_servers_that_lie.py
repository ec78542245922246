# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that lie or answer strangely: all is right in the end, or there is one clear error and no wrong write."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from .scripted import Behaviour, Mailbox
from .scripted.behaviour import NOISE
from .scripted.engine import Trial
from .scripted.trials import change, mail, mailbox, trial

pytestmark = pytest.mark.long

BOTH = pytest.mark.parametrize("faithful", [True, False], ids=["faithful", "mapped"])


def _intact(one: Trial) -> None:
    """Whatever is on the target is on the source, and not more often; placeholders of a faithful run do not count."""
    for name, folder in one.there.folders.items():
        real = Counter(message.body for message in folder.messages if b"X-Atmail-Migration" not in message.body)
        here = one.here.folders.get(name)
        assert real <= Counter(message.body for message in (here.messages if here else ()))


def _case(number: int, name: str, behaviour: Behaviour, *sides: str) -> list[Any]:
    return [
        pytest.param(behaviour, side, id=f"{name}-{side}", marks=pytest.mark.case(number))
        for side in sides or ("source", "target")
    ]


STRANGE = [
    *_case(87, "noise", Behaviour(noise=NOISE)),
    *(one for kind in NOISE for one in _case(87, f"noise {kind}", Behaviour(noise=(kind,)))),
    *_case(87, "descending", Behaviour(order="descending")),
    *_case(87, "shuffled", Behaviour(order="shuffled")),
    *_case(87, "other item order", Behaviour(items="reversed")),
    *_case(87, "split answers", Behaviour(items="split"), "source"),
    *_case(87, "wrong sequence numbers", Behaviour(wrong_numbers=True)),
    *_case(
        87, "all at once", Behaviour(noise=NOISE, items="split", order="shuffled", wrong_numbers=True, literals=True)
    ),
    *_case(88, "literals in strange places", Behaviour(literals=True)),
    *_case(88, "split literal heads", Behaviour(split_heads=True)),
    *_case(88, "quoted bodies", Behaviour(body="quoted"), "source"),
    *_case(88, "binary literals", Behaviour(body="literal8"), "source"),
    *_case(91, "a few bytes at a time", Behaviour(segment=7)),
    *_case(3, "size 0", Behaviour(sizes="zero")),
    *_case(4, "wrong size", Behaviour(sizes="wrong")),
    *_case(38, "dates with a blank", Behaviour(dates="padded"), "source"),
    *_case(70, "no UIDNEXT", Behaviour(uidnext="absent")),
    *_case(70, "UIDNEXT too low", Behaviour(uidnext="low"), "source"),
    *_case(98, "UIDNEXT of the log-in", Behaviour(uidnext="stale"), "source"),
    *_case(70, "UIDNEXT too high", Behaviour(uidnext="high"), "source"),
    *_case(70, "MESSAGES wrong in STATUS", Behaviour(counts="wrong")),
    *_case(71, "APPENDUID with another UIDVALIDITY", Behaviour(appenduid="wrong_uidvalidity"), "target"),
    *_case(97, "headers empty once", Behaviour(headers="empty_once")),
    *_case(97, "headers empty", Behaviour(headers="empty")),
    *_case(97, "headers others than in the body", Behaviour(headers="other")),
    *_case(84, "NOMODSEQ", Behaviour(modseq="absent")),
]


@BOTH
@pytest.mark.parametrize(("behaviour", "side"), STRANGE)
def test_strange_and_yet_right(tmp_path: Path, behaviour: Behaviour, side: str, faithful: bool) -> None:
    with trial(tmp_path, faithful=faithful, **{side: behaviour}) as one:  # type: ignore[arg-type]
        outcome = one.run()
        assert outcome.failures == []
        one.faithful = outcome.fidelity == "faithful"
        assert one.differences() == []
        one.faithful = faithful
        second = one.run()
        assert (second.failures, second.messages_copied, second.messages_removed) == ([], 0, 0)
        change(one.here)
        third = one.run()
        assert third.failures == []
        one.faithful = third.fidelity == "faithful" and outcome.fidelity == "faithful"
        assert one.differences() == []
        assert one.source.complaints == one.target.complaints == []


WRONG = [
    *_case(71, "no APPENDUID", Behaviour(appenduid="missing"), "target"),
    *_case(71, "wrong APPENDUID", Behaviour(appenduid="wrong_uid"), "target"),
    *_case(71, "APPENDUID of too few", Behaviour(appenduid="too_few"), "target"),
    *_case(71, "unreadable APPENDUID", Behaviour(appenduid="garbage"), "target"),
    *_case(70, "UIDNEXT too high", Behaviour(uidnext="high"), "target"),
    *_case(70, "MESSAGES 0 in STATUS", Behaviour(counts="zero"), "source"),
    *_case(72, "UIDVALIDITY 0", Behaviour(uidvalidity="zero")),
    *_case(72, "no UIDVALIDITY", Behaviour(uidvalidity="absent")),
    *_case(73, "another UIDVALIDITY each time", Behaviour(uidvalidity="changes_at_every_select")),
    *_case(87, "answers without UID", Behaviour(uid_missing_every=3), "source"),
    *_case(88, "bodies of NIL", Behaviour(body="nil"), "source"),
    *_case(88, "one body of NIL", Behaviour(nil_messages=frozenset({3})), "source"),
    *_case(87, "a message that is left out", Behaviour(silent_messages=frozenset({3})), "source"),
    *_case(68, "a locked folder", Behaviour(locked=frozenset({b"Sent"}))),
    *_case(92, "quota", Behaviour(quota=50), "target"),
    *_case(89, "cut in the middle of every literal", Behaviour(truncate=10, truncate_times=1000), "source"),
    *_case(93, "NO to one message", Behaviour(refused=b"message 7."), "target"),
    *_case(93, "BYE to one message", Behaviour(bye=b"message 7."), "target"),
    *_case(93, "SERVERBUG for one message", Behaviour(refused=b"message 7.", refusal=b"NO [SERVERBUG] oops"), "target"),
]
#: What is said of these: each is a clear error of its own, and none an accident.
SAID = {
    *("protocol_error", "folder_failed", "message_unreadable", "message_refused", "over_quota", "connection_lost"),
    *("target_moved", "server_fault", "too_many_removals"),
}


@BOTH
@pytest.mark.parametrize(("behaviour", "side"), WRONG)
def test_a_clear_error_or_right(tmp_path: Path, behaviour: Behaviour, side: str, faithful: bool) -> None:
    """While the lie lasts nothing wrong is written, whatever runs there are; with the truth everything comes right."""
    with trial(tmp_path, faithful=faithful, **{side: behaviour}) as one:  # type: ignore[arg-type]
        for _run in range(2):
            outcome = one.run()
            assert {failure["kind"] for failure in outcome.failures} <= SAID, outcome.failures
            one.faithful = False
            assert outcome.failures or not one.differences(exact=False)
            one.faithful = faithful
            _intact(one)
        one.source.behaviour = one.target.behaviour = Behaviour()
        one.here.inbox.add(mail(9000))
        outcome = one.run()
        assert outcome.failures == []
        one.faithful = False
        assert one.differences() == []


@pytest.mark.case(87, 97)
@pytest.mark.parametrize("behaviour", [Behaviour(silent_messages=frozenset({3})), Behaviour(uid_missing_every=10)])
def test_messages_that_are_not_listed_are_not_removed(tmp_path: Path, behaviour: Behaviour) -> None:
    """A message that a source leaves out of its list is not gone, and stays on the target."""
    with trial(tmp_path, faithful=True) as one:
        assert one.run().failures == []
        before = one.there.inbox.uids()
        one.source.behaviour = replace(behaviour, lacks=frozenset({"CONDSTORE"}))
        one.here.inbox.add(mail(777))
        outcome = one.run()
        assert [failure["kind"] for failure in outcome.failures if failure["folder"] == "INBOX"] == ["folder_failed"]
        assert set(before) <= set(one.there.inbox.uids())
        one.source.behaviour = Behaviour()
        assert one.run().failures == []
        assert one.differences() == []


@pytest.mark.case(71, 74)
def test_a_false_appenduid_costs_nobody_mail(tmp_path: Path) -> None:
    """A target that names UIDs of the user's own mail: none of it is expunged, and nothing is paired with it."""
    with trial(tmp_path) as one:
        mine = [b"Subject: mine %d\r\n\r\nmine\r\n" % number for number in range(200)]
        for body in mine:
            one.there.inbox.add(body)
        one.target.behaviour = Behaviour(appenduid="low")
        outcome = one.run()
        assert {failure["kind"] for failure in outcome.failures} == {"protocol_error"}
        one.target.behaviour = Behaviour()
        assert one.run().failures == []
        held = Counter(message.body for message in one.there.inbox.messages)
        assert held == Counter(mine) + Counter(message.body for message in one.here.inbox.messages)
        one.here.inbox.expunge(one.here.inbox.uids()[:5])
        assert one.run().messages_removed == 5
        assert Counter(mine) <= Counter(message.body for message in one.there.inbox.messages)


@pytest.mark.case(70)
@BOTH
def test_insanely_large_uids(tmp_path: Path, faithful: bool) -> None:
    """UIDs with holes up to the last but one that there can be (RFC 3501: 32 bits)."""
    origin = Mailbox()
    origin.inbox.uidvalidity = 2**32 - 1
    for number, uid in enumerate((1, 2, 900, 2**31 - 1, 2**31, 4_000_000_000, 2**32 - 3, 2**32 - 2)):
        origin.inbox.add(mail(number), uid=uid)
    with trial(tmp_path, faithful=faithful, origin=origin) as one:
        assert one.run().failures == []
        assert one.differences() == []
        assert one.run().unchanged
        origin.inbox.expunge([2**31])
        assert one.run().messages_removed == 1
        assert one.differences() == []


@pytest.mark.case(72)
@BOTH
def test_uidvalidity_changes_and_the_messages_are_the_same(tmp_path: Path, faithful: bool) -> None:
    """An index that was rebuilt: nothing is copied twice, and nothing is removed."""
    with trial(tmp_path, faithful=faithful) as one:
        assert one.run().failures == []
        one.here.inbox.renumber(4711)
        outcome = one.run()
        assert outcome.failures == []
        one.faithful = False
        assert one.differences() == []
        one.faithful = faithful
        assert one.run().changed is False


@pytest.mark.case(72)
@BOTH
def test_uidvalidity_changes_with_the_messages(tmp_path: Path, faithful: bool) -> None:
    """A folder that was deleted and made anew: what a run brought goes, what is there now comes."""
    with trial(tmp_path, faithful=faithful) as one:
        one.policy = {"allow_removals": 1.0}
        assert one.run().failures == []
        sent = one.here.folders[b"Sent"]
        sent.expunge(sent.uids())
        sent.renumber(99)
        for number in range(30):
            sent.add(mail(5000 + number))
        assert one.run().failures == []
        one.faithful = False
        assert one.differences() == []


@pytest.mark.case(73)
@BOTH
@pytest.mark.parametrize("after", [1, 10, 45])
def test_uidvalidity_changes_while_messages_are_read(tmp_path: Path, after: int, faithful: bool) -> None:
    """In the middle of a FETCH every message gets another UID: none is lost and none is there twice in the end."""
    with trial(tmp_path, source=Behaviour(renumber_after=after), faithful=faithful) as one:
        one.run()
        one.run()
        outcome = one.run()
        assert outcome.failures == []
        one.faithful = False
        assert one.differences() == []


@pytest.mark.case(73)
@BOTH
@pytest.mark.parametrize("side", ["source", "target"])
def test_uidvalidity_changes_between_two_commands(tmp_path: Path, side: str, faithful: bool) -> None:
    with trial(tmp_path, faithful=faithful) as one:
        server = one.source if side == "source" else one.target
        box = one.here if side == "source" else one.there
        moment = {"source": b"UID FETCH", "target": b"APPEND"}[side]

        def before(verb: bytes) -> None:
            if verb == moment and server.count("moments") == 1:
                box.inbox.renumber(box.inbox.uidvalidity + 1)

        server.behaviour = Behaviour(before=before)
        for _run in range(2):
            one.run()
            _intact(one)
        assert one.run().failures == []
        one.faithful = False
        assert one.differences() == []


@pytest.mark.case(74)
@BOTH
def test_uids_that_are_taken_on_the_target(tmp_path: Path, faithful: bool) -> None:
    """Mail of the user's own lies at UIDs that the source has too: it stays, and every message comes beside it."""
    with trial(tmp_path, faithful=faithful) as one:
        mine = [b"Subject: mine %d\r\n\r\n" % number for number in range(5)]
        for body in mine:
            one.there.inbox.add(body)
        outcome = one.run()
        assert (outcome.failures, outcome.fidelity) == ([], "mapped")
        held = Counter(message.body for message in one.there.inbox.messages)
        assert held == Counter(mine) + Counter(message.body for message in one.here.inbox.messages)
        assert one.run().changed is False


@pytest.mark.case(81, 87)
@BOTH
@pytest.mark.parametrize("after", [1, 10, 45])
def test_an_expunge_is_told_in_the_middle_of_a_fetch(tmp_path: Path, after: int, faithful: bool) -> None:
    with trial(tmp_path, source=Behaviour(expunge_after=after), faithful=faithful) as one:
        assert one.run().failures == []
        assert one.run().failures == []
        assert one.differences() == []


@pytest.mark.case(89)
@BOTH
@pytest.mark.parametrize("number", [1, 2, 30, 61])
def test_a_literal_that_is_cut_off_once(tmp_path: Path, number: int, faithful: bool) -> None:
    """The source hangs up in the middle of a message: it connects again, and no half message is ever stored."""
    with trial(tmp_path, source=Behaviour(truncate=number), faithful=faithful) as one:
        outcome = one.run()
        assert outcome.failures == []
        assert one.source.happened["truncated"] == 1
        assert any("connection" in text for text in outcome.findings)
        assert one.differences() == []


@pytest.mark.case(93)
@BOTH
@pytest.mark.parametrize("bye", [False, True], ids=["NO", "BYE"])
def test_one_message_of_ten_thousand_is_refused(tmp_path: Path, bye: bool, faithful: bool) -> None:
    """All others are there, and this one is named with its folder, its UID and the file that keeps its bytes."""
    marker = b"message 7777."
    behaviour = Behaviour(bye=marker) if bye else Behaviour(refused=marker)
    with trial(tmp_path, target=behaviour, faithful=faithful, origin=mailbox(10_000)) as one:
        outcome = one.run()
        (failure,) = outcome.failures
        (refused,) = [message for message in one.here.inbox.messages if marker in message.body]
        assert (failure["kind"], failure["folder"], failure["uid"]) == ("message_refused", "INBOX", refused.uid)
        assert Path(str(failure["file"])).read_bytes() == refused.body
        assert one.there.count() == one.here.count() - 1
        _intact(one)
        one.target.behaviour = Behaviour()
        assert one.run().failures == []
        one.faithful = False
        assert one.differences() == []


@pytest.mark.case(89, 93)
@BOTH
def test_a_message_that_is_refused_before_a_reconnection_is_not_forgotten(tmp_path: Path, faithful: bool) -> None:
    """It is refused again after it: its folder has not been done, and the next run tries."""
    with trial(tmp_path, target=Behaviour(refused=b"message 7."), faithful=faithful) as one:
        # the connection breaks in Sent, when INBOX has been gone through
        one.source.behaviour = Behaviour(truncate=70)
        (failure,) = one.run().failures
        assert (failure["kind"], one.source.happened["truncated"]) == ("message_refused", 1)
        (again,) = one.run().failures
        assert again["kind"] == "message_refused"
        one.target.behaviour = Behaviour()
        assert one.run().messages_copied == 1
        one.faithful = False
        assert one.differences() == []


@pytest.mark.case(97)
def test_eight_bit_that_becomes_question_marks(tmp_path: Path) -> None:
    """What the source gives out is what is copied; a target that changes it can only be found out by the audit."""
    with trial(tmp_path, source=Behaviour(eight_bit_lost=True)) as one:
        assert one.run().failures == []
        held = Counter(message.body for message in one.there.folders[b"Sent"].messages)
        assert held == Counter(one_.body.replace(b"\xfc", b"?").replace(b"\xdf", b"?") for one_ in
                               one.here.folders[b"Sent"].messages)  # fmt: skip


@pytest.mark.case(84)
def test_flags_that_change_behind_a_mod_sequence_that_does_not(tmp_path: Path) -> None:
    """A lie that nobody can see costs flags alone, never a message; they come when anything else changes."""
    with trial(tmp_path, source=Behaviour(modseq="stuck"), faithful=True) as one:
        assert one.run().failures == []
        one.here.inbox.set_flags(5, [b"\\Draft"])
        assert one.run().failures == []
        assert one.differences(exact=False) == []
        change(one.here)
        assert one.run().failures == []
        assert one.differences(exact=False) == []
