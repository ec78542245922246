# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The servers of each zone that was asked: whether they answer, serve it, and have signatures that hold (RFC 4035)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ..transport.nameserver import NameServer, Told, ZoneServers
from .finding import OK, UNCHECKED, WARNING, WRONG, Finding, worst
from .signatures import judge_signatures
from .view import View


def check_zones(view: View, now: datetime) -> list[Finding]:
    """A row about the servers and one about the signatures of every zone that has been asked about."""
    found = []
    for zone in view.zones:
        answers = view.owners(zone.zone, "SOA")
        found.append(_servers(zone, answers))
        found.append(_dnssec(view, zone, now))
    return [*found, *_resolvers(view)]


def _resolvers(view: View) -> list[Finding]:
    """Resolvers that answered nothing in the end."""
    asked = [told for zone in view.zones[:1] for told in view.all(zone.zone, "NS") if told.server.resolver]
    text = "Name a resolver that answers from here, or have this one mended."
    return [
        Finding("servers", told.server.label, "", UNCHECKED, f"it gives no answer ({told.reason})", text)
        for told in asked
        if told.status == "silent"
    ]


def _servers(zone: ZoneServers, answers: Sequence[Told]) -> Finding:
    """Servers that are silent, or that do not know the zone (lame delegation), and zones of different age."""
    troubles: list[str] = []
    states = [OK]
    for told in answers:
        if not told.answered:
            troubles.append(f"{told.server.label}: {told.status} ({told.reason})")
            states.append(WRONG if told.status in {"refused", "failed"} else UNCHECKED)
        elif not told.authoritative:
            troubles.append(f"{told.server.label} does not answer for the zone itself")
            states.append(WRONG)
    for name in zone.problems:
        troubles.append(f"{name} has no address")
        states.append(WRONG)
    serials = {told.server.label: told.values[0].split()[2] for told in answers if told.values}
    if len(set(serials.values())) > 1:
        shown = ", ".join(f"{label} {serial}" for label, serial in serials.items())
        troubles.append(f"they have the zone in different ages ({shown})")
        states.append(WARNING)
    base = Finding(
        "servers", zone.zone, "NS", OK, "all servers answer", seen=tuple(told.server.label for told in answers)
    )
    if not troubles:
        return base
    text = "Have the servers mended or taken out of the zone's NS records; a change is complete when all serve it."
    return replace(base, state=worst(states), verdict="; ".join(troubles), next=text)


def _dnssec(view: View, zone: ZoneServers, now: datetime) -> Finding:
    base = Finding("dnssec", zone.zone, "DS", OK, "")
    ds = view.look_unchecked(zone.zone, "DS")
    if not ds.answered:
        return replace(
            base, state=UNCHECKED, verdict=f"{ds.server.label} does not say whether it is signed: {ds.reason}"
        )
    verdicts = []
    for keys in view.owners(zone.zone, "DNSKEY"):
        if keys.answered:
            heard = [told for told in view.heard(zone.zone) if _of(told, keys.server) and told.kind != "DNSKEY"]
            verdicts.append((keys.server.label, judge_signatures(ds, keys, heard, now)))
    state = worst(verdict.state for _label, verdict in verdicts)
    texts = dict.fromkeys(verdict.text for _label, verdict in verdicts if verdict.state == state)
    if len(texts) <= 1 and all(verdict.state == state for _label, verdict in verdicts):
        text = next(iter(texts), "no server answers")
    else:
        text = "; ".join(f"{label}: {verdict.text}" for label, verdict in verdicts if verdict.state == state)
    advice = next((verdict.next for _label, verdict in verdicts if verdict.state == state), "")
    return replace(base, state=state, verdict=text, next=advice, seen=ds.values)


def _of(told: Told, server: NameServer) -> bool:
    return told.server == server
