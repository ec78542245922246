# SPDX-License-Identifier: GPL-3.0-or-later
"""FETCH, in every form that a server may choose, and in some that it must not (RFC 3501, 3516, 7162)."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from .behaviour import Behaviour, Hangup
from .grammar import Arg, BadError, atoms, listed, number_set, numbers, quote, string
from .values import Message

if TYPE_CHECKING:
    from .session import Handler, Session

_BODY = re.compile(
    rb"(?P<what>BODY|BINARY)(?P<peek>\.PEEK)?\[(?P<section>[^\]]*)\](?:<(?P<first>\d+)\.(?P<count>\d+)>)?",
    re.IGNORECASE,
)
_FIELDS = re.compile(rb"HEADER\.FIELDS(?P<others>\.NOT)? \((?P<names>[^)]*)\)", re.IGNORECASE)
_OLD_NAMES = {b"RFC822": b"BODY[]", b"RFC822.HEADER": b"BODY.PEEK[HEADER]", b"RFC822.TEXT": b"BODY[TEXT]"}
_MACROS = {b"FAST": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"]}
#: With these, a body goes out in a second answer when answers are split.
_BODIES = (b"BODY[", b"BINARY[", b"RFC822")


@dataclass(frozen=True)
class _Wanted:
    """What a FETCH asks for; `since` is CHANGEDSINCE, 0 without."""

    items: Sequence[bytes]
    uid: bool
    since: int = 0
    vanished: bool = False


def _fetch(session: Session, args: list[Arg], *, uid: bool) -> bytes:
    session.opened()
    if len(args) < 2:
        raise BadError("FETCH wants a set and items")
    wanted = _wanted(session, args, uid=uid)
    if uid:
        uids = numbers(string(args[0]), session.view)
    else:
        chosen = numbers(string(args[0]), range(1, len(session.view) + 1))
        uids = {session.view[number - 1] for number in chosen}
    if wanted.since:
        session.enabled.add("CONDSTORE")
    if wanted.vanished:
        tell_vanished(session, wanted.since, numbers(string(args[0]), sorted(session.opened().vanished)))
    found = [one for one in session.messages(uids) if one[1].modseq > wanted.since]
    if session.behaviour.order == "descending":
        found.reverse()
    elif session.behaviour.order == "shuffled":
        random.Random(len(found)).shuffle(found)
    for done, (number, message) in enumerate(found):
        _happenings(session, done)
        _tell_message(session, number, message, wanted)
    return b"OK done"


def _wanted(session: Session, args: list[Arg], *, uid: bool) -> _Wanted:
    items: list[bytes] = []
    for item in [string(one) for one in args[1]] if isinstance(args[1], list) else [string(args[1])]:
        items += _MACROS.get(item.upper(), [_OLD_NAMES.get(item.upper(), item)])
    if uid and b"UID" not in (item.upper() for item in items):
        items.insert(0, b"UID")
    since, vanished = 0, False
    if len(args) > 2:
        session.needs("CONDSTORE")
        modifiers = atoms(args[2])
        if len(modifiers) < 2 or modifiers[0] != b"CHANGEDSINCE":
            raise BadError("unknown FETCH modifier")
        since, vanished = int(modifiers[1]), b"VANISHED" in modifiers
    told = since or "CONDSTORE" in session.enabled or "QRESYNC" in session.enabled
    if told and session.behaviour.has("CONDSTORE") and b"MODSEQ" not in items:
        items.append(b"MODSEQ")
    return _Wanted(items, uid, since, vanished)


def _happenings(session: Session, done: int) -> None:
    """What comes in between of the messages: another client's expunge, or an index that is rebuilt."""
    behaviour, folder = session.behaviour, session.opened()
    if behaviour.expunge_after and done == behaviour.expunge_after and session.server.count("expunged") == 1:
        session.tell_expunged(set(folder.expunge(session.view[:1])))
    if behaviour.renumber_after and done == behaviour.renumber_after and session.server.count("renumbered") == 1:
        folder.renumber(folder.uidvalidity + 17)


def tell_changes(session: Session, since: int, uids: set[int], *, vanished: bool) -> None:
    """Flags of messages that changed, and UIDs that vanished, since a mod-sequence."""
    if vanished:
        tell_vanished(session, since, uids)
    wanted = _Wanted((b"UID", b"FLAGS", b"MODSEQ"), uid=True, since=since)
    for number, message in session.messages(uids):
        if message.modseq > since:
            _tell_message(session, number, message, wanted)


def tell_vanished(session: Session, since: int, uids: set[int]) -> None:
    """VANISHED (EARLIER)."""
    session.needs("QRESYNC")
    gone = {uid for uid, modseq in session.opened().vanished.items() if modseq > since and uid in uids}
    if gone:
        session.tell(b"* VANISHED (EARLIER) " + number_set(gone))


# one message


def _tell_message(session: Session, number: int, message: Message, wanted: _Wanted) -> None:
    behaviour = session.behaviour
    if message.uid in behaviour.silent_messages:
        return
    pairs = [pair for item in wanted.items if (pair := _item(session, message, item)) is not None]
    every = behaviour.uid_missing_every
    if every and session.server.count("answers") % every == 0:
        pairs = [pair for pair in pairs if pair[0] != b"UID"]
    if behaviour.wrong_numbers:
        number = number * 7 % 5 + 1
    for some in _arranged(pairs, behaviour):
        _send(session, number, some)


