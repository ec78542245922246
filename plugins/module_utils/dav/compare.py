# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whether two iCalendar or vCard texts say the same (RFC 5545, RFC 6350, vCard 2.1 and 3.0).

What does not count: folding, line ends, the order of properties, parameters and components, the case of their names,
quotes around a parameter that needs none, the order of a rule's parts, whether a list stands on one line, the line
breaks of base64, and what servers write themselves: PRODID, DTSTAMP and the parameter SCHEDULE-STATUS (RFC 6638 section
7.3). Everything else counts. Texts that are no good are compared, too: a line that is none counts as it stands, and
nothing here ever raises.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

_FOLD = re.compile(rb"\n[ \t]")
#: Lines up to this length (bytes) are remembered in canonical form.
_SHORT = 300
_BOM = b"\xef\xbb\xbf"
#: The parts of ``;NAME=value,"value"``; a value in quotes may hold anything but quotes.
_PARAMETER = re.compile(rb';([^=;:"]*)(?:=((?:"[^"]*"|[^";:])*))?')
_VALUE = re.compile(rb'"([^"]*)"|([^,"]+)')
_SERVERS_OWN = frozenset({b"PRODID", b"DTSTAMP"})
_SERVERS_PARAMETERS = frozenset({b"SCHEDULE-STATUS"})
#: Lists that may as well stand on several lines (RFC 5545 sections 3.8.1.2, 3.8.1.10, 3.8.5.1 and 3.8.5.2).
_LISTS = frozenset({b"CATEGORIES", b"RESOURCES", b"EXDATE", b"RDATE"})
_COMMA = re.compile(rb"(?<!\\),")
#: The parts of a recurrence rule may stand in any order, in any case (RFC 5545 section 3.3.10).
_RULES = frozenset({b"RRULE", b"EXRULE"})
_ENCODINGS = {b"QUOTED-PRINTABLE": b"QUOTED-PRINTABLE", b"BASE64": b"B", b"B": b"B", b"8BIT": b"8BIT", b"7BIT": b"7BIT"}
#: The parameter by which an organizer's client says who sends invitations (RFC 6638 section 7.1).
SCHEDULE_AGENT = b"SCHEDULE-AGENT"


@dataclass
class Part:
    """A component: what it is called, its properties in canonical form, and the components in it."""

    name: bytes
    lines: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def canonical(self) -> bytes:
        """The component as text in which equal components are equal."""
        inner = sorted(line for _name, line in self.lines) + sorted(part.canonical() for part in self.parts)
        return b"BEGIN:%s\n%s\nEND:%s" % (self.name, b"\n".join(inner), self.name)

    def each(self, path: str = "") -> Iterator[tuple[str, bytes]]:
        """Every property with the place that it is at, as people would name it."""
        here = f"{path}{self.name.decode('utf-8', 'replace')}"
        exception = next((line.rpartition(b":")[2] for name, line in self.lines if name == b"RECURRENCE-ID"), None)
        if exception is not None:
            here += f" of {exception.decode('utf-8', 'replace')}"
        for name, line in self.lines:
            yield f"{here}, {name.decode('utf-8', 'replace') or 'a line that is none'}", line
        for part in self.parts:
            yield f"{here}, {part.name.decode('utf-8', 'replace')}", b""
            yield from part.each(f"{here}, ")


def normal(data: bytes, ignored: frozenset[bytes] = frozenset()) -> bytes:
    """The text in canonical form; ``ignored`` are parameters, in capitals, that do not count here."""
    return _parse(data, ignored).canonical()


def digest(data: bytes, ignored: frozenset[bytes] = frozenset()) -> bytes:
    """SHA-256 of the canonical form: equal for texts that say the same."""
    return hashlib.sha256(normal(data, ignored)).digest()


def same(one: bytes, other: bytes, ignored: frozenset[bytes] = frozenset()) -> bool:
    """Whether both texts say the same."""
    return one == other or normal(one, ignored) == normal(other, ignored)


def differences(one: bytes, other: bytes, ignored: frozenset[bytes] = frozenset()) -> tuple[str, ...]:
    """Which properties differ, by the place they are at and without their values, which are nobody's business.

    ``VEVENT, SUMMARY: another value``, ``… : missing`` (in ``other``), ``… : added``.
    """
    mine = Counter(_parse(one, ignored).each())
    theirs = Counter(_parse(other, ignored).each())
    gone: Counter[str] = Counter()
    come: Counter[str] = Counter()
    for (place, _line), number in (mine - theirs).items():
        gone[place] += number
    for (place, _line), number in (theirs - mine).items():
        come[place] += number
    return tuple(
        f"{place}: {_words(gone[place], come[place])}".removeprefix(", ") for place in sorted(gone.keys() | come.keys())
    )


