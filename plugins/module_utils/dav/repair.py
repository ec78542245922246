# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What may be done to an object that the target refuses, rung by rung, each as little as can be. Pure.

Only what the standards forbid is mended, and only in an object that was refused; its own bytes are kept elsewhere.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import MissingLibraryError
from .content_lines import folded, name_of, unfolded, value_of, walk
from .identity import made_uid, uid_of
from .libraries import icalendar
from .model import Kind
from .vcard21 import is_old, modern

_BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_END = re.compile(rb"\r*\n|\r")
_PRODUCT = b"PRODID:-//atmail.migration//EN"
_STAMPED = (b"VEVENT", b"VTODO", b"VJOURNAL", b"VFREEBUSY")
_ZONE = re.compile(rb';TZID=(?:"([^"]+)"|([^;:,"]+))', re.IGNORECASE)
#: Properties whose value is one text; URL since some servers read it as one.
_TEXTS = frozenset(
    {
        b"SUMMARY",
        b"DESCRIPTION",
        b"LOCATION",
        b"COMMENT",
        b"CONTACT",
        b"NOTE",
        b"FN",
        b"TITLE",
        b"ROLE",
        b"X-ABLABEL",
        b"URL",
    }
)
_SPECIAL = re.compile(rb"\\.|[,;]", re.DOTALL)
_UTC = re.compile(rb"\d{8}T\d{6}Z")


@dataclass(frozen=True)
class Place:
    """Where an object is: what a UID is made of for one that has none."""

    account: str
    collection: str
    name: str

    @property
    def uid(self) -> str:
        """The UID that is made for it."""
        return made_uid(self.account, self.collection, self.name)


@dataclass(frozen=True)
class Rung:
    """An object with everything mended up to here, and what was done, in words."""

    data: bytes
    done: tuple[str, ...]


_NOWHERE = Place("", "", "")


def rungs(data: bytes, kind: Kind, place: Place) -> Iterator[Rung]:
    """The object mended more and more; only steps that change something."""
    done: tuple[str, ...] = ()
    for words, mend in _CALENDAR if kind is Kind.CALENDAR else _CARD:
        mended = mend(data, place)
        if mended != data:
            data, done = mended, (*done, words)
            yield Rung(data, done)


def with_uid(data: bytes, uid: str) -> bytes:
    """The object with another UID in each of its components."""
    return folded(_with_uid(unfolded(data), uid, replace=True))


def strict(data: bytes, kind: Kind) -> bytes:
    """The object with its texts as the standards want them.

    UTF-8, no control bytes, folded between letters, vCard 3.0 at least, commas and semicolons escaped: a reader that
    splits texts at commas (RFC 5545 section 3.3.11, RFC 6350 section 3.4) may lose the rest of one.
    """
    text = _control(_line_ends(_charset(data, _NOWHERE), _NOWHERE), _NOWHERE)
    lines = unfolded(text)
    if kind is Kind.ADDRESS_BOOK and is_old(text):
        lines = modern(lines)
    return folded(_escaped(line) for line in lines)


def _escaped(line: bytes) -> bytes:
    if name_of(line) not in _TEXTS:
        return line
    value = value_of(line)
    return line[: len(line) - len(value)] + _SPECIAL.sub(
        lambda match: match[0] if len(match[0]) > 1 else b"\\" + match[0], value
    )


# the steps


def _charset(data: bytes, _place: Place) -> bytes:
    data = data.removeprefix(_BOM)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-16").encode()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # Windows-1252 leaves five bytes out, which ISO 8859-1 has
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("cp1252").encode()
        return data.decode("latin-1").encode()
    return data


def _line_ends(data: bytes, _place: Place) -> bytes:
    lines = [line for line in _LINE_END.sub(b"\n", data).split(b"\n") if line]
    return b"\r\n".join([*lines, b""])


def _control(data: bytes, _place: Place) -> bytes:
    return _CONTROL.sub(b"", data)


