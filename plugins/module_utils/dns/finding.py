# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is said about one record: how it should be, how it is, and whether the cut-over can wait for it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..transport.nameserver import Told

State = Literal["ok", "pending", "warning", "wrong", "missing", "unchecked"]
OK: State = "ok"
PENDING: State = "pending"
WARNING: State = "warning"
WRONG: State = "wrong"
MISSING: State = "missing"
UNCHECKED: State = "unchecked"
#: From the best to the worst.
STATES: tuple[State, ...] = (OK, PENDING, WARNING, UNCHECKED, MISSING, WRONG)
_STOPPING = frozenset({WRONG, MISSING, UNCHECKED})
When = Literal["now", "cut_over", "later"]


@dataclass(frozen=True)
class Verdict:
    """What is thought of one answer: a state, a sentence, and what to do."""

    state: State
    text: str
    next: str = ""


@dataclass(frozen=True)
class Finding:
    """A row of the result. ``servers`` are pairs of a server and what it says, where they do not all say the same.

    ``pending`` is as it should be today, and is changed at the cut-over.
    """

    check: str
    name: str
    kind: str
    state: State
    verdict: str
    next: str = ""
    wanted: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    servers: tuple[tuple[str, str], ...] = ()
    required: bool = True

    @property
    def stops(self) -> bool:
        """Whether the cut-over can't start because of it."""
        return self.required and self.state in _STOPPING

    def as_dict(self) -> dict[str, Any]:
        """The row as a plain value."""
        return {
            "check": self.check,
            "name": self.name,
            "type": self.kind,
            "state": self.state,
            "verdict": self.verdict,
            "next": self.next,
            "wanted": list(self.wanted),
            "seen": list(self.seen),
            "servers": [{"server": server, "seen": seen} for server, seen in self.servers],
            "required": self.required,
            "stops": self.stops,
        }


@dataclass(frozen=True)
class Record:
    """A record set to make: all ``values`` of a name and type, in the form of a zone file, ``ttl`` in seconds.

    ``replaces`` is how those values begin (as text) that are replaced, where others of the set stay; empty for the
    whole set. ``when`` is ``now``, ``cut_over`` or ``later``. No values: the set is removed. ``check`` wants it.
    """

    zone: str
    name: str
    kind: str
    ttl: int
    values: tuple[str, ...]
    when: When = "now"
    replaces: str = ""
    why: str = ""
    check: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The record set as the module dns_records takes it, and what it is for."""
        return {
            "zone": self.zone,
            "name": self.name,
            "type": self.kind,
            "ttl": self.ttl,
            "values": list(self.values),
            "when": self.when,
            "replaces": self.replaces,
            "why": self.why,
            "check": self.check,
        }


def worst(states: Iterable[State]) -> State:
    """The worst of all; ``ok`` of none."""
    return max(states, key=STATES.index, default=OK)


def spread(base: Finding, answers: Sequence[Told], judge: Callable[[Told], Verdict]) -> Finding:
    """One row for what all servers say: the worst verdict, with the servers named where they do not agree.

    ``base`` has check, name, type and what is wanted. Authoritative servers that differ are wrong in any case.
    """
    answers = _heard(answers)
    judged = [(told, judge(told) if told.answered else _no_answer(told)) for told in answers]
    state = worst(verdict.state for _told, verdict in judged)
    first = next(verdict for _told, verdict in judged if verdict.state == state)
    said = {(told.answered, shown(told)) for told, _verdict in judged}
    owners = {shown(told) for told, _verdict in judged if told.answered and not told.server.resolver}
    seen = tuple(dict.fromkeys(value for told, _verdict in judged for value in _values(told)))
    found = replace(base, state=state, verdict=first.text, next=first.next, seen=seen)
    if len(said) == 1 and len({verdict.text for _told, verdict in judged}) == 1:
        return found
    servers = tuple((told.server.label, shown(told)) for told, _verdict in judged)
    bad = [(told.server.label, verdict) for told, verdict in judged if verdict.state == state]
    if len(owners) > 1:
        found = replace(found, state=worst([state, WRONG]))
    text = "; ".join(f"{label}: {verdict.text}" for label, verdict in bad)
    if len(bad) == len(judged) and len(owners) > 1:
        text = f"the name servers do not say the same; {text}"
    return replace(found, verdict=text, servers=servers, next=first.next or _SAME)


def _heard(answers: Sequence[Told]) -> list[Told]:
    """Without servers that do not answer, and silent resolvers, which have rows of their own; unless none answers."""
    owners = [told for told in answers if not told.server.resolver]
    if not any(told.answered for told in owners):
        return list(answers)
    return [told for told in answers if told.answered or (told.server.resolver and told.status != "silent")]


_SAME = "Have the zone's servers brought up to date, or wait until the resolvers have forgotten the old record."


def shown(told: Told) -> str:
    """What a server says, in a line."""
    if not told.answered:
        return f"{told.status}: {told.reason}"
    return ", ".join(_values(told)) or ("no such name" if told.status == "no_name" else "nothing")


def _values(told: Told) -> tuple[str, ...]:
    if told.kind == "TXT":
        return tuple(readable(text) for text in told.texts)
    return told.values or tuple(f"CNAME {alias}." for alias in told.aliases[-1:])


def readable(text: bytes) -> str:
    r"""A TXT record for people and results: whatever is not printable ASCII as \DDD (RFC 1035 section 5.1)."""
    return "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}" for byte in text)


def _no_answer(told: Told) -> Verdict:
    if told.status == "refused":
        return Verdict(
            WRONG, "does not serve the zone (it refuses)", "Have the server removed from the zone's NS records."
        )
    if told.status == "failed" and told.server.resolver:
        text = f"fails ({told.reason}): a signature that can't be verified, or a server that it can't reach"
        return Verdict(WRONG, text, "Look at the rows about DNSSEC and servers.")
    return Verdict(UNCHECKED, f"gives no answer ({told.reason})", "Have the name server mended, then check again.")
