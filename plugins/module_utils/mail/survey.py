# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Reading one side: which folders there are, and in what state.

One ``LIST … RETURN (SUBSCRIBED … STATUS …)`` tells all folders' states (RFC 5258, 5819, 6154, 7162); a server without
these extensions is asked by LIST, LSUB and pipelined STATUS commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..errors import FolderError, MigrationError, ProtocolError
from ..transport.dialogue import Reply
from ..transport.wire import Value, quoted
from .folders import Namespace, Path, show
from .session import Session, refusal

SPECIAL_USES = frozenset(
    {b"\\all", b"\\archive", b"\\drafts", b"\\flagged", b"\\junk", b"\\sent", b"\\trash", b"\\important"}
)
MAX_FOLDERS = 200_000


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
