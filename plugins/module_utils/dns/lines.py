# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Record sets as lines of a zone file (RFC 1035 section 5), for whoever sets them by hand. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from .finding import Record

#: The longest string of a TXT record (RFC 1035 section 3.3.14).
STRING = 255
_WHEN = {"now": "to set now", "cut_over": "to set at the cut-over", "later": "to set later"}


def quoted(text: str) -> str:
    """A TXT record in the form of a zone file, in strings of 255 bytes at most."""
    raw = text.encode()
    return " ".join(f'"{_escaped(raw[at : at + STRING])}"' for at in range(0, len(raw) or 1, STRING))


def zone_lines(records: Sequence[Record]) -> str:
    """All record sets by zone and time, with what each replaces and what it is for in comments."""
    order = list(_WHEN)
    parts: list[str] = []
    ordered = sorted(records, key=lambda one: (one.zone, order.index(one.when)))
    for (zone, when), group in groupby(ordered, key=lambda one: (one.zone, one.when)):
        parts += [f"; {zone}: {_WHEN[when]}"]
        for record in group:
            parts += _lines(record)
        parts += [""]
    return "\n".join(parts)


def _lines(record: Record) -> list[str]:
    name = f"{record.name}."
    if not record.values:
        return [f"; {record.why}", f"; remove: {name} {record.kind}"]
    replaced = f"; it takes the place of every {record.kind} record that begins with {record.replaces}"
    head = [f"; {record.why}", *([replaced] if record.replaces else [])]
    return [*head, *(f"{name} {record.ttl} IN {record.kind} {value}" for value in record.values)]


def _escaped(raw: bytes) -> str:
    return "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}" for byte in raw
    )
