# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a huge copy is right, by code that is not the engine's and that holds no message in memory."""

from __future__ import annotations

import hashlib
import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.checks.mail import Place

_PIECE = 1 << 20
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


@contextmanager
def _opened(place: Place) -> Iterator[imaplib.IMAP4_SSL]:
    imap = imaplib.IMAP4_SSL("127.0.0.1", place.imaps, ssl_context=place.tls(), timeout=300)
    try:
        imap.login(*place.login)
        imap.select("INBOX", readonly=True)
        yield imap
    finally:
        imap.logout()


def listing(place: Place) -> tuple[int, str]:
    """How many messages INBOX has, and a digest of all their UIDs, flags, dates and sizes."""
    digest, count = hashlib.sha256(), 0
    with _opened(place) as imap:
        imap.send(b"L1 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)\r\n")
        while not (line := imap.readline()).startswith(b"L1 "):
            assert line, "the server hung up"
            if b" FETCH " not in line:
                continue  # a server that takes long says so in between
            # \Recent is the session's, not the message's
            digest.update(line.replace(b"\\Recent ", b"").replace(b" \\Recent", b"").replace(b"\\Recent", b""))
            count += 1
    return count, digest.hexdigest()


def bodies(place: Place, uids: str) -> tuple[int, str]:
    """How many bytes these messages have, and a digest of them."""
    digest, size = hashlib.sha256(), 0
    with _opened(place) as imap:
        imap.send(f"B1 UID FETCH {uids} (BODY.PEEK[])\r\n".encode())
        while not (line := imap.readline()).startswith(b"B1 "):
            assert line, "the server hung up"
            match = _LITERAL.search(line)
            left = int(match[1]) if match else 0
            size += left
            while left:
                piece = imap.read(min(left, _PIECE))
                assert piece, "the server hung up"
                digest.update(piece)
                left -= len(piece)
    return size, digest.hexdigest()
