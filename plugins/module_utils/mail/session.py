# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A logged-in IMAP connection: commands, their answers, and what a refusal means.

The log-in is :mod:`transport.login`'s; everything after it is pipelined. Commands follow RFC 3501; response codes
RFC 5530, 3502, 4315, 7162 and 9208.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..errors import (
    DiskFullError,
    FolderError,
    FolderGoneError,
    MigrationError,
    OverQuotaError,
    ProtocolError,
    ServerError,
    ServerFaultError,
    ThrottledError,
)
from ..hints import EXPIRED, read_hint
from ..tasks import Account
from ..transport.dialogue import Dialogue, Reply, response_code
from ..transport.login import log_in
from ..transport.wire import Literal, Value, Wire, quoted
from .server import Server
from .uidset import MAX_MODSEQ, MAX_UID, number

_SYNC_OUTSTANDING = 100


@dataclass(frozen=True)
class Selected:
    r"""What SELECT or EXAMINE told about a folder; ``flags`` are those that can be stored, ``any_keyword`` = ``\*``."""

    exists: int
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    flags: frozenset[bytes]
    any_keyword: bool

    def allows(self, flag: bytes) -> bool:
        """Whether a flag can be stored permanently here."""
        return flag.lower() in self.flags or (self.any_keyword and not flag.startswith(b"\\"))


class Session(Dialogue):
    """One connection, logged in. Not thread-safe: one step at a time uses it."""

    def __init__(self, server: Server, wire: Wire, capabilities: Iterable[bytes], findings: Iterable[str] = ()) -> None:
        super().__init__(wire, capabilities)
        self.server = server
        #: What an operator should know about the connection.
        self.findings = tuple(findings)
        self.selected: bytes | None = None
        self.enabled: set[bytes] = set()
        #: Ways of asking for changes whose answers have not added up here.
        self.distrusted: set[str] = set()
        #: Whether messages are recognised by their dates, too.
        self.dated = True

    def disbelieve(self, *extensions: bytes) -> None:
        """Take the server at its deeds: these extensions are announced, and its answers say that they are not there."""
        self.capabilities -= set(extensions)

    def must(self, doing: str, *parts: bytes | Literal) -> Reply:
        """Like :meth:`run`; a refusal is an error that says what was being done."""
        reply = self.run(*parts)
        if not reply.ok:
            raise refusal(reply, doing, self)
        return reply

    def pipeline(self, commands: Iterable[tuple[bytes | Literal, ...]]) -> Iterator[Reply]:
        """Send many commands without waiting in between; their answers in order."""
        tags: list[bytes] = []
        for command in commands:
            tags.append(self.start(*command))
            if len(tags) >= _SYNC_OUTSTANDING:
                yield self.finish(tags.pop(0))
        for tag in tags:
            yield self.finish(tag)

    def select(self, folder: bytes, *, read_only: bool) -> Selected:
        r"""Open a folder; ``read_only`` (EXAMINE) changes nothing, not even ``\Recent``.

        :raises FolderError: it can't be opened.
        """
        return self.open(folder, read_only=read_only)[0]

    def open(self, folder: bytes, *, read_only: bool, parameters: bytes = b"") -> tuple[Selected, Reply]:
        """Like :meth:`select`, with parameters (RFC 4466), and with all that the server said."""
        verb = b"EXAMINE " if read_only else b"SELECT "
        reply = self.run(verb, quoted(folder), b" " + parameters if parameters else b"")
        if not reply.ok:
            self.selected = None
            raise folder_refusal(reply, f"open the folder ({verb.decode().strip()})", self)
        self.selected = folder
        return _selected(reply, self), reply

    def enable(self, capability: bytes) -> bool:
        """Switch an extension on (RFC 5161); whether it is on now. No folder may be open."""
        if capability not in self.enabled and self.has(b"ENABLE", capability):
            self.unselect()
            reply = self.run(b"ENABLE " + capability)
            said = b" ".join(one.text.upper() for one in reply.untagged if one.text[:8].upper() == b"ENABLED ")
            if reply.ok and capability in said.split():
                self.enabled.add(capability)
        return capability in self.enabled

    def unselect(self) -> None:
        """Leave the folder without expunging anything (RFC 3691); opening none does the same elsewhere."""
        if self.selected is None:
            return
        self.run(*((b"UNSELECT",) if self.has(b"UNSELECT") else (b"EXAMINE ", b'""')))
        self.selected = None

    def keep_alive(self) -> None:
        """Say something (NOOP) to a server that has heard nothing for long, unless a command is under way."""
        quiet = time.monotonic() - self.wire.sent_at
        if self.at_rest and self.server.keepalive and quiet >= self.server.keepalive:
            self.must("stay connected", b"NOOP")

    def while_waiting(self, elsewhere: Callable[[], None] | None, every: float = 0.0) -> None:
        """Call ``elsewhere`` about every so many seconds while this server is waited for; None ends that."""
        self.wire.while_waiting(elsewhere, every)

    def logout(self) -> None:
        """Say good-bye if that is still possible, and close."""
        with contextlib.suppress(MigrationError):
            self.wire.send(self.next_tag() + b" LOGOUT\r\n")
            self.wire.flush()
        self.wire.close()

    def ended(self, text: bytes) -> MigrationError:
        """The error for a server that says good-bye by itself: it may ask for patience, or for a new log-in."""
        error = super().ended(text)
        hint = read_hint(error.message)
        return error.become(ThrottledError) if hint and hint.meaning != EXPIRED else error

    def refused(self, reply: Reply, doing: str) -> MigrationError:
        """The error for a NO or BAD answer, by what the server said."""
        return refusal(reply, doing, self)

    def place(self) -> dict[str, str]:
        """Where this is, for errors."""
        return self.server.place


