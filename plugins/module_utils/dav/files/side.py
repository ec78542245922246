# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A folder with the files of one account as a source: ``<path>/<account>/*.ics``, ``*.vcf``.

Each file is a calendar or an address book. A folder in it is one, too: the files in it have one object each, as
vdirsyncer and Radicale keep them.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...addresses import canonical_address
from ...errors import CollectionError, InputError
from ...platforms.texts import shown
from ..identity import ENDINGS, is_plain, made_name
from ..model import Changes, Collection, Finding, Item, Kind, Level, Properties, Survey
from ..sides import Source
from .splitting import Described, Piece, Split, SplitError, described, split_calendar, split_cards

__all__ = ["FilesSource", "open_files"]

_KINDS = {".ics": Kind.CALENDAR, ".ical": Kind.CALENDAR, ".vcf": Kind.ADDRESS_BOOK, ".vcard": Kind.ADDRESS_BOOK}
_SPLIT = {Kind.CALENDAR: split_calendar, Kind.ADDRESS_BOOK: split_cards}


def open_files(path: Path, account: str) -> Source:
    """The account's files as a source. Raises InputError when the folder is none, or the account has no folder name."""
    if not path.is_dir():
        raise InputError(f"{path} is not a folder", option="source.path")
    if not account.strip() or account in (".", "..") or "/" in account or "\0" in account:
        raise InputError(f"no folder can be called {shown(account)!r}", option="accounts")
    return FilesSource(path, account)


@dataclass(frozen=True)
class _Held:
    """A collection with the files that it is made of, as they were read."""

    collection: Collection
    files: tuple[Path, ...]
    one_each: bool = False


@dataclass(frozen=True)
class _Objects:
    """What is in a collection, by name, with its version."""

    pieces: dict[str, tuple[str, Piece]]
    findings: tuple[Finding, ...]


class FilesSource:
    """See :class:`..sides.Source`. Files are read by the survey, and again when their objects are asked for."""

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        self._account = account
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._objects: dict[str, tuple[str, _Objects]] = {}

    def survey(self) -> Survey:
        """The files and folders, sorted by name."""
        findings: list[Finding] = []
        folder = self._folder()
        held: list[_Held] = []
        if folder is None:
            message = f"there is no folder of {shown(self._account)}: nothing is read"
            findings.append(Finding("account_without_files", message, "warning"))
        for entry in sorted(folder.iterdir(), key=lambda each: each.name) if folder else ():
            found = self._entry(entry, findings, {each.collection.slug for each in held})
            if found is not None:
                held.append(found)
        with self._lock:
            self._held = {each.collection.key: each for each in held}
        return Survey(tuple(each.collection for each in held), tuple(findings))

    def changes(self, collection: Collection, since: str | None = None) -> Changes:
        """Nothing, where the survey has found the state that is asked for; else everything that there is.

        Raises CollectionError for a file that can't be read, is no such file, or is only a part of one.
        """
        if since is not None and since == collection.state:
            return Changes({}, whole=False, state=since)
        state, objects = self._read(collection)
        versions = {name: version for name, (version, _piece) in objects.pieces.items()}
        return Changes(versions, whole=True, state=state, findings=objects.findings)

    def read(self, collection: Collection, names: Sequence[str]) -> Iterator[Item]:
        """The objects of these names."""
        with self._lock:
            kept = self._objects.get(collection.key)
        _state, objects = kept or self._read(collection)
        for name in names:
            if name in objects.pieces:
                version, piece = objects.pieces[name]
                yield Item(name, version, piece.data, piece.findings)

    def close(self) -> None:
        """Forget what was read."""
        with self._lock:
            self._objects = {}

    def _folder(self) -> Path | None:
        """The account's folder: of this name, else one that is the same address."""
        exact = self._path / self._account
        if exact.is_dir():
            return exact
        wanted = canonical_address(self._account)
        same = [each for each in self._path.iterdir() if each.is_dir() and canonical_address(each.name) == wanted]
        if len(same) > 1:
            names = ", ".join(sorted(each.name for each in same))
            raise InputError(f"the folders {shown(names)} are all {shown(wanted)}'s", option="source.path")
        return same[0] if same else None

    def _entry(self, entry: Path, findings: list[Finding], taken: set[str]) -> _Held | None:
        if entry.name.startswith("."):
            return None
        inner = _objects_in(entry) if entry.is_dir() else (entry,)
        kinds = {_KINDS[each.suffix.lower()] for each in inner if each.suffix.lower() in _KINDS}
        if len(kinds) != 1:
            why = "it has both calendars and contacts" if kinds else "it is no calendar and no address book"
            level: Level = "error" if kinds else "warning"
            findings.append(Finding("file_ignored", f"{shown(entry.name)} is not read: {why}", level))
            return None
        kind = kinds.pop()
        slug = entry.name if entry.is_dir() else entry.stem
        slug = slug if slug not in taken else entry.name
        properties, state = self._looked(entry, inner, kind)
        return _Held(Collection(kind, entry.name, slug, properties, state), inner, entry.is_dir())

    def _looked(self, entry: Path, inner: Sequence[Path], kind: Kind) -> tuple[Properties, str | None]:
        """What it says of itself, and its state; a file that can't be read says so when its objects are asked for."""
        name = entry.name if entry.is_dir() else entry.stem
        try:
            if entry.is_dir():
                state = _state([each.read_bytes() for each in inner], inner)
                color = _first_line(entry / "color") if kind is Kind.CALENDAR else None
                return Properties(name=_first_line(entry / "displayname") or name, color=color), state
            content = entry.read_bytes()
        except OSError:
            return Properties(name=name), None
        said = described(content) if kind is Kind.CALENDAR else Described()
        return Properties(said.name or name, said.description, said.color), _state([content], inner)

    def _read(self, collection: Collection) -> tuple[str, _Objects]:
        with self._lock:
            held = self._held.get(collection.key)
        if held is None:
            raise CollectionError("the files have no such calendar or address book", collection=collection.key)
        contents: list[bytes] = []
        splits: list[tuple[Path, Split]] = []
        for file in held.files:
            try:
                contents.append(file.read_bytes())
                splits.append((file, _SPLIT[collection.kind](contents[-1])))
            except OSError as error:
                raise CollectionError(f"it can't be read: {error.strerror}", file=str(file)) from error
            except SplitError as error:
                raise CollectionError(str(error), file=str(file)) from error
        found = _state(contents, held.files), _named(collection, splits, one_each=held.one_each)
        with self._lock:
            self._objects[collection.key] = found
        return found


