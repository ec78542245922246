# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Several values in one: lists of addresses and of patterns, as users have typed them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...addresses import address_fault, canonical_address
from ...platforms.texts import shown

# A name in quotes before an address in angle brackets (RFC 5322, 3.4); it may hold commas.
_QUOTED_NAME = re.compile(r'"(?:[^"\\]|\\.)*"(?=\s*<)')
_BRACKETED = re.compile(r"<([^<>]*)>")
_BETWEEN = re.compile(r"[,;\r\n]+")
# A program, a file or a word of the mail server: what may stand in a forward besides addresses.
_COMMAND = re.compile(r'"?[|/:]')


@dataclass(frozen=True)
class Addresses:
    """The canonical addresses of a list, and what in it is none: text for people → why."""

    valid: tuple[str, ...]
    faults: tuple[tuple[str, str], ...]


def entries(value: str) -> Iterator[str]:
    """The entries of a list that is separated by commas, semicolons, lines or spaces, without names and brackets."""
    for part in _BETWEEN.split(_QUOTED_NAME.sub("", value)):
        bracketed = _BRACKETED.findall(part)
        if bracketed:
            yield from (each.strip() for each in bracketed if each.strip())
        elif is_command(part.strip()):
            yield part.strip()
        else:
            yield from part.split()


def is_command(entry: str) -> bool:
    """Is it a program, a file or a word of the mail server?"""
    return _COMMAND.match(entry) is not None


def bare(entry: str) -> str:
    """An address without ``mailto:``, and without the backslash that says that it is not looked up again."""
    entry = entry[len("mailto:") :] if entry.lower().startswith("mailto:") else entry
    return entry.removeprefix("\\") if "@" in entry else entry


def addresses(value: str) -> Addresses:
    """The addresses in a list."""
    valid: dict[str, None] = {}
    faults = []
    for entry in entries(value):
        address = canonical_address(bare(entry))
        fault = address_fault(address)
        if fault is None:
            valid[address] = None
        else:
            faults.append((shown(entry), fault))
    return Addresses(tuple(valid), tuple(faults))


def words(value: str) -> list[str]:
    """The words of a list of patterns: SpamAssassin takes several in a line, people separate them by commas."""
    return [word.strip("<>") for word in re.split(r"[\s,;]+", value) if word.strip("<>")]
