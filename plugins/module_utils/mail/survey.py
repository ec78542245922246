# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Reading one side: which folders there are and in what state, and what is in one of them.

One ``LIST … RETURN (SUBSCRIBED … STATUS …)`` tells all folders' states (RFC 5258, 5819, 6154, 7162); a server without
these extensions is asked by LIST, LSUB and pipelined STATUS commands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..errors import FolderError, MigrationError, ProtocolError
from .attributes import PLACEHOLDER_BODY, flag_key, instant
from .folders import Namespace, Path, show
from .session import Reply, Session, refusal
from .uidset import chunks
from .wire import Response, Value, quoted

SPECIAL_USES = frozenset(
    {b"\\all", b"\\archive", b"\\drafts", b"\\flagged", b"\\junk", b"\\sent", b"\\trash", b"\\important"}
)
MAX_FOLDERS = 200_000

_IS_FETCH = re.compile(rb"\d+ FETCH \(", re.IGNORECASE)
_ATTRIBUTES_LINE = re.compile(rb'\d+ FETCH \(UID (\d+) FLAGS \(([^()]*)\) INTERNALDATE "([^"]*)" RFC822\.SIZE (\d+)\)')
_FLAGS_LINE = re.compile(rb"\* \d+ FETCH \(UID (\d+) FLAGS \(([^()\r\n]*)\)\)\r\n")


@dataclass(frozen=True)
class FolderState:
    """What STATUS tells of a folder. ``highestmodseq`` is 0 where the server has none (then flags must be read)."""

    messages: int = 0
    uidnext: int = 0
    uidvalidity: int = 0
    highestmodseq: int = 0


@dataclass(frozen=True)
class Folder:
    """A folder of one side; ``state`` is None when it can't be opened, ``trouble`` says why (when it should)."""

    name: bytes
    path: Path
    selectable: bool
    subscribed: bool = False
    special_uses: frozenset[bytes] = frozenset()
    state: FolderState | None = None
    trouble: MigrationError | None = None


@dataclass(frozen=True)
class Side:
    """Everything one LIST-STATUS tells of a mailbox."""

    namespace: Namespace
    folders: dict[Path, Folder] = field(default_factory=dict)

    def existing(self) -> dict[Path, Folder]:
        """The folders that can hold messages."""
        return {path: folder for path, folder in self.folders.items() if folder.selectable}


def survey(session: Session, *, absent: bool = False) -> Side:
    """All folders of the mailbox with their states; with ``absent`` also those that are subscribed and not there.

    Where the server has LIST-EXTENDED and LIST-STATUS this is one command, two with ``absent``, sent together.

    :raises ServerError: the server would not list its folders.
    """
    asked = session.start(b"NAMESPACE") if session.has(b"NAMESPACE") else None
    rich = session.has(b"LIST-EXTENDED")
    with_status = rich and session.has(b"LIST-STATUS")
    listed = session.start(*_list_command(session, rich=rich, with_status=with_status))
    subscribed = b'LIST (SUBSCRIBED) "" "*"' if rich else b'LSUB "" "*"'
    also = session.start(subscribed) if absent or not rich else None
    namespace = _namespace(_must(session, session.finish(asked))) if asked else Namespace()
    reply = _must(session, session.finish(listed))
    namespace = _separator(reply, namespace)
    found = _folders(reply, namespace)
    if also:
        found = _with_subscriptions(found, _must(session, session.finish(also)), subscribed[:4], namespace)
    states = _states(reply)
    side = {name: replace(folder, state=states.get(_key(name))) for name, folder in found.items()}
    missing = [folder for folder in side.values() if folder.selectable and folder.state is None]
    side.update((folder.name, folder) for folder in _ask_states(session, missing))
    return Side(namespace, {folder.path: folder for folder in side.values()})


def _list_command(session: Session, *, rich: bool, with_status: bool) -> tuple[bytes, ...]:
    if not rich:
        return (b'LIST "" "*"',)
    wanted = [b"SUBSCRIBED", *([b"SPECIAL-USE"] if session.has(b"SPECIAL-USE") else [])]
    if with_status:
        wanted.append(b"STATUS " + _status_items(session))
    return (b'LIST "" "*" RETURN (' + b" ".join(wanted) + b")",)


def _status_items(session: Session) -> bytes:
    modseq = b" HIGHESTMODSEQ" if session.has(b"CONDSTORE") or session.has(b"QRESYNC") else b""
    return b"(MESSAGES UIDNEXT UIDVALIDITY" + modseq + b")"


def _must(session: Session, reply: Reply) -> Reply:
    if not reply.ok:
        raise refusal(reply, "list the folders", session)
    return reply


