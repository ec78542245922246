# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Modified UTF-7, in which IMAP writes folder names (RFC 3501 section 5.1.3), read to the letter.

A text has exactly one legal form, and everything else is refused rather than guessed at: what one server takes for a
sloppy form of a name is another name on the next.
"""

from __future__ import annotations

import binascii
import functools
import re

_LEGAL = re.compile(rb"(?:[ -%'-~]|&[A-Za-z0-9+,]*-)*\Z")
_SHIFTED = re.compile(rb"&([^-]*)-")
_OTHER = re.compile(r"&|[^ -~]+")


@functools.lru_cache(maxsize=1024)
def decode(name: bytes) -> str | None:
    """The text that a name stands for; None when it is no legal modified UTF-7.

    Illegal are: eight-bit and control characters as they are, ``&`` without its ``-``, characters that are no base64,
    padding and bits left over, half a character, a surrogate alone, printable ASCII in base64, and base64 that ends
    only to begin again.
    """
    if not _LEGAL.match(name):
        return None
    if b"&" not in name:
        return name.decode("ascii")
    try:
        text = "".join(
            part.decode("ascii") if number % 2 == 0 else _unshifted(part)
            for number, part in enumerate(_SHIFTED.split(name))
        )
    except ValueError:
        return None
    return text if encode(text) == name else None


def _unshifted(part: bytes) -> str:
    if not part:
        return "&"
    data = binascii.a2b_base64(part.replace(b",", b"/") + b"=" * (-len(part) % 4))
    return data.decode("utf-16-be")


def encode(text: str) -> bytes:
    """The only legal form of a text.

    :raises UnicodeEncodeError: half a surrogate pair, which is no text.
    """
    return _OTHER.sub(_shifted, text).encode("ascii")


def _shifted(match: re.Match[str]) -> str:
    if match[0] == "&":
        return "&-"
    data = binascii.b2a_base64(match[0].encode("utf-16-be"), newline=False)
    return "&" + data.rstrip(b"=").replace(b"/", b",").decode("ascii") + "-"