def _broken_lines(data: bytes, _place: Place) -> bytes:
    """A line that is no property is taken for the rest of the one before, whose line break was not written as one."""
    lines: list[bytes] = []
    for line in unfolded(data):
        if lines and not (name_of(line) and b":" in line):
            lines[-1] += b"\\n" + line.replace(b"\\", b"\\\\").replace(b";", b"\\;").replace(b",", b"\\,")
        else:
            lines.append(line)
    return folded(lines) if lines != unfolded(data) else data


def _ends(data: bytes, _place: Place) -> bytes:
    """The END lines that are missing after the last line: the text was cut off."""
    lines = unfolded(data)
    path: tuple[bytes, ...] = ()
    for inner, line in walk(lines):
        path = inner[:-1] if name_of(line) == b"END" else inner
    return folded([*lines, *(b"END:" + part for part in reversed(path))]) if path else data


def _envelope(data: bytes, _place: Place) -> bytes:
    lines = unfolded(data)
    first = value_of(lines[0]).strip().upper() if lines else b""
    if first in (*_STAMPED, b"VTIMEZONE"):
        return folded([b"BEGIN:VCALENDAR", b"VERSION:2.0", _PRODUCT, *lines, b"END:VCALENDAR"])
    return data


def _required(data: bytes, _place: Place) -> bytes:
    """VERSION and PRODID once each (RFC 5545 section 3.6), and no METHOD (RFC 4791 section 4.1)."""
    outer = {name_of(line) for path, line in walk(unfolded(data)) if path == (b"VCALENDAR",)}
    lines: list[bytes] = []
    for path, line in walk(unfolded(data)):
        if path == (b"VCALENDAR",) and name_of(line) == b"METHOD":
            continue
        lines.append(line)
        if path == (b"VCALENDAR",) and name_of(line) == b"BEGIN":
            lines += [] if b"VERSION" in outer else [b"VERSION:2.0"]
            lines += [] if b"PRODID" in outer else [_PRODUCT]
    return folded(lines) if lines != unfolded(data) else data


def _uid(data: bytes, place: Place) -> bytes:
    found = uid_of(data)
    lines = unfolded(data)
    after = _with_uid(lines, found.decode("utf-8", "surrogateescape") if found else place.uid, replace=False)
    return folded(after) if after != lines else data


def _with_uid(lines: list[bytes], uid: str, *, replace: bool) -> list[bytes]:
    """The lines with a UID in every component that should have one; with ``replace`` in place of its own."""
    word = b"UID:" + uid.encode("utf-8", "surrogateescape")
    has: set[int] = set()
    number = -1
    for path, line in walk(lines):
        number += _holds_uid(path) and name_of(line) == b"BEGIN"
        if _holds_uid(path) and name_of(line) == b"UID" and value_of(line).strip():
            has.add(number)
    after: list[bytes] = []
    number = -1
    for path, line in walk(lines):
        mine = _holds_uid(path)
        if mine and name_of(line) == b"UID" and (replace or not value_of(line).strip()):
            continue
        after.append(line)
        if mine and name_of(line) == b"BEGIN":
            number += 1
            after += [word] if replace or number not in has else []
    return after


def _holds_uid(path: tuple[bytes, ...]) -> bool:
    return path == (b"VCARD",) or (len(path) == 2 and path[0] == b"VCALENDAR" and path[1] in _STAMPED)


def _stamp(data: bytes, _place: Place) -> bytes:
    """A DTSTAMP for components without one (RFC 5545 section 3.8.7.2): when they were changed or made, if known."""
    lines = unfolded(data)
    after: list[bytes] = []
    begin, inner = 0, False
    for path, line in walk(lines):
        stamped = len(path) == 2 and path[1] in _STAMPED
        if stamped and name_of(line) == b"BEGIN":
            begin, inner = len(after) + 1, True
        after.append(line)
        if stamped and inner and name_of(line) == b"END":
            _insert_stamp(after, begin)
            inner = False
    return folded(after) if after != lines else data