def _arranged(pairs: list[tuple[bytes, bytes]], behaviour: Behaviour) -> list[list[tuple[bytes, bytes]]]:
    """The items in the order and in the answers that the behaviour asks for."""
    if behaviour.items == "reversed":
        return [pairs[::-1]]
    bodies = [pair for pair in pairs if pair[0].startswith(_BODIES)]
    if behaviour.items != "split" or not bodies:
        return [pairs]
    uid = [pair for pair in pairs if pair[0] == b"UID"]
    return [[pair for pair in pairs if pair not in bodies], [*uid, *bodies]]


def _send(session: Session, number: int, pairs: list[tuple[bytes, bytes]]) -> None:
    answer = b"* %d FETCH (" % number + b" ".join(name + b" " + value for name, value in pairs) + b")"
    behaviour = session.behaviour
    if behaviour.truncate and any(name.startswith(_BODIES) for name, _value in pairs):
        session.server.count("bodies")
        times = session.server.happened["truncated"]
        if session.server.happened["bodies"] >= behaviour.truncate and times < behaviour.truncate_times:
            session.server.count("truncated")
            session.link.answer(answer[: -max(4, len(answer) // 4)])
            session.link.flush()
            raise Hangup
    session.tell(answer)


def _item(session: Session, message: Message, item: bytes) -> tuple[bytes, bytes] | None:
    name, behaviour = item.upper(), session.behaviour
    if name == b"UID":
        return name, b"%d" % message.uid
    if name == b"FLAGS":
        return name, listed(sorted(message.flags))
    if name == b"INTERNALDATE":
        date = _date(message, behaviour)
        return (name, date) if date else None
    if name == b"RFC822.SIZE":
        size = len(message.body)
        return name, b"%d" % {"right": size, "zero": 0, "wrong": size + 11}[behaviour.sizes]
    if name == b"MODSEQ":
        session.needs("CONDSTORE")
        return name, b"(%d)" % (5 if behaviour.modseq == "stuck" else message.modseq)
    return _body_item(session, message, item)


def _date(message: Message, behaviour: Behaviour) -> bytes:
    told = {
        "right": message.date,
        "padded": b" " + message.date[1:] if message.date.startswith(b"0") else message.date,
        "epoch": b"01-Jan-1970 00:00:00 +0000",
        "garbage": b"yesterday, about noon",
    }
    if behaviour.dates in told:
        return quote(told[behaviour.dates], behaviour)
    return b"NIL" if behaviour.dates == "nil" else b""


def _body_item(session: Session, message: Message, item: bytes) -> tuple[bytes, bytes] | None:
    match = _BODY.fullmatch(item)
    if not match:
        raise BadError(f"unknown FETCH item {item[:40]!r}")
    binary = match["what"].upper() == b"BINARY"
    if binary:
        session.needs("BINARY")
    if not match["peek"] and not session.read_only:
        session.opened().set_flags(message.uid, message.flags | {b"\\Seen"})
    data = _section(session, message, match["section"])
    name = match["what"].upper() + b"[" + match["section"].upper() + b"]"
    if match["first"]:
        first = int(match["first"])
        data = data[first : first + int(match["count"])]
        name += b"<%d>" % first
    return name, _written(data, session.behaviour, message, binary=binary)


def _section(session: Session, message: Message, section: bytes) -> bytes:
    """A part of a message: all of it, its header (with the empty line), some fields, or the text."""
    data, behaviour = message.body, session.behaviour
    if behaviour.eight_bit_lost:
        data = bytes(byte if byte < 0x80 else 0x3F for byte in data)
    if not section:
        return data
    header, _blank, text = data.partition(b"\r\n\r\n")
    if section.upper() == b"TEXT":
        return text
    if section.upper() == b"HEADER":
        if behaviour.headers == "empty":
            return b""
        if behaviour.headers == "empty_once" and session.server.count(f"header {message.uid}") == 1:
            return b""
        if behaviour.headers == "other":
            return b"X-Server: was here\r\n" + header + b"\r\n\r\n"
        return header + b"\r\n\r\n"
    match = _FIELDS.fullmatch(section)
    if not match:
        raise BadError(f"unknown section {section[:40]!r}")
    names = {name.strip(b'"').lower() for name in match["names"].split()}
    kept = [
        field
        for field in re.split(rb"\r\n(?![ \t])", header)
        if (field.partition(b":")[0].lower() in names) is not bool(match["others"])
    ]
    return b"".join(field + b"\r\n" for field in kept) + b"\r\n"


def _written(data: bytes, behaviour: Behaviour, message: Message, *, binary: bool) -> bytes:
    """A body as a literal, unless the behaviour asks for another form (and the form can hold it)."""
    if behaviour.body == "nil" or message.uid in behaviour.nil_messages:
        return b"NIL"
    if behaviour.body == "quoted" and not any(byte in b"\r\n\0" or byte > 0x7E for byte in data):
        return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    mark = b"~" if binary or behaviour.body == "literal8" else b""
    return mark + b"{%d}\r\n" % len(data) + data


def _fetch_numbers(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    return _fetch(session, args, uid=False)


def _fetch_uids(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    return _fetch(session, args, uid=True)


COMMANDS: Mapping[bytes, Handler] = MappingProxyType({b"FETCH": _fetch_numbers, b"UID FETCH": _fetch_uids})
