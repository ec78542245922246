# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that ask us to slow down, in the words of their vendors: waited for, in bounds, and nothing lost or doubled.

Time is our own here: a wait takes none. What real servers do is in tests/integration/test_mailbox_sync_politeness.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.batch import Counter
from ansible_collections.atmail.migration.plugins.module_utils.courtesy import Caps, Courtesy
from ansible_collections.atmail.migration.plugins.module_utils.ledger import Ledger
from ansible_collections.atmail.migration.plugins.module_utils.mail.audit import Audit, audit_mailbox
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import FolderRules
from ansible_collections.atmail.migration.plugins.module_utils.mail.mailbox import sync_mailbox
from ansible_collections.atmail.migration.plugins.module_utils.mail.outcome import Outcome
from ansible_collections.atmail.migration.plugins.module_utils.mail.plan import Policy
from ansible_collections.atmail.migration.plugins.module_utils.mail.server import Server
from ansible_collections.atmail.migration.plugins.module_utils.mail.task import Setting
from ansible_collections.atmail.migration.plugins.module_utils.pace import Governor, Pace
from ansible_collections.atmail.migration.plugins.module_utils.tasks import Account, Task

from .scripted import PASSWORD, Behaviour, Mailbox, ScriptedServer, serving
from .scripted.behaviour import Hangup
from .scripted.engine import USER, Trial, Unhurried, side
from .scripted.grammar import NoError

EXCHANGE = "BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds"
NOT_CONNECTED = "BAD User is authenticated but not connected."
GMAIL_SPENT = "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)"
DOVECOT = "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)"


