# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whether a target that names a fault of its own is sound but for one message: it is asked to store another one.

A message that is left out where UIDs are kept costs its UID for good, because the messages after it are given theirs.
So before one is blamed for a fault of the server's, an ordinary message that is larger is stored in a folder of its
own, which is removed at once. A disk that is full, say, takes that one even less.
"""

from __future__ import annotations

import contextlib

from ..errors import MigrationError
from ..transport.wire import Literal, quoted
from .folders import Path
from .session import Session
from .transfer import append_limit

#: The folder. A run that is killed leaves it; the next one removes it.
PROBE: Path = (b"atmail-migration-probe",)
#: By how many bytes the message is larger, and how large at most.
_MORE, _MOST = 1024 * 1024, 8 * 1024 * 1024
_HEADER = b"From: <>\r\nSubject: A message of no account, to see whether this server stores it\r\n\r\n"
_LINE = b"x" * 70 + b"\r\n"


def is_sound(session: Session, folder: bytes, size: int) -> bool:
    """Whether the target stores a message that is larger than ``size`` bytes; ``folder`` is the probe's name there.

    Nothing stays. A server that breaks off is not sound.
    """
    with contextlib.suppress(MigrationError):
        session.unselect()
        made = session.run(b"CREATE ", quoted(folder))
        if not made.ok and made.code[0] != b"ALREADYEXISTS":
            return False
        stored = session.run(b"APPEND ", quoted(folder), b" (\\Seen) ", Literal(_message(size, session)))
        return session.run(b"DELETE ", quoted(folder)).ok and stored.ok
    return False


def _message(size: int, session: Session) -> bytes:
    wanted = min(size + _MORE, _MOST, append_limit(session.capabilities) or _MOST)
    return _HEADER + _LINE * max(1, (wanted - len(_HEADER)) // len(_LINE))
