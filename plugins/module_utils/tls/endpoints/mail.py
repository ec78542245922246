# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""IMAP, POP3 and SMTP as far as they can be spoken without logging in; no message is ever sent.

RFC 9051 and RFC 3501 (IMAP), RFC 1939 and RFC 2449 (POP3), RFC 5321 (SMTP), RFC 6409 and RFC 4954 (submission).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import ConnectionLostError, ProtocolError, TimedOutError
from .talk import Talk, words
from .verdicts import Found

#: Lines of one answer.
_MAX_LINES = 200
_REPLY = re.compile(rb"([2-5][0-9][0-9])([ -]?)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """An SMTP reply: its code, and its lines without it."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def done(self) -> bool:
        """Whether the server did it."""
        return 200 <= self.code < 300

    @property
    def later(self) -> bool:
        """Whether the server asks to come again (RFC 5321 section 4.2.1)."""
        return 400 <= self.code < 500

    @property
    def said(self) -> str:
        """The reply for a table."""
        return words(f"{self.code} ".encode() + b" ".join(self.lines))

    def offers(self, word: bytes) -> bytes | None:
        """The arguments of a keyword of EHLO's answer; None when it is not there."""
        for line in self.lines[1:]:
            keyword, _blank, rest = line.replace(b"=", b" ", 1).partition(b" ")
            if keyword.upper() == word:
                return rest
        return None


class Smtp:
    """SMTP over a connection whose greeting has not been read."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def reply(self) -> Reply:
        """The next reply. Raises ProtocolError for what is none."""
        lines: list[bytes] = []
        while len(lines) < _MAX_LINES:
            line = self._talk.line()
            match = _REPLY.fullmatch(line)
            if match is None:
                raise ProtocolError(words(line) or "an empty line")
            lines.append(match[3])
            if match[2] != b"-":
                return Reply(int(match[1]), tuple(lines))
        raise ProtocolError(f"a reply of more than {_MAX_LINES} lines")

    def ask(self, command: str) -> Reply:
        """Send a command, and give its reply."""
        self._talk.send(command.encode() + b"\r\n")
        return self.reply()

    def recipient(self, sender: str, address: str) -> Reply:
        """What would become of a message: the reply to RCPT, or to MAIL where that is refused. Nothing is sent."""
        said = self.ask(f"MAIL FROM:<{sender}>")
        if said.done:
            said = self.ask(f"RCPT TO:<{address}>")
            self.ask("RSET")
        return said

    def hello(self) -> Reply:
        """Introduce ourselves."""
        return self.ask(f"EHLO {self._talk.own_address}")

    def quit(self) -> None:
        """Say good-bye; nobody waits for what the server says to that."""
        self._talk.send(b"QUIT\r\n")


def imap(talk: Talk) -> Iterator[Found]:
    """Whether IMAP is spoken, and asks for a log-in."""
    greeting = talk.line()
    word = greeting.upper()[:10]
    if word.startswith(b"* BYE"):
        yield Found("protocol", "unavailable", words(greeting))
        return
    if not word.startswith((b"* OK", b"* PREAUTH")):
        yield Found("protocol", "wrong_protocol", words(greeting))
        return
    told = _imap_capabilities(talk)
    if b"IMAP4REV1" not in told and b"IMAP4REV2" not in told:
        yield Found("protocol", "wrong_protocol", words(b" ".join(told) or greeting))
        return
    yield Found("protocol", "right", words(greeting))
    if word.startswith(b"* PREAUTH"):
        yield Found("log_in", "not_required", words(greeting))
    elif b"LOGINDISABLED" in told and not any(each.startswith(b"AUTH=") for each in told):
        yield Found("log_in", "not_offered", words(b" ".join(told)))
    else:
        yield Found("log_in", "required", "")


def _imap_capabilities(talk: Talk) -> list[bytes]:
    talk.send(b"a CAPABILITY\r\n")
    found: list[bytes] = []
    for _number in range(_MAX_LINES):
        line = talk.line()
        if line.upper().startswith(b"* CAPABILITY "):
            found = line.upper().split()[2:]
        elif line[:2].upper() == b"A ":
            talk.send(b"b LOGOUT\r\n")
            return found
        elif not line.startswith(b"* "):
            raise ProtocolError(words(line))
    raise ProtocolError(f"an answer of more than {_MAX_LINES} lines")


def pop3(talk: Talk) -> Iterator[Found]:
    """Whether POP3 is spoken, and asks for a log-in."""
    greeting = talk.line()
    if greeting.startswith(b"-ERR"):
        yield Found("protocol", "unavailable", words(greeting))
        return
    if not greeting.startswith(b"+OK"):
        yield Found("protocol", "wrong_protocol", words(greeting))
        return
    # refused before the log-in (RFC 1939 section 5); anything that is no mail server answers otherwise
    said = talk.ask("STAT")
    if said.startswith(b"+OK"):
        yield Found("protocol", "right", words(greeting))
        yield Found("log_in", "not_required", words(said))
    elif said.startswith(b"-ERR"):
        yield Found("protocol", "right", words(greeting))
        yield Found("log_in", "required", "")
    else:
        yield Found("protocol", "wrong_protocol", words(said))
        return
    talk.send(b"QUIT\r\n")


def submission(talk: Talk, own: str, foreign: str) -> Iterator[Found]:
    """Whether the service takes users' mail, after they have logged in only. ``own`` is an address of the cloud's,
    ``foreign`` one of anybody else's.
    """
    smtp = Smtp(talk)
    greeting, hello = _introduced(smtp)
    if not greeting.done:
        yield Found("protocol", "unavailable", greeting.said)
        return
    if not hello.done:
        yield Found("protocol", "wrong_protocol", hello.said)
        return
    yield Found("protocol", "right", greeting.said)
    mechanisms = hello.offers(b"AUTH")
    if not mechanisms:
        yield Found("authentication", "not_offered", words(b" ".join(hello.lines)))
    taken = smtp.recipient(own, own)
    if taken.done:
        yield Found("authentication", "not_required", f"RCPT TO:<{own}>: {taken.said}")
    elif taken.later:
        yield Found("authentication", "unclear", taken.said)
    elif mechanisms:
        yield Found("authentication", "required", f"AUTH {words(mechanisms)}; without it: {taken.said}")
    yield _relays(smtp.recipient(own, foreign), own, foreign)
    smtp.quit()


def _introduced(smtp: Smtp) -> tuple[Reply, Reply]:
    """The greeting, and the answer to EHLO; the greeting twice where that is no welcome."""
    greeting = smtp.reply()
    return greeting, smtp.hello() if greeting.done else greeting


def _relays(reply: Reply, sender: str, address: str) -> Found:
    shown = f"from <{sender}> to <{address}>: {reply.said}"
    if reply.done:
        return Found("relay", "relays", shown)
    return Found("relay", "unclear" if reply.later else "refused", shown)


def exchanger(talk: Talk, recipients: tuple[str, ...], foreign: str) -> Iterator[Found]:
    """Whether a mail exchanger takes these addresses' mail and nobody else's (H19), and logs nobody in (H24)."""
    smtp = Smtp(talk)
    greeting, hello = _introduced(smtp)
    if not greeting.done:
        yield Found("mx", "turned_away", greeting.said)
        return
    if not hello.done:
        yield Found("mx", "wrong_protocol", hello.said)
        return
    yield Found("mx", "right", greeting.said)
    yield Found("starttls", "offered" if hello.offers(b"STARTTLS") is not None else "not_offered")
    mechanisms = hello.offers(b"AUTH")
    yield Found("users", "offered" if mechanisms else "not_offered", words(mechanisms or b""))
    for address in recipients:
        said = smtp.recipient("", address)
        verdict = "accepted" if said.done else "put_off" if said.later else "refused"
        yield Found("accepts", verdict, f"<{address}>: {said.said}")
    # an open relay may ask for one of its own as the sender, or for none at all
    tried = [_relays(smtp.recipient(sender, foreign), sender, foreign) for sender in ("", *recipients[:1])]
    yield next((one for one in tried if one.verdict != "refused"), tried[-1])
    smtp.quit()


def trouble(error: Exception) -> str:
    """The verdict on a service whose talk ended in an error."""
    if isinstance(error, TimedOutError | TimeoutError):
        return "silent"
    if isinstance(error, ConnectionLostError):
        return "closed_early"
    return "wrong_protocol"
