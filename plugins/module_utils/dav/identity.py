# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What an object is known by, without understanding it: its UID, digests of its bytes, names made for it. Pure."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Container
from dataclasses import dataclass

from . import compare
from .model import Kind

#: Size in bytes of the digests of a UID and of an object's bytes (BLAKE2b).
DIGEST_SIZE = 16
#: What a target may add to an event so that no invitation leaves does not make it another one.
IGNORED = frozenset({compare.SCHEDULE_AGENT})
ENDINGS = {Kind.CALENDAR: ".ics", Kind.ADDRESS_BOOK: ".vcf"}

_FOLD = re.compile(rb"\r?\n[ \t]")
_LINES = re.compile(
    rb"^[ \t]*(BEGIN|END|(?:[A-Za-z0-9-]+\.)?UID)\b([^:\r\n]*):([^\r\n]*)", re.IGNORECASE | re.MULTILINE
)
#: A name that any server takes as the last segment of a URL.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+=~-]{0,199}")
_NAMESPACE = uuid.UUID("6f5c0a86-3d0b-5c5e-9c0d-2f0e7d1b6a11")


@dataclass(frozen=True)
class Facts:
    """What is known of an object that was read: digests of its UID (None without one), its bytes, and what it says."""

    uid: bytes | None
    source_digest: bytes
    digest: bytes
    size: int


def facts(data: bytes) -> Facts:
    """What there is to know of an object's text."""
    return Facts(uid_digest(data), raw_digest(data), compare.digest(data, IGNORED), len(data))


def raw_digest(data: bytes) -> bytes:
    """The digest of an object's bytes."""
    return hashlib.blake2b(data, digest_size=DIGEST_SIZE).digest()


def uid_digest(data: bytes) -> bytes | None:
    """The digest of an object's UID; None when it has none."""
    uid = uid_of(data)
    return None if uid is None else raw_digest(uid)


def uid_of(data: bytes) -> bytes | None:
    """The UID of the first event, task, note or contact (RFC 5545 section 3.8.4.7, RFC 6350 section 6.7.6).

    All components of a calendar object have the same one (RFC 4791 section 4.1). An alarm's own (RFC 9074) and a time
    zone's count for nothing. None when there is none, or when it is empty.
    """
    depth: list[bytes] = []
    for match in _LINES.finditer(_FOLD.sub(b"", data)):
        word, value = match[1].upper(), match[3].strip()
        if word == b"BEGIN":
            depth.append(value.upper())
        elif word == b"END":
            if depth:
                depth.pop()
        elif _may_have_uid(depth) and value:
            return value
    return None


def _may_have_uid(depth: list[bytes]) -> bool:
    if depth == [b"VCARD"]:
        return True
    return len(depth) == 2 and depth[0] == b"VCALENDAR" and depth[1] != b"VTIMEZONE"


def made_uid(*parts: str) -> str:
    """A UID for what has none: the same for the same place, whenever it is made (RFC 9562 section 5.5)."""
    return str(uuid.uuid5(_NAMESPACE, "\0".join(parts)))


def made_name(source_name: str, kind: Kind) -> str:
    """A name that any server takes, for an object that can't have its own; the same for the same one."""
    return f"{made_uid('name', source_name)}{ENDINGS[kind]}"


def is_plain(name: str) -> bool:
    """Whether any server takes a name."""
    return _PLAIN.fullmatch(name) is not None


def free_name(source_name: str, kind: Kind, taken: Container[str]) -> str:
    """The source's name for an object where that is free on the target, else one made of it."""
    usable = bool(source_name) and "/" not in source_name and source_name not in (".", "..")
    wanted = source_name if usable else made_name(source_name, kind)
    number = 1
    while wanted in taken:
        wanted = made_name(f"{source_name}\0{number}", kind)
        number += 1
    return wanted
