# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How fast this source gives mail, and how far away both sides are: a short look with limits, one connection a side.

Nothing is changed: the folder is opened by EXAMINE (RFC 9051, 6.3.3) and messages are read by BODY.PEEK, which sets no
flag (6.4.5). On the target nobody logs in: what an answer takes there is told by its greeting and a NOOP.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import MigrationError, ProtocolError
from ..rates import Figure
from ..transport.dialogue import Dialogue
from ..transport.imap import POP3, ImapServer
from ..transport.login import LogIn
from ..transport.tcp import connect
from ..transport.wire import MAX_LITERAL, quoted
from .sizes import folder_sizes, logged_in, must

#: At most so many messages are looked at to choose the sample, the newest ones of the fullest folder.
_CANDIDATES = 500
#: Messages that are asked for by one command.
_TOGETHER = 20
#: A sample that is smaller than this tells nothing.
_LEAST = 64_000
_TRIES = 3
#: Less than this is not told from nothing, in seconds.
_INSTANT = 0.0001


@dataclass(frozen=True)
class Sample:
    """The bounds of a sample: bytes, and seconds after which no further messages are asked for."""

    most_bytes: int = 8_000_000
    most_seconds: float = 10.0


def probe_source(server: ImapServer, user: str, sample: Sample) -> dict[str, Figure]:
    """Rates of the source, measured in the mailbox of ``user``; those that it does not tell are missing.

    A POP3 server marks messages as read when they are fetched: there only the log-in is measured, by the caller's own.
    Raises the errors of logging in, and ServerError.
    """
    if server.protocol == POP3:
        return {}
    began = time.monotonic()
    with logged_in(server, user) as (session, round_trip):
        found = {"log_in": _figure(time.monotonic() - began, "one log-in")}
        answers = [_timed(session, b"NOOP") for _try in range(_TRIES)]
        found["round_trip"] = _figure(min(round_trip, *answers), f"the shortest of {_TRIES} answers of the source")
        return found | _read(session, sample)


def probe_target(server: ImapServer) -> dict[str, Figure]:
    """The round trip to the target. Raises the errors of connecting and of TLS."""
    began = time.monotonic()
    session = LogIn(server, connect(server.host, server.port, server.timeout), began + server.timeout)
    try:
        session.open()
        for _try in range(_TRIES):
            must(session, b"NOOP")
        return {"round_trip": _figure(session.round_trip, f"the shortest of {_TRIES} answers of the target")}
    except MigrationError as error:
        raise error.at(**server.place) from error
    finally:
        session.wire.close()


def further(source: Mapping[str, Figure], target: Mapping[str, Figure]) -> dict[str, Figure]:
    """The source's figures with the longer of both round trips: it decides how long looking at folders takes."""
    both = [side["round_trip"] for side in (source, target) if "round_trip" in side]
    return {**source, **({"round_trip": max(both, key=lambda figure: figure.value)} if both else {})}


def _read(session: Dialogue, sample: Sample) -> dict[str, Figure]:
    """Read the newest messages of the fullest folder, as many as the sample allows, and time it."""
    fullest = max(folder_sizes(session), key=lambda folder: folder.messages, default=None)
    if fullest is None or not fullest.messages:
        return {}
    must(session, b"EXAMINE ", quoted(fullest.name))
    octets = messages = 0
    took = 0.0
    for numbers in _batches(list(_chosen(session, fullest.messages, sample.most_bytes))):
        began = time.monotonic()
        reply = must(session, b"FETCH " + b",".join(b"%d" % number for number in numbers) + b" (BODY.PEEK[])")
        took += time.monotonic() - began
        octets += sum(len(literal) for response in reply.untagged for literal in response.literals)
        messages += len(numbers)
        if took >= sample.most_seconds:
            break
    if octets < _LEAST or took < _INSTANT:
        return {}
    read = f"{messages:,} messages with {octets / 1e6:,.1f} MB"
    note = f"{read} were read from the source in {took:,.2g} s; none was written to the target"
    return {
        "bytes_per_second": Figure(octets / took, "measured", note),
        "messages_per_second": Figure(messages / took, "measured", note),
    }


def _chosen(session: Dialogue, messages: int, most_bytes: int) -> Iterator[int]:
    """Sequence numbers of messages that fit into so many bytes together, the newest first."""
    first = max(1, messages - _CANDIDATES + 1)
    sizes: dict[int, int] = {}
    for response in must(session, b"FETCH %d:%d (RFC822.SIZE)" % (first, messages)).untagged:
        number, _blank, rest = response.text.partition(b" ")
        if number.isdigit() and rest[:6].upper() == b"FETCH ":
            sizes[int(number)] = _size(response.values(skip=len(number) + 7))
    left = most_bytes
    for each, octets in sorted(sizes.items(), reverse=True):
        # Answers are read whole here, and the wire takes no longer literals for an answer.
        if octets <= min(left, MAX_LITERAL // 2):
            left -= octets
            yield each


def _size(values: Sequence[object]) -> int:
    """The size in a FETCH answer's list of names and values (RFC 9051, 7.5.2)."""
    items = values[0] if values and isinstance(values[0], list) else []
    for name, value in zip(items[::2], items[1::2], strict=False):
        if isinstance(name, bytes) and name.upper() == b"RFC822.SIZE" and isinstance(value, bytes) and value.isdigit():
            return int(value)
    raise ProtocolError("the server's sizes of messages are unreadable")


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _TOGETHER):
        yield numbers[start : start + _TOGETHER]


def _timed(session: Dialogue, command: bytes) -> float:
    """How long an answer takes, in seconds."""
    began = time.monotonic()
    must(session, command)
    return time.monotonic() - began


def _figure(seconds: float, note: str) -> Figure:
    return Figure(max(seconds, _INSTANT), "measured", note)
