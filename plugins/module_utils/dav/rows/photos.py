# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Photos of contacts in every form in which programs have put them into a column of text."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

#: How a picture begins → its kind, as vCard 3.0 names it (RFC 2426, section 3.1.4).
_KINDS = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r?\n"), "PNG"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL), "BMP"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "WEBP"),
    (re.compile(rb"(?:II\*\0|MM\0\*)"), "TIFF"),
)
_DATA = re.compile(rb"data:[^,]*?(;base64)?,(.*)", re.IGNORECASE | re.DOTALL)
_URL = re.compile(rb"https?://[\x21-\x7e]+", re.IGNORECASE)
_HEX = re.compile(rb"(?:0x)?((?:[0-9a-f]{2}\s*)+)", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")


@dataclass(frozen=True)
class Photo:
    """A picture and its kind, or where it is (``url``)."""

    kind: str = ""
    data: bytes = field(default=b"", repr=False)
    url: str = ""


def photo(value: bytes) -> Photo | None:
    """What the column holds, or None for what is no picture."""
    stripped = value.strip()
    match = _DATA.match(stripped)
    if match is not None:
        return _picture(_of_base64(match[2]) if match[1] else unquote_to_bytes(match[2]))
    if _URL.fullmatch(stripped):
        return Photo(url=stripped.decode("ascii"))
    # what stands there as it is, then what it may stand for
    for found in (value, stripped, _latin(stripped), _of_base64(stripped), _of_hex(stripped)):
        known = _picture(found)
        if known is not None:
            return known
    return None


def _picture(data: bytes) -> Photo | None:
    return next((Photo(kind, data) for begins, kind in _KINDS if begins.match(data)), None)


def _latin(data: bytes) -> bytes:
    """The bytes of a picture that a program put into a column of text, where each byte has become a letter."""
    try:
        return data.decode("utf-8").encode("latin-1")
    except UnicodeError:
        return b""


def _of_base64(data: bytes) -> bytes:
    """Base64, also that for URLs (RFC 4648, section 5), with any line breaks and without padding; else nothing."""
    packed = b"".join(data.replace(b"\\n", b"\n").split())
    if not _BASE64.fullmatch(packed):
        return b""
    packed = packed.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4))
    except binascii.Error:
        return b""


def _of_hex(data: bytes) -> bytes:
    match = _HEX.fullmatch(data)
    return bytes.fromhex("".join(match[1].decode("ascii").split())) if match else b""
