# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""HAProxy's list of certificates (``crt-list``) as a text: which names get which file. Pure.

A line is ``file [options] name …``; all that is not ours stays as it is, to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_OURS = re.compile(r"(?P<file>\S+)(?:\s+\[(?P<options>[^\]]*)\])?(?P<names>.*)")
#: As HAProxy splits it; what else Python takes for the end of a line is none.
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class Line:
    """A line of the list that names a file."""

    file: str
    options: str
    names: tuple[str, ...]


def parse(text: str) -> list[Line]:
    """The lines that name files."""
    return [line for line in map(_line, _LINES.findall(text)) if line is not None]


def with_names(text: str, file: str, names: Sequence[str]) -> str:
    """The text with one line for the file, at its place or at the end; options of that line stay."""
    return _edited(text, file, names)


def without(text: str, file: str) -> str:
    """The text without lines for the file."""
    return _edited(text, file, None)


def _line(raw: str) -> Line | None:
    match = _OURS.fullmatch(raw.strip())
    if match is None or raw.lstrip().startswith("#"):
        return None
    return Line(match["file"], match["options"] or "", tuple(match["names"].lower().split()))


def _edited(text: str, file: str, names: Sequence[str] | None) -> str:
    result: list[str] = []
    written = names is None
    for raw in _LINES.findall(text):
        line = _line(raw)
        if line is None or line.file != file:
            result.append(raw)
        elif not written:
            result.append(_text(file, names or (), line.options))
            written = True
    if not written:
        if result and not result[-1].endswith("\n"):
            result[-1] += "\n"
        result.append(_text(file, names or (), ""))
    return "".join(result)


def _text(file: str, names: Sequence[str], options: str) -> str:
    middle = f" [{options}]" if options else ""
    return f"{file}{middle} {' '.join(names)}\n"
