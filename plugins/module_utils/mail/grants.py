# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Who else may use a folder (RFC 4314): read to be told, never copied, because other servers know other users."""

from __future__ import annotations

from collections.abc import Sequence

from ..transport.wire import quoted
from .session import Session

#: How servers call the folder's own user.
_OWNER = frozenset({b"owner", b"administrators"})


def read_grants(session: Session, names: Sequence[bytes], user: str) -> dict[bytes, tuple[str, ...]]:
    """Folder → those beside its user who have rights there, as ``bob (lrs)``; only folders that have such.

    A server may keep a folder's list to its administrators; then nothing is known of it.
    """
    if not session.has(b"ACL"):
        return {}
    found: dict[bytes, tuple[str, ...]] = {}
    own = {*_OWNER, user.lower().encode()}
    for name, reply in zip(names, session.pipeline((b"GETACL ", quoted(name)) for name in names), strict=True):
        for response in reply.untagged if reply.ok else ():
            if response.text[:4].upper() != b"ACL ":
                continue
            words = [word for word in response.values(skip=4)[1:] if isinstance(word, bytes)]
            others = [(who, rights) for who, rights in zip(words[::2], words[1::2], strict=False) if rights]
            shown = tuple(
                f"{who.decode('utf-8', 'replace')} ({rights.decode('ascii', 'replace')})"
                for who, rights in others
                if who.lower() not in own and not who.startswith(b"-")
            )
            if shown:
                found[name] = shown
    return found
