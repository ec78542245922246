# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""IMAP as commands and their answers (RFC 3501 sections 2.2 and 7.1), before and after the log-in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ConnectionLostError, MigrationError, ProtocolError, ServerError
from .wire import Literal, Response, Wire

#: All untagged responses to one command together, in bytes: the flags of ten million messages.
MAX_ANSWER = 512 * 1024 * 1024
_CODE = re.compile(rb"\[([A-Z0-9-]+)(?: ([^\]]*))?\]", re.IGNORECASE)
_TIME_TAKEN = re.compile(rb" \([0-9.]+(?: \+ [0-9.]+)+ secs\)\.?\Z")


@dataclass(frozen=True)
class Reply:
    """A command's answer: ``status`` is OK, NO or BAD; ``untagged`` is everything that came before it."""

    status: bytes
    text: bytes
    untagged: tuple[Response, ...]

    @classmethod
    def of(cls, response: Response, untagged: tuple[Response, ...] = ()) -> Reply:
        """The answer that a tagged response is."""
        status, _blank, text = response.text.partition(b" ")
        return cls(status.upper(), text, untagged)

    @property
    def ok(self) -> bool:
        """Whether the server did it."""
        return self.status == b"OK"

    @property
    def code(self) -> tuple[bytes, bytes]:
        """The response code and its argument, ``(b"", b"")`` without one."""
        return response_code(self.text)

    @property
    def said(self) -> str:
        """The server's words, shortened, for an error message.

        Without the time that Dovecot says it took (``(0.001 + 0.000 secs).``): two equal refusals have equal words.
        """
        return _TIME_TAKEN.sub(b"", self.text[:200]).decode("utf-8", "replace")


def response_code(text: bytes, at: int = 0) -> tuple[bytes, bytes]:
    """The response code that stands at this place, in capitals, and its argument; ``(b"", b"")`` without one."""
    match = _CODE.match(text, at)
    return (match[1].upper(), match[2] or b"") if match else (b"", b"")


class Dialogue:
    """One connection: commands out, answers in. Not thread-safe: one step at a time uses it."""

    def __init__(self, wire: Wire, capabilities: Iterable[bytes] = ()) -> None:
        self.wire = wire
        self.capabilities = frozenset(capability.upper() for capability in capabilities)
        self._number = 0
        self._answered = 0

    def has(self, *capabilities: bytes) -> bool:
        """Whether the server offers every one of these."""
        return all(capability in self.capabilities for capability in capabilities)

    def next_tag(self) -> bytes:
        """A tag for the next command."""
        self._number += 1
        return b"M%d" % self._number

    def start(self, *parts: bytes | Literal) -> bytes:
        """Send a command without waiting for its answer; gives its tag. Literals wait for their ``+`` if they must."""
        tag = self.next_tag()
        self.wire.asked()
        self.wire.send(tag + b" ")
        for part in parts:
            if isinstance(part, Literal):
                self.send_literal_head(len(part.data))
                self.wire.send(part.data)
            else:
                self.wire.send(part)
        self.wire.send(b"\r\n")
        return tag

    def send_literal_head(self, size: int) -> None:
        """``{n+}`` where the server takes it (RFC 7888), else ``{n}`` and wait for the ``+``.

        :raises ServerError: the server refused the command at this point.
        """
        if self.has(b"LITERAL+") or (size <= 4096 and self.has(b"LITERAL-")):
            self.wire.send(b"{%d+}\r\n" % size)
            return
        self.wire.send(b"{%d}\r\n" % size)
        self.wire.flush()
        while True:
            response = self.wire.response()
            if response.tag == b"+":
                return
            if response.tag != b"*":
                raise self.refused(Reply.of(response), "send a literal")
            self.note(response)

    def finish(self, tag: bytes) -> Reply:
        """Read up to the answer of a command that was started."""
        self.wire.flush()
        untagged: list[Response] = []
        size = 0
        while True:
            response = self.wire.response()
            size += len(response.text) + sum(map(len, response.literals))
            if size > MAX_ANSWER:
                raise ProtocolError(f"the server answered with more than {MAX_ANSWER} bytes", **self.place())
            if response.tag == tag:
                self.answered(tag)
                return Reply.of(response, tuple(untagged))
            if response.tag == b"*":
                self.note(response)
                untagged.append(response)
            elif response.tag != b"+":
                raise ProtocolError(f"the server answered {response.tag[:40]!r}, which was not asked", **self.place())

    def answered(self, tag: bytes) -> None:
        """Note that a command is done, and so all before it: answers come in the order of the commands."""
        self._answered = max(self._answered, int(tag[1:]))

    @property
    def at_rest(self) -> bool:
        """Whether no command is under way."""
        return self._answered == self._number

    def note(self, response: Response) -> None:
        """Look at an untagged response that nobody asked for: a BYE ends the session (RFC 3501 section 7.1.5)."""
        if response.text[:4].upper() == b"BYE ":
            raise self.ended(response.text)

    def run(self, *parts: bytes | Literal) -> Reply:
        """Send one command and wait for its answer."""
        return self.finish(self.start(*parts))

    # what a subclass knows better

    def refused(self, reply: Reply, doing: str) -> MigrationError:
        """The error for a NO or BAD answer."""
        return ServerError(f"the server would not {doing}: {reply.said}", **self.place())

    def ended(self, text: bytes) -> MigrationError:
        """The error for a server that says good-bye by itself."""
        said = text[:200].decode("utf-8", "replace")
        return ConnectionLostError(f"the server ended the connection: {said}", **self.place())

    def place(self) -> dict[str, str]:
        """Where this is, for errors."""
        return {}
