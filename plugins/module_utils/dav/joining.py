# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One object of two that have the same UID, where one is the series and the other an exception of it. Pure.

A server may refuse the second of them (RFC 4791 section 5.3.2.1, ``no-uid-conflict``): all components with one UID are
one object (section 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence

from .content_lines import folded, name_of, unfolded, value_of, walk

_ZONE = b"VTIMEZONE"
_Part = tuple[bytes, bytes, list[bytes]]


def joined(one: bytes, other: bytes) -> bytes | None:
    """Both as one object; None when they are not a series and its exceptions, or have the same exception twice."""
    mine, theirs = _parts(unfolded(one)), _parts(unfolded(other))
    exceptions = [[part for part in parts if part[0] != _ZONE] for parts in (mine, theirs)]
    names = [part[1] for part in (*exceptions[0], *exceptions[1])]
    if len(set(names)) != len(names) or not exceptions[0] or not exceptions[1]:
        return None
    if sum(not name for name in names) > 1:
        return None
    zones = {part[1] for part in mine if part[0] == _ZONE}
    more = [line for what, name, lines in theirs if what != _ZONE or name not in zones for line in lines]
    lines = unfolded(one)
    return folded([*lines[:-1], *more, lines[-1]])


def _parts(lines: Sequence[bytes]) -> list[_Part]:
    """The components of a calendar object: what each is, its RECURRENCE-ID or TZID, its lines."""
    found: list[_Part] = []
    for path, line in walk(lines):
        if len(path) < 2:
            continue
        if len(path) == 2 and name_of(line) == b"BEGIN":
            found.append((path[1], b"", []))
        what, name, inner = found[-1]
        inner.append(line)
        if len(path) == 2 and name_of(line) == (b"TZID" if what == _ZONE else b"RECURRENCE-ID"):
            name = value_of(line).strip()
        found[-1] = (what, name, inner)
    return found
