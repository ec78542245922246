# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a folder and searching it (RFC 3501, 3691, 4731, 7162)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from .fetching import tell_changes
from .grammar import Arg, BadError, NoError, atoms, listed, number_set, numbers, string
from .listing import told_modseq, told_uidnext, told_uidvalidity
from .values import Folder, Message

if TYPE_CHECKING:
    from .session import Handler, Session

_FLAGS = (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft")
#: Whether a message (with its sequence number) is meant.
Criterion: TypeAlias = Callable[[int, Message], bool]


def _open(session: Session, args: list[Arg], *, read_only: bool) -> bytes:
    session.folder, session.view = None, []
    name = session.mailbox.called(string(args[0] if args else None))
    folder = session.mailbox.folders.get(name)
    if folder is None or not folder.selectable:
        raise NoError("NO [NONEXISTENT] no such folder")
    if name in session.behaviour.locked:
        raise NoError("NO [INUSE] the folder is locked")
    parameters = args[1] if len(args) > 1 else []
    if not isinstance(parameters, list):
        raise BadError("parameters are a list")
    _tell_opened(session, folder)
    session.folder, session.read_only, session.view = folder, read_only, folder.uids()
    if parameters:
        _resync(session, folder, parameters)
    return b"OK [READ-ONLY] opened" if read_only else b"OK [READ-WRITE] opened"


def _tell_opened(session: Session, folder: Folder) -> None:
    keywords = sorted({flag for message in folder.messages for flag in message.flags} - set(_FLAGS))
    session.tell(b"* FLAGS " + listed([*_FLAGS, *keywords]))
    permanent = [*_FLAGS, *keywords, b"\\*"] if folder.keywords else _FLAGS
    session.tell(b"* OK [PERMANENTFLAGS " + listed(permanent) + b"] limited")
    session.tell(b"* %d EXISTS" % len(folder.messages))
    session.tell(b"* 0 RECENT")
    told = ((b"UIDVALIDITY", told_uidvalidity(session, folder)), (b"UIDNEXT", told_uidnext(session, folder)))
    for name, value in (*told, (b"HIGHESTMODSEQ", told_modseq(session, folder))):
        if value is not None:
            session.tell(b"* OK [%s %d] told" % (name, value))
    if session.behaviour.modseq == "absent":
        session.tell(b"* OK [NOMODSEQ] none kept here")


def _resync(session: Session, folder: Folder, parameters: list[Arg]) -> None:
    """CONDSTORE, or QRESYNC with what the client knows: changes and what has vanished (RFC 7162 section 3.2.5)."""
    kind = string(parameters[0]).upper()
    session.needs("CONDSTORE" if kind == b"CONDSTORE" else "QRESYNC")
    session.enabled.add("CONDSTORE")
    if kind == b"CONDSTORE":
        return
    if "QRESYNC" not in session.enabled or kind != b"QRESYNC":
        raise BadError("QRESYNC has to be enabled first")
    known = parameters[1] if len(parameters) > 1 and isinstance(parameters[1], list) else []
    if len(known) < 2:
        raise BadError("QRESYNC wants UIDVALIDITY and a mod-sequence")
    if int(string(known[0])) != folder.uidvalidity or session.behaviour.modseq == "absent":
        return
    known_uids = sorted({*folder.uids(), *folder.vanished})
    uids = numbers(string(known[2]), known_uids) if len(known) > 2 else set(known_uids)
    tell_changes(session, int(string(known[1])), uids, vanished=True)


def _select(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    return _open(session, args, read_only=False)


def _examine(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    return _open(session, args, read_only=True)


def _unselect(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    session.opened()
    session.folder, session.view = None, []
    return b"OK done"


# searching


def _search(session: Session, tag: bytes, args: list[Arg], *, uid: bool) -> bytes:
    session.opened()
    returns: list[bytes] | None = None
    if args and not isinstance(args[0], list) and string(args[0]).upper() == b"RETURN":
        session.needs("ESEARCH")
        returns, args = atoms(args[1]), args[2:]
    keys = list(args)
    criteria: list[Criterion] = []
    while keys:
        criteria.append(_criterion(session, keys))
    found = [
        (number, message)
        for number, message in session.messages(set(session.view))
        if all(meant(number, message) for meant in criteria)
    ]
    values = [message.uid if uid else number for number, message in found]
    if returns is None:
        session.tell(b"* SEARCH" + b"".join(b" %d" % value for value in values))
    else:
        session.tell(_esearch(tag, values, returns or [b"ALL"], uid=uid))
    return b"OK done"


def _esearch(tag: bytes, values: list[int], returns: list[bytes], *, uid: bool) -> bytes:
    parts = [b'* ESEARCH (TAG "' + tag + b'")' + (b" UID" if uid else b"")]
    if values and b"MIN" in returns:
        parts.append(b"MIN %d" % values[0])
    if values and b"MAX" in returns:
        parts.append(b"MAX %d" % values[-1])
    if b"COUNT" in returns:
        parts.append(b"COUNT %d" % len(values))
    if values and b"ALL" in returns:
        parts.append(b"ALL " + number_set(values))
    return b" ".join(parts)


def _criterion(session: Session, keys: list[Arg]) -> Criterion:
    """Take one search key with its arguments off the list."""
    arg = keys.pop(0)
    if isinstance(arg, list):
        inner, all_of = list(arg), []
        while inner:
            all_of.append(_criterion(session, inner))
        return lambda number, message: all(meant(number, message) for meant in all_of)
    key = string(arg).upper()
    if key == b"NOT":
        meant = _criterion(session, keys)
        return lambda number, message: not meant(number, message)
    if key in _PLAIN:
        return _PLAIN[key]
    if key[:1].isdigit() or key[:1] == b"*":
        chosen = numbers(key, range(1, len(session.view) + 1))
        return lambda number, _message: number in chosen
    if not keys:
        raise BadError(f"unknown search key {key!r}")
    return _with_argument(session, key, keys)


def _with_argument(session: Session, key: bytes, keys: list[Arg]) -> Criterion:
    value = string(keys.pop(0))
    if key == b"UID":
        uids = numbers(value, session.view)
        return lambda _number, message: message.uid in uids
    if key in (b"KEYWORD", b"UNKEYWORD"):
        return lambda _number, message: _has(message, value) is (key == b"KEYWORD")
    if key == b"MODSEQ":
        session.needs("CONDSTORE")
        return lambda _number, message: message.modseq >= int(value)
    if key == b"HEADER":
        text = string(keys.pop(0) if keys else None).lower()
        return lambda _number, message: text in _header(message, value).lower()
    raise BadError(f"unknown search key {key!r}")


def _has(message: Message, flag: bytes) -> bool:
    return flag.lower() in {one.lower() for one in message.flags}


def _header(message: Message, name: bytes) -> bytes:
    lines = message.body.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return b"\n".join(line for line in lines if line.lower().startswith(name.lower() + b":"))


def _flagged(flag: bytes, wanted: bool) -> Criterion:
    return lambda _number, message: _has(message, flag) is wanted


_PLAIN: Mapping[bytes, Criterion] = MappingProxyType(
    {
        b"ALL": lambda _number, _message: True,
        **{flag[1:].upper(): _flagged(flag, True) for flag in _FLAGS},
        **{b"UN" + flag[1:].upper(): _flagged(flag, False) for flag in _FLAGS},
    }
)


def _search_numbers(session: Session, tag: bytes, args: list[Arg]) -> bytes:
    return _search(session, tag, args, uid=False)


def _search_uids(session: Session, tag: bytes, args: list[Arg]) -> bytes:
    return _search(session, tag, args, uid=True)


COMMANDS: Mapping[bytes, Handler] = MappingProxyType(
    {
        b"SELECT": _select,
        b"EXAMINE": _examine,
        b"UNSELECT": _unselect,
        b"SEARCH": _search_numbers,
        b"UID SEARCH": _search_uids,
    }
)
