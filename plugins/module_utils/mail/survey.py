# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Reading one side: which folders there are, and in what state.

One ``LIST … RETURN (SUBSCRIBED … STATUS …)`` tells all folders' states (RFC 5258, 5819, 6154, 7162); a server without
these extensions is asked by LIST, LSUB and pipelined STATUS commands.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..errors import FolderError, MigrationError, ProtocolError, ThrottledError
from ..hints import read_hint
from ..transport.dialogue import Reply
from ..transport.wire import Literal, Value, quoted
from .folders import INBOX, Path, show
from .namespaces import PERSONAL, Namespace, read_namespace
from .session import Session, folder_refusal, refusal
from .uidset import MAX_MODSEQ, MAX_UID, number

SPECIAL_USES = frozenset(
    {b"\\all", b"\\archive", b"\\drafts", b"\\flagged", b"\\junk", b"\\sent", b"\\trash", b"\\important"}
)
#: How XLIST calls some of them.
_USES_OF_XLIST = {b"\\spam": b"\\junk", b"\\allmail": b"\\all", b"\\starred": b"\\flagged"}
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
    """Everything one LIST-STATUS tells of a mailbox; ``partial`` when there may be folders that can't be seen."""

    namespace: Namespace
    folders: dict[Path, Folder] = field(default_factory=dict)
    partial: bool = False

    def existing(self) -> dict[Path, Folder]:
        """The folders that can hold messages."""
        return self._existing

    @functools.cached_property
    def _existing(self) -> dict[Path, Folder]:
        return {path: folder for path, folder in self.folders.items() if folder.selectable}


class _NotUnderstoodError(Exception):
    """The server answered BAD where it should know an extension that it announces."""

    def __init__(self, extensions: tuple[bytes, ...]) -> None:
        super().__init__()
        self.extensions = extensions


#: What a LIST with RETURN may use.
_OF_LIST = (b"LIST-EXTENDED", b"LIST-STATUS")
_OF_STATUS = (b"CONDSTORE", b"QRESYNC")


def survey(session: Session, *, absent: bool = False, kinds: Collection[str] = (PERSONAL,)) -> Side:
    """All folders of the mailbox with their states; with ``absent`` also those that are subscribed and not there.

    Where the server has LIST-EXTENDED and LIST-STATUS this is one command, two with ``absent``, sent together.
    ``kinds`` are the kinds of namespaces that are meant; each namespace that is not personal costs one more command.
    A server that does not understand what it announces (Vandelay answered BAD) is asked again in plainer words.

    :raises ServerError: the server would not list its folders.
    """
    while True:
        try:
            return _surveyed(session, absent=absent, kinds=kinds)
        except _NotUnderstoodError as error:
            session.disbelieve(*error.extensions)


def _surveyed(session: Session, *, absent: bool, kinds: Collection[str]) -> Side:
    asked = session.start(b"NAMESPACE") if session.has(b"NAMESPACE") else None
    rich = session.has(b"LIST-EXTENDED")
    listed = session.start(*_list_command(session, b'"*"'))
    subscribed = b'LIST (SUBSCRIBED) "" "*"' if rich else b'LSUB "" "*"'
    also = session.start(subscribed) if absent or not rich else None
    # every answer is read before any is judged: what is asked again must not meet an old one
    spaces = session.finish(asked) if asked else None
    replies = [session.finish(listed)]
    about = session.finish(also) if also else None
    namespace = _namespace(_must(session, spaces, b"NAMESPACE")) if spaces else Namespace()
    for reply in (*replies, *([about] if about else [])):
        _must(session, reply, *_OF_LIST)
    replies += _elsewhere(session, namespace, kinds)
    namespace = _separator(replies[0], namespace)
    found = _folders(replies, namespace, kinds)
    if about:
        found = _with_subscriptions(found, about, subscribed[:4], namespace, kinds)
    states = _states(replies)
    side = {name: replace(folder, state=states.get(_key(name))) for name, folder in found.items()}
    missing = [folder for folder in side.values() if folder.selectable and folder.state is None]
    side.update((folder.name, folder) for folder in _ask_states(session, missing))
    return Side(namespace, _by_path(side.values(), namespace))


def _list_command(session: Session, pattern: bytes | Literal) -> tuple[bytes | Literal, ...]:
    if not session.has(b"LIST-EXTENDED"):
        # Gmail's own command, older than RFC 6154: it tells special uses, and what a localised INBOX is
        return (b"XLIST" if session.has(b"XLIST") else b"LIST", b' "" ', pattern)
    wanted = [b"SUBSCRIBED", *([b"SPECIAL-USE"] if session.has(b"SPECIAL-USE") else [])]
    if session.has(b"LIST-STATUS"):
        wanted.append(b"STATUS " + _status_items(session))
    return (b'LIST "" ', pattern, b" RETURN (" + b" ".join(wanted) + b")")


def _elsewhere(session: Session, namespace: Namespace, kinds: Collection[str]) -> list[Reply]:
    """Lists of other users' and shared folders: a server need not show them to who asks for everything."""
    spaces = [space for space in namespace.others if space.kind != PERSONAL and space.kind in kinds]
    commands = [_list_command(session, quoted(space.prefix + b"*")) for space in spaces]
    return [_must(session, reply, *_OF_LIST) for reply in list(session.pipeline(commands))]


