# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a server answers to a ClientHello: whether it takes the version, and the certificates it shows. Pure.

RFC 5246 sections 6.2.1 (records), 7.2 (alerts), 7.4 (handshake); RFC 8446 section 4.1.3 (ServerHello of TLS 1.3).
Everything comes from a stranger: every length is looked at before it is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .hello import VERSIONS

#: More than any server's first flight, in bytes.
MAX_FLIGHT = 64 * 1024
_MAX_MESSAGES = 64
_ALERT, _HANDSHAKE = 21, 22
_RECORDS = (20, _ALERT, _HANDSHAKE, 23)
#: A record's contents, with what encryption may add (RFC 5246 section 6.2.3).
_MAX_RECORD = (1 << 14) + 2048
_HELLO_REQUEST, _SERVER_HELLO, _CERTIFICATE, _DONE = 0, 2, 11, 14
_VERSIONS_TYPE = 43
_CLOSE_NOTIFY, _UNRECOGNIZED_NAME = 0, 112
#: RFC 5246 section 7.2 and RFC 8446 section 6: those that one meets.
_ALERTS = {
    0: "close notify",
    10: "unexpected message",
    20: "bad record MAC",
    22: "record overflow",
    40: "handshake failure",
    42: "bad certificate",
    47: "illegal parameter",
    50: "decode error",
    51: "decrypt error",
    70: "protocol version",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    90: "user canceled",
    109: "missing extension",
    110: "unsupported extension",
    112: "unrecognized name",
    116: "certificate required",
    120: "no application protocol",
}
_NAMES = {
    number: f"{kind.upper()} {high}.{low}" for word, number in VERSIONS.items() for kind, high, low in [word.split("_")]
}


@dataclass(frozen=True)
class Reply:
    """``verdict`` is accepted, refused, unknown_name (the server has nothing for that name), not_tls or unclear;
    ``chain`` are the certificates (DER) that came in clear.
    """

    verdict: str
    seen: str = ""
    chain: tuple[bytes, ...] = ()


class _BrokenError(Exception):
    """The bytes break their own lengths; its text says where."""


def read_flight(data: bytes, check: str, *, ended: bool = False) -> Reply | None:
    """What these bytes say about the version ``check`` (a name of :data:`VERSIONS`); None while more may follow.

    A version is accepted when the server chooses it and then says all that it has to say in clear text: up to
    ServerHelloDone, or for TLS 1.3 its ServerHello. ``ended`` tells that no more will come.
    """
    if len(data) > MAX_FLIGHT:
        return Reply("unclear", "an answer without an end")
    try:
        reply = _judge(data, VERSIONS[check])
    except _BrokenError as error:
        return Reply("unclear" if data[0] in _RECORDS else "not_tls", str(error))
    if reply is None and ended:
        if not data:
            return Reply("refused", "the connection was closed without a word")
        return Reply("unclear", "the connection was closed in the middle of the handshake")
    return reply


def _judge(data: bytes, wanted: int) -> Reply | None:
    chosen = 0
    chain: tuple[bytes, ...] = ()
    for kind, body in _messages(data):
        if kind == "alert":
            refusal = _alert(body)
            if refusal:
                return refusal
        elif kind == _SERVER_HELLO:
            chosen = _chosen(body)
            if chosen != wanted:
                verdict = "refused" if chosen < wanted else "unclear"
                return Reply(verdict, f"it chose {_NAMES.get(chosen, f'0x{chosen:04x}')}")
            if wanted == VERSIONS["tls_1_3"]:
                return Reply("accepted")
        elif not chosen and kind != _HELLO_REQUEST:
            return Reply("unclear", f"a handshake message of type {kind} instead of a ServerHello")
        elif kind == _CERTIFICATE:
            chain = _chain(body)
        elif kind == _DONE:
            return Reply("accepted", chain=chain)
    return None


def _alert(body: bytes) -> Reply | None:
    """A refusal, or None for a mere warning (a name that the server does not know, say)."""
    level, description = body[0], body[1]
    if level != 2 and description != _CLOSE_NOTIFY:
        return None
    verdict = "unknown_name" if description == _UNRECOGNIZED_NAME else "refused"
    return Reply(verdict, f"alert {_ALERTS.get(description, str(description))}")


def _messages(data: bytes) -> Iterator[tuple[int | str, bytes]]:
    """Alerts and whole handshake messages in their order; ends where bytes are still missing."""
    pending = b""
    for number, (kind, body) in enumerate(_records(data)):
        if number > _MAX_MESSAGES:
            raise _BrokenError("records without an end")
        if kind == _ALERT:
            if len(body) != 2:
                raise _BrokenError("an alert that is none")
            yield "alert", body
        elif kind == _HANDSHAKE:
            pending += body
            while len(pending) >= 4:
                end = 4 + int.from_bytes(pending[1:4], "big")
                if end > MAX_FLIGHT:
                    raise _BrokenError("a handshake message without an end")
                if len(pending) < end:
                    break
                yield pending[0], pending[4:end]
                pending = pending[end:]


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        if data[at] not in _RECORDS or (at + 1 < len(data) and data[at + 1] != 3):
            raise _BrokenError(f"no TLS, but {data[at : at + 40]!r}")
        if len(data) - at < 5:
            return
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        if length > _MAX_RECORD:
            raise _BrokenError(f"a record of {length} bytes")
        if len(data) - at < 5 + length:
            return
        yield data[at], data[at + 5 : at + 5 + length]
        at += 5 + length


def _chosen(body: bytes) -> int:
    """The version that a ServerHello chooses: that of its extension, where there is one (RFC 8446 section 4.2.1)."""
    if len(body) < 38:
        raise _BrokenError("a ServerHello that is too short")
    legacy = int.from_bytes(body[:2], "big")
    at = 35 + body[34] + 3
    if at > len(body):
        raise _BrokenError("a ServerHello that is too short")
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(body)):
        kind = int.from_bytes(body[at : at + 2], "big")
        length = int.from_bytes(body[at + 2 : at + 4], "big")
        if kind == _VERSIONS_TYPE and length == 2:
            return int.from_bytes(body[at + 4 : at + 6], "big")
        at += 4 + length
    return legacy


def _chain(body: bytes) -> tuple[bytes, ...]:
    """The certificates of a Certificate message (RFC 5246 section 7.4.2); what has wrong lengths is left out."""
    found = []
    at, end = 3, 3 + int.from_bytes(body[:3], "big")
    while at + 3 <= min(end, len(body)):
        length = int.from_bytes(body[at : at + 3], "big")
        if at + 3 + length > len(body):
            break
        found.append(body[at + 3 : at + 3 + length])
        at += 3 + length
    return tuple(found)
