# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A file with many events or contacts, taken apart into objects as CalDAV and CardDAV have them. Pure.

A calendar object has the components of one UID and the time zones that they name (RFC 4791, section 4.1); an object of
an address book is one vCard (RFC 6352, section 5.1). What is in them stays as it is, but for the charset; what is about
the file alone (its METHOD, name and color) stays behind. vCard 2.1, which is nothing for CardDAV, comes as 3.0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..content_lines import folded, value_of
from ..identity import raw_digest, uid_of
from ..model import Finding
from ..vcard21 import is_old, modern
from .lines import Line, in_utf8, lines_of

_CALENDAR, _CARD, _ZONE = b"VCALENDAR", b"VCARD", b"VTIMEZONE"
#: Properties of a file that are not an object's (RFC 4791, section 4.1; RFC 7986; what Apple and others write).
_OF_FILE = re.compile(
    rb"METHOD|NAME|COLOR|DESCRIPTION|UID|LAST-MODIFIED|URL|REFRESH-INTERVAL|SOURCE|IMAGE|CATEGORIES|X-WR-.*|"
    rb"X-APPLE-CALENDAR-COLOR|X-PUBLISHED-TTL|X-FROM-URL|X-CALSTART|X-CALEND|X-PRIMARY-CALENDAR|X-OWNER"
)
_TZID = re.compile(rb';TZID=(?:"([^"]+)"|([^;:,"]+))', re.IGNORECASE)
#: So many bytes of a file are looked at for its name.
_HEAD = 1 << 16
_COLOR = re.compile(r"#[0-9a-f]{6}(?:[0-9a-f]{2})?", re.IGNORECASE)


class SplitError(ValueError):
    """The file is no such file, or only a part of one; the text names the line."""


@dataclass(frozen=True)
class Piece:
    """An object: its text, where it begins in the file, what there is to say of it."""

    data: bytes = field(repr=False)
    line: int
    uid: bytes | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Split:
    """What a file has."""

    pieces: tuple[Piece, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Described:
    """What a file says of itself; None where it says nothing."""

    name: str | None = None
    description: str | None = None
    color: str | None = None


@dataclass(frozen=True)
class _Part:
    """A component: its kind, its lines with BEGIN and END."""

    kind: bytes
    lines: tuple[Line, ...]

    @property
    def number(self) -> int:
        return self.lines[0].number

    def value(self, name: bytes) -> bytes | None:
        """The value of a property of its own, not of what is in it."""
        depth = 0
        for line in self.lines:
            depth += (line.name == b"BEGIN") - (line.name == b"END")
            if depth == 1 and line.name == name:
                return value_of(line.data).strip()
        return None


@dataclass
class _Said:
    """Findings about a file, as they come; lines in another charset are counted."""

    findings: list[Finding] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)

    def left_out(self, line: Line, why: str) -> None:
        self.findings.append(Finding("file_line", f"line {line.number}: {why}", "error"))

    def utf8(self, line: Line) -> bytes:
        data, was = in_utf8(line.data)
        if not was:
            self.foreign.append(line.number)
        return data

    def all(self) -> tuple[Finding, ...]:
        if not self.foreign:
            return tuple(self.findings)
        message = (
            f"{len(self.foreign)} lines are not UTF-8, the first is line {min(self.foreign)}: read as Windows-1252"
        )
        return (*self.findings, Finding("file_charset", message, "warning"))


def split_calendar(content: bytes) -> Split:
    """The objects of an ``.ics`` file, which may have several calendars in it.

    Raises SplitError when there is no calendar in it, or its end is missing.
    """
    said = _Said()
    pieces: list[Piece] = []
    for calendar in _parts(lines_of(content), _CALENDAR, said):
        own, parts = _inside(calendar, said)
        pieces += _objects(own, parts, said)
    return Split(tuple(_without_copies(pieces, said)), said.all())


def described(content: bytes) -> Described:
    """What an ``.ics`` file says of itself before its first component."""
    values: dict[str, str] = {}
    for line in lines_of(content[:_HEAD]):
        if line.name == b"BEGIN" and _what(line) != _CALENDAR:
            break
        values.setdefault(_name(line.data), value_of(in_utf8(line.data)[0]).decode("utf-8", "replace").strip())
    color = values.get("X-APPLE-CALENDAR-COLOR", values.get("COLOR", ""))
    return Described(
        _unescaped(values.get("X-WR-CALNAME") or values.get("NAME")),
        _unescaped(values.get("X-WR-CALDESC") or values.get("DESCRIPTION")),
        color if _COLOR.fullmatch(color) else None,
    )


