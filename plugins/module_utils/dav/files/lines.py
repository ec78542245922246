# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The content lines of a file (RFC 5545, section 3.1) with the numbers that an editor shows, in whatever charset."""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..content_lines import name_of

_END = re.compile(rb"\r\n|\n|\r")
_CHARSET = re.compile(rb';CHARSET=(?:"([^"]*)"|([^;:"]*))', re.IGNORECASE)
#: Byte order marks (Unicode Standard, 23.8): the longer ones first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: How a file of these charsets begins without a mark: with the B of BEGIN.
_BARE = ((b"B\0", "utf-16-le"), (b"\0B", "utf-16-be"))


@dataclass(frozen=True)
class Line:
    """A logical line, unfolded, and the number of its first line in the file, from 1 on."""

    number: int
    data: bytes

    @property
    def name(self) -> bytes:
        """The name of its property in capitals."""
        return name_of(self.data)


def lines_of(content: bytes) -> Iterator[Line]:
    """The logical lines that are not empty. UTF-16 and UTF-32 come as UTF-8, everything else as the bytes it is."""
    number, held = 1, [b""]
    for count, line in enumerate(_END.split(_unmarked(content)), start=1):
        if held[-1].endswith(b"=") and b"QUOTED-PRINTABLE" in held[0].partition(b":")[0].upper():
            # a soft line break of vCard 2.1, where a blank that follows is a blank
            held[-1] = held[-1][:-1]
            held.append(line)
        elif line[:1] in (b" ", b"\t") and held != [b""]:
            held.append(line[1:])
        else:
            yield from _whole(number, held)
            number, held = count, [line]
    yield from _whole(number, held)


def _whole(number: int, held: list[bytes]) -> Iterator[Line]:
    line = b"".join(held)
    if line.strip():
        yield Line(number, line)


def in_utf8(line: bytes) -> tuple[bytes, bool]:
    """The line in UTF-8, and whether it was already: else its parameter ``CHARSET`` says what it is, or Windows-1252.

    The parameter, which only vCard 2.1 has, goes.
    """
    match = _CHARSET.search(line.partition(b":")[0])
    plain = line[: match.start()] + line[match.end() :] if match else line
    if match is not None:
        charset = (match[1] or match[2] or b"").decode("ascii", "replace").strip()
        with contextlib.suppress(LookupError, UnicodeError):
            return plain.decode(codecs.lookup(charset).name).encode(), True
    try:
        plain.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(_latin(byte) for byte in plain).encode(), False
    return plain, True


def _latin(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _unmarked(content: bytes) -> bytes:
    for mark, charset in _MARKS:
        if content.startswith(mark):
            rest = content[len(mark) :]
            return rest if charset == "utf-8" else rest.decode(charset, "replace").encode()
    for beginning, charset in _BARE:
        if content.startswith(beginning):
            return content.decode(charset, "replace").encode()
    return content
