# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whether a key's record can be seen in DNS: at every server of its zone, and at those that one is told to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import DnsError
from ..transport.nameserver import Asker, NameServer, Told, system_resolvers, zone_servers
from .record import Record, difference

Seen = Literal["published", "missing", "different", "unreachable"]


@dataclass(frozen=True)
class Whom:
    """Whom to ask. Without authoritative servers those of the zone are found out; ``timeout`` is in seconds."""

    authoritative: tuple[NameServer, ...]
    resolvers: tuple[NameServer, ...]
    timeout: float


@dataclass(frozen=True)
class Answer:
    """What one server says of a record."""

    server: str
    state: Seen
    said: str

    def as_dict(self) -> dict[str, str]:
        """For results."""
        return {"server": self.server, "state": self.state, "said": self.said}


def look(record: Record, whom: Whom) -> list[Answer]:
    """The answer of every server of the zone, then that of every resolver that was given."""
    with Asker(whom.timeout) as asker:
        try:
            servers, answers = _servers(asker, record.name, whom)
        except DnsError as error:
            return [Answer("DNS", "unreachable", error.message)]
        told = asker.ask_all([*servers, *whom.resolvers], record.name, "TXT")
        return [*answers, *(_answer(asker, each, record, whom) for each in told)]


def published(answers: Sequence[Answer]) -> bool:
    """Whether verifiers find the key wherever they ask: nobody asked is nobody who found it."""
    return bool(answers) and all(answer.state == "published" for answer in answers)


def _servers(asker: Asker, name: str, whom: Whom) -> tuple[list[NameServer], list[Answer]]:
    """The servers of the zone, and what is to be said of those that have no address."""
    if whom.authoritative:
        return list(whom.authoritative), []
    found = zone_servers(asker, whom.resolvers or system_resolvers(), name)
    said = f"this server of the zone {found.zone} has no address"
    return list(found.servers), [Answer(server, "unreachable", said) for server in found.problems]


def _answer(asker: Asker, told: Told, record: Record, whom: Whom) -> Answer:
    label = told.server.label
    if told.aliases and not told.texts and told.answered and not told.server.resolver:
        # a CNAME that leads out of the zone: its own servers do not say what is there
        try:
            told = asker.first(whom.resolvers or system_resolvers(), told.aliases[-1], "TXT")
        except DnsError as error:
            return Answer(label, "unreachable", error.message)
    elif told.answered and not told.authoritative and not told.server.resolver:
        return Answer(label, "unreachable", "it is no server of this zone")
    if not told.answered:
        return Answer(label, "unreachable", told.reason)
    said = difference([text.decode("utf-8", "replace") for text in told.texts], record.public)
    if not said:
        return Answer(label, "published", "")
    return Answer(label, "different" if told.texts else "missing", said)
