# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders: which there are, in what state, and making and removing them (RFC 3501, 2342, 5258, 5819, 6154)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from .grammar import Arg, BadError, NoError, atoms, listed, quote, string
from .values import Folder

if TYPE_CHECKING:
    from .session import Handler, Session

_STATUS_ITEMS = (b"MESSAGES", b"UIDNEXT", b"UIDVALIDITY", b"HIGHESTMODSEQ", b"UNSEEN", b"RECENT")
_STRANGE_UIDVALIDITY = 2_000_000_000


# numbers, true or not


def told_uidnext(session: Session, folder: Folder) -> int | None:
    """UIDNEXT as the behaviour tells it."""
    return {
        "right": folder.uidnext,
        "absent": None,
        "low": 1,
        "high": folder.uidnext + 1000,
        "stale": session.stale.get(id(folder), folder.uidnext),
    }[session.behaviour.uidnext]


def told_uidvalidity(session: Session, folder: Folder) -> int | None:
    """UIDVALIDITY as the behaviour tells it."""
    if session.behaviour.uidvalidity == "changes_at_every_select":
        return _STRANGE_UIDVALIDITY + session.server.count("uidvalidities")
    return {"right": folder.uidvalidity, "zero": 0, "absent": None}[session.behaviour.uidvalidity]


def told_modseq(session: Session, folder: Folder) -> int | None:
    """HIGHESTMODSEQ as the behaviour tells it; None where there is none."""
    if not session.behaviour.has("CONDSTORE") or session.behaviour.modseq == "absent":
        return None
    return 5 if session.behaviour.modseq == "stuck" else folder.highestmodseq


def _state(session: Session, folder: Folder, items: list[bytes]) -> bytes:
    count = len(folder.messages)
    values = {
        b"MESSAGES": {"right": count, "zero": 0, "wrong": count + 7}[session.behaviour.counts],
        b"UIDNEXT": told_uidnext(session, folder),
        b"UIDVALIDITY": told_uidvalidity(session, folder),
        b"HIGHESTMODSEQ": told_modseq(session, folder),
        b"UNSEEN": sum(b"\\Seen" not in message.flags for message in folder.messages),
        b"RECENT": 0,
    }
    if b"HIGHESTMODSEQ" in items:
        session.needs("CONDSTORE")
    return listed(b"%s %d" % (item, value) for item in items if (value := values[item]) is not None)


def _tell_state(session: Session, name: bytes, folder: Folder, items: list[bytes]) -> None:
    if unknown := set(items) - set(_STATUS_ITEMS):
        raise BadError(f"unknown STATUS items {sorted(unknown)}")
    session.tell(b"* STATUS " + quote(name, session.behaviour) + b" " + _state(session, folder, items))


# listing


def _namespace(session: Session, _tag: bytes, _args: list[Arg]) -> bytes:
    mailbox = session.mailbox
    prefix, separator = quote(mailbox.prefix, session.behaviour), _separator(session)
    if mailbox.namespaces:
        session.tell(b"* NAMESPACE " + mailbox.namespaces)
        return b"OK done"
    session.tell(b"* NAMESPACE ((" + prefix + b" " + separator + b")) NIL NIL")
    return b"OK done"


def _separator(session: Session) -> bytes:
    separator = session.mailbox.separator
    return quote(separator, session.behaviour) if separator else b"NIL"