def _words(gone: int, come: int) -> str:
    if not come:
        return "missing"
    if not gone:
        return "added"
    return "another value"


def _parse(data: bytes, ignored: frozenset[bytes]) -> Part:
    """The text as a tree below a root without a name."""
    root = Part(b"")
    open_parts = [root]
    for raw in _lines(data):
        name, said = (_read if len(raw) <= _SHORT else _read.__wrapped__)(raw, ignored)
        if name == b"BEGIN":
            part = Part(_component(raw))
            open_parts[-1].parts.append(part)
            open_parts.append(part)
        elif name == b"END" and len(open_parts) > 1 and open_parts[-1].name == _component(raw):
            open_parts.pop()
        else:
            open_parts[-1].lines += said
    return root


@functools.lru_cache(maxsize=8192)
def _read(raw: bytes, ignored: frozenset[bytes]) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    """A line's name, and what it says in canonical form: nothing, or name and line, of a list for each of it.

    Remembered, since objects of a calendar share many lines, and what was written is read back soon.
    """
    name, parameters, value = _split(raw)
    if name in _SERVERS_OWN:
        return name, ()
    skipped = ignored | _SERVERS_PARAMETERS
    each = _COMMA.split(value) if name in _LISTS and b"," in value else (value,)
    return name, tuple((name, _canonical(raw, name, parameters, one, skipped)) for one in each)


def _component(raw: bytes) -> bytes:
    """The name of the component that a line begins or ends."""
    return _split(raw)[2].strip().upper()


def _lines(data: bytes) -> Iterator[bytes]:
    """The content lines, unfolded (RFC 5545 section 3.1), also where quoted-printable goes on without a fold (2.1)."""
    text = data.removeprefix(_BOM).replace(b"\r\n", b"\n")
    held = b""
    for line in _FOLD.sub(b"", text).splitlines():  # of bytes: at LF and CR alone
        whole = held + line
        held = b""
        if whole.endswith(b"=") and b"QUOTED-PRINTABLE" in whole.partition(b":")[0].upper():
            held = whole[:-1]
        elif whole.strip():
            yield whole
    if held.strip():
        yield held


def _split(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Name in capitals, parameters as they stand (with their first ``;``), value. No name: the line is none."""
    head, colon, value = line.partition(b":")
    if not colon:
        return b"", b"", line
    name, semicolon, _rest = head.partition(b";")
    if not semicolon:
        return name.strip().upper(), b"", value
    # a colon in quotes does not end the parameters
    end = len(name)
    while (match := _PARAMETER.match(line, end)) is not None:
        end = match.end()
    if line[end : end + 1] != b":":
        return name.strip().upper(), head[len(name) :], value
    return name.strip().upper(), line[len(name) : end], line[end + 1 :]


def _canonical(raw: bytes, name: bytes, parameters: bytes, value: bytes, skipped: frozenset[bytes]) -> bytes:
    if not name:
        return raw
    known = _parameters(parameters, skipped) if parameters else {}
    if b"ENCODING" in known:
        value = _without_breaks(known[b"ENCODING"], value)
    words = b"".join(b";%s=%s" % (key, b"\x1f".join(sorted(values))) for key, values in sorted(known.items()))
    if name in _RULES:
        value = b";".join(sorted(part.upper() for part in value.split(b";")))
    # both are a line break (RFC 5545 section 3.3.11)
    return b"%s%s:%s" % (name, words, value.replace(b"\\N", b"\\n") if b"\\N" in value else value)


def _parameters(text: bytes, skipped: frozenset[bytes]) -> dict[bytes, set[bytes]]:
    """Name in capitals → values; a bare word of vCard 2.1 is a type or an encoding."""
    found: dict[bytes, set[bytes]] = {}
    for match in _PARAMETER.finditer(text):
        name, values = match[1].strip().upper(), match[2]
        if values is None:
            values = name
            name = b"ENCODING" if name in _ENCODINGS else b"TYPE"
        if name in skipped:
            continue
        each = {quoted or plain for quoted, plain in _VALUE.findall(values)} or {b""}
        if name == b"ENCODING":
            each = {_ENCODINGS.get(word.upper(), word.upper()) for word in each}
        elif name == b"TYPE":
            each = {word.upper() for word in each}
        found.setdefault(name, set()).update(each)
    return found


def _without_breaks(encodings: set[bytes], value: bytes) -> bytes:
    """A base64 value without what depends on how its lines were broken."""
    if encodings != {b"B"}:
        return value
    packed = b"".join(value.split())
    try:
        return base64.b64encode(base64.b64decode(packed, validate=True))
    except binascii.Error:
        return packed
