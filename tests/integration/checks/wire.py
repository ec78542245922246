# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients said to a server, from Dovecot's own record of its sessions (rawlog)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: Commands that change nothing (RFC 3501; RFC 2342, 2971, 3691, 5161, 9051).
READING = frozenset(
    {"CAPABILITY", "NOOP", "LOGIN", "AUTHENTICATE", "STARTTLS", "LOGOUT", "NAMESPACE", "ID", "ENABLE", "COMPRESS"}
    | {"LIST", "LSUB", "STATUS", "EXAMINE", "UNSELECT", "SEARCH", "FETCH"}
)
_COMMAND = re.compile(
    rb"^(?P<tag>[A-Za-z0-9.]{1,40}) (?P<verb>[A-Z]+)(?: (?P<second>[A-Z]+))?(?P<rest>[^\r\n]*)\r?$",
    re.MULTILINE,
)
#: Dovecot writes the time before every line, those of messages included.
_STAMP = re.compile(rb"^\d{9,12}\.\d{6} ", re.MULTILINE)
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n")


@dataclass(frozen=True)
class Command:
    """One command: its verb (`UID STORE` for what UID does) and the first line after it."""

    verb: str
    rest: str


def commands(rawlog: Path, user: str) -> list[Command]:
    """All commands of a user's sessions, in the order of the sessions' files."""
    found: list[Command] = []
    for session in _sessions(rawlog, user):
        for match in _COMMAND.finditer(_without_literals(session)):
            verb, rest = match["verb"].decode(), match["rest"].decode("utf-8", "replace").strip()
            if verb == "UID":
                verb += " " + (match["second"] or b"").decode()
            elif match["second"]:
                rest = f"{match['second'].decode()} {rest}".strip()
            found.append(Command(verb, rest))
    return found


def writes(rawlog: Path, user: str) -> list[Command]:
    """The commands that are not known to change nothing."""
    return [one for one in commands(rawlog, user) if one.verb.removeprefix("UID ") not in READING]


def literal_kinds(rawlog: Path, user: str) -> tuple[int, int]:
    """How many literals the clients sent: (those that wait for the server's `+`, those that don't)."""
    data = b"".join(_sessions(rawlog, user))
    kinds: list[bytes] = []
    position = 0
    while match := _LITERAL.search(data, position):
        kinds.append(match[2])
        position = match.end() + int(match[1])
    return kinds.count(b""), kinds.count(b"+")


def forget(rawlog: Path, user: str) -> None:
    """Remove the record so far."""
    for path in (rawlog / user).glob("*.*"):
        path.unlink()


def _sessions(rawlog: Path, user: str) -> list[bytes]:
    return [_STAMP.sub(b"", path.read_bytes()) for path in sorted((rawlog / user).glob("*.in"))]


def _without_literals(data: bytes) -> bytes:
    parts: list[bytes] = []
    position = 0
    while match := _LITERAL.search(data, position):
        parts.append(data[position : match.start()] + b"{}")
        position = match.end() + int(match[1])
    return b"".join([*parts, data[position:]])