class Clock:
    """Time that passes when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.now = 1000.0

    def tick(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Fussy:
    """Answers a command with other words than it should: from the n-th time on, so often; `said` counts."""

    verb: bytes
    words: str
    times: int = 1
    first: int = 1
    bye: bool = False
    seen: int = 0
    said: int = 0

    def __call__(self, verb: bytes) -> None:
        if verb != self.verb:
            return
        self.seen += 1
        if self.seen < self.first or self.said >= self.times:
            return
        self.said += 1
        if self.bye:
            raise Hangup(self.words.encode())
        raise NoError(self.words)


@dataclass
class Polite(Trial):
    """A trial whose runs wait when they are asked to, by a clock of their own."""

    clock: Clock = field(default_factory=Clock)
    patience: float = 600.0
    keepalive: float = 60.0

    def run(self) -> Outcome:
        task = Task(Account(USER, PASSWORD), Account(USER, PASSWORD))
        source = self.courteous("source", self.source)
        target = self.courteous("target", self.target, doveadm=self.faithful)
        setting = Setting(source, target, Policy(**self.policy))
        with Ledger(str(self.ledger)) as ledger:
            return sync_mailbox(task, setting, ledger, Unhurried())

    def courteous(self, name: str, server: ScriptedServer, *, doveadm: bool = False) -> Server:
        plain = side(name, server, timeout=self.timeout, doveadm=doveadm)
        courtesy = Courtesy(
            plain.place["server"],
            [USER],
            Caps(lambda: 4, 4),
            admin=False,
            patience=self.patience,
            tick=self.clock.tick,
            sleep=self.clock.sleep,
            chance=lambda: 0.0,
        )
        return replace(plain, courtesy=courtesy, keepalive=self.keepalive)


def _filled(count: int = 60) -> Mailbox:
    mailbox = Mailbox(subscribed=(b"INBOX", b"Sent"))
    for number in range(count):
        mailbox.inbox.add(b"Subject: %d\r\n\r\nbody\r\n" % number, [b"\\Seen"])
    sent = mailbox.create(b"Sent")
    for number in range(10):
        sent.add(b"Subject: sent %d\r\n\r\nbody\r\n" % number)
    return mailbox


@pytest.fixture
def polite(tmp_path: Path) -> Iterator[Polite]:
    with ExitStack() as stack:
        source, target = (stack.enter_context(serving({USER: box})) for box in (_filled(), Mailbox()))
        yield Polite(source, target, tmp_path / "ledger.sqlite3", faithful=True)


def _same(polite: Polite, outcome: Outcome) -> None:
    assert outcome.failures == []
    assert polite.differences() == []
    assert len(polite.there.inbox.messages) == 60
    assert polite.run().unchanged
    assert polite.source.complaints == polite.target.complaints == []


@pytest.mark.case(92)
@pytest.mark.parametrize("side_", ["source", "target"])
@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (EXCHANGE, 299),
        ("NO Server Unavailable. 15", 30),
        ("NO [THROTTLED] slow down", 30),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", 30),
        (DOVECOT, 5),
        ("NO [UNAVAILABLE] Temporary authentication failure.", 10),
        ("NO [INUSE] Mailbox is locked", 10),
        ("NO [LIMIT] LOGIN Rate limit hit.", 60),
        ("NO [LIMIT] not so many", 30),
        ("NO too many requests for acct", 30),
    ],
)
def test_a_log_in_that_is_not_possible_just_now(polite: Polite, side_: str, words: str, seconds: float) -> None:
    fussy = Fussy(b"LOGIN", words, times=2)
    server = getattr(polite, side_)
    server.behaviour = Behaviour(before=fussy)
    began = polite.clock.now
    outcome = polite.run()
    assert fussy.said == 2
    assert polite.clock.now - began >= 2 * seconds
    assert any("waited 2 times" in text and words[3:] in text for text in outcome.findings), outcome.findings
    _same(polite, outcome)


@pytest.mark.case(92)
@pytest.mark.parametrize("greeting", ["Maximum connection limit reached for this IP address", "Too many connections"])
def test_a_server_that_sends_us_away_at_the_door(polite: Polite, greeting: str) -> None:
    polite.source.behaviour = Behaviour(greeting=b"* BYE " + greeting.encode() + b"\r\n")
    polite.patience = 200
    outcome = polite.run()
    assert [failure["kind"] for failure in outcome.failures] == ["throttled"]
    assert polite.clock.now - 1000 <= 200
    assert greeting in outcome.failures[0]["message"]
    polite.source.behaviour = Behaviour()
    _same(polite, polite.run())


PLACES = [
    ("source", b"LIST", 1),
    ("source", b"STATUS", 1),
    ("source", b"EXAMINE", 1),
    ("source", b"EXAMINE", 2),
    ("source", b"UID FETCH", 1),
    ("source", b"UID FETCH", 2),
    ("target", b"LIST", 2),
    ("target", b"SELECT", 1),
    ("target", b"APPEND", 1),
    ("target", b"APPEND", 2),
    ("target", b"SUBSCRIBE", 1),
]


@pytest.mark.case(92)
@pytest.mark.parametrize("bye", [False, True], ids=["no", "bye"])
@pytest.mark.parametrize(
    ("side_", "verb", "first"), PLACES, ids=lambda value: getattr(value, "decode", lambda: value)()
)
def test_throttled_anywhere_then_on(polite: Polite, side_: str, verb: bytes, first: int, bye: bool) -> None:
    if verb == b"STATUS":
        polite.source.behaviour = Behaviour(lacks=frozenset({"LIST-STATUS"}))
    fussy = Fussy(verb, "Request is throttled." if bye else EXCHANGE, first=first, bye=bye)
    server = getattr(polite, side_)
    server.behaviour = replace(server.behaviour, before=fussy)
    began = polite.clock.now
    outcome = polite.run()
    assert fussy.said == 1, "the engine does not say this command"
    assert polite.clock.now - began >= (60 if bye else 299)
    _same(polite, outcome)


@pytest.mark.case(92)
def test_patience_has_an_end_and_the_next_run_goes_on(polite: Polite) -> None:
    polite.source.behaviour = Behaviour(before=Fussy(b"UID FETCH", EXCHANGE, first=2, times=10**6))
    polite.patience = 700
    outcome = polite.run()
    assert [failure["kind"] for failure in outcome.failures] == ["throttled"], outcome.failures
    failure = outcome.failures[0]
    assert "Run again later" in failure["safe_next"]
    assert "Suggested Backoff Time" in failure["message"]
    assert 500 <= polite.clock.now - 1000 <= 1400
    polite.source.behaviour = Behaviour()
    _same(polite, polite.run())


@pytest.mark.case(92)
def test_an_account_that_has_had_its_share_of_today_is_not_waited_for(polite: Polite) -> None:
    polite.source.behaviour = Behaviour(before=Fussy(b"UID FETCH", GMAIL_SPENT, first=2, times=10**6))
    began = polite.clock.now
    outcome = polite.run()
    assert [failure["kind"] for failure in outcome.failures] == ["throttled"]
    assert polite.clock.now == began
    polite.source.behaviour = Behaviour()
    _same(polite, polite.run())


@pytest.mark.case(92, 98)
@pytest.mark.parametrize(
    "words",
    ["Session invalidated - AccessTokenExpired", "Session expired, please login again.", "Connection is closed. 13"],
)
def test_a_session_that_expired_is_begun_anew_at_once(polite: Polite, words: str) -> None:
    polite.source.behaviour = Behaviour(before=Fussy(b"UID FETCH", words, first=2, bye=True))
    began = polite.clock.now
    outcome = polite.run()
    assert polite.clock.now == began
    assert any(words in text for text in outcome.findings)
    _same(polite, outcome)


@pytest.mark.case(98)
def test_logged_in_but_not_connected(polite: Polite) -> None:
    """Exchange lets a user in whose mailbox it can't reach: every command fails, and a new log-in helps some day."""
    fussy = Fussy(b"LIST", NOT_CONNECTED, times=3)
    polite.source.behaviour = Behaviour(before=fussy)
    outcome = polite.run()
    assert polite.source.verbs()[b"LOGIN"] >= 3
    assert polite.clock.now - 1000 >= 30 + 60
    _same(polite, outcome)


