# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""HTTPS and DAV as far as they answer everybody (RFC 9112; RFC 4918 section 10.1 and RFC 6764 section 5 for DAV)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import ProtocolError
from .talk import Talk, words
from .verdicts import Found

#: Where a client looks for calendars when it knows a host only (RFC 6764).
DAV_PATH = "/.well-known/caldav"
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: (.*))?")
_MAX_HEADERS = 200
#: Answers that another one follows (RFC 9110 section 15.2).
_INTERIM = range(100, 200)
_MAX_INTERIM = 5


def https(talk: Talk, name: str) -> Iterator[Found]:
    """Whether HTTP is spoken, and a service is behind it."""
    status, said, _headers = _request(talk, "GET", "/", name)
    yield Found("protocol", "unavailable" if status >= 500 else "right", said)


def dav(talk: Talk, name: str) -> Iterator[Found]:
    """Whether it is DAV that is spoken: it says so, or asks who one is, or sends one to where it is."""
    status, said, headers = _request(talk, "OPTIONS", DAV_PATH, name)
    if status >= 500:
        yield Found("protocol", "unavailable", said)
    elif b"dav" in headers or status == 401 or (300 <= status < 400 and b"location" in headers):
        shown = f"DAV: {words(headers[b'dav'], 60)}" if b"dav" in headers else said
        yield Found("protocol", "right", shown)
    else:
        yield Found("protocol", "wrong_protocol", f"{said}, without a DAV header")


def _request(talk: Talk, method: str, path: str, name: str) -> tuple[int, str, dict[bytes, bytes]]:
    """The status, the line it stood in, and the headers (names in lower case); the body is left unread."""
    talk.send(
        f"{method} {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: atmail.migration\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n".encode()
    )
    for _number in range(_MAX_INTERIM):
        line = talk.line()
        match = _STATUS.fullmatch(line)
        if match is None:
            raise ProtocolError(words(line) or "an empty line")
        headers = _headers(talk)
        if int(match[1]) not in _INTERIM:
            return int(match[1]), words(line), headers
    raise ProtocolError("interim answers without an end")


def _headers(talk: Talk) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for _number in range(_MAX_HEADERS):
        line = talk.line()
        if not line:
            return found
        header, _colon, value = line.partition(b":")
        found.setdefault(header.strip().lower(), value.strip())
    raise ProtocolError(f"more than {_MAX_HEADERS} headers")
