# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The file that keeps original passwords while a source has generated ones: the only other place where they are.

JSON, so that anybody can read whose it is, how many accounts are swapped and since when; the passwords themselves are
one Ansible Vault text in it. It is written as a whole, on disk before it counts, and locked while a run works with it.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import secrets
from .errors import EscrowBusyError, EscrowError, EscrowForeignError, InputError, SnapshotError

FORMAT = "atmail.migration/escrow"
VERSION = 1


@dataclass(frozen=True)
class Cell:
    """A stored value that is swapped: ``column`` by the profile's key, the bytes that were there (None for NULL), and
    the bytes that the escrow puts there.
    """

    column: str
    original: bytes | None = field(repr=False)
    stored: bytes = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """An account: its name in bytes, the generated password, its cells (the password's own first), since when (UTC).

    An open one may have its generated password on the source; a closed one is proved not to, and kept all the same: a
    source that is restored from a backup may hold generated passwords again.
    """

    account: bytes
    generated: str = field(repr=False)
    cells: tuple[Cell, ...]
    since: str
    open: bool = True

    @property
    def name(self) -> str:
        """The account for people."""
        return self.account.decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Book:
    """All that one escrow file holds. ``source`` is where the source's database is, in words."""

    customer: str
    source: str
    profile: str
    entries: tuple[Entry, ...] = ()

    @property
    def open_entries(self) -> tuple[Entry, ...]:
        """The accounts whose originals are not proved to be back."""
        return tuple(entry for entry in self.entries if entry.open)


@dataclass(frozen=True)
class State:
    """What can be seen of an escrow without its vault password; ``since`` is empty when nothing is open."""

    customer: str
    source: str
    accounts: int
    since: str


def state(path: Path) -> State | None:
    """How an escrow stands, None when there is no file. Raises EscrowError for a file that is not ours."""
    text = read(path)
    return None if text is None else state_of(text, str(path))


def state_of(text: str, name: str) -> State:
    """The same of the text of a file that is called ``name``."""
    found = _document(text, name)
    return State(found["customer"], found["source"], found["open_accounts"], found["open_since"] or "")


def is_escrow(text: str) -> bool:
    """Does a text look like an escrow file's?"""
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("format") == FORMAT


def read(path: Path) -> str | None:
    """The file's text, None when there is none. Raises EscrowError when it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise EscrowError("it is not an escrow file: it is not text", escrow=str(path)) from None
    except OSError as error:
        raise EscrowError(f"it cannot be read: {error.strerror}", escrow=str(path)) from error


def parse(text: str, password: str, name: str) -> Book:
    """The whole of a file's text. Raises EscrowError for all that is not a whole escrow of this version."""
    document = _document(text, name)
    try:
        plain = secrets.decrypt(document["secrets"], password)
    except SnapshotError as error:
        raise EscrowError(error.message, escrow=name) from error
    try:
        entries = tuple(_entry(one) for one in json.loads(plain))
    except (KeyError, TypeError, ValueError):
        # The error's text may quote a secret.
        raise EscrowError("the escrow file is damaged", escrow=name) from None
    return Book(document["customer"], document["source"], document["profile"], entries)


def load(path: Path, password: str, customer: str) -> Book | None:
    """The customer's escrow, None when there is no file. Raises EscrowError and EscrowForeignError."""
    text = read(path)
    if text is None:
        return None
    whose = state_of(text, str(path)).customer
    if whose != customer:
        raise EscrowForeignError(f"it is the escrow of the customer {whose}", escrow=str(path))
    return parse(text, password, str(path))


def render(book: Book, password: str, *, random: Callable[[int], bytes], label: str | None = None) -> str:
    """The file's text."""
    open_entries = book.open_entries
    document = {
        "format": FORMAT,
        "version": VERSION,
        "customer": book.customer,
        "source": book.source,
        "profile": book.profile,
        "open_accounts": len(open_entries),
        "open_since": min((entry.since for entry in open_entries), default=None),
        "kept_accounts": len(book.entries) - len(open_entries),
        "secrets": secrets.encrypt(
            json.dumps([_plain(entry) for entry in book.entries], separators=(",", ":")).encode(),
            password,
            random=random,
            label=label,
        ),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def write(path: Path, book: Book, password: str, *, random: Callable[[int], bytes], label: str | None = None) -> None:
    """Put the escrow in its place (0600): when this returns, it is on disk, was read back, and opens to what it should.

    A crash leaves the old file or the new one. To be called by the holder of the file's lock only. Raises EscrowError
    when it can't be written; the old file is then still there.
    """
    path = path.resolve()
    new = path.with_name(f"{path.name}.new")
    text = render(book, password, random=random, label=label)
    try:
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if parse(new.read_text(encoding="utf-8"), password, str(new)) != book:
            raise EscrowError("the disk does not give back what was written to it", escrow=str(path))
        new.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise EscrowError(f"the escrow file cannot be written: {error.strerror}", escrow=str(path)) from error


def remove(path: Path) -> None:
    """Forget an escrow for good. Raises EscrowError when it can't be done."""
    try:
        path.resolve().unlink()
        _sync_folder(path.resolve().parent)
    except OSError as error:
        raise EscrowError(f"the escrow file cannot be removed: {error.strerror}", escrow=str(path)) from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else works with this escrow file meanwhile. A missing folder is made (0700).

    Raises EscrowBusyError when somebody does, InputError when the folder can't be written to.
    """
    try:
        _make_folder(path.parent)
        handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InputError(f"{path} cannot be locked: {error.strerror}", option="escrow") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EscrowBusyError("another run works with this escrow file", escrow=str(path)) from None
        yield
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_KEYS = {"customer": str, "source": str, "profile": str, "open_accounts": int, "secrets": str}


def _document(text: str, name: str) -> dict[str, Any]:
    if not is_escrow(text):
        raise EscrowError("it is not an escrow file of this collection", escrow=name)
    document: dict[str, Any] = json.loads(text)
    version = document.get("version")
    if version != VERSION:
        raise EscrowError(f"it has version {version!r}; this collection reads version {VERSION}", escrow=name)
    for key, kind in _KEYS.items():
        if not isinstance(document.get(key), kind):
            raise EscrowError(f"the escrow file is damaged: {key} is missing", escrow=name)
    if not isinstance(document.get("open_since"), str | None):
        raise EscrowError("the escrow file is damaged: open_since", escrow=name)
    return document


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "account": _b64(entry.account),
        "generated": entry.generated,
        "since": entry.since,
        "open": entry.open,
        "cells": [
            {"column": cell.column, "original": _b64(cell.original), "stored": _b64(cell.stored)}
            for cell in entry.cells
        ],
    }


def _entry(one: Mapping[str, Any]) -> Entry:
    cells = tuple(
        Cell(str(cell["column"]), _bytes(cell["original"]), _some_bytes(cell["stored"])) for cell in one["cells"]
    )
    if not cells or not isinstance(one["open"], bool):
        raise ValueError
    return Entry(_some_bytes(one["account"]), str(one["generated"]), cells, str(one["since"]), one["open"])


def _b64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value, validate=True)


def _some_bytes(value: str | None) -> bytes:
    found = _bytes(value)
    if found is None:
        raise ValueError
    return found


def closed(entry: Entry) -> Entry:
    """The same entry, proved to be back."""
    return replace(entry, open=False)