def _status_items(session: Session) -> bytes:
    modseq = b" HIGHESTMODSEQ" if session.has(b"CONDSTORE") or session.has(b"QRESYNC") else b""
    return b"(MESSAGES UIDNEXT UIDVALIDITY" + modseq + b")"


def _must(session: Session, reply: Reply, *extensions: bytes) -> Reply:
    _doubt(session, reply, *extensions)
    if not reply.ok:
        raise refusal(reply, "list the folders", session)
    return reply


def _doubt(session: Session, reply: Reply, *extensions: bytes) -> None:
    """Stop where BAD may only mean that an extension is announced and not there; Exchange also says it for "later"."""
    if reply.status == b"BAD" and not read_hint(reply.said) and any(session.has(one) for one in extensions):
        raise _NotUnderstoodError(extensions)


def _namespace(reply: Reply) -> Namespace:
    for response in reply.untagged:
        if response.text[:10].upper() != b"NAMESPACE ":
            continue
        return read_namespace(response.values(skip=10))
    raise ProtocolError("the server's NAMESPACE answer is unreadable")


def _separator(reply: Reply, namespace: Namespace) -> Namespace:
    """A server that has no NAMESPACE tells its separator with every folder."""
    if namespace != Namespace():
        return namespace
    separators = (separator for _attributes, separator, _name in listed([reply]))
    # INBOX alone may have none, where nothing can be below it
    return Namespace(separator=next((one for one in separators if one), namespace.separator))


def _with_subscriptions(
    found: dict[bytes, Folder], reply: Reply, kind: bytes, namespace: Namespace, kinds: Collection[str]
) -> dict[bytes, Folder]:
    """The folders with their subscriptions; one may well be subscribed and not be there (case 66)."""
    names = {_key(name) for name in _names(reply, kind) if namespace.kind(name) in kinds}
    known = {_key(name) for name in found}
    folders = {name: replace(folder, subscribed=_key(name) in names) for name, folder in found.items()}
    missing = {
        name: Folder(name=name, path=namespace.path(name), selectable=False, subscribed=True) for name in names - known
    }
    return folders | missing


def _folders(replies: Iterable[Reply], namespace: Namespace, kinds: Collection[str]) -> dict[bytes, Folder]:
    found: dict[bytes, Folder] = {}
    for attributes, _separator, name in listed(replies):
        if namespace.kind(name) not in kinds:
            continue
        found[name] = Folder(
            name=name,
            path=namespace.path(name),
            selectable=not attributes & {b"\\noselect", b"\\nonexistent"},
            subscribed=b"\\subscribed" in attributes,
            special_uses=frozenset(_USES_OF_XLIST.get(one, one) for one in attributes) & SPECIAL_USES,
        )
        if len(found) > MAX_FOLDERS:
            raise ProtocolError(f"the server lists more than {MAX_FOLDERS} folders")
    return found


def _by_path(folders: Iterable[Folder], namespace: Namespace) -> dict[Path, Folder]:
    """The folders by their paths. Where two names have one path, that which isn't spelled like it keeps its own levels.

    That happens with ``Inbox/x`` beside ``INBOX/x``, and where two namespaces hold folders of one name.
    """
    side: dict[Path, Folder] = {}
    for folder in sorted(folders, key=lambda one: (namespace.name(one.path) != one.name, one.name)):
        path = folder.path
        if path in side and path != INBOX:
            path = namespace.levels(folder.name)
        side.setdefault(path, replace(folder, path=path))
    return side


def listed(replies: Iterable[Reply]) -> Iterator[tuple[frozenset[bytes], bytes, bytes]]:
    """Attributes, separator and name of every folder in the answers to LIST or XLIST."""
    for reply in replies:
        for response in reply.untagged:
            kind = response.text[:6].upper()
            if kind[:5] == b"LIST ":
                yield _list_values(response.values(skip=5))
            elif kind == b"XLIST ":
                attributes, separator, name = _list_values(response.values(skip=6))
                yield attributes, separator, b"INBOX" if b"\\inbox" in attributes else name


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


def _states(replies: Iterable[Reply]) -> dict[bytes, FolderState]:
    states: dict[bytes, FolderState] = {}
    for response in (one for reply in replies for one in reply.untagged):
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
        key.upper(): number(value, MAX_MODSEQ if key.upper() == b"HIGHESTMODSEQ" else MAX_UID)
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
    replies = list(session.pipeline(commands))
    for folder, reply in zip(folders, replies, strict=True):
        _doubt(session, reply, *_OF_STATUS)
        state = _states([reply]).get(_key(folder.name)) if reply.ok else None
        if state is not None:
            yield replace(folder, state=state)
            continue
        error = folder_refusal(reply, "tell the folder's state (STATUS)", session)
        if isinstance(error, ThrottledError):
            raise error
        yield replace(folder, trouble=error.become(FolderError).at(folder=show(folder.path)))
