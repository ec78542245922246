# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""NUL bytes that a source hides: Dovecot gives each out as 0x80 in BODY[], and as it is in BINARY[] alone (RFC 3516).

A NUL is no byte for a plain literal, so that every client of such a server has always seen 0x80 there, and a copy holds
0x80. That is nothing to keep quiet about: such messages are found out, and their true bytes are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from ..ledger import DIGEST_SIZE
from ..transport.wire import MAX_LITERAL
from .listing import fetch_items
from .session import Session

SHOWN_AS = b"\x80"
#: Characters of UTF-8 (RFC 3629 section 4): a 0x80 within one of them stands for itself.
_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
)
_WITH_NUL = re.compile(rb"UID (\d+) BINARY\[\]<0> ~\{", re.IGNORECASE)
_SHOWN = bytes.maketrans(b"\0", SHOWN_AS)


def may_hide(piece: bytes) -> bool:
    """Whether a 0x80 among a message's bytes could be a NUL."""
    return SHOWN_AS in piece and SHOWN_AS in _CHARACTER.sub(b"", piece)


@dataclass(frozen=True)
class Revealed:
    """A message with hidden NULs; ``data`` are its true bytes, None where they can't be had whole."""

    uid: int
    data: bytes | None


def reveal(session: Session, sizes: Mapping[int, int], digests: Mapping[int, bytes]) -> Iterator[Revealed]:
    """Which of some messages of the selected folder hold NULs for sure; ``sizes`` and ``digests`` by UID, as BODY[] is.

    A server with BINARY tells by the kind of literal (``~{…}``) that there may be NULs. Parts in base64 or
    quoted-printable are given out decoded: then only a NUL in the header is certain, and the true bytes can't be had.
    """
    for uid in _suspects(session, sorted(sizes)):
        if sizes[uid] > MAX_LITERAL:
            continue
        reply = session.run(b"UID FETCH %d (BINARY.PEEK[])" % uid)
        for response in reply.untagged:
            data = fetch_items(response).get(b"BINARY[]")
            if not isinstance(data, bytes) or b"\0" not in data:
                continue
            if blake2b(data.translate(_SHOWN), digest_size=DIGEST_SIZE).digest() == digests.get(uid):
                yield Revealed(uid, data)
            elif b"\0" in data.partition(b"\r\n\r\n")[0]:
                yield Revealed(uid, None)


def _suspects(session: Session, uids: Iterable[int]) -> list[int]:
    found: set[int] = set()
    for reply in session.pipeline((b"UID FETCH %d (UID BINARY.PEEK[]<0.1>)" % uid,) for uid in uids):
        for response in reply.untagged:
            # Dovecot answers several commands at once, so that the answer is not always to the one it follows
            match = _WITH_NUL.search(response.text)
            if match:
                found.add(int(match[1]))
    return sorted(found)