def _namespace(reply: Reply) -> Namespace:
    for response in reply.untagged:
        if response.text[:10].upper() != b"NAMESPACE ":
            continue
        kinds = response.values(skip=10)
        if len(kinds) != 3:
            break
        personal, *others = (_namespaces(kind) for kind in kinds)
        prefix, separator = personal[0] if personal else (b"", b"/")
        return Namespace(prefix, separator, tuple(name for kind in others for name, _separator in kind if name))
    raise ProtocolError("the server's NAMESPACE answer is unreadable")


def _namespaces(kind: Value) -> list[tuple[bytes, bytes]]:
    return [
        (one[0], one[1] if isinstance(one[1], bytes) else b"")
        for one in (kind if isinstance(kind, list) else [])
        if isinstance(one, list) and len(one) >= 2 and isinstance(one[0], bytes)
    ]


def _separator(reply: Reply, namespace: Namespace) -> Namespace:
    """A server that has no NAMESPACE tells its separator with every folder."""
    if namespace != Namespace():
        return namespace
    for response in reply.untagged:
        if response.text[:5].upper() == b"LIST ":
            return Namespace(separator=_list_values(response.values(skip=5))[1] or namespace.separator)
    return namespace


def _with_subscriptions(
    found: dict[bytes, Folder], reply: Reply, kind: bytes, namespace: Namespace
) -> dict[bytes, Folder]:
    """The folders with their subscriptions; one may well be subscribed and not be there (case 66)."""
    names = {_key(name) for name in _names(reply, kind) if namespace.owns(name)}
    known = {_key(name) for name in found}
    folders = {name: replace(folder, subscribed=_key(name) in names) for name, folder in found.items()}
    missing = {
        name: Folder(name=name, path=namespace.path(name), selectable=False, subscribed=True) for name in names - known
    }
    return folders | missing


def _folders(reply: Reply, namespace: Namespace) -> dict[bytes, Folder]:
    found: dict[bytes, Folder] = {}
    for response in reply.untagged:
        if response.text[:5].upper() != b"LIST ":
            continue
        attributes, _mark, name = _list_values(response.values(skip=5))
        if not namespace.owns(name):
            continue
        found[name] = Folder(
            name=name,
            path=namespace.path(name),
            selectable=not attributes & {b"\\noselect", b"\\nonexistent"},
            subscribed=b"\\subscribed" in attributes,
            special_uses=frozenset(attributes & SPECIAL_USES),
        )
        if len(found) > MAX_FOLDERS:
            raise ProtocolError(f"the server lists more than {MAX_FOLDERS} folders")
    return found


def _list_values(values: list[Value]) -> tuple[frozenset[bytes], bytes, bytes]:
    if len(values) < 3 or not isinstance(values[0], list):
        raise ProtocolError("the server's LIST answer is unreadable")
    name = values[2] if isinstance(values[2], bytes) else b"NIL"
    attributes = frozenset(one.lower() for one in values[0] if isinstance(one, bytes))
    return attributes, values[1] if isinstance(values[1], bytes) else b"", name


def _names(reply: Reply, kind: bytes) -> Iterator[bytes]:
    for response in reply.untagged:
        if response.text[: len(kind) + 1].upper() == kind + b" ":
            yield _list_values(response.values(skip=len(kind) + 1))[2]


def _key(name: bytes) -> bytes:
    return b"INBOX" if name.upper() == b"INBOX" else name


def _states(reply: Reply) -> dict[bytes, FolderState]:
    states: dict[bytes, FolderState] = {}
    for response in reply.untagged:
        if response.text[:7].upper() != b"STATUS ":
            continue
        values = response.values(skip=7)
        if len(values) < 2 or not isinstance(values[-1], list):
            raise ProtocolError("the server's STATUS answer is unreadable")
        name = values[0] if isinstance(values[0], bytes) else b"NIL"
        states[_key(name)] = _state(values[-1])
    return states


def _state(items: list[Value]) -> FolderState:
    numbers = {
        key.upper(): int(value)
        for key, value in zip(items[::2], items[1::2], strict=False)
        if isinstance(key, bytes) and isinstance(value, bytes) and value.isdigit()
    }
    return FolderState(
        messages=numbers.get(b"MESSAGES", 0),
        uidnext=numbers.get(b"UIDNEXT", 0),
        uidvalidity=numbers.get(b"UIDVALIDITY", 0),
        highestmodseq=numbers.get(b"HIGHESTMODSEQ", 0),
    )


def _ask_states(session: Session, folders: Sequence[Folder]) -> Iterator[Folder]:
    """STATUS for each folder that LIST told no state of; one that can't be opened keeps the reason."""
    items = _status_items(session)
    commands = [(b"STATUS ", quoted(folder.name), b" " + items) for folder in folders]
    for folder, reply in zip(folders, session.pipeline(commands), strict=True):
        state = _states(reply).get(_key(folder.name)) if reply.ok else None
        if state is not None:
            yield replace(folder, state=state)
            continue
        error = refusal(reply, "tell the folder's state (STATUS)", session)
        yield replace(folder, trouble=error.become(FolderError).at(folder=show(folder.path)))


