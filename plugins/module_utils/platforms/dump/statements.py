# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
r"""A dump taken apart into its statements, as the ``mysql`` client would, but without any of that client's commands.

A statement ends at the delimiter outside of quotes and comments (MySQL Reference Manual, "Comments" and "String
Literals"). What looks like a command of the client (``\!``, ``source``, ``system``) is text of a statement here, and
nobody runs it. Only one statement is in memory at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import DumpError
from .opening import Read

_CHUNK = 1 << 20
#: No statement of a dump is longer: mysqldump's are a megabyte, or one row (max_allowed_packet is 1 GB at most).
LONGEST = 512 << 20
# More than any mark between two tokens is long: what is nearer to the end of the buffer waits for more.
_MARGIN = 64

_BLANK = re.compile(rb"[\s\x00]*")
_STRINGS = {
    b"'": re.compile(rb"(?:[^'\\]++|\\.)*+'", re.DOTALL),
    b'"': re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL),
    b"`": re.compile(rb"[^`]*+`"),
}
_LINE_COMMENT = re.compile(rb"#|--(?=[\s\x00]|\Z)")
# A comment for people. /*! and /*M! are code; but 999999 is a version that no server ever reaches.
_COMMENT = re.compile(rb"/\*(?!!|M!)|/\*M?!999999")
_DELIMITER = re.compile(rb"delimiter[ \t]+(\S+)", re.IGNORECASE)
_SAID = re.compile(rb"(?:\S*/)?(?:mysqldump|mariadb-dump|mysqlpump)(?:\.exe)?: ")
_LONGEST_DELIMITER = 16
_COMPLETED = re.compile(rb"-- Dump completed\b")


@dataclass(frozen=True)
class Statement:
    """A statement without its delimiter, and the line that it begins in."""

    line: int
    text: bytes


class Statements:
    """Iterate to get them. ``complete``: the last line was mysqldump's own mark of the end.

    ``unfinished`` is the line of a statement that the file ends in; ``said`` how many messages of mysqldump were among
    the statements (its warnings, when somebody sent both into the file). Raises DumpError.
    """

    def __init__(self, read: Read) -> None:
        self.complete = False
        self.unfinished: int | None = None
        self.said = 0
        self._read = read
        self._buffer = b""
        self._at = 0
        self._line = 1
        self._ended = False
        self._use(b";")

    def __iter__(self) -> Iterator[Statement]:
        self._need(3)
        if self._buffer.startswith(b"\xef\xbb\xbf"):
            self._at = 3
        while self._begin():
            end = self._end()
            if end is None:
                self.unfinished = self._line
                return
            statement = Statement(self._line, self._buffer[self._at : end])
            self._go(end + len(self._delimiter))
            self.complete = False
            yield statement

    def _use(self, delimiter: bytes) -> None:
        if len(delimiter) > _LONGEST_DELIMITER:
            raise DumpError("a DELIMITER is longer than any dump has", line=self._line)
        self._delimiter = delimiter
        self._mark = re.compile(rb"['\"`#]|--(?=[\s\x00]|\Z)|/\*|" + re.escape(delimiter))

    def _begin(self) -> bool:
        """Go to the next statement, past blanks, comments and commands of the client; False at the end."""
        while True:
            self._need(4096)
            blank = _BLANK.match(self._buffer, self._at)
            if blank is not None:
                self._go(blank.end())
            if self._at == len(self._buffer):
                if self._ended:
                    return False
                continue
            if not self._pass_something():
                return True

    def _pass_something(self) -> bool:
        """Pass one comment, client's line or empty statement; False when a statement is here."""
        buffer, at = self._buffer, self._at
        if _LINE_COMMENT.match(buffer, at):
            self.complete = self.complete or _COMPLETED.match(buffer, at) is not None
            self._go(self._find(b"\n", at))
        elif _COMMENT.match(buffer, at):
            self._go(self._find(b"*/", at + 2))
        elif found := _DELIMITER.match(buffer, at):
            self._use(found[1])
            self._go(self._find(b"\n", at))
        elif _SAID.match(buffer, at):
            self.said += 1
            self._go(self._find(b"\n", at))
        elif buffer.startswith(self._delimiter, at):
            self._go(at + len(self._delimiter))
        else:
            return False
        return True

    def _end(self) -> int | None:
        """Where the statement's delimiter is; None when the file ends before it."""
        at = self._at
        while True:
            found = self._mark.search(self._buffer, at)
            if found is None or found.start() > len(self._buffer) - _MARGIN:
                if not self._ended:
                    at = max(at, len(self._buffer) - _MARGIN - 1) if found is None else found.start()
                    at = self._more(at)
                    continue
                if found is None:
                    return None
            if found[0] == self._delimiter:
                return found.start()
            past = self._past(found)
            if past is None:
                return None
            at = past

    def _past(self, found: re.Match[bytes]) -> int | None:
        """The place after the string or comment that ``found`` begins; None when the file ends in it."""
        start = found.start()
        string = _STRINGS.get(found[0])
        if string is None:
            if found[0] == b"/*":
                code = not _COMMENT.match(self._buffer, start)
                return start + 2 if code else self._find(b"*/", start + 2)
            return self._find(b"\n", start)
        offset = start - self._at
        while True:
            match = string.match(self._buffer, self._at + offset + 1)
            if match is not None:
                return match.end()
            if self._ended:
                return None
            self._more(self._at)

    def _find(self, mark: bytes, start: int) -> int:
        """The place after the next ``mark``; the end of the file when there is none."""
        offset = start - self._at
        while True:
            found = self._buffer.find(mark, self._at + offset)
            if found >= 0:
                return found + len(mark)
            if self._ended:
                return len(self._buffer)
            offset = max(offset, len(self._buffer) - self._at - len(mark))
            self._more(self._at)

    def _go(self, at: int) -> None:
        self._line += self._buffer.count(b"\n", self._at, at)
        self._at = at

    def _need(self, size: int) -> None:
        while len(self._buffer) - self._at < size and not self._ended:
            self._fill()

    def _more(self, at: int) -> int:
        """Read on; what ``at`` has become."""
        before = self._at
        self._fill()
        return at - (before - self._at)

    def _fill(self) -> None:
        """Drop what is done, and read as much again as is left, so that a long statement is not moved too often."""
        rest = self._buffer[self._at :]
        if len(rest) > LONGEST:
            raise DumpError(
                f"a statement is longer than {LONGEST >> 20} MB, or a quote is never closed", line=self._line
            )
        data = self._read(max(_CHUNK, len(rest)))
        self._ended = not data
        self._buffer = rest + data
        self._at = 0