def _list(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    selection: list[bytes] = []
    if args and isinstance(args[0], list):
        session.needs("LIST-EXTENDED")
        selection, args = atoms(args[0]), args[1:]
    if len(args) < 2:
        raise BadError("LIST wants two arguments")
    options = _return_options(session, args[2:])
    patterns = [string(one) for one in args[1]] if isinstance(args[1], list) else [string(args[1])]
    if patterns == [b""]:
        session.tell(b"* LIST (\\Noselect) " + _separator(session) + b' ""')
        return b"OK done"
    names = sorted(session.mailbox.folders)
    if b"SUBSCRIBED" in selection:
        names = sorted(session.mailbox.subscribed)
    for name in names:
        if any(_matches(session, name, string(args[0]) + pattern) for pattern in patterns):
            _tell_folder(session, name, options, subscribed=b"SUBSCRIBED" in (*selection, *options))
    return b"OK done"


def _return_options(session: Session, args: list[Arg]) -> dict[bytes, list[bytes]]:
    """RETURN (…) as option → its own arguments."""
    if not args:
        return {}
    session.needs("LIST-EXTENDED")
    if len(args) != 2 or string(args[0]).upper() != b"RETURN" or not isinstance(args[1], list):
        raise BadError("not a RETURN")
    options: dict[bytes, list[bytes]] = {}
    last = b""
    for arg in args[1]:
        if isinstance(arg, list):
            options[last] = atoms(arg)
        else:
            last = string(arg).upper()
            options[last] = []
    extensions = {b"SUBSCRIBED": "LIST-EXTENDED", b"CHILDREN": "LIST-EXTENDED"}
    extensions |= {b"STATUS": "LIST-STATUS", b"SPECIAL-USE": "SPECIAL-USE"}
    for option in options:
        session.needs(extensions.get(option, f"LIST option {option!r}"))
        if option not in extensions:
            raise BadError(f"unknown option {option!r}")
    return options


def _matches(session: Session, name: bytes, pattern: bytes) -> bool:
    other = b"[^" + re.escape(session.mailbox.separator) + b"]*" if session.mailbox.separator else b".*"
    parts = {b"*": b".*", b"%": other}
    expression = b"".join(parts.get(bytes((byte,)), re.escape(bytes((byte,)))) for byte in pattern)
    return re.fullmatch(expression, name, re.DOTALL) is not None


def _tell_folder(session: Session, name: bytes, options: dict[bytes, list[bytes]], *, subscribed: bool) -> None:
    folder = session.mailbox.folders.get(name)
    attributes = set(folder.attributes) if folder else {b"\\NonExistent"}
    if not session.behaviour.has("SPECIAL-USE"):
        attributes &= {b"\\Noselect", b"\\NonExistent", b"\\Noinferiors"}
    if subscribed and name in session.mailbox.subscribed:
        attributes.add(b"\\Subscribed")
    session.tell(
        b"* LIST " + listed(sorted(attributes)) + b" " + _separator(session) + b" " + quote(name, session.behaviour)
    )
    if b"STATUS" in options and folder and folder.selectable and name not in session.behaviour.locked:
        _tell_state(session, name, folder, options[b"STATUS"])


def _xlist(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    """Gmail's own LIST of before RFC 6154: it tells special uses, and calls INBOX as the user's language has it."""
    if "XLIST" not in session.behaviour.announces or len(args) != 2:
        raise BadError("unknown command XLIST")
    for name, folder in sorted(session.mailbox.folders.items()):
        shown, attributes = (b"Posteingang", [b"\\Inbox"]) if name == b"INBOX" else (name, sorted(folder.attributes))
        session.tell(
            b"* XLIST " + listed(attributes) + b" " + _separator(session) + b" " + quote(shown, session.behaviour)
        )
    return b"OK done"


def _lsub(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    if len(args) != 2:
        raise BadError("LSUB wants two arguments")
    for name in sorted(session.mailbox.subscribed):
        if _matches(session, name, string(args[0]) + string(args[1])):
            session.tell(b"* LSUB () " + _separator(session) + b" " + quote(name, session.behaviour))
    return b"OK done"


def _status(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    if len(args) != 2 or not isinstance(args[1], list):
        raise BadError("STATUS wants a name and a list")
    name = session.mailbox.called(string(args[0]))
    folder = session.mailbox.folders.get(name)
    if folder is None or not folder.selectable:
        raise NoError("NO [NONEXISTENT] no such folder")
    if name in session.behaviour.locked:
        raise NoError("NO [INUSE] the folder is locked")
    _tell_state(session, name, folder, atoms(args[1]))
    return b"OK done"


# changing


def _create(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    name, uses = session.mailbox.called(string(args[0] if args else None)), frozenset[bytes]()
    if len(args) > 1:
        session.needs("CREATE-SPECIAL-USE")
        (what, inner) = args[1] if isinstance(args[1], list) and len(args[1]) == 2 else (b"", [])
        if string(what).upper() != b"USE" or not isinstance(inner, list):
            raise BadError("unknown CREATE parameter")
        uses = frozenset(string(one) for one in inner)
    mailbox = session.mailbox
    name = name.removesuffix(mailbox.separator) if mailbox.separator else name
    if name in mailbox.folders:
        raise NoError("NO [ALREADYEXISTS] it is there")
    if mailbox.prefix and not name.startswith(mailbox.prefix):
        raise NoError(f"NO [CANNOT] names begin with {mailbox.prefix.decode()}")
    above = mailbox.folders.get(name.rpartition(mailbox.separator)[0]) if mailbox.separator else None
    if above and b"\\Noinferiors" in above.attributes:
        raise NoError("NO [CANNOT] nothing can be below that folder")
    mailbox.create(mailbox.stored(name), uses)
    return b"OK done"


def _there(session: Session, arg: Arg | None) -> bytes:
    name = session.mailbox.called(string(arg))
    if name not in session.mailbox.folders:
        raise NoError("NO [NONEXISTENT] no such folder")
    return name


def _delete(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    name = _there(session, args[0] if args else None)
    if name == b"INBOX":
        raise NoError("NO [CANNOT] INBOX stays")
    del session.mailbox.folders[name]
    return b"OK done"


def _rename(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    old, new = (
        _there(session, args[0] if args else None),
        session.mailbox.called(string(args[1] if len(args) > 1 else None)),
    )
    folders, separator = session.mailbox.folders, session.mailbox.separator
    if new in folders or old == b"INBOX":
        raise NoError("NO [ALREADYEXISTS] it is there")
    for name in [one for one in folders if one == old or (separator and one.startswith(old + separator))]:
        folders[new + name[len(old) :]] = folders.pop(name)
    return b"OK done"


def _subscribe(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    session.mailbox.subscribed.add(_there(session, args[0] if args else None))
    return b"OK done"


def _unsubscribe(session: Session, _tag: bytes, args: list[Arg]) -> bytes:
    session.mailbox.subscribed.discard(session.mailbox.called(string(args[0] if args else None)))
    return b"OK done"


COMMANDS: Mapping[bytes, Handler] = MappingProxyType(
    {
        b"NAMESPACE": _namespace,
        b"LIST": _list,
        b"LSUB": _lsub,
        b"XLIST": _xlist,
        b"STATUS": _status,
        b"CREATE": _create,
        b"DELETE": _delete,
        b"RENAME": _rename,
        b"SUBSCRIBE": _subscribe,
        b"UNSUBSCRIBE": _unsubscribe,
    }
)
