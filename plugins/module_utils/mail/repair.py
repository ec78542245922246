# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The least that has to be changed so that a strict server takes a message: done only when the operator asks for it.

``repair: documented`` does these three things, in one pass, and nothing else:

1. **NUL bytes become 0x80.** RFC 9051 section 4.3 forbids NUL in a literal that is no literal8. 0x80 is what Dovecot
   and UW-IMAP show in a NUL's place, so that clients see no other message than before.
2. **A line end is CR LF.** A bare LF gets a CR before it, a bare CR an LF after it (RFC 5322 section 2.3).
3. **The header is one.** A first line ``From …`` (mbox) goes. Before the first line that is no header field, an empty
   line is put in, so that what follows is the body (RFC 5322 section 2.2; strict servers such as Cyrus ask for it).

A message that is already so comes out as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: What the header is judged by: as much of the start. A header that has no end by then is left as it is.
HEADER_LIMIT = 1024 * 1024
_NUL = bytes.maketrans(b"\0", b"\x80")
_LINE_END = re.compile(rb"\r\n|\r|\n")
#: A field's name: printable ASCII without blank and colon (RFC 5322 section 3.6.8).
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")


def repaired(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The message as a strict server takes it; ``pieces`` are its bytes, of which only the header is held at once."""
    lines = _line_ends(pieces)
    start = b""
    for piece in lines:
        start += piece
        if b"\r\n\r\n" in start or len(start) > HEADER_LIMIT:
            break
    yield _header(start)
    yield from lines


def _line_ends(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """NUL as 0x80, and every line end as CR LF; a CR at the end of a piece waits for what comes next."""
    waiting = b""
    for piece in pieces:
        data = waiting + piece.translate(_NUL)
        waiting = data[-1:] if data.endswith(b"\r") else b""
        yield _LINE_END.sub(b"\r\n", data[: len(data) - len(waiting)])
    if waiting:
        yield b"\r\n"


def _header(start: bytes) -> bytes:
    if start[:5] == b"From ":
        start = start.partition(b"\r\n")[2]
    position = 0
    while position < len(start) and start[position : position + 2] != b"\r\n":
        continued = position > 0 and start[position : position + 1] in b" \t"
        if not continued and not _FIELD.match(start, position):
            return start[:position] + b"\r\n" + start[position:]
        end = start.find(b"\r\n", position)
        if end < 0:
            # a header without an end: the message is nothing else
            return start + b"\r\n\r\n" if len(start) <= HEADER_LIMIT else start
        position = end + 2
    return start if position < len(start) else start + b"\r\n"
