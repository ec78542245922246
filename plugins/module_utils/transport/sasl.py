# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the SASL mechanisms say, as plain values (RFC 4616 PLAIN, RFC 7628 OAUTHBEARER, XOAUTH2, LOGIN)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mechanism:
    """One mechanism with what we have to say in it.

    ``answers`` go out one after the other, each when the server asks; the first may come with the command itself where
    ``initial`` (RFC 4959). ``closing`` answers whatever the server asks beyond that; None gives the log-in up then.
    """

    name: bytes
    answers: tuple[bytes, ...] = field(repr=False)
    initial: bool = True
    closing: bytes | None = None


def plain(user: bytes, password: bytes, behalf: bytes = b"") -> Mechanism:
    """RFC 4616: ``behalf`` is whose mailbox it shall be (authorization identity), ``user`` who knows the password."""
    return Mechanism(b"PLAIN", (behalf + b"\0" + user + b"\0" + password,))


def login(user: bytes, password: bytes) -> Mechanism:
    """LOGIN (draft-murchison-sasl-login): both are asked for, and the questions say nothing that counts."""
    return Mechanism(b"LOGIN", (user, password), initial=False)


def xoauth2(user: bytes, token: bytes) -> Mechanism:
    """Google's and Microsoft's own; a refusal comes as a challenge, which an empty answer ends."""
    return Mechanism(b"XOAUTH2", (b"user=" + user + b"\1auth=Bearer " + token + b"\1\1",), closing=b"")


def oauthbearer(user: bytes, token: bytes, host: str, port: int) -> Mechanism:
    """RFC 7628 section 3.1; a refusal comes as a challenge, which a lone ^A ends (section 3.2.3)."""
    who = user.replace(b"=", b"=3D").replace(b",", b"=2C")  # RFC 5801 section 4
    where = b"\1host=" + host.encode() + b"\1port=%d" % port
    return Mechanism(
        b"OAUTHBEARER", (b"n,a=" + who + b"," + where + b"\1auth=Bearer " + token + b"\1\1",), closing=b"\1"
    )


def oauth_status(challenge: bytes) -> str:
    """The reason in a refusal's challenge (RFC 7628 section 3.2.2), or nothing; it is the server's word, so bounded."""
    try:
        status = json.loads(challenge)["status"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return status[:60] if isinstance(status, str) and status.isprintable() else ""
