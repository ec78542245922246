# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Modified UTF-7, in which IMAP writes folder names (RFC 3501 section 5.1.3), read to the letter.

A text has exactly one legal form, and everything else is refused rather than guessed at: what one server takes for a
sloppy form of a name is another name on the next.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from ..errors import MissingLibraryError

_LEGAL = re.compile(rb"(?:[ -%'-~]|&[A-Za-z0-9+,]*-)*\Z")
_PLAIN = re.compile(r"[ -%'-~]*\Z")


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
        text: str = _library().decode(name)
        return text if encode(text) == name else None
    except ValueError:
        return None


def encode(text: str) -> bytes:
    """The only legal form of a text.

    :raises UnicodeEncodeError: half a surrogate pair, which is no text.
    """
    if _PLAIN.match(text):
        return text.encode("ascii")
    text.encode("utf-16-be")  # refuses what is no text
    encoded: bytes = _library().encode(text)
    return encoded


def _library() -> Any:
    """IMAPClient's codec; few names need it, and every run would wait for its import."""
    try:
        from imapclient import imap_utf7
    except ImportError as error:
        raise MissingLibraryError("the Python library imapclient (3.0 or later) is not installed") from error
    return imap_utf7
