# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A file's bytes as text. What a program might guess, it is told instead: a wrong guess spoils names and passwords."""

from __future__ import annotations

import codecs

from ...errors import InputError

#: What may be asked for; the names are Python's (docs.python.org, codecs, "Standard Encodings").
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250")

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHERS = {
    b"PK\x03\x04": "is a spreadsheet or an archive, no CSV file; save it as CSV",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet, no CSV file; save it as CSV",
}


def decoded(content: bytes, encoding: str, option: str, name: str) -> tuple[str, str]:
    """The text without its byte order mark, and the encoding that it turned out to be in.

    A byte order mark (Unicode Standard, 23.8) counts for more than what is asked for. Raises InputError.
    """
    for mark, what in _OTHERS.items():
        if content.startswith(mark):
            raise InputError(f"{name} {what}", option=option)
    found = "utf-16" if content.startswith(_UTF16) else encoding
    if content.startswith(codecs.BOM_UTF8):
        found = "utf-8-sig"
    try:
        text = content.decode(found)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = (
            f"{name}, line {line}: this is not {found}: ask for it in UTF-8, or say what it is in with csv.encoding"
        )
        raise InputError(message, option=option) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{name}, line {line}: there is a NUL in it: it is no CSV file in {found}", option=option)
    return text, found.removesuffix("-sig")