def _selected(reply: Reply, session: Session) -> Selected:
    numbers = {b"UIDVALIDITY": 0, b"UIDNEXT": 0, b"HIGHESTMODSEQ": 0}
    exists = -1
    flags: list[Value] = []
    for response in reply.untagged:
        words = response.text.split(b" ", 2)
        if len(words) == 2 and words[1].upper() == b"EXISTS" and words[0].isdigit():
            exists = number(words[0])
        elif words[0].upper() == b"OK":
            code, argument = response_code(response.text, 3)
            if code in numbers and argument.isdigit():
                numbers[code] = number(argument, MAX_MODSEQ if code == b"HIGHESTMODSEQ" else MAX_UID)
            elif code == b"PERMANENTFLAGS":
                flags = _flag_list(argument)
    if not numbers[b"UIDVALIDITY"]:
        raise ProtocolError("the server opened a folder without telling its UIDVALIDITY", **session.place())
    if exists < 0:
        # RFC 3501 section 6.3.1; a folder that is taken for an empty one would not be copied
        raise ProtocolError("the server opened a folder without telling how many messages there are", **session.place())
    lowered = frozenset(flag.lower() for flag in flags if isinstance(flag, bytes))
    return Selected(
        exists=exists,
        uidvalidity=numbers[b"UIDVALIDITY"],
        uidnext=numbers[b"UIDNEXT"],
        highestmodseq=numbers[b"HIGHESTMODSEQ"],
        flags=lowered - {b"\\*"},
        any_keyword=b"\\*" in lowered,
    )


def _flag_list(argument: bytes) -> list[Value]:
    inner = argument.strip()
    return list(inner[1:-1].split()) if inner.startswith(b"(") else []


# what a refusal means


#: What servers say of a full disk; the third is Dovecot's (ENOSPC and EDQUOT), whose own quota is "exceeded" instead.
_DISK_FULL = (b"disk space", b"no space left", b"not enough disk quota", b"out of disk")
_FAULTS = frozenset({b"SERVERBUG", b"CORRUPTION"})


def refusal(reply: Reply, doing: str, session: Session, *, writing: bool = False) -> ServerError:
    """The error for a NO or BAD answer, by its response code (RFC 5530, 9208) or, failing that, by its words.

    ``writing`` says that something was to be stored: a LIMIT is then one that no patience helps against.
    """
    code, _argument = reply.code
    words = reply.text.lower()
    message = f"the server would not {doing}: {reply.status.decode('ascii', 'replace')} {reply.said}"
    hint = read_hint(reply.said, writing=writing)
    kinds: tuple[tuple[bool, type[ServerError]], ...] = (
        (any(said in words for said in _DISK_FULL), DiskFullError),
        (hint is not None and hint.meaning != EXPIRED, ThrottledError),
        (code == b"OVERQUOTA" or b"quota" in words, OverQuotaError),
        (code in _FAULTS, ServerFaultError),
        (code == b"TRYCREATE", FolderGoneError),
    )
    chosen = next((kind for holds, kind in kinds if holds), ServerError)
    return chosen(message, **session.place())


def folder_refusal(reply: Reply, doing: str, session: Session) -> ServerError:
    """The error for a folder that can't be opened: its own, unless the server has trouble with more than that folder.

    One that somebody else has locked (``[INUSE]``, RFC 5530) is only that; every other folder can be worked on.
    """
    error = refusal(reply, doing, session)
    if reply.code[0] == b"NONEXISTENT":
        return error.become(FolderGoneError)
    own = reply.code[0] == b"INUSE" or error.kind == ServerError.kind
    return error.become(FolderError) if own else error


# connecting


def connect(server: Server, account: Account) -> Session:
    """A logged-in session.

    :raises MigrationError: as :func:`log_in` does.
    """
    made = log_in(server, account)
    return Session(server, made.wire, made.capabilities, made.findings)