@pytest.mark.case(98)
def test_never_connected_is_told_as_such(polite: Polite) -> None:
    polite.source.behaviour = Behaviour(before=Fussy(b"LIST", NOT_CONNECTED, times=10**6))
    (failure,) = polite.run().failures
    assert failure["kind"] == "throttled"
    assert "authenticated but not connected" in failure["message"]
    assert polite.there.folders.keys() == {b"INBOX"}


@pytest.mark.case(92)
@pytest.mark.parametrize("words", ["NO [SERVERBUG] Internal error occurred. Refer to server log for more information."])
def test_a_fault_of_the_server_is_not_waited_for(polite: Polite, words: str) -> None:
    polite.target.behaviour = Behaviour(before=Fussy(b"APPEND", words, times=10**6))
    outcome = polite.run()
    assert [failure["kind"] for failure in outcome.failures] == ["server_fault"], outcome.failures
    assert polite.clock.now == 1000
    polite.target.behaviour = Behaviour()
    _same(polite, polite.run())


def test_a_refused_password_is_tried_once(polite: Polite) -> None:
    polite.source.password = "another"
    outcome = polite.run()
    assert [failure["kind"] for failure in outcome.failures] == ["auth_failed"]
    assert polite.source.verbs()[b"LOGIN"] == 1
    assert polite.target.connections == 0


# the idle side


def _slow(verb: bytes, seconds: float) -> Callable[[bytes], None]:
    def wait(said: bytes) -> None:
        if said == verb:
            time.sleep(seconds)

    return wait


@pytest.mark.parametrize(("busy", "idle", "verb"), [("source", "target", b"EXAMINE"), ("target", "source", b"CREATE")])
def test_the_idle_side_is_kept_alive(polite: Polite, busy: str, idle: str, verb: bytes) -> None:
    polite.keepalive = 0.2
    getattr(polite, busy).behaviour = Behaviour(before=_slow(verb, 1.0))
    outcome = polite.run()
    assert getattr(polite, idle).verbs()[b"NOOP"] >= 2
    assert polite.source.complaints == polite.target.complaints == []
    assert (outcome.failures, polite.differences()) == ([], [])


def test_no_command_is_disturbed(polite: Polite) -> None:
    """A source that takes its time while messages are on their way to the target: nothing is said in between."""
    polite.keepalive = 0.05
    polite.source.behaviour = Behaviour(segment=400, pause=0.1)
    outcome = polite.run()
    assert (outcome.failures, polite.differences()) == ([], [])
    assert polite.source.complaints == polite.target.complaints == []


def test_keepalive_0_says_nothing(polite: Polite) -> None:
    polite.keepalive = 0
    polite.source.behaviour = Behaviour(before=_slow(b"EXAMINE", 0.5))
    polite.run()
    assert polite.target.verbs()[b"NOOP"] == 0


# folders that go away, and sizes


@pytest.mark.case(94)
@pytest.mark.parametrize("faithful", [True, False])
def test_a_target_folder_that_is_gone_when_it_is_written_to_is_made_again(polite: Polite, faithful: bool) -> None:
    polite.faithful = faithful
    gone: list[object] = []

    def remove(verb: bytes) -> None:
        if verb == b"APPEND" and not gone and b"Sent" in polite.there.folders:
            gone.append(polite.there.folders.pop(b"Sent"))

    polite.target.behaviour = Behaviour(before=remove)
    outcome = polite.run()
    assert gone
    assert outcome.failures == []
    assert polite.differences() == []