# what is in a folder


def read_flags(session: Session, exists: int) -> dict[int, bytes]:
    """UID → flags (as the server wrote them) of every message in the selected folder."""
    found: dict[int, bytes] = {}
    if not exists:
        return found
    wire = session.wire
    tag = session.start(b"UID FETCH 1:* (UID FLAGS)")
    wire.flush()
    while True:
        wire.ensure_line()
        match = wire.match(_FLAGS_LINE)
        if match:
            found[int(match[1])] = match[2]
            wire.skip(len(match[0]))
            continue
        response = wire.response()
        if response.tag == tag:
            break
        items = fetch_items(response)
        uid, flags = items.get(b"UID"), items.get(b"FLAGS")
        if isinstance(uid, bytes) and uid.isdigit() and isinstance(flags, list):
            found[int(uid)] = flag_text(flags)
    if not response.text.upper().startswith(b"OK"):
        raise FolderError(f"the server would not list the messages: {response.text[:200]!r}", **session.place())
    return found


def search(session: Session, criteria: bytes) -> list[int]:
    """The UIDs of the messages in the selected folder that meet the criteria, ascending."""
    reply = session.must("search", b"UID SEARCH " + criteria)
    found: list[int] = []
    for response in reply.untagged:
        if response.text[:6].upper() == b"SEARCH":
            found += [int(word) for word in response.text[6:].split() if word.isdigit()]
    return sorted(found)


@dataclass(frozen=True)
class Attributes:
    """What a message is beside its bytes: flags (as :func:`flag_key`), received (epoch seconds), size in bytes."""

    flags: bytes
    received: int | None
    size: int


def read_attributes(session: Session, exists: int) -> dict[int, Attributes]:
    """UID → attributes of every message in the selected folder."""
    found: dict[int, Attributes] = {}
    if not exists:
        return found
    reply = session.must("list the messages", b"UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)")
    for response in reply.untagged:
        match = _ATTRIBUTES_LINE.fullmatch(response.text)
        if match:
            found[int(match[1])] = Attributes(flag_key(match[2]), instant(match[3]), int(match[4]))
            continue
        items = fetch_items(response)
        uid, flags, date, size = (items.get(key) for key in (b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"))
        if isinstance(uid, bytes) and isinstance(flags, list) and isinstance(date, bytes) and isinstance(size, bytes):
            found[int(uid)] = Attributes(flag_key(flag_text(flags)), instant(date), int(size))
    return found


@dataclass(frozen=True)
class Fingerprint:
    """What a message is recognised by when UIDs can't tell: time received (epoch seconds), size, header digest."""

    received: int | None
    size: int
    header: bytes


def read_fingerprints(session: Session, uids: Iterable[int]) -> dict[int, Fingerprint]:
    """UID → fingerprint of messages in the selected folder."""
    found: dict[int, Fingerprint] = {}
    commands = [(b"UID FETCH " + some + b" (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])",) for some in chunks(uids)]
    for reply in session.pipeline(commands):
        if not reply.ok:
            raise refusal(reply, "give the messages' headers", session)
        for response in reply.untagged:
            _note_fingerprint(fetch_items(response), found)
    return found


def _note_fingerprint(items: dict[bytes, Value], found: dict[int, Fingerprint]) -> None:
    uid, size = items.get(b"UID"), items.get(b"RFC822.SIZE")
    date, header = items.get(b"INTERNALDATE"), items.get(b"BODY[HEADER]")
    if not isinstance(uid, bytes) or not isinstance(size, bytes):
        return
    received = instant(date if isinstance(date, bytes) else b"")
    found[int(uid)] = Fingerprint(received, int(size), _header_digest(header if isinstance(header, bytes) else b""))


def _header_digest(header: bytes) -> bytes:
    return hashlib.blake2b(header.replace(b"\r", b"").rstrip(b"\n"), digest_size=16).digest()


def is_gap(print_: Fingerprint) -> bool:
    """Whether a message is a placeholder of ours by what it is, whatever its flags are."""
    return print_.size == len(PLACEHOLDER_BODY) and print_.header == _header_digest(PLACEHOLDER_BODY)


def fetch_items(response: Response) -> dict[bytes, Value]:
    """The items of a ``n FETCH (…)`` response; none for any other response."""
    if not _IS_FETCH.match(response.text):
        return {}
    values = response.values()
    items = values[2] if len(values) == 3 else None
    if not isinstance(items, list):
        raise ProtocolError("the server's FETCH answer is unreadable")
    return {key.upper(): value for key, value in zip(items[::2], items[1::2], strict=False) if isinstance(key, bytes)}


def flag_text(flags: list[Value]) -> bytes:
    """A parsed flag list as the bytes between its parentheses; a keyword may well be called NIL."""
    return b" ".join(b"NIL" if one is None else one for one in flags if not isinstance(one, list))
