# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The record of a key: as text, in strings, as a line of a zone; and whether what was found says the same. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .keys import PublicKey
from .names import record_name

#: The longest string of a TXT record, in bytes (RFC 1035, 3.3).
LONGEST_STRING = 255


@dataclass(frozen=True)
class Record:
    """A TXT record (RFC 6376, 3.6.1); ``ttl`` in seconds is for the zone line only."""

    selector: str
    domain: str
    public: PublicKey
    ttl: int

    @property
    def name(self) -> str:
        """Its whole name, without the last dot."""
        return record_name(self.selector, self.domain)

    @property
    def value(self) -> str:
        """All of it in one piece."""
        return f"v=DKIM1; k={self.public.type}; p={self.public.data}"

    @property
    def strings(self) -> list[str]:
        """The value in pieces that fit; who reads them puts them together with nothing between (RFC 6376, 3.6.2.2)."""
        return [self.value[start : start + LONGEST_STRING] for start in range(0, len(self.value), LONGEST_STRING)]

    @property
    def zone_line(self) -> str:
        """The line for a zone file (RFC 1035, 5.1); nothing in a value needs escaping."""
        quoted = " ".join(f'"{string}"' for string in self.strings)
        return f"{self.name}. {self.ttl} IN TXT {quoted}"

    def as_dict(self) -> dict[str, Any]:
        """For results."""
        return {
            "name": self.name,
            "type": "TXT",
            "value": self.value,
            "strings": self.strings,
            "ttl": self.ttl,
            "zone_line": self.zone_line,
        }


def tags(text: str) -> Mapping[str, str] | None:
    """The tags of a record (RFC 6376, 3.2); None for what is no list of tags, or names one twice."""
    found: dict[str, str] = {}
    parts = text.split(";")
    if parts and not parts[-1].strip():
        parts.pop()
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not name or name in found:
            return None
        found[name] = value.strip()
    return found


def difference(texts: list[str], wanted: PublicKey) -> str:
    """In what the TXT records of a name differ from the one that publishes this key; empty when they do not.

    Verifiers may take any of several records (RFC 6376, 3.6.2.2), so there must be one alone.
    """
    if not texts:
        return "there is no TXT record"
    if len(texts) > 1:
        return f"there are {len(texts)} TXT records, and there must be one alone"
    found = tags(texts[0])
    if found is None:
        return "the record is no list of tags (RFC 6376, 3.2)"
    return _tags_differ(found, wanted)


def _tags_differ(found: Mapping[str, str], wanted: PublicKey) -> str:
    if "p" not in found:
        return "the record has no key (p=)"
    if found["p"] == "":
        return "the record revokes its key (p= is empty)"
    if found.get("v", "DKIM1") != "DKIM1" or ("v" in found and next(iter(found)) != "v"):
        return "the record does not begin with v=DKIM1"
    if found.get("k", "rsa") != wanted.type:
        return f"the record is of a key of type {found.get('k', 'rsa')[:20]!r}"
    if not _same(found["p"], wanted.data):
        return "the record holds another key"
    return _restricted(found)


def _restricted(found: Mapping[str, str]) -> str:
    """What would let no ordinary mail be verified although the key is right (RFC 6376, 3.6.1)."""
    if not _names(found, "h") & {"", "sha256"}:
        return "the record does not allow sha256 (h=)"
    if not _names(found, "s") & {"", "*", "email"}:
        return "the record is not for email (s=)"
    if "y" in _names(found, "t"):
        return "the record says that the domain only tests DKIM (t=y)"
    return ""


def _names(found: Mapping[str, str], tag: str) -> set[str]:
    return {name.strip() for name in found.get(tag, "").split(":")}


def _same(found: str, wanted: str) -> bool:
    """Whether two base64 texts hold the same bytes; white space between them means nothing (RFC 6376, 2.10)."""
    try:
        return base64.b64decode("".join(found.split()), validate=True) == base64.b64decode(wanted)
    except (binascii.Error, ValueError):
        return False