def _objects_in(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that have objects in them, sorted by name."""
    try:
        inner = [each for each in folder.iterdir() if each.suffix.lower() in _KINDS and not each.name.startswith(".")]
    except OSError as error:
        raise CollectionError(f"the folder can't be read: {error.strerror}", file=str(folder)) from error
    return tuple(sorted((each for each in inner if each.is_file()), key=lambda each: each.name))


def _named(collection: Collection, splits: Sequence[tuple[Path, Split]], *, one_each: bool) -> _Objects:
    """The objects with their names: the file's where it has one object, else made of the UID, else of the text."""
    pieces: dict[str, tuple[str, Piece]] = {}
    findings: list[Finding] = []
    for file, split in splits:
        about = f"{file.name}, " if one_each else ""
        findings += (
            Finding(said.kind, f"{about}{said.message}", said.level, collection.key) for said in split.findings
        )
        for piece in split.pieces:
            version = hashlib.sha256(piece.data).hexdigest()[:32]
            name = file.name if one_each and len(split.pieces) == 1 else _name(collection.kind, piece, version)
            if name in pieces:
                other = pieces[name][1].line
                name = made_name(f"{name}\0{version}", collection.kind)
                message = f"{about}line {piece.line}: it has the UID of line {other}, but is not the same"
                findings.append(Finding("uid_twice", message, "warning", collection.key, name))
            said = (replace(each, collection=collection.key, name=name) for each in piece.findings)
            pieces[name] = (version, replace(piece, findings=tuple(said)))
    return _Objects(pieces, tuple(findings))


def _name(kind: Kind, piece: Piece, version: str) -> str:
    if piece.uid is None:
        return made_name(version, kind)
    uid = piece.uid.decode("utf-8", "replace")
    name = f"{uid}{ENDINGS[kind]}"
    return name if is_plain(name) else made_name(uid, kind)


def _state(contents: Sequence[bytes], files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for content, file in zip(contents, files, strict=True):
        digest.update(file.name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()[:32]


def _first_line(file: Path) -> str | None:
    """A property of a folder, as vdirsyncer writes it into a file of its own."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip().partition("\n")[0].strip() or None
    except OSError:
        return None