@pytest.mark.case(94)
def test_a_target_folder_that_goes_away_again_and_again_is_told(polite: Polite) -> None:
    def remove(verb: bytes) -> None:
        if verb == b"SELECT":
            polite.there.folders.pop(b"Sent", None)

    polite.target.behaviour = Behaviour(before=remove)
    outcome = polite.run()
    assert [(failure["kind"], failure["folder"]) for failure in outcome.failures] == [("folder_gone", "Sent")]
    assert len(polite.there.inbox.messages) == 60
    polite.target.behaviour = Behaviour()
    _same(polite, polite.run())


@pytest.mark.case(96)
@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("lacks", [frozenset(), frozenset({"LITERAL+"}), frozenset({"MULTIAPPEND"})], ids=str)
def test_a_message_above_the_appendlimit_is_not_sent_at_all(
    polite: Polite, lacks: frozenset[str], faithful: bool
) -> None:
    polite.faithful = faithful
    polite.here.inbox.add(b"Subject: large\r\n\r\n" + b"x" * 5000 + b"\r\n")
    polite.here.inbox.add(b"Subject: after it\r\n\r\nbody\r\n")
    polite.target.behaviour = Behaviour(lacks=lacks, announces=("APPENDLIMIT=1000",))
    outcome = polite.run()
    (failure,) = outcome.failures
    assert (failure["kind"], failure["uid"], failure["folder"]) == ("message_refused", 61, "INBOX")
    assert "takes 1000 (APPENDLIMIT)" in failure["message"]
    assert len(polite.there.inbox.messages) == 61
    assert polite.target.happened["appended"] >= 71
    assert all(b"x" * 100 not in message.body for message in polite.there.inbox.messages)
    if faithful:
        assert polite.there.inbox.uids() == [*range(1, 61), 62]


@pytest.mark.case(96)
def test_a_target_that_refuses_large_messages_without_saying_its_limit(polite: Polite) -> None:
    polite.here.inbox.add(b"Subject: large\r\n\r\n" + b"x" * 5000 + b"\r\n")
    polite.target.behaviour = Behaviour(
        announces=("APPENDLIMIT",), judge=lambda body, _flags, _binary: b"NO [TOOBIG] no" if len(body) > 1000 else b""
    )
    outcome = polite.run()
    assert [(failure["kind"], failure["uid"]) for failure in outcome.failures] == [("message_refused", 61)]
    assert len(polite.there.inbox.messages) == 60


@pytest.mark.case(95)
@pytest.mark.parametrize("faithful", [True, False])
def test_a_quota_that_is_used_up_on_the_way_and_raised_later(polite: Polite, faithful: bool) -> None:
    polite.faithful = faithful
    polite.target.behaviour = Behaviour(quota=40)
    outcome = polite.run()
    assert [failure["kind"] for failure in outcome.failures] == ["over_quota"]
    assert polite.clock.now == 1000, "nobody waits for a quota"
    polite.target.behaviour = Behaviour()
    _same(polite, polite.run())


def test_an_audit_keeps_the_side_alive_that_is_read_already(polite: Polite) -> None:
    polite.run()
    polite.source.forget()
    polite.target.forget()
    task = Task(Account(USER, PASSWORD), Account(USER, PASSWORD))
    polite.keepalive = 0.2
    source, target = polite.courteous("source", polite.source), polite.courteous("target", polite.target)
    polite.source.behaviour = Behaviour(before=_slow(b"UID FETCH", 1.0))
    verdict = audit_mailbox(task, Audit(source, target, FolderRules(), "full"), Counter(Governor(Pace()), [0] * 3, 0))
    assert (verdict.failures, verdict.differences) == ([], [])
    assert polite.target.verbs()[b"NOOP"] >= 2
    assert polite.source.complaints == polite.target.complaints == []


@pytest.mark.case(98)
def test_a_uidvalidity_that_only_select_fixes(polite: Polite) -> None:
    """Courier gives a folder that nobody has opened yet a UIDVALIDITY at every EXAMINE, and keeps none but SELECT's."""
    inbox = polite.here.inbox
    fixed: list[bool] = []

    def courier(verb: bytes) -> None:
        if verb == b"SELECT":
            fixed.append(True)
        elif verb in (b"EXAMINE", b"STATUS", b"LIST") and not fixed:
            inbox.uidvalidity += 1

    polite.source.behaviour = Behaviour(before=courier)
    outcome = polite.run()
    assert outcome.failures == []
    assert fixed
    assert polite.differences() == []
    assert polite.run().unchanged
