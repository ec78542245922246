# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that the target refuses: what is tried, what is changed when that was asked for, and what is kept."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .scripted import Behaviour, Mailbox, serving
from .scripted.engine import USER, Trial

PLAIN = b"Subject: %d\r\n\r\nbody %d\r\n"
NUL = b"Subject: nul\r\n\r\nbefore\0after\r\n\0\0"
EIGHT = "Subject: eight\r\n\r\nGr\u00fc\u00dfe\r\n".encode()
BARE = b"Subject: bare\n\none\ntwo\rthree\r\n"
NO_FIELD = b"From me Wed Feb  3 04:05:06 2021\r\nSubject: odd\r\nno field\r\n\r\nbody\r\n"

Judge = Callable[[bytes, frozenset[bytes], bool], bytes]


def strict(body: bytes, _flags: frozenset[bytes], binary: bool) -> bytes:
    """A server that takes NUL as literal8 alone, and neither bare line ends nor lines in the header that are none."""
    if b"\0" in body and not binary:
        return b"NO Message contains NUL characters"
    bare = body.replace(b"\r\n", b"")
    if b"\n" in bare or b"\r" in bare:
        return b"NO Message contains bare newlines"
    header = body.partition(b"\r\n\r\n")[0].split(b"\r\n")
    if any(line and b":" not in line for line in header) or body.startswith(b"From "):
        return b"NO Message contains invalid header"
    return b""


def never(word: bytes) -> Judge:
    """A server that refuses what holds a word, whatever is done to it."""
    return lambda body, _flags, _binary: b"NO [CANNOT] I do not like it" if word in body else b""


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    here = Mailbox()
    for number in range(20):
        here.inbox.add(PLAIN % (number, number), [b"\\Seen"])
    with ExitStack() as stack:
        source, target = (stack.enter_context(serving({USER: box})) for box in (here, Mailbox()))
        # without doveadm nothing could be done about two folders that happen to have one UIDVALIDITY
        target.accounts[USER].inbox.uidvalidity = 5
        yield Trial(source, target, tmp_path / "ledger.sqlite3", faithful=True)


def kept(trial: Trial) -> dict[str, bytes]:
    """The quarantine: files that their owner alone can read, in folders that he alone can open."""
    folder = trial.ledger.with_name(trial.ledger.name + ".quarantine")
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in (*files, *folder.rglob("*"), folder):
        if path.exists():
            mode = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == mode, path
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def bodies(trial: Trial) -> list[bytes]:
    return [message.body for message in trial.there.inbox.messages]


@pytest.mark.case(9, 29)
@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("multiappend", [True, False])
@pytest.mark.parametrize("body", [NUL, b"Subject: large\r\n\r\n" + b"x" * 300_000 + b"\0\r\n"])
def test_nul_goes_as_a_literal8(trial: Trial, faithful: bool, multiappend: bool, body: bytes) -> None:
    """A small one at once; a large one, whose NUL is seen too late, when it has been refused."""
    trial.faithful = faithful
    trial.target.behaviour = Behaviour(judge=strict, lacks=frozenset() if multiappend else frozenset({"MULTIAPPEND"}))
    trial.here.inbox.add(body, [b"\\Flagged"])
    trial.here.inbox.add(PLAIN % (99, 99))
    outcome = trial.run()
    assert (outcome.failures, outcome.refused) == ([], [])
    assert trial.differences() == []
    assert kept(trial) == {}


