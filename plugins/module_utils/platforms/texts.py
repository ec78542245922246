# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Texts from a source: HTML entities, names, flags, and values for people to read."""

from __future__ import annotations

import html
import re

# Only entities with their semicolon: `AT&T` and `a&copy` are somebody's name.
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_OFF = frozenset({"", "0", "n", "no", "f", "false", "off"})
_LONGEST_SHOWN = 100


def shown(value: str) -> str:
    """A value from the source for people to read: no control characters, and not endless."""
    cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def unescaped(value: str) -> str:
    """The text without its HTML entities.

    PHP before 5.4 took UTF-8 for Latin-1 when it wrote entities: ``ü`` became ``&Atilde;&frac14;``. Such letters are
    put together again.
    """
    resolved = _ENTITY.sub(lambda match: html.unescape(match[0]), value)
    return _rejoined(resolved) if resolved != value and not resolved.isascii() else resolved


def full_name(*parts: str) -> str:
    """The parts with one space between."""
    return " ".join(part.strip() for part in parts if part.strip())


def lines(value: str) -> str:
    """A text whose lines end in LF."""
    return value.replace("\r\n", "\n").replace("\r", "\n")


def is_on(value: str | None) -> bool:
    """A flag's meaning; NULL is off."""
    return value is not None and value.strip().lower() not in _OFF


def _rejoined(value: str) -> str:
    """The text of UTF-8 whose bytes were taken for Latin-1 letters; unchanged when it is none."""
    try:
        return b"".join(map(_byte, value)).decode("utf-8")
    except UnicodeError:
        return value


def _byte(character: str) -> bytes:
    """The byte that was shown as this letter. Raises UnicodeEncodeError."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")
