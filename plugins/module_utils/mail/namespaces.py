# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where a server keeps whose folders, and how it spells their names (RFC 2342).

A server has namespaces of three kinds: the user's own folders, other users' folders, and shared ones. Each has a
prefix, which its names begin with, and a separator between the levels of a name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..errors import ProtocolError
from ..transport.wire import Value
from .folders import INBOX, Path

PERSONAL, OTHER_USERS, SHARED = "personal", "other_users", "shared"
#: The kinds in the order of RFC 2342.
KINDS = (PERSONAL, OTHER_USERS, SHARED)
#: Where folders of namespaces go whose prefix has no word of its own (Cyrus's shared one has none).
_PLACES = {OTHER_USERS: b"Other Users", SHARED: b"Shared Folders"}


@dataclass(frozen=True)
class Space:
    """A namespace beside the one that holds INBOX."""

    kind: str
    prefix: bytes
    separator: bytes

    @property
    def words(self) -> Path:
        """The levels that its folders get above their own: the words of its prefix."""
        bare = self.prefix.lstrip(b"#~")
        words = tuple(word for word in (bare.split(self.separator) if self.separator else [bare]) if word)
        place = _PLACES.get(self.kind)
        return words if words or place is None else (place,)

    def holds(self, name: bytes) -> bool:
        """Whether a name is one of its folders, or that above them all."""
        return name.startswith(self.prefix) or bool(self.separator and name + self.separator == self.prefix)

    def path(self, name: bytes) -> Path:
        """The path of one of its folders."""
        rest = name[len(self.prefix) :]
        if not rest:
            return self.words
        return (*self.words, *(rest.split(self.separator) if self.separator else (rest,)))


@dataclass(frozen=True)
class Namespace:
    """How a server spells the user's own folders, and what namespaces it has besides.

    ``prefix`` and ``separator`` are those of the namespace that holds INBOX; an empty separator means that folders have
    no levels.
    """

    prefix: bytes = b""
    separator: bytes = b"/"
    others: tuple[Space, ...] = ()

    def kind(self, name: bytes) -> str:
        """Whose folder a name is, as one of :data:`KINDS`: the longest prefix that fits tells."""
        space = self._space(name)
        return space.kind if space else PERSONAL

    def owns(self, name: bytes) -> bool:
        """Whether a folder belongs to the user, not to another user's or a shared namespace."""
        return self.kind(name) == PERSONAL

    def _space(self, name: bytes) -> Space | None:
        """The namespace of a name, if it is not the one that holds INBOX."""
        if name.upper() == b"INBOX":
            return None
        own = len(self.prefix) if name.startswith(self.prefix) else -1
        fitting = [space for space in self.others if space.holds(name) and len(space.prefix) > own]
        return max(fitting, key=lambda space: len(space.prefix), default=None)

    def left_out(self, path: Path, kinds: Collection[str]) -> bool:
        """Whether a path is of a namespace of another kind than these."""
        others = (space.words for space in self.others if space.kind not in kinds)
        return any(path[: len(words)] == words for words in others)

    def path(self, name: bytes) -> Path:
        """The path of a name as the server writes it; INBOX in any case is ``INBOX`` (RFC 3501 section 5.1).

        A folder that is called INBOX below the prefix is another one than INBOX: it keeps the prefix.
        """
        if name.upper() == b"INBOX":
            return INBOX
        space = self._space(name)
        if space is not None:
            return space.path(name)
        levels = self.levels(name)
        if self.prefix and name.startswith(self.prefix):
            bare = self.levels(name[len(self.prefix) :])
            if bare[0].upper() != b"INBOX" and bare != (b"",):
                return bare
        return (b"INBOX", *levels[1:]) if len(levels) > 1 and levels[0].upper() == b"INBOX" else levels

    def levels(self, name: bytes) -> Path:
        """The levels of a name as it stands, prefix and all."""
        return tuple(name.split(self.separator)) if self.separator else (name,)

    def name(self, path: Path) -> bytes:
        """The name that the server writes for a path; its levels must not hold the separator."""
        if path == INBOX:
            return b"INBOX"
        joined = self.separator.join(path)
        if path[0] == b"INBOX" and self.prefix.upper() == b"INBOX" + self.separator:
            return joined
        if path[1:2] and path[1].upper() == b"INBOX" and path[0] + self.separator == self.prefix:
            return joined
        return self.prefix + joined


def read_namespace(kinds: Sequence[Value]) -> Namespace:
    """What a NAMESPACE response says: the three lists of namespaces.

    :raises ProtocolError: it is something else.
    """
    if len(kinds) != len(KINDS):
        raise ProtocolError("the server's NAMESPACE answer is unreadable")
    spaces = [Space(kind, *one) for kind, listed in zip(KINDS, kinds, strict=True) for one in _namespaces(listed)]
    personal = [space for space in spaces if space.kind == PERSONAL]
    main = next((one for one in personal if _holds_inbox(one)), personal[0] if personal else Space(PERSONAL, b"", b"/"))
    return Namespace(main.prefix, main.separator, tuple(space for space in spaces if space is not main))


def _holds_inbox(space: Space) -> bool:
    return not space.prefix or space.prefix.upper() == b"INBOX" + space.separator


def _namespaces(kind: Value) -> list[tuple[bytes, bytes]]:
    return [
        (one[0], one[1] if isinstance(one[1], bytes) else b"")
        for one in (kind if isinstance(kind, list) else [])
        if isinstance(one, list) and len(one) >= 2 and isinstance(one[0], bytes)
    ]
