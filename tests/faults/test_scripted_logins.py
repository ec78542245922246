# SPDX-License-Identifier: GPL-3.0-or-later
"""Log-ins at servers that behave as no server that can be installed here does on demand."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    AuthError,
    ConnectError,
    ConnectionLostError,
    MigrationError,
    ProtocolError,
    ThrottledError,
    TimedOutError,
    TlsError,
)
from ansible_collections.atmail.migration.plugins.module_utils.tasks import Account
from ansible_collections.atmail.migration.plugins.module_utils.transport.imap import ImapServer
from ansible_collections.atmail.migration.plugins.module_utils.transport.login import LogIn, log_in

from .peer import Peer, Talk, peer

ANN = Account("ann", "secret")
GREETING = b"* OK [CAPABILITY IMAP4rev1] hello\r\n"
AFTER = b"OK [CAPABILITY IMAP4rev1 AFTER] in"


def enter(known: Peer, account: Account = ANN, **options: Any) -> LogIn:
    """Log in at the peer, in clear text."""
    values: dict[str, Any] = {"security": "plain", "timeout": 5.0, **options}
    return log_in(ImapServer("source", "127.0.0.1", known.port, **values), account)


def entered(script: Callable[[Talk], None], account: Account = ANN, **options: Any) -> tuple[LogIn, Peer]:
    """Log in at a script, which must let us in."""
    with peer(script) as known:
        made = enter(known, account, **options)
        made.wire.close()
    return made, known


def refused(script: Callable[[Talk], None], account: Account = ANN, **options: Any) -> MigrationError:
    """The error of a log-in at a script; one connection only is made for it."""
    with peer(script) as known:
        with pytest.raises(MigrationError) as caught:
            enter(known, account, **options)
        time.sleep(0.05)
        assert len(known.talks) == 1
    error = caught.value
    assert error.where["server"].startswith("source 127.0.0.1:")  # type: ignore[union-attr] # it is text
    assert "secret" not in str(error)
    return error


# what the server can do


@pytest.mark.case(84)
def test_what_counts_is_what_the_server_can_do_after_the_log_in() -> None:
    def script(talk: Talk) -> None:
        talk.send(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ BEFORE] hello\r\n")
        talk.answer(b'LOGIN "ann" "secret"', after=AFTER)
        talk.listen()

    assert entered(script)[0].capabilities == {b"IMAP4REV1", b"AFTER"}


@pytest.mark.case(84)
@pytest.mark.parametrize("meanwhile", [b"", b"* CAPABILITY IMAP4rev1 BEFORE\r\n"])
def test_a_server_that_does_not_say_is_asked(meanwhile: bytes) -> None:
    """Also when it says in the middle of the log-in what it could do before it."""

    def script(talk: Talk) -> None:
        talk.send(b"* OK hello\r\n")
        talk.answer(b"CAPABILITY", b"* CAPABILITY IMAP4rev1 BEFORE\r\n")
        talk.answer(b"LOGIN", meanwhile, b"OK in")
        talk.answer(b"CAPABILITY", b"* OK by the way\r\n* capability imap4rev1 after\r\n")
        talk.listen()

    assert entered(script)[0].capabilities == {b"IMAP4REV1", b"AFTER"}


@pytest.mark.case(84)
def test_a_server_without_capability_is_one_without_extensions() -> None:
    def script(talk: Talk) -> None:
        talk.send(b"* OK hello\r\n")
        talk.answer(b"CAPABILITY", after=b"BAD what?")
        talk.answer(b"LOGIN")
        talk.answer(b"CAPABILITY", after=b"BAD what?")
        talk.listen()

    assert entered(script)[0].capabilities == frozenset()


# how one gets in


@pytest.mark.case(85)
def test_no_password_is_sent_where_log_ins_are_disabled() -> None:
    def script(talk: Talk) -> None:
        talk.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hello\r\n")
        talk.listen()
        assert talk.said == []

    error = refused(script)
    assert isinstance(error, AuthError)
    assert "LOGINDISABLED" in error.message


@pytest.mark.case(85)
@pytest.mark.parametrize("initial", [True, False])
def test_sasl_plain_alone(initial: bool) -> None:
    """With an initial response (RFC 4959) and without."""
    said = base64.b64encode(b"\0ann\0secret")

    def script(talk: Talk) -> None:
        more = b" SASL-IR" if initial else b""
        talk.send(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN" + more + b"] hello\r\n")
        if initial:
            talk.answer(b"AUTHENTICATE PLAIN " + said, after=AFTER)
        else:
            tag = talk.line().split()[0]
            talk.send(b"+ \r\n")
            assert talk.line() == said
            talk.send(tag + b" " + AFTER + b"\r\n")
        talk.listen()

    assert entered(script)[0].capabilities == {b"IMAP4REV1", b"AFTER"}


@pytest.mark.case(85)
def test_sasl_login_where_nothing_else_is_there() -> None:
    def script(talk: Talk) -> None:
        talk.send(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=LOGIN] hello\r\n")
        line = talk.line()
        assert line.endswith(b" AUTHENTICATE LOGIN")
        for prompt, answer in ((b"VXNlcm5hbWU6", b"ann"), (b"", "pässwört".encode())):
            talk.send(b"+ " + prompt + b"\r\n")
            assert base64.b64decode(talk.line()) == answer
        talk.send(line.split()[0] + b" " + AFTER + b"\r\n")
        talk.listen()

    entered(script, Account("ann", "pässwört"))


@pytest.mark.case(102)
def test_a_login_with_literals_where_no_sasl_is_there() -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        line = talk.line()
        assert line.endswith(b' LOGIN "ann" {10}')
        talk.send(b"+ go on\r\n")
        assert talk.take(10) == "pässwört".encode()
        assert talk.line() == b""
        talk.send(line.split()[0] + b" " + AFTER + b"\r\n")
        talk.listen()

    entered(script, Account("ann", "pässwört"))


@pytest.mark.case(102)
def test_a_literal_that_is_refused_is_a_refused_log_in() -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.send(talk.line().split()[0] + b" NO not by literals\r\n")
        talk.listen()

    assert isinstance(refused(script, Account("ann", "pässwört")), AuthError)


@pytest.mark.case(102)
def test_proxyauth() -> None:
    """The admin user logs in, then is the other user; what that one can do is asked for."""

    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.answer(b'LOGIN "admin" "secret"', after=AFTER)
        talk.answer(b'PROXYAUTH "a \\"b\\" c"')
        talk.answer(b"CAPABILITY", b"* CAPABILITY IMAP4rev1 OTHER\r\n")
        talk.listen()

    admin = {"admin_user": "admin", "admin_password": "secret", "admin_method": "proxyauth"}
    made, _known = entered(script, Account('a "b" c'), **admin)
    assert made.capabilities == {b"IMAP4REV1", b"OTHER"}


def test_proxyauth_that_is_refused() -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.answer(b"LOGIN", after=AFTER)
        talk.answer(b"PROXYAUTH", after=b"NO you may not")
        talk.listen()

    error = refused(script, admin_user="admin", admin_password="secret", admin_method="proxyauth")
    assert isinstance(error, AuthError)
    assert "PROXYAUTH" in error.message


@pytest.mark.case(85)
def test_preauth_has_to_be_asked_for() -> None:
    """Nobody can say whose mailbox it is."""

    def script(talk: Talk) -> None:
        talk.send(b"* PREAUTH [CAPABILITY IMAP4rev1 IN] hello\r\n")
        talk.listen()

    error = refused(script)
    assert isinstance(error, AuthError)
    assert "auth: preauth" in error.safe_next
    made, known = entered(script, Account("ann"), auth="preauth")
    assert made.capabilities == {b"IMAP4REV1", b"IN"}
    assert known.talks[0].said == []


@pytest.mark.case(85)
def test_preauth_that_is_none() -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.listen()
        assert talk.said == []

    assert isinstance(refused(script, Account("ann"), auth="preauth"), AuthError)


# good-byes


@pytest.mark.case(85)
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (b"[UNAVAILABLE] down for maintenance", ThrottledError),
        (b"Too many connections from your address", ThrottledError),
        (b"go away", ConnectionLostError),
    ],
)
def test_a_bye_instead_of_a_greeting(words: bytes, kind: type[MigrationError]) -> None:
    error = refused(lambda talk: talk.send(b"* BYE " + words + b"\r\n"))
    assert error.kind == kind.kind
    assert words.decode() in error.message


@pytest.mark.case(85)
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (b"[UNAVAILABLE] later", ThrottledError),
        (b"Too many simultaneous connections", ThrottledError),
        (b"who are you?", AuthError),
    ],
)
def test_a_bye_at_the_log_in(words: bytes, kind: type[MigrationError]) -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.line()
        talk.send(b"* BYE " + words + b"\r\n")

    error = refused(script)
    assert error.kind == kind.kind
    assert error.where["account"] == "ann"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (b"NO [AUTHENTICATIONFAILED] wrong, and too many connections", AuthError),
        (b"NO [UNAVAILABLE] Temporary authentication failure.", ThrottledError),
        (b"NO [LIMIT] one at a time", ThrottledError),
        (b"NO no", AuthError),
        (b"BAD what?", AuthError),
    ],
)
def test_a_refusal_is_about_the_password_or_about_the_moment(words: bytes, kind: type[MigrationError]) -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.answer(b"LOGIN", after=words)
        talk.listen()
        assert len(talk.said) == 1, "the password was tried again"

    assert refused(script).kind == kind.kind


def test_a_server_that_repeats_the_password() -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        line = talk.line()
        talk.send(line.split()[0] + b" BAD unknown command: " + line + b"\r\n")

    assert "***" in refused(script).message


# tokens


@pytest.mark.case(102)
@pytest.mark.parametrize(("auth", "last"), [("xoauth2", b""), ("oauthbearer", b"\1")])
def test_a_refused_token_is_told_with_the_servers_reason(auth: str, last: bytes) -> None:
    def script(talk: Talk) -> None:
        name = auth.upper().encode()
        talk.send(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=" + name + b"] hello\r\n")
        line = talk.line()
        assert b"AUTHENTICATE " + name + b" " in line
        talk.send(b"+ " + base64.b64encode(b'{"status":"invalid_token"}') + b"\r\n")
        assert base64.b64decode(talk.line()) == last
        talk.send(line.split()[0] + b" NO [AUTHENTICATIONFAILED] no\r\n")
        talk.listen()
        assert len(talk.said) == 2

    error = refused(script, auth=auth)
    assert isinstance(error, AuthError)
    assert "invalid_token" in error.message
    assert "fresh token" in error.safe_next


@pytest.mark.case(102)
def test_a_long_token_goes_out_when_it_is_asked_for() -> None:
    """Microsoft's are some thousand characters, which is more than some servers take in a command line."""
    token = "t" * 6000

    def script(talk: Talk) -> None:
        talk.send(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hello\r\n")
        line = talk.line()
        assert line.endswith(b" AUTHENTICATE XOAUTH2")
        talk.send(b"+\r\n")
        assert token.encode() in base64.b64decode(talk.line())
        talk.send(line.split()[0] + b" " + AFTER + b"\r\n")
        talk.listen()

    entered(script, Account("ann", token), auth="xoauth2")


def test_a_mechanism_that_asks_for_more_is_given_up() -> None:
    def script(talk: Talk) -> None:
        talk.send(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n")
        tag = talk.line().split()[0]
        talk.send(b"+ bW9yZQ==\r\n")
        assert talk.line() == b"*"
        talk.send(tag + b" BAD given up\r\n")

    assert isinstance(refused(script, auth="plain"), AuthError)


# STARTTLS


@pytest.mark.case(101)
@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"* OK [CAPABILITY IMAP4rev1] stripped\r\n", "does not offer STARTTLS"),
        (b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] in already\r\n", "PREAUTH"),
    ],
)
def test_starttls_that_is_not_there_sends_nothing(greeting: bytes, words: str) -> None:
    def script(talk: Talk) -> None:
        talk.send(greeting)
        talk.listen()
        assert talk.said == []

    for auth in ("auto", "preauth"):
        error = refused(script, security="starttls", auth=auth)
        assert error.kind == TlsError.kind
        assert words in error.message


