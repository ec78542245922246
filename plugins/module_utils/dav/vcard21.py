# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""vCard 2.1 as vCard 3.0 (RFC 2426): what servers that know no 2.1 can store. Pure."""

from __future__ import annotations

import codecs
import quopri
import re
from collections.abc import Iterable, Iterator

from .content_lines import name_of, value_of

_VERSION = re.compile(rb"^VERSION:\s*2\.1\s*$", re.IGNORECASE | re.MULTILINE)
_QUOTED, _BASE64 = b"QUOTED-PRINTABLE", frozenset({b"BASE64", b"B"})
_ENCODINGS = frozenset({_QUOTED, *_BASE64, b"7BIT", b"8BIT"})
#: Values that have parts: what separates these was escaped in the text itself (vCard 2.1 section 2.1.2).
_STRUCTURED = frozenset({b"N", b"ADR", b"ORG"})


def is_old(data: bytes) -> bool:
    """Whether a contact is of version 2.1."""
    return _VERSION.search(data) is not None


def modern(lines: Iterable[bytes]) -> list[bytes]:
    """The lines of a contact of version 2.1 as version 3.0."""
    return [_line(line) for line in _whole(lines)]


def _whole(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that end in a soft line break of quoted-printable go on in the next one, without any fold."""
    held = b""
    for line in lines:
        whole = held + line
        held = b""
        if whole.endswith(b"=") and _QUOTED in whole.partition(b":")[0].upper():
            held = whole[:-1]
        else:
            yield whole
    if held:
        yield held


def _line(line: bytes) -> bytes:
    name = name_of(line)
    if name == b"VERSION":
        return b"VERSION:3.0"
    if name in (b"", b"BEGIN", b"END"):
        return line
    value = value_of(line)
    head, *words = line[: len(line) - len(value) - 1].split(b";")
    encoding, charset, kept = _parameters(words)
    if encoding in _BASE64:
        return b";".join([head, b"ENCODING=b", *kept]) + b":" + b"".join(value.split())
    if encoding == _QUOTED:
        value = _decoded(quopri.decodestring(value), charset)
        value = value.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\\n")
    elif charset:
        value = _decoded(value, charset)
    value = value.replace(b",", b"\\,")
    return b";".join([head, *kept]) + b":" + (value if name in _STRUCTURED else value.replace(b";", b"\\;"))


def _parameters(words: Iterable[bytes]) -> tuple[bytes, bytes, list[bytes]]:
    """Encoding, charset, and what stays of the parameters: bare words are types."""
    encoding, charset = b"", b""
    types: list[bytes] = []
    kept: list[bytes] = []
    for word in words:
        key, equals, value = word.partition(b"=")
        key = key.strip().upper()
        if not equals and key in _ENCODINGS:
            encoding = key
        elif not equals:
            types += [word.strip()] if word.strip() else []
        elif key == b"ENCODING":
            encoding = value.strip().upper()
        elif key == b"CHARSET":
            charset = value.strip()
        elif key == b"TYPE":
            types += [one for one in value.split(b",") if one]
        else:
            kept.append(word)
    return encoding, charset, [*kept, *([b"TYPE=" + b",".join(types)] if types else [])]


def _decoded(value: bytes, charset: bytes) -> bytes:
    """A value in UTF-8; what is in no charset that there is stays as it is."""
    try:
        codec = codecs.lookup(charset.decode("ascii", "replace") or "utf-8")
        return value.decode(codec.name).encode()
    except (LookupError, UnicodeDecodeError):
        try:
            return value.decode("utf-8").encode()
        except UnicodeDecodeError:
            return value.decode("latin-1").encode()