@pytest.mark.case(9, 11, 12, 13, 17, 25, 93)
@pytest.mark.parametrize("multiappend", [True, False])
@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("body", [NUL, BARE, NO_FIELD, b"Subject: \0 x\r\n\r\nbody\r\n"])
def test_nothing_is_edited_unless_asked(trial: Trial, body: bytes, faithful: bool, multiappend: bool) -> None:
    trial.faithful = faithful
    lacks = {"BINARY"} | (set() if multiappend else {"MULTIAPPEND"})
    trial.target.behaviour = Behaviour(judge=strict, lacks=frozenset(lacks))
    odd = trial.here.inbox.add(body)
    trial.here.inbox.add(PLAIN % (99, 99))
    outcome = trial.run()
    (failure,), (told,) = outcome.failures, outcome.refused
    assert (failure["kind"], failure["folder"], failure["uid"]) == ("message_refused", "INBOX", odd.uid)
    assert (told["kind"], told["folder"], told["uid"]) == ("refused", "INBOX", odd.uid)
    assert "Message contains" in told["reason"]
    assert failure["file"] == told["file"]
    assert Path(told["file"]).read_bytes() == body
    assert kept(trial) == {f"{USER}/INBOX.1000.{odd.uid}.eml": body}
    assert len(bodies(trial)) == 21
    assert body not in bodies(trial)


@pytest.mark.case(9, 11, 12, 13, 17, 25)
@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize(
    ("body", "repaired"),
    [
        (NUL, NUL.replace(b"\0", b"\x80")),
        (BARE, b"Subject: bare\r\n\r\none\r\ntwo\r\nthree\r\n"),
        (NO_FIELD, b"Subject: odd\r\n\r\nno field\r\n\r\nbody\r\n"),
    ],
)
def test_a_repair_that_was_asked_for(trial: Trial, body: bytes, repaired: bytes, faithful: bool) -> None:
    trial.faithful, trial.repair = faithful, True
    trial.target.behaviour = Behaviour(judge=strict, lacks=frozenset({"BINARY"}))
    odd = trial.here.inbox.add(body, [b"\\Flagged"])
    trial.here.inbox.add(PLAIN % (99, 99))
    outcome = trial.run()
    assert outcome.failures == []
    (told,) = outcome.refused
    assert (told["kind"], told["uid"]) == ("repaired", odd.uid)
    assert Path(told["file"]).read_bytes() == body
    assert [one.body for one in trial.there.inbox.messages if one.uid == odd.uid] == [repaired]
    assert len(trial.differences()) == 1
    again = trial.run()
    assert (again.changed, again.refused) == (False, outcome.refused)


@pytest.mark.case(93)
def test_what_no_repair_helps_is_kept(trial: Trial) -> None:
    trial.repair = True
    trial.target.behaviour = Behaviour(judge=never(b"bare"))
    trial.here.inbox.add(BARE)
    outcome = trial.run()
    assert [one["kind"] for one in outcome.failures] == ["message_refused"]
    assert kept(trial) == {f"{USER}/INBOX.1000.21.eml": BARE}


@pytest.mark.case(93)
@pytest.mark.parametrize("faithful", [True, False])
def test_a_rerun_tries_again_keeps_one_copy_and_reports_no_success(trial: Trial, faithful: bool) -> None:
    trial.faithful = faithful
    trial.target.behaviour = Behaviour(judge=never(b"body 7"))
    first = trial.run()
    files = kept(trial)
    assert list(files.values()) == [PLAIN % (7, 7)]
    trial.target.forget()
    trial.source.forget()
    again = trial.run()
    assert again.failures == first.failures
    assert again.refused == first.refused
    assert kept(trial) == files
    assert not again.changed
    # tried once and no more, and not read a second time for the quarantine
    assert trial.target.verbs()[b"APPEND"] == 1
    assert sum(b"BODY.PEEK[]" in one for one in trial.source.commands) <= 2
    trial.target.behaviour = Behaviour()
    taken = trial.run()
    assert (taken.failures, taken.refused, taken.messages_copied) == ([], [], 1)
    assert kept(trial) == {}
    assert sorted(bodies(trial)) == sorted(PLAIN % (number, number) for number in range(20))


@pytest.mark.case(93)
def test_a_lost_ledger_makes_no_second_copy(trial: Trial) -> None:
    trial.target.behaviour = Behaviour(judge=never(b"body 7"))
    trial.run()
    files = kept(trial)
    for path in trial.ledger.parent.glob(f"{trial.ledger.name}*"):
        if path.is_file():
            path.unlink()
    outcome = trial.run()
    assert [one["uid"] for one in outcome.refused] == [8]
    assert kept(trial) == files
    assert len(bodies(trial)) == 19