def split_cards(content: bytes) -> Split:
    """The contacts of a ``.vcf`` file. Raises SplitError when there is none in it, or the end of one is missing."""
    said = _Said()
    pieces = []
    for card in _parts(lines_of(content), _CARD, said):
        raw = [line.data for line in card.lines]
        findings: tuple[Finding, ...] = ()
        if is_old(b"\n".join(raw)):
            # its own charsets are understood there; what is in none is Latin-1
            lines = modern(raw)
            findings = (Finding("card_version", f"line {card.number}: a vCard of version 2.1 comes as 3.0", "note"),)
        else:
            lines = [said.utf8(line) for line in card.lines]
        data = folded(lines)
        pieces.append(Piece(data, card.number, uid_of(data), findings))
    return Split(tuple(_without_copies(pieces, said)), said.all())


def _parts(lines: Iterable[Line], kind: bytes, said: _Said) -> Iterator[_Part]:
    """The outermost components of a kind; anything else is told."""
    held: list[Line] = []
    path: list[bytes] = []
    found = False
    for line in lines:
        if line.name == b"BEGIN":
            path.append(_what(line))
            if len(path) == 1 and path[0] != kind:
                raise SplitError(f"line {line.number}: {_shown(path[0])} begins there, not {kind.decode()}")
        elif not path:
            said.left_out(line, "it belongs to nothing, and is left out")
            continue
        held.append(line)
        if line.name == b"END":
            _close(path, line)
            if not path:
                found = True
                yield _Part(kind, tuple(held))
                held = []
    if path:
        begun = held[0].number
        raise SplitError(f"the file ends in the middle of the {kind.decode()} that begins in line {begun}")
    if not found:
        raise SplitError(f"there is no {kind.decode()} in the file")


def _close(path: list[bytes], line: Line) -> None:
    if _what(line) != path[-1]:
        raise SplitError(f"line {line.number}: {_shown(_what(line))} ends there, but {_shown(path[-1])} is open")
    path.pop()


def _inside(calendar: _Part, said: _Said) -> tuple[list[Line], list[_Part]]:
    """A calendar's own properties, and the components in it."""
    own: list[Line] = []
    parts: list[_Part] = []
    held: list[Line] = []
    depth = 0
    for line in calendar.lines[1:-1]:
        depth += line.name == b"BEGIN"
        if depth:
            held.append(line)
        elif line.name:
            own.append(line)
        else:
            said.left_out(line, "it is no property, and is left out")
        if line.name == b"END":
            depth -= 1
            if not depth:
                parts.append(_Part(_what(held[0]), tuple(held)))
                held = []
    return own, parts


def _objects(own: Sequence[Line], parts: Sequence[_Part], said: _Said) -> Iterator[Piece]:
    header = [said.utf8(line) for line in own if not _OF_FILE.fullmatch(line.name)]
    zones = {part.value(b"TZID") or b"": part for part in parts if part.kind == _ZONE}
    groups: dict[object, list[_Part]] = {}
    for part in parts:
        if part.kind == _ZONE:
            continue
        uid = part.value(b"UID")
        key: object = (part.kind, uid) if uid else part.number
        if uid and any(_stands_for(part) == _stands_for(other) for other in groups.get(key, ())):
            # two that can't be in one object: each is one, and who reads them decides
            key = part.number
        groups.setdefault(key, []).append(part)
    for together in groups.values():
        inner = [said.utf8(line) for part in together for line in part.lines]
        named = {match[1] or match[2] for line in inner for match in _TZID.finditer(line.partition(b":")[0])}
        outer = [said.utf8(line) for tzid in sorted(named & zones.keys()) for line in zones[tzid].lines]
        data = folded([b"BEGIN:VCALENDAR", *header, *outer, *inner, b"END:VCALENDAR"])
        yield Piece(data, together[0].number, uid_of(data))


def _stands_for(part: _Part) -> bytes:
    return part.value(b"RECURRENCE-ID") or b""


def _without_copies(pieces: Sequence[Piece], said: _Said) -> Iterator[Piece]:
    """The pieces, each once where several are the same to the last byte."""
    seen: Counter[bytes] = Counter()
    for piece in pieces:
        digest = raw_digest(piece.data)
        seen[digest] += 1
        if seen[digest] == 1:
            yield piece
    copies = sum(seen.values()) - len(seen)
    if copies:
        message = f"{copies} objects stand in the file more than once, and are the same: each comes once"
        said.findings.append(Finding("file_copies", message, "note"))


def _what(line: Line) -> bytes:
    return value_of(line.data).strip().upper()


def _name(line: bytes) -> str:
    return line.partition(b":")[0].partition(b";")[0].decode("ascii", "replace").strip().upper()


def _shown(what: bytes) -> str:
    return ascii(what[:40].decode("utf-8", "replace"))[1:-1] or "nothing"


def _unescaped(value: str | None) -> str | None:
    """A text as people write it (RFC 5545, section 3.3.11)."""
    if not value:
        return None
    return re.sub(r"\\([\\;,nN])", lambda match: "\n" if match[1] in "nN" else match[1], value)
