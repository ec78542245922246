# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Folder names: how the two sides write them, and which source folder becomes which target folder.

On the wire a name is bytes: modified UTF-7 (RFC 3501 section 5.1.3), with the server's separator between the levels
and its personal namespace's prefix before them (RFC 2342). Between the two sides a folder is its *path*: the levels as
the wire has them, without the prefix. People see and write paths as Unicode text with ``/`` between the levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..errors import InputError, MigrationError, MissingLibraryError

#: The levels of a folder's name, as bytes of the wire.
Path: TypeAlias = tuple[bytes, ...]

INBOX: Path = (b"INBOX",)


@dataclass(frozen=True)
class Namespace:
    """A server's personal namespace; ``foreign`` are the prefixes of other users' and shared namespaces."""

    prefix: bytes = b""
    separator: bytes = b"/"
    foreign: tuple[bytes, ...] = ()

    def owns(self, name: bytes) -> bool:
        """Whether a folder belongs to the user, not to another user's or a shared namespace."""
        bare = self.separator
        return not any(name == prefix.rstrip(bare) or name.startswith(prefix) for prefix in self.foreign if prefix)

    def path(self, name: bytes) -> Path:
        """The path of a name as the server writes it; INBOX in any case is ``INBOX`` (RFC 3501 section 5.1)."""
        if name.upper() == b"INBOX":
            return INBOX
        if self.prefix and name.startswith(self.prefix):
            name = name[len(self.prefix) :]
        levels = tuple(name.split(self.separator)) if self.separator else (name,)
        return (b"INBOX", *levels[1:]) if len(levels) > 1 and levels[0].upper() == b"INBOX" else levels

    def name(self, path: Path) -> bytes:
        """The name the server writes for a path; a level must not hold the separator (see :func:`fit`)."""
        if path == INBOX:
            return b"INBOX"
        joined = self.separator.join(path)
        if path[0] == b"INBOX" and self.prefix.upper() == b"INBOX" + self.separator:
            return joined
        return self.prefix + joined


@dataclass(frozen=True)
class FolderRules:
    """What the operator wants: ``exclude`` are paths with ``*`` and ``%`` as in IMAP's LIST, ``rename`` old to new."""

    exclude: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    subscribe: bool = True

    @classmethod
    def from_options(cls, options: Mapping[str, object] | None) -> FolderRules:
        """The rules from the module's ``folders`` option."""
        given = options or {}
        exclude = given.get("exclude") or ()
        rename = given.get("rename") or {}
        if not isinstance(exclude, Sequence) or not isinstance(rename, Mapping):
            raise InputError("folders.exclude is a list and folders.rename a dictionary", option="folders")
        subscribe = given.get("subscribe")
        return cls(
            tuple(str(one) for one in exclude),
            {str(old).strip("/"): str(new).strip("/") for old, new in rename.items()},
            subscribe is None or bool(subscribe),
        )

    def excludes(self, path: Path) -> bool:
        """Whether a folder is left out; a folder below an excluded one is left out too."""
        shown = show(path)
        return any(_pattern(one).match(shown) for one in self.exclude)

    def renamed(self, path: Path) -> Path:
        """The path after ``rename``; folders below a renamed one move with it, the longest rule wins."""
        shown = show(path)
        for old in sorted(self.rename, key=len, reverse=True):
            if shown == old or shown.startswith(old + "/"):
                return unshow(self.rename[old]) + path[old.count("/") + 1 :]
        return path


def _pattern(text: str) -> re.Pattern[str]:
    parts = {"*": ".*", "%": "[^/]*"}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in text.strip("/")) + r"(/.*)?\Z", re.DOTALL)


def map_folders(paths: Iterable[Path], target: Namespace, rules: FolderRules) -> dict[Path, Path]:
    """Which source path becomes which target path; one to one.

    :raises InputError: two source folders would become one, or a rename gives an empty name.
    """
    taken: dict[Path, Path] = {}
    mapping: dict[Path, Path] = {}
    for path in sorted(paths, key=lambda one: (len(one), one)):
        if rules.excludes(path):
            continue
        new = fit(rules.renamed(path), target)
        if not all(new):
            raise InputError(f"the name {show(new)!r} has an empty level", folder=show(path), option="folders.rename")
        if new in taken:
            raise InputError(
                f"this folder and {show(taken[new])!r} would both become {show(new)!r} on the target",
                folder=show(path),
                option="folders.rename",
                safe_next="Give one of the two another name in folders.rename; nothing has been changed.",
            )
        taken[new] = path
        mapping[path] = new
    return mapping


def fit(path: Path, target: Namespace) -> Path:
    """A path whose levels can be written with the target's separator: where a level holds it, ``_`` stands instead."""
    if not target.separator or not any(target.separator in level for level in path):
        return path
    return tuple(level.replace(target.separator, b"_") for level in path)


def packed(path: Path) -> bytes:
    """A path as the ledger keeps it: no level can hold a NUL."""
    return b"\0".join(path)


def unpacked(blob: bytes) -> Path:
    """The path that the ledger keeps."""
    return tuple(blob.split(b"\0"))


def show(path: Path) -> str:
    """A path for people: Unicode, ``/`` between the levels; what is no legal modified UTF-7 is shown as it is."""
    return "/".join(_decode(level) for level in path)


def unshow(text: str) -> Path:
    """The path that people wrote."""
    return tuple(_encode(level) for level in text.split("/"))


def wire_to_text(name: bytes) -> str | None:
    """A name in UTF-8, as administration interfaces want it; None when it is no legal modified UTF-7."""
    decode, encode = _utf7()
    try:
        text = decode(name)
        return text if encode(text) == name else None
    except (ValueError, MigrationError):
        return None


def _decode(level: bytes) -> str:
    text = wire_to_text(level)
    return level.decode("utf-8", "backslashreplace") if text is None else text


def _encode(level: str) -> bytes:
    encoded: bytes = _utf7()[1](level)
    return encoded


def _utf7() -> tuple[Any, Any]:
    try:
        from imapclient import imap_utf7
    except ImportError as error:
        raise MissingLibraryError("the Python library imapclient (3.0 or later) is not installed") from error
    return imap_utf7.decode, imap_utf7.encode
