# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands into values, and values into answers (RFC 3501 section 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from .behaviour import Behaviour
from .link import Raw, Text

#: An argument: an atom, a string, or a list in parentheses.
Arg: TypeAlias = "bytes | Text | list[Arg]"

_TOKEN = re.compile(
    rb" *(?:(?P<open>\()|(?P<close>\))"
    rb'|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    rb"|(?P<literal>~?\{\d+\+?\}$)"
    rb"|(?P<atom>(?:[^ ()\"\[]|\[[^\]]*\])+))"
)
_UNQUOTE = re.compile(rb"\\(.)", re.DOTALL)


class BadError(Exception):
    """The command makes no sense: BAD."""


class DeniedError(Exception):
    """The server says that it has the extension, and has it not: BAD."""


class NoError(Exception):
    """The command can't be done; the text is the tagged answer, `NO` among it."""


def arguments(raw: Raw) -> list[Arg]:
    """The values of a command, its tag and its verb among them.

    :raises BadError: something that is no argument, or unbalanced parentheses.
    """
    stack: list[list[Arg]] = [[]]
    for number, line in enumerate(raw.lines):
        position, end = 0, len(line.rstrip(b" "))
        while position < end:
            match = _TOKEN.match(line, position)
            if not match:
                raise BadError(f"unreadable: {line[position : position + 40]!r}")
            position = match.end()
            _take(stack, match, raw, number)
    if len(stack) != 1:
        raise BadError("unbalanced parentheses")
    return stack[0]


def _take(stack: list[list[Arg]], match: re.Match[bytes], raw: Raw, number: int) -> None:
    if match["open"]:
        inner: list[Arg] = []
        stack[-1].append(inner)
        stack.append(inner)
    elif match["close"]:
        if len(stack) == 1:
            raise BadError("unbalanced parentheses")
        stack.pop()
    elif match["literal"]:
        stack[-1].append(raw.literals[number])
    elif match["atom"]:
        stack[-1].append(match["atom"])
    else:
        stack[-1].append(Text(_UNQUOTE.sub(rb"\1", match["quoted"])))


def string(arg: Arg | None) -> bytes:
    """An argument as an astring."""
    if isinstance(arg, Text):
        return arg.data
    if isinstance(arg, bytes):
        return arg
    raise BadError("a string is missing")


def atoms(arg: Arg | None) -> list[bytes]:
    """A list of atoms, upper case; a single one without parentheses counts too."""
    if isinstance(arg, list):
        return [string(one).upper() for one in arg]
    return [string(arg).upper()]


def numbers(text: bytes, present: Sequence[int]) -> set[int]:
    """Those of `present` (ascending) that a sequence set names; `*` is the last one (RFC 3501 section 9, seq-range)."""
    last = present[-1] if present else 0
    chosen: set[int] = set()
    known = set(present)
    for part in text.split(b","):
        ends = [last if end == b"*" else _number(end) for end in part.split(b":")]
        if len(ends) > 2:
            raise BadError("not a sequence set")
        low, high = min(ends), max(ends)
        chosen |= {low} & known if low == high else {one for one in present if low <= one <= high}
    return chosen


def _number(text: bytes) -> int:
    if not text.isdigit() or int(text) > 2**32 - 1:
        raise BadError(f"not a number: {text[:20]!r}")
    return int(text)


def number_set(values: Iterable[int]) -> bytes:
    """Numbers as a sequence set."""
    ranges: list[list[int]] = []
    for value in sorted(values):
        if ranges and ranges[-1][1] == value - 1:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    return b",".join(b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in ranges)


def quote(data: bytes, behaviour: Behaviour) -> bytes:
    """A string as the server writes it: quoted, or as a literal where that can't be or is not wanted."""
    if behaviour.literals or any(byte in b"\r\n\0" or byte > 0x7E for byte in data):
        return b"{%d}\r\n" % len(data) + data
    return b'"' + data.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def listed(items: Iterable[bytes]) -> bytes:
    """Atoms in parentheses."""
    return b"(" + b" ".join(items) + b")"