@pytest.mark.case(101)
def test_bytes_in_clear_after_starttls_are_refused() -> None:
    """CVE-2011-0411: whoever is on the way puts an answer of his own before the first encrypted one."""

    def script(talk: Talk) -> None:
        talk.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
        talk.answer(b"STARTTLS", after=b"OK begin\r\n* CAPABILITY IMAP4rev1 LITERAL+ EVIL")
        talk.listen()
        assert len(talk.said) == 1

    error = refused(script, security="starttls")
    assert error.kind == TlsError.kind
    assert "CVE-2011-0411" in error.message


def test_starttls_that_is_refused() -> None:
    def script(talk: Talk) -> None:
        talk.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
        talk.answer(b"STARTTLS", after=b"BAD no keys")
        talk.listen()
        assert len(talk.said) == 1

    assert refused(script, security="starttls").kind == TlsError.kind


# who is there at all


@pytest.mark.parametrize(
    "words", [b"220 mail.example ESMTP\r\n", b"+OK POP3\r\n", b"* HELLO\r\n", b"\r\n", b"\0\xff\r\n", b"M1 OK in\r\n"]
)
def test_others_than_imap_servers(words: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.send(words)
        talk.listen()
        assert talk.said == []

    assert refused(script).kind == ProtocolError.kind


def test_tls_with_a_port_that_has_none() -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.take(10)

    error = refused(script, security="tls")
    assert error.kind == TlsError.kind
    assert "does not speak TLS on this port" in error.message


def test_a_flood_before_the_answer_is_bounded() -> None:
    def script(talk: Talk) -> None:
        talk.send(GREETING)
        talk.line()
        for _times in range(200):
            talk.send(b"* 1 EXISTS\r\n" * 100)

    assert refused(script).kind == ProtocolError.kind


# silence and slowness


@pytest.mark.case(91)
@pytest.mark.parametrize("security", ["plain", "tls", "starttls"])
def test_silence_ends_in_time(security: str) -> None:
    began = time.monotonic()
    error = refused(Talk.listen, security=security, timeout=0.5)
    assert error.kind == TimedOutError.kind
    assert time.monotonic() - began < 3


def slowly(talk: Talk, data: bytes) -> None:
    """A byte every 20 ms: each comes long before the time limit, which they exceed together."""
    for number in range(len(data)):
        talk.send(data[number : number + 1])
        time.sleep(0.02)


@pytest.mark.case(91)
@pytest.mark.parametrize("when", ["greeting", "TLS", "answer", "lines"])
def test_a_byte_at_a_time_does_not_hold_the_log_in_up(when: str) -> None:
    """The whole of it is over in time."""

    def script(talk: Talk) -> None:
        if when == "greeting":
            slowly(talk, b"* OK [CAPABILITY IMAP4rev1 " + b"X" * 1000)
        elif when == "TLS":
            slowly(talk, b"\x16\x03\x03\x40\x00" + b"\2" * 1000)
        else:
            talk.send(GREETING)
            talk.line()
            slowly(talk, b"M1 OK " + b"x" * 1000 if when == "answer" else b"* 1 EXISTS\r\n" * 100)

    began = time.monotonic()
    error = refused(script, security="tls" if when == "TLS" else "plain", timeout=0.6)
    assert error.kind == TimedOutError.kind
    assert time.monotonic() - began < 3


# every byte


DIALOGUE = (
    b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n",
    b"* FLAGS ({3}\r\nabc \\Seen)\r\nL1 OK in\r\n",
    b"* CAPABILITY IMAP4rev1 \r\nL2 OK\r\n",
)


def broken(at: int, how: str) -> Callable[[Talk], None]:
    """Play the dialogue up to a byte; then FIN, RST or nothing more."""

    def script(talk: Talk) -> None:
        left = at
        for number, words in enumerate(DIALOGUE):
            if number:
                talk.line()
            talk.send(words[:left])
            left -= len(words)
            if left <= 0:
                break
        if how == "RST":
            talk.reset()
        elif how == "stall":
            talk.listen()

    return script


@pytest.mark.case(90, 91)
@pytest.mark.parametrize("how", ["FIN", "RST", "stall"])
def test_a_connection_that_breaks_at_any_byte_of_a_log_in(how: str) -> None:
    """In the greeting, between CR and LF, in a literal and its head, in a tag: one clear error, and soon."""
    total = sum(len(words) for words in DIALOGUE)
    for at in range(0, total, 5 if how == "stall" else 1):
        with peer(broken(at, how)) as known:
            began = time.monotonic()
            with pytest.raises((ConnectError, AuthError)) as caught:
                enter(known, timeout=0.15 if how == "stall" else 5.0)
            assert time.monotonic() - began < 3, at
            if how == "stall":
                assert caught.value.kind == TimedOutError.kind, at
    with peer(broken(total, "stall")) as known:
        enter(known).wire.close()