def _insert_stamp(lines: list[bytes], begin: int) -> None:
    names: dict[bytes, bytes] = {}
    for path, line in walk(lines[begin:-1]):
        if not path:
            names.setdefault(name_of(line), value_of(line).strip())
    if b"DTSTAMP" in names:
        return
    known = (names.get(name, b"") for name in (b"LAST-MODIFIED", b"CREATED", b"DTSTART"))
    lines.insert(begin, b"DTSTAMP:" + next((one for one in known if _UTC.fullmatch(one)), b"19700101T000000Z"))


def _zones(data: bytes, _place: Place) -> bytes:
    """Definitions of time zones that are named and not there (RFC 5545 section 3.2.19), from the zone database."""
    lines = unfolded(data)
    there = {
        value_of(line).strip()
        for path, line in walk(lines)
        if path[-1:] == (b"VTIMEZONE",) and name_of(line) == b"TZID"
    }
    named = {quoted or plain for line in lines for quoted, plain in _ZONE.findall(line)}
    new: list[bytes] = []
    for zone in sorted(named - there):
        new += _definition(zone.decode("utf-8", "replace"))
    begin = next((n for n, line in enumerate(lines) if value_of(line).strip().upper() in _STAMPED), None)
    if not new or begin is None:
        return data
    return folded([*lines[:begin], *new, *lines[begin:]])


def _definition(zone: str) -> list[bytes]:
    try:
        return unfolded(icalendar().Timezone.from_tzid(zone).to_ical())
    except (MissingLibraryError, ValueError, KeyError):
        return []


def _card_version(data: bytes, _place: Place) -> bytes:
    if is_old(data):
        return folded(modern(unfolded(data)))
    lines = unfolded(data)
    if any(name_of(line) == b"VERSION" for line in lines):
        return data
    return folded(part for line in lines for part in ([line, b"VERSION:3.0"] if name_of(line) == b"BEGIN" else [line]))


def _card_name(data: bytes, _place: Place) -> bytes:
    """FN and N, which a contact needs (RFC 2426 section 3.1), from what there is."""
    lines = unfolded(data)
    values: dict[bytes, bytes] = {}
    for line in lines:
        values.setdefault(name_of(line), value_of(line).strip())
    structured = [part for part in re.split(rb"(?<!\\);", values.get(b"N", b"")) if part]
    spare = (b" ".join([*structured[1:2], *structured[:1]]), values.get(b"ORG", b""), values.get(b"EMAIL", b""), b"?")
    full = values.get(b"FN", b"") or next(one for one in spare if one)
    new = [] if values.get(b"FN") else [b"FN:" + full]
    new += [] if b"N" in values else [b"N:" + full.replace(b";", b"\\;") + b";;;;"]
    kept = [line for line in lines if not (name_of(line) == b"FN" and not value_of(line).strip())]
    end = next((n for n, line in enumerate(kept) if name_of(line) == b"END"), len(kept))
    return folded([*kept[:end], *new, *kept[end:]]) if new else data


_Mend = Callable[[bytes, Place], bytes]
_TEXT: tuple[tuple[str, _Mend], ...] = (
    ("its encoding was made UTF-8", _charset),
    ("its line ends were made CR LF", _line_ends),
    ("control bytes were taken out", _control),
    ("broken lines were joined", _broken_lines),
    ("its end was added", _ends),
)
_CALENDAR: tuple[tuple[str, _Mend], ...] = (
    *_TEXT,
    ("it was put into a VCALENDAR", _envelope),
    ("VERSION and PRODID were added, or METHOD taken out", _required),
    ("a UID was added", _uid),
    ("a DTSTAMP was added", _stamp),
    ("the definition of its time zone was added", _zones),
)
_CARD: tuple[tuple[str, _Mend], ...] = (
    *_TEXT,
    ("it was made vCard 3.0", _card_version),
    ("a name was added", _card_name),
    ("a UID was added", _uid),
)