def test_a_refused_message_that_its_owner_then_deletes(trial: Trial) -> None:
    trial.target.behaviour = Behaviour(judge=never(b"body 7"))
    trial.run()
    files = kept(trial)
    trial.here.inbox.expunge([8])
    outcome = trial.run()
    assert (outcome.failures, outcome.refused) == ([], [])
    assert any("UID 8" in text and "gone from the source" in text for text in outcome.findings)
    assert kept(trial) == files
    assert trial.run().findings == []


def test_a_quarantine_that_cannot_be_written_costs_no_other_message(trial: Trial) -> None:
    trial.target.behaviour = Behaviour(judge=never(b"body 7"))
    trial.ledger.with_name(trial.ledger.name + ".quarantine").write_text("a file stands where the folder should be")
    outcome = trial.run()
    (failure,) = outcome.failures
    assert failure["uid"] == 8
    assert "could not be written to the quarantine" in failure["message"]
    assert "file" not in failure
    assert len(bodies(trial)) == 19


@pytest.mark.case(45)
@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("multiappend", [True, False])
def test_a_keyword_that_is_refused_costs_the_keyword_and_nothing_else(
    trial: Trial, faithful: bool, multiappend: bool
) -> None:
    """Dovecot refuses the whole APPEND for a keyword that is too long; so the message goes without it."""
    trial.faithful = faithful

    def judge(_body: bytes, flags: frozenset[bytes], _binary: bool) -> bytes:
        return b"NO [CANNOT] Keyword length too long" if any(len(flag) > 20 for flag in flags) else b""

    lacks = frozenset() if multiappend else frozenset({"MULTIAPPEND"})
    trial.target.behaviour = Behaviour(judge=judge, store_judge=judge, lacks=lacks)
    long = b"k" * 30
    for number in range(30, 60):
        trial.here.inbox.add(PLAIN % (number, number), [b"\\Flagged", b"short", long])
    outcome = trial.run()
    assert outcome.failures == []
    assert any(long.decode() in text for text in outcome.findings)
    wanted: dict[int, Any] = {one.uid: one.flags - {long} for one in trial.here.inbox.messages}
    if faithful:
        assert {one.uid: one.flags for one in trial.there.inbox.messages} == wanted
    assert trial.differences(exact=False) == []
    assert kept(trial) == {}
    # looked at as a whole, which shows that the keyword is still not there
    trial.source.behaviour = Behaviour(lacks=frozenset({"CONDSTORE", "QRESYNC"}))
    trial.here.inbox.set_flags(1, [b"\\Answered"])
    again = trial.run()
    assert (again.failures, again.flags_changed) == ([], 1)
    assert trial.there.inbox.messages[0].flags == {b"\\Answered"}
    assert not trial.run().changed


@pytest.mark.case(47)
@pytest.mark.parametrize("faithful", [True, False])
def test_a_target_without_keywords_takes_the_messages(trial: Trial, faithful: bool) -> None:
    r"""PERMANENTFLAGS without `\*`: no keyword is sent, and what is lost is said."""
    trial.faithful = faithful
    trial.there.inbox.keywords = False
    trial.here.inbox.add(PLAIN % (50, 50), [b"\\Seen", b"$Forwarded", b"Junk"])
    outcome = trial.run()
    assert outcome.failures == []
    assert any("$Forwarded" in text and "Junk" in text for text in outcome.findings)
    assert trial.differences(exact=False) == []
    assert [one.flags for one in trial.there.inbox.messages][-1] == {b"\\Seen"}
    assert not any(b"Junk" in command for command in trial.target.commands)
    trial.here.inbox.set_flags(1, [b"\\Answered"])
    assert trial.run().flags_changed == 1
    assert trial.target.complaints == []
