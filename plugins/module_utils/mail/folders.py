# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
r"""Folder names as people see and write them, and what the operator wants of folders.

On the wire a name is bytes (see :mod:`.utf7` and :mod:`.namespaces`). Between the two sides a folder is its *path*: the
levels as the wire has them, without the prefix. People see and write paths as Unicode text with ``/`` between the
levels. Within a level ``\/`` is a slash, ``\\`` a backslash, and ``\x26`` a byte that is no legal modified UTF-7; a
backslash before anything else is only that.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..errors import InputError
from . import utf7

#: The levels of a folder's name, as bytes of the wire.
Path: TypeAlias = tuple[bytes, ...]

INBOX: Path = (b"INBOX",)

KEEP, MAP = "keep", "map"
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([\\/]))")
#: A backslash that would be read as the beginning of something else.
_AMBIGUOUS = re.compile(r"\\(?=[\\/x]|\Z)")
_SLASHES = re.compile(r"\\[\\/]|/")


@dataclass(frozen=True)
class FolderRules:
    """What the operator wants: ``exclude`` are paths with ``*`` and ``%`` as in IMAP's LIST, ``rename`` old to new.

    ``namespaces`` are the kinds of namespaces to copy from; ``special_use`` is ``keep`` (folders keep their names) or
    ``map`` (Sent, Trash and their like go to the target's folders of the same use).
    """

    exclude: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    subscribe: bool = True
    namespaces: tuple[str, ...] = ("personal",)
    special_use: str = KEEP

    @classmethod
    def from_options(cls, options: Mapping[str, object] | None) -> FolderRules:
        """The rules from the module's ``folders`` option.

        :raises InputError: a value of the wrong kind, or a new name with an empty level.
        """
        given = options or {}
        exclude = given.get("exclude") or ()
        rename = given.get("rename") or {}
        namespaces = given.get("namespaces") or ("personal",)
        if not isinstance(exclude, Sequence) or not isinstance(rename, Mapping) or not isinstance(namespaces, Sequence):
            raise InputError(
                "folders.exclude and folders.namespaces are lists and folders.rename a dictionary", option="folders"
            )
        subscribe = given.get("subscribe")
        return cls(
            exclude=tuple(str(one) for one in exclude),
            rename={_bare(str(old)): _new_name(str(old), str(new)) for old, new in rename.items()},
            subscribe=subscribe is None or bool(subscribe),
            namespaces=tuple(str(one) for one in namespaces),
            special_use=str(given.get("special_use") or KEEP),
        )

    def excludes(self, path: Path) -> bool:
        """Whether a folder is left out; a folder below an excluded one is left out too."""
        if not self.exclude:
            return False
        shown = show(path)
        return any(_pattern(one).match(shown) for one in self.exclude)

    def rule(self, path: Path) -> str | None:
        """The entry of ``rename`` that holds for a folder: its own, or else that of the nearest folder above it."""
        if not self.rename:
            return None
        levels = tuple(show_level(level) for level in path)
        known = self._known
        return next((known[levels[:n]] for n in range(len(levels), 0, -1) if levels[:n] in known), None)

    @functools.cached_property
    def _known(self) -> dict[tuple[str, ...], str]:
        """The old names by their levels as they are shown."""
        return {_canonical(old): old for old in self.rename}

    def renamed(self, path: Path) -> Path:
        """The path after ``rename``; folders below a renamed one move with it, the longest rule wins."""
        old = self.rule(path)
        return path if old is None else unshow(self.rename[old]) + path[len(_canonical(old)) :]


def _bare(text: str) -> str:
    """A path that people wrote, without slashes around it (one that is escaped is part of the name)."""
    parts = _split(text)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    while len(parts) > 1 and not parts[0]:
        parts.pop(0)
    return "/".join(parts)


def _new_name(old: str, new: str) -> str:
    bare = _bare(new)
    if not all(_split(bare)):
        raise InputError(f"the new name {new!r} of {old!r} has an empty level", option="folders.rename")
    try:
        unshow(bare)
    except UnicodeEncodeError as error:
        raise InputError(f"the new name {new!r} of {old!r} is no text", option="folders.rename") from error
    return bare


def _canonical(text: str) -> tuple[str, ...]:
    return tuple(show_level(level) for level in unshow(text))


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = {"*": ".*", "%": r"(?:\\/|[^/])*"}
    bare = _bare(text)
    bare = "INBOX" + bare[5:] if bare.partition("/")[0].upper() == "INBOX" else bare
    return re.compile("".join(parts.get(char, re.escape(char)) for char in bare) + r"(/.*)?\Z", re.DOTALL)


def packed(path: Path) -> bytes:
    """A path as the ledger keeps it: no level can hold a NUL."""
    return b"\0".join(path)


def unpacked(blob: bytes) -> Path:
    """The path that the ledger keeps."""
    return tuple(blob.split(b"\0"))


def show(path: Path) -> str:
    """A path for people; every path has a text of its own, but for levels in raw UTF-8, which are shown as that."""
    return "/".join(show_level(level) for level in path)


def show_level(level: bytes) -> str:
    """One level of a path for people."""
    text = as_text(level)
    if text is not None:
        return _AMBIGUOUS.sub(r"\\\\", text).replace("/", "\\/")
    escaped = "".join(chr(byte) if 0x20 <= byte <= 0x7E and byte not in b"&\\" else f"\\x{byte:02x}" for byte in level)
    return escaped.replace("/", "\\/")


def as_text(level: bytes) -> str | None:
    """What a level stands for: modified UTF-7, or else UTF-8 as some servers have it; None when it is neither.

    With an eight-bit character in it ``&`` begins no base64: a name that was not encoded is as it was typed.
    """
    text = utf7.decode(level)
    if text is not None or level.isascii():
        return text
    try:
        return level.decode("utf-8")
    except UnicodeDecodeError:
        return None


def unshow(text: str) -> Path:
    """The path that people wrote; INBOX in any case is ``INBOX``."""
    path = tuple(_level(part) for part in _split(text))
    return (b"INBOX", *path[1:]) if path[0].upper() == b"INBOX" else path


def _split(text: str) -> list[str]:
    """The levels of what people wrote, escapes and all."""
    parts: list[str] = []
    begin = 0
    for match in _SLASHES.finditer(text):
        if match[0] == "/":
            parts.append(text[begin : match.start()])
            begin = match.end()
    return [*parts, text[begin:]]


def _level(text: str) -> bytes:
    r"""A level from what people wrote: with a ``\x26`` in it, it is bytes that are no legal modified UTF-7."""
    raw = False

    def plain(match: re.Match[str]) -> str:
        nonlocal raw
        raw = raw or match[1] is not None
        return chr(int(match[1], 16)) if match[1] else match[2]

    written = _ESCAPED.sub(plain, text)
    return written.encode("latin-1", "replace") if raw else utf7.encode(written)


def wire_to_text(name: bytes) -> str | None:
    """A name in UTF-8, as administration interfaces want it; None when it is no legal modified UTF-7."""
    return utf7.decode(name)
