# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A bundle's files on the load balancer: the one that is served, the one before it, and the one that was taken back.

All have mode 0600 and are put in place at once. A first line says whose they are and for which names, so that going
back brings the names of that time, too, and nobody else's file is ever taken for ours. Names of the latter two begin
with a dot: HAProxy leaves such files out where it reads a whole folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import InputError
from ...private_file import write_private

_HEAD = b"# atmail.migration "
_SAFE_PATH = re.compile(r"/[^\s\x00-\x1f\x7f#\[\]!:*\"'\\;<]*")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Kept:
    """What a file of ours holds."""

    customer: str
    names: tuple[str, ...]
    content: bytes = field(repr=False)

    def text(self) -> bytes:
        """The whole file."""
        head = json.dumps({"customer": self.customer, "names": list(self.names)}, ensure_ascii=True)
        return _HEAD + head.encode("ascii") + b"\n" + self.content


@dataclass(frozen=True)
class Place:
    """Where a bundle's files are."""

    directory: Path
    name: str

    @property
    def current(self) -> Path:
        """The file that HAProxy reads."""
        return self.directory / f"{self.name}.pem"

    @property
    def previous(self) -> Path:
        """The one before it."""
        return self.directory / f".{self.name}.pem.previous"

    @property
    def undone(self) -> Path:
        """The one that was taken back."""
        return self.directory / f".{self.name}.pem.undone"

    @property
    def all(self) -> tuple[Path, Path, Path]:
        """All three."""
        return self.current, self.previous, self.undone


def checked_path(text: str, option: str) -> str:
    """A path that HAProxy's commands and lists can hold. Raises InputError."""
    if not _SAFE_PATH.fullmatch(text):
        said = f"{text!r} is no absolute path without blanks and other characters that HAProxy takes for its own"
        raise InputError(said, option=option)
    return text


def checked_name(text: str) -> str:
    """A name for files. Raises InputError."""
    if not _SAFE_NAME.fullmatch(text) or ".pem" in text:
        raise InputError(f"{text!r} is no name for a file: letters, digits, dots, - and _, no .pem", option="name")
    return text


def read(path: Path) -> Kept | None:
    """What a file holds; None when there is none. Raises InputError for one that is not ours or can't be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}", option="balancer.directory") from error
    head, _end, content = data.partition(b"\n")
    try:
        if not head.startswith(_HEAD):
            raise ValueError("no head")
        said = json.loads(head.removeprefix(_HEAD))
        return Kept(str(said["customer"]), tuple(str(name) for name in said["names"]), content)
    except (ValueError, KeyError, TypeError) as error:
        step = "Choose another name, or move the file away if nobody needs it; nothing has been changed."
        raise InputError(f"{path} is there and is not ours", option="name", safe_next=step) from error


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One at a time: HAProxy has one transaction for all certificates."""
    try:
        handle = os.open(directory / ".atmail-migration.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"{directory} can't be written: {error.strerror}", option="balancer.directory") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def remove_remains(place: Place) -> None:
    """Remove what a run that was killed has left: half-written files with a key in them."""
    kept = {path.name for path in place.all}
    for path in [*place.directory.glob(f".{place.name}.pem.*"), *place.directory.glob(f"..{place.name}.pem.*")]:
        if path.name not in kept:
            path.unlink(missing_ok=True)


def put(place: Place, new: Kept) -> None:
    """Put a new file in place; the one that was there is the previous one."""
    _set_aside(place.current, place.previous)
    write_private(place.current, new.text(), option="balancer.directory")
    place.undone.unlink(missing_ok=True)


def put_back(place: Place) -> None:
    """Put the previous file in place; the one that was there is the one taken back."""
    _set_aside(place.current, place.undone)
    place.previous.replace(place.current)


def restore(before: Sequence[tuple[Path, bytes | None]]) -> None:
    """Put files back to what they were."""
    for path, content in before:
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_private(path, content, option="balancer.directory")


def contents(place: Place) -> list[tuple[Path, bytes | None]]:
    """What all three hold, for :func:`restore`."""
    found: list[tuple[Path, bytes | None]] = []
    for path in place.all:
        content = None
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()
        found.append((path, content))
    return found


def remove(place: Place) -> None:
    """Remove all three, and with them the keys."""
    for path in place.all:
        path.unlink(missing_ok=True)


def _set_aside(path: Path, other: Path) -> None:
    """Give a file a second name, in place of what had that name."""
    if not path.exists():
        return
    half = path.with_name(f".{path.name}.aside")
    half.unlink(missing_ok=True)
    os.link(path, half)
    half.replace(other)
    # Where a killed run has come as far before, both are one file, and rename(2) then does nothing.
    half.unlink(missing_ok=True)
