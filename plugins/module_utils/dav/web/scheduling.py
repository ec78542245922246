# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""No invitation leaves for what is only copied: what a server with automatic scheduling (RFC 6638) is told instead.

Two servers can be told by a header of the request, and store what they are given: SabreDAV (2.1 and later, and all
that is made of it: Baïkal, Nextcloud, ownCloud) by ``Schedule-Reply: F``, which RFC 6638 section 8.1 has for attendees'
removals only, and Cyrus (3.0 and later) by ``Scheduling-Enabled: F``. All others are told by a parameter in the object
(section 7.1). It stays there: taking it away again is what would send the invitations (section 3.2.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ...errors import ProtocolError
from ...transport.http import Answer
from ..model import Finding
from . import names
from .account import Account
from .xml import parse

Asked = Literal["auto", "agent", "off", "refuse"]
#: How invitations are kept back: nobody sends any, by a header, by a parameter, or not at all.
Way = Literal["none", "header", "agent", "off", "unsafe"]
WAYS = ("auto", "agent", "off", "refuse")

#: What does no harm anywhere is said to every server.
HEADERS: Mapping[str, str] = {"Schedule-Reply": "F", "Scheduling-Enabled": "F"}
_CYRUS = re.compile(r"\bCyrus-HTTP/(\d+)\.", re.IGNORECASE)
#: Nobody's object: what a server says when it is asked for it shows what it is made of.
_NOBODYS = "atmail-migration-0f6b1d2e-is-not-there.ics"


@dataclass(frozen=True)
class Scheduling:
    """How invitations are kept back at a target; ``findings`` say so."""

    way: Way
    findings: tuple[Finding, ...] = ()

    def prepared(self, data: bytes) -> bytes:
        """A calendar object as it is to be sent."""
        return with_agent(data) if self.way == "agent" else data


def decide(account: Account, asked: Asked, home: str) -> Scheduling:
    """What is to be done at this server; it is asked what it can and what it is."""
    answer = account.ask("OPTIONS", home)
    if "calendar-auto-schedule" not in _features(answer):
        return Scheduling("none")
    if asked == "off":
        message = (
            "The target announces automatic scheduling, though it is said to be switched off: events are written "
            "as they are. Make sure that it sends nothing."
        )
        return Scheduling("off", (Finding("scheduling_off", message, "warning"),))
    server = "" if asked == "agent" else _by_header(account, answer, home)
    if server:
        message = f"The target ({server}) is told with each event to send no invitations; events are stored unchanged."
        return Scheduling("header", (Finding("scheduling_header", message),))
    if asked == "refuse":
        message = (
            "The target does automatic scheduling, and is no server that can be told to send no invitations: "
            "no event is written."
        )
        return Scheduling("unsafe", (Finding("scheduling_unsafe", message, "error"),))
    message = (
        "The target does automatic scheduling, so events with an organizer are stored with SCHEDULE-AGENT=CLIENT: "
        "it sends no invitations for them, and will not for later changes of them either; users' clients may."
    )
    return Scheduling("agent", (Finding("scheduling_agent", message, "warning"),))


def _features(answer: Answer) -> frozenset[str]:
    headers = answer.headers
    values = headers.getlist("DAV") if hasattr(headers, "getlist") else [headers.get("DAV", "")]
    return frozenset(one.strip().lower() for value in values for one in value.split(","))


def _by_header(account: Account, answer: Answer, home: str) -> str:
    """The name of a server that can be told by a header, empty for others."""
    cyrus = _CYRUS.search(answer.headers.get("Server", ""))
    if cyrus:
        return f"Cyrus {cyrus[1]}" if int(cyrus[1]) >= 3 else ""
    if answer.headers.get("X-Sabre-Version"):
        return f"SabreDAV {answer.headers['X-Sabre-Version'][:20]}"
    missing = account.ask("GET", home.rstrip("/") + "/" + _NOBODYS)
    if missing.status < 400 or b"<" not in missing.body[:100]:
        return ""
    try:
        root = parse(missing.body)
    except ProtocolError:
        return ""
    return "SabreDAV" if any(str(one.tag).startswith(f"{{{names.SABRE}}}") for one in root.iter()) else ""


# the parameter

_AGENT = b";SCHEDULE-AGENT=CLIENT"
_FOLD = re.compile(rb"\r?\n[ \t]")
_PROPERTY = re.compile(rb"(?:ORGANIZER|ATTENDEE)(?=[;:])", re.IGNORECASE)
_HAS_AGENT = re.compile(rb';\s*SCHEDULE-AGENT\s*=\s*"?([^";:,\s]*)"?', re.IGNORECASE)
#: Components that are scheduled; an alarm has attendees too, who only get mail from the user's own program.
_SCHEDULED = frozenset({b"VEVENT", b"VTODO", b"VJOURNAL", b"VPOLL", b"VFREEBUSY"})
_QUIET = frozenset({b"CLIENT", b"NONE"})


def with_agent(data: bytes) -> bytes:
    """The object with ``SCHEDULE-AGENT=CLIENT`` wherever the server would act; all other bytes stay as they are.

    The parameter is put on a line of its own, so that no line grows longer than it was (RFC 5545 section 3.1).
    """
    end = b"\r\n" if b"\r\n" in data else b"\n"
    parts: list[bytes] = []
    for line, scheduled in _lines(data):
        quiet = not scheduled or _quiet(line)
        bare = _without(line) if not quiet and _parameters(line)[1] else line  # SERVER, or what nobody knows
        name = None if quiet else _PROPERTY.match(bare)
        parts.append(line if name is None else bare[: name.end()] + _AGENT + end + b" " + bare[name.end() :])
    return b"".join(parts)


def speaks(data: bytes) -> bool:
    """Whether a server would act on a change or the removal of this object."""
    return any(scheduled and not _quiet(line) for line, scheduled in _lines(data))


def _lines(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The content lines, folded as they are, and whether each is an organizer or attendee of something scheduled."""
    inside: list[bytes] = []
    for line in re.split(rb"(?<=\n)(?![ \t])", data):
        plain = _FOLD.sub(b"", line).strip()
        word, _colon, value = plain.partition(b":")
        if word.upper() == b"BEGIN":
            inside.append(value.strip().upper())
        elif word.upper() == b"END" and inside:
            inside.pop()
        scheduled = bool(inside) and inside[-1] in _SCHEDULED and _PROPERTY.match(plain) is not None
        whole = _PROPERTY.match(line) is not None or not scheduled
        yield line if whole else plain + (b"\r\n" if line.endswith(b"\r\n") else b"\n"), scheduled


def _parameters(line: bytes) -> tuple[bytes, bytes]:
    """What stands before the value of a content line, and the agent that it names."""
    plain = _FOLD.sub(b"", line)
    quoted, stop = False, len(plain)
    for number, byte in enumerate(plain):
        if byte == 0x22:
            quoted = not quoted
        elif byte == 0x3A and not quoted:
            stop = number
            break
    # a quoted value that is short can't hold another parameter, and may be that of the agent
    bare = re.sub(rb'="[^"]*"', lambda found: found[0] if len(found[0]) < 12 else b"=", plain[:stop])
    agent = _HAS_AGENT.search(bare)
    return plain[:stop], agent[1].upper() if agent else b""


def _quiet(line: bytes) -> bool:
    return _parameters(line)[1] in _QUIET


def _without(line: bytes) -> bytes:
    """A line without the agent that it names, unfolded."""
    plain = _FOLD.sub(b"", line)
    head, _agent = _parameters(line)
    return _HAS_AGENT.sub(b"", head, count=1) + plain[len(head) :]
