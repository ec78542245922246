# SPDX-License-Identifier: GPL-3.0-or-later
"""APPEND, STORE and EXPUNGE (RFC 3501, 3502, 4315, 7162), and refusals of every kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from .behaviour import Hangup
from .grammar import Arg, BadError, NoError, listed, number_set, numbers, string
from .link import Text
from .values import DATE, Folder, Message

if TYPE_CHECKING:
    from .session import Handler, Session

_APPEND_TO = re.compile(rb'(?P<tag>[^ ]+) APPEND (?:"(?P<quoted>[^"\\]*)"|(?P<atom>[^ "{]+)) ', re.IGNORECASE)
_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_SYSTEM = frozenset({b"\\answered", b"\\flagged", b"\\deleted", b"\\seen", b"\\draft"})


@dataclass(frozen=True)
class _Incoming:
    """A message of an APPEND."""

    body: bytes
    flags: frozenset[bytes]
    date: bytes
    binary: bool


def early_refusal(session: Session, line: bytes, _size: int) -> bytes:
    """What an APPEND is refused with before its literal is sent, where the client waits for a `+`."""
    match = _APPEND_TO.match(line)
    if not match:
        return b""
    name = session.mailbox.called(match["quoted"] if match["quoted"] is not None else match["atom"])
    if name in session.mailbox.folders:
        return b""
    session.server.note(line.partition(b" ")[2])
    return match["tag"] + b" NO [TRYCREATE] no such folder\r\n"


def _append(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    name = session.mailbox.called(string(args[0] if args else None))
    incoming = _incoming(session, list(args[1:]))
    if len(incoming) > 1:
        session.needs("MULTIAPPEND")
    folder = session.mailbox.folders.get(name)
    if folder is None or not folder.selectable:
        raise NoError("NO [TRYCREATE] no such folder")
    for number, one in enumerate(incoming, 1):
        _acceptable(session, one, number)
    return _appended(session, folder, [_store(session, folder, one) for one in incoming])


def _incoming(session: Session, args: list[Arg]) -> list[_Incoming]:
    found: list[_Incoming] = []
    while args:
        flags: frozenset[bytes] = frozenset()
        date = DATE
        if isinstance(args[0], list):
            flags = frozenset(string(one) for one in args[0])
            args.pop(0)
        if args and isinstance(args[0], Text) and not args[0].literal:
            date = args[0].data
            args.pop(0)
        body = args.pop(0) if args else None
        if not isinstance(body, Text) or not body.literal:
            raise BadError("APPEND wants a literal")
        if body.binary:
            session.needs("BINARY")
        found.append(_Incoming(body.data, flags, date, body.binary))
    if not found:
        raise BadError("APPEND without a message")
    return found


def _acceptable(session: Session, one: _Incoming, number: int) -> None:
    """Refuse message n of an APPEND, and so all of it (RFC 3502 section 6.3.11), when the server does not take it."""
    behaviour = session.behaviour
    if not one.body:
        raise NoError("NO [CANNOT] an empty message")
    for flag in one.flags:
        if not _FLAG.fullmatch(flag) or flag.lower() == b"\\recent":
            raise BadError(f"not a flag: {flag!r}")
        if flag.startswith(b"\\") and flag.lower() not in _SYSTEM:
            raise NoError(f"NO [CANNOT] unknown system flag {flag.decode('ascii', 'replace')}")
    if behaviour.refused and behaviour.refused in one.body:
        raise NoError(behaviour.refusal.decode())
    if behaviour.judge and (verdict := behaviour.judge(one.body, one.flags, one.binary)):
        raise NoError(verdict.decode())
    if behaviour.bye and behaviour.bye in one.body:
        session.tell(b"* BYE [SERVERBUG] that was too much")
        raise Hangup
    if behaviour.quota and session.mailbox.count() + number > behaviour.quota:
        raise NoError(behaviour.quota_answer.decode())


def _store(session: Session, folder: Folder, one: _Incoming) -> int:
    body = one.body
    if session.behaviour.stores_seven_bits:
        body = bytes(byte if byte < 0x80 else 0x3F for byte in body)
    flags = one.flags if folder.keywords else {flag for flag in one.flags if flag.startswith(b"\\")}
    if session.server.count("appended") in session.behaviour.loses:
        folder.uidnext += 1
        return folder.uidnext - 1
    return folder.add(body, flags, one.date).uid


def _appended(session: Session, folder: Folder, uids: list[int]) -> bytes:
    """The answer to an APPEND that was done: with APPENDUID, told as the behaviour wants it."""
    kind = session.behaviour.appenduid
    if not session.behaviour.has("UIDPLUS") or kind == "missing":
        return b"OK stored"
    validity = folder.uidvalidity + (1 if kind == "wrong_uidvalidity" else 0)
    if kind == "wrong_uid":
        uids = [uid + 40 for uid in uids]
    if kind == "low":
        uids = list(range(1, len(uids) + 1))
    if kind == "too_few":
        uids = uids[:-1]
    told = number_set(uids) if kind != "garbage" else b"7:x"
    return b"OK [APPENDUID %d %s] stored" % (validity, told)


# changing messages


def _store_flags(session: Session, args: list[Arg], *, uid: bool) -> bytes:
    folder = session.opened()
    if len(args) < 3 or session.read_only:
        raise BadError("STORE wants a set, an item and flags, and an open folder")
    verb, flags = string(args[1]).upper(), args[2]
    given = frozenset(string(one) for one in (flags if isinstance(flags, list) else [flags]))
    chosen = numbers(string(args[0]), session.view if uid else range(1, len(session.view) + 1))
    uids = chosen if uid else {session.view[number - 1] for number in chosen}
    judge = session.behaviour.store_judge
    for number, message in session.messages(uids):
        if judge and verb.startswith(b"+") and (verdict := judge(message.body, given, False)):
            raise NoError(verdict.decode())
        folder.set_flags(message.uid, _changed(message, verb, given))
        if not verb.endswith(b".SILENT"):
            named = b"UID %d " % message.uid if uid else b""
            session.tell(b"* %d FETCH (%sFLAGS %s)" % (number, named, listed(sorted(message.flags))))
    return b"OK done"


def _changed(message: Message, verb: bytes, given: frozenset[bytes]) -> frozenset[bytes]:
    lowered = {one.lower() for one in given}
    kept = frozenset(one for one in message.flags if one.lower() not in lowered)
    kinds = {b"+FLAGS": kept | given, b"-FLAGS": kept, b"FLAGS": given}
    kind = verb.removesuffix(b".SILENT")
    if kind not in kinds:
        raise BadError(f"unknown STORE item {verb!r}")
    return kinds[kind]


def _expunge(session: Session, uids: set[int] | None) -> bytes:
    folder = session.opened()
    if session.read_only:
        raise BadError("the folder is open for reading only")
    deleted = {message.uid for message in folder.messages if b"\\deleted" in {one.lower() for one in message.flags}}
    session.tell_expunged(set(folder.expunge(deleted if uids is None else deleted & uids)))
    return b"OK done"


def _store_numbers(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    return _store_flags(session, args, uid=False)


def _store_uids(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    return _store_flags(session, args, uid=True)


def _expunge_all(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    return _expunge(session, None)


def _expunge_uids(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    session.opened()
    return _expunge(session, numbers(string(args[0] if args else None), session.view))


def _close(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    if not session.read_only:
        folder = session.opened()
        folder.expunge({one.uid for one in folder.messages if b"\\Deleted" in one.flags})
    session.folder, session.view = None, []
    return b"OK done"


COMMANDS: Mapping[bytes, Handler] = MappingProxyType(
    {
        b"APPEND": _append,
        b"STORE": _store_numbers,
        b"UID STORE": _store_uids,
        b"EXPUNGE": _expunge_all,
        b"UID EXPUNGE": _expunge_uids,
        b"CLOSE": _close,
    }
)
