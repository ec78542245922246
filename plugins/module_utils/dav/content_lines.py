# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""iCalendar and vCard texts as content lines (RFC 5545 section 3.1, RFC 6350 section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: A line has at most so many bytes (RFC 5545 section 3.1).
_WIDTH = 75
_FOLD = re.compile(rb"\r?\n[ \t]")
_NAME = re.compile(rb"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)[;:]")


def unfolded(data: bytes) -> list[bytes]:
    """The logical lines of a text, without those that are empty."""
    return [line for line in _FOLD.sub(b"", data).replace(b"\r\n", b"\n").split(b"\n") if line]


def folded(lines: Iterable[bytes]) -> bytes:
    """A text of logical lines, with CR LF; no character of UTF-8 is torn apart."""
    return b"".join(piece for line in lines for piece in _pieces(line))


def name_of(line: bytes) -> bytes:
    """The name of a line's property in capitals; nothing when the line is none."""
    match = _NAME.match(line)
    return match[1].upper() if match else b""


def value_of(line: bytes) -> bytes:
    """A line's value; a colon in quotes does not begin it."""
    quoted = False
    for position, byte in enumerate(line):
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x3A and not quoted:
            return line[position + 1 :]
    return b""


def walk(lines: Iterable[bytes]) -> Iterator[tuple[tuple[bytes, ...], bytes]]:
    """Every line with the components that it is in, from the outside in; BEGIN and END are in what they stand for."""
    path: list[bytes] = []
    for line in lines:
        name = name_of(line)
        if name == b"BEGIN":
            path.append(value_of(line).strip().upper())
        yield tuple(path), line
        if name == b"END" and path:
            path.pop()


def _pieces(line: bytes) -> Iterator[bytes]:
    start, room = 0, _WIDTH
    while len(line) - start > room:
        end = start + room
        while end > start + 1 and line[end] & 0xC0 == 0x80:
            end -= 1
        yield (b" " if start else b"") + line[start:end] + b"\r\n"
        start, room = end, _WIDTH - 1
    yield (b" " if start else b"") + line[start:] + b"\r\n"
