# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection from its greeting to its end: who is logged in, what is selected, and which command does what."""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from . import fetching, listing, selecting, writing
from .behaviour import Behaviour, Hangup
from .grammar import Arg, BadError, DeniedError, NoError, arguments, listed, number_set, string
from .link import Link, Raw
from .values import Folder, Mailbox, Message

if TYPE_CHECKING:
    from .server import ScriptedServer

#: What does a command: gets the session, the tag and the arguments; gives the tagged answer's text.
Handler: TypeAlias = Callable[["Session", bytes, list[Arg]], bytes]

SYSTEM_FLAGS = (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft")


class Session:
    """One connection. `view` are the UIDs that the client knows of in the selected folder, in their order."""

    def __init__(self, server: ScriptedServer, sock: socket.socket) -> None:
        self.server = server
        self.link = Link(sock, lambda: server.behaviour, server.complain)
        self.user = ""
        self.mailbox = Mailbox()
        self.folder: Folder | None = None
        self.read_only = True
        self.view: list[int] = []
        self.enabled: set[str] = set()
        #: UIDNEXT of all folders at the log-in, for a server that tells no newer one.
        self.stale: dict[int, int] = {}

    @property
    def behaviour(self) -> Behaviour:
        """How the server behaves just now."""
        return self.server.behaviour

    def run(self) -> None:
        """Serve until the client or the behaviour ends it."""
        try:
            self.link.answer(self.behaviour.greeting)
            self.link.flush()
            greeting = self.behaviour.greeting.upper()
            if greeting.startswith(b"* BYE"):
                return
            if greeting.startswith(b"* PREAUTH"):
                self.enter(next(iter(self.server.accounts)))
            while self._command(self.link.read(self._early)):
                self.link.flush()
        finally:
            with contextlib.suppress(OSError):
                self.link.flush()
            self.link.close()

    def _early(self, line: bytes, size: int) -> bytes:
        return writing.early_refusal(self, line, size) if self.user else b""

    def _command(self, raw: Raw) -> bool:
        """Carry out one command; whether there may be more."""
        tag, _blank, rest = raw.lines[0].partition(b" ")
        self.server.note(b" ".join((rest, *raw.lines[1:])))
        verb = b""
        try:
            args = arguments(raw)[1:]
            verb, args = _verb(args)
            handler = self._handler(verb)
            self._before(verb)
            with self.mailbox.lock:
                answer = handler(self, tag, args)
        except DeniedError as error:
            answer = b"BAD " + str(error).encode()
        except BadError as error:
            self.server.complain(f"{rest[:80]!r}: {error}")
            answer = b"BAD " + str(error).encode()
        except NoError as error:
            answer = str(error).encode()
        self.news(expunges=verb not in (b"FETCH", b"STORE", b"SEARCH"))
        self.tell(tag + b" " + answer)
        return verb != b"LOGOUT"

    def _before(self, verb: bytes) -> None:
        if self.behaviour.before:
            try:
                self.behaviour.before(verb)
            except Hangup as end:
                for words in end.args:
                    self.tell(b"* BYE " + words)
                raise

    def _handler(self, verb: bytes) -> Handler:
        if verb in ANY_TIME:
            return ANY_TIME[verb]
        if not self.user:
            raise BadError(f"{verb!r} before the log-in")
        extension = _NEEDS.get(verb, "")
        if verb not in AFTER_LOGIN or extension in self.behaviour.missing:
            raise BadError(f"unknown command {verb!r}")
        if extension in self.behaviour.denies:
            raise DeniedError(f"{verb.decode()} does not work")
        return AFTER_LOGIN[verb]

    def enter(self, user: str) -> None:
        """Log in."""
        self.user, self.mailbox = user, self.server.accounts[user]
        self.stale = {id(folder): folder.uidnext for folder in self.mailbox.folders.values()}

    # telling

    def tell(self, line: bytes) -> None:
        """Send one answer, and before it the noise that the behaviour makes."""
        self.tell_noise()
        self.link.answer(line + b"\r\n")

    def tell_noise(self) -> None:
        """What nobody asked for."""
        for kind in self.behaviour.noise:
            line = self._noise(kind)
            if line:
                self.link.answer(line + b"\r\n")

    def _noise(self, kind: str) -> bytes:
        always = {
            "unknown": b'* XNEWS 5 (a "b" {4}\r\nc\r\nd NIL)',
            "capability": b"* CAPABILITY " + " ".join(self.behaviour.capabilities).encode(),
            "alert": b'* OK [ALERT] down at 22:00 (see "notes',
        }
        if kind in always:
            return always[kind]
        if self.folder is None:
            return b""
        selected = {
            "exists": b"* %d EXISTS" % len(self.view),
            "recent": b"* 0 RECENT",
            "flags": b"* FLAGS " + listed(SYSTEM_FLAGS),
        }
        return selected.get(kind) or self._noise_of_flags(self.folder, with_uid=kind == "fetch_uid")

    def _noise_of_flags(self, folder: Folder, *, with_uid: bool) -> bytes:
        message = folder.find(self.view[-1]) if self.view else None
        if message is None:
            return b""
        uid = b"UID %d " % message.uid if with_uid else b""
        return b"* %d FETCH (%sFLAGS %s)" % (len(self.view), uid, listed(sorted(message.flags)))

    def news(self, *, expunges: bool) -> None:
        """Tell what has changed in the selected folder since the client was told."""
        if self.folder is None:
            return
        now = self.folder.uids()
        if expunges:
            self.tell_expunged(set(self.view) - set(now))
        known = set(self.view)
        new = [uid for uid in now if uid not in known]
        if new:
            self.view += new
            self.tell(b"* %d EXISTS" % len(self.view))

    def tell_expunged(self, uids: set[int]) -> None:
        """Tell that messages are gone, as VANISHED (RFC 7162) or as EXPUNGE, the last first."""
        if not uids:
            return
        numbers = [number for number, uid in enumerate(self.view, 1) if uid in uids]
        self.view = [uid for uid in self.view if uid not in uids]
        if "QRESYNC" in self.enabled:
            self.tell(b"* VANISHED " + number_set(uids))
            return
        for number in reversed(numbers):
            self.tell(b"* %d EXPUNGE" % number)

    # the selected folder

    def opened(self) -> Folder:
        """The selected folder."""
        if self.folder is None:
            raise BadError("no folder is selected")
        return self.folder

    def messages(self, uids: set[int]) -> list[tuple[int, Message]]:
        """(sequence number, message) of these UIDs, as far as the client knows of them and they are still there."""
        by_uid = {message.uid: message for message in self.opened().messages}
        return [(number, by_uid[uid]) for number, uid in enumerate(self.view, 1) if uid in uids and uid in by_uid]

    def needs(self, extension: str) -> None:
        """Stop the command when the server does not have an extension, or only says that it has."""
        if extension in self.behaviour.missing:
            raise BadError(f"no {extension} here")
        if extension in self.behaviour.denies:
            raise DeniedError(f"{extension} does not work")


def _verb(args: list[Arg]) -> tuple[bytes, list[Arg]]:
    """A command's verb, `UID FETCH` being one, and its arguments."""
    verb = string(args[0] if args else None).upper()
    if verb == b"UID" and len(args) > 1:
        return b"UID " + string(args[1]).upper(), args[2:]
    return verb, args[1:]


# what has to do with the session itself


def _capability(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    session.tell(b"* CAPABILITY " + " ".join(session.behaviour.capabilities).encode())
    return b"OK done"


def _login(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    if len(args) != 2:
        raise BadError("LOGIN wants two arguments")
    return _enter(session, string(args[0]), b"", string(args[1]))


def _authenticate(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    if not args or string(args[0]).upper() != b"PLAIN":
        raise NoError("NO [CANNOT] unsupported mechanism")
    if len(args) == 1:
        session.link.answer(b"+ \r\n")
    answer = string(args[1]) if len(args) > 1 else session.link.line()
    try:
        behalf, user, password = base64.b64decode(answer, validate=True).split(b"\0")
    except (binascii.Error, ValueError) as error:
        raise BadError("not a SASL PLAIN answer (RFC 4616)") from error
    return _enter(session, user, behalf, password)


def _enter(session: Session, user: bytes, behalf: bytes, password: bytes) -> bytes:
    """Log in by the truth or as the behaviour says; `user*master` is `user`."""
    session.server.count("log-ins")
    if session.behaviour.login_answer:
        return session.behaviour.login_answer
    name = (behalf or user.partition(b"*")[0]).decode("utf-8", "replace")
    if password != session.server.password.encode() or name not in session.server.accounts:
        raise NoError("NO [AUTHENTICATIONFAILED] wrong user or password")
    session.enter(name)
    return b"OK [CAPABILITY " + " ".join(session.behaviour.capabilities).encode() + b"] logged in"


def _noop(_session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    return b"OK done"


def _id(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    session.tell(b'* ID ("name" "scripted")')
    return b"OK done"


def _logout(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    session.tell(b"* BYE good-bye")
    return b"OK done"


def _enable(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    wanted = {string(one).decode("ascii", "replace").upper() for one in args}
    known = {one for one in wanted & {"CONDSTORE", "QRESYNC"} if session.behaviour.has(one)}
    session.enabled |= known
    session.tell(b"* ENABLED" + b"".join(b" " + one.encode() for one in sorted(known)))
    return b"OK done"


def _idle(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    session.link.answer(b"+ idling\r\n")
    session.news(expunges=True)
    if session.link.line().upper() != b"DONE":
        raise BadError("DONE was expected")
    return b"OK done"


ANY_TIME: Mapping[bytes, Handler] = MappingProxyType(
    {
        b"CAPABILITY": _capability,
        b"NOOP": _noop,
        b"ID": _id,
        b"LOGIN": _login,
        b"AUTHENTICATE": _authenticate,
        b"LOGOUT": _logout,
    }
)
AFTER_LOGIN: Mapping[bytes, Handler] = MappingProxyType(
    {
        b"CHECK": _noop,
        b"ENABLE": _enable,
        b"IDLE": _idle,
        **listing.COMMANDS,
        **selecting.COMMANDS,
        **fetching.COMMANDS,
        **writing.COMMANDS,
    }
)
#: Commands that an extension brings.
_NEEDS: Mapping[bytes, str] = MappingProxyType(
    {
        b"ENABLE": "ENABLE",
        b"IDLE": "IDLE",
        b"NAMESPACE": "NAMESPACE",
        b"UNSELECT": "UNSELECT",
        b"UID EXPUNGE": "UIDPLUS",
    }
)
