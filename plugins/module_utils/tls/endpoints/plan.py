# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is tried: public names with their services, where they are reached, and what has to be closed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..names import covers
from .verdicts import Found

#: The handbook's services and their ports.
OPEN: Mapping[str, int] = {"https": 443, "smtps": 465, "imaps": 993, "pop3s": 995, "dav": 8443}
#: Those that nobody's mail program may use any more.
CLOSED: Mapping[str, int] = {"smtp": 25, "pop3": 110, "imap": 143, "submission": 587}
#: What takes mail from other servers.
MX = "mx"
PORTS: Mapping[str, int] = {**OPEN, **CLOSED, MX: 25}


#: What a name of the customer can be for, in the words of ``migration_dns.names`` and some more → services.
USES: Mapping[str, tuple[str, ...]] = {
    "webmail": ("https", "dav"),
    "admin": ("https",),
    "imap": ("imaps", "pop3s"),
    "pop": ("pop3s",),
    "smtp": ("smtps",),
    "dav": ("dav",),
    "all": tuple(OPEN),
}


@dataclass(frozen=True)
class PublicName:
    """A name that users have: its services, and the leaves' fingerprints (SHA-256) of which it has to show one."""

    name: str
    services: Sequence[str] = tuple(OPEN)
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cloud:
    """The customer's place on the cloud, which gives the names that everybody has (H25, H27, H35 to H38)."""

    region: str = ""
    subscription: str = ""
    domain: str = "atmailcloud.com"

    def host(self, service: str) -> str:
        """The cloud's own name for a service; empty when region or subscription are not known."""
        if service in ("https", "dav"):
            return f"{self.subscription}.{self.domain}" if self.subscription else ""
        first = "smtp" if service == "smtps" else "imap"
        return f"{first}-{self.region}.{self.domain}" if self.region else ""

    def names(self) -> list[PublicName]:
        """All of them, each with its services."""
        services: dict[str, list[str]] = {}
        for service in OPEN:
            services.setdefault(self.host(service), []).append(service)
        return [PublicName(name, tuple(there)) for name, there in services.items() if name]

    def exchangers(self) -> list[str]:
        """The mail exchangers of the region."""
        return [f"mx{number}-{self.region}.{self.domain}" for number in (1, 2)] if self.region else []


@dataclass(frozen=True)
class Try:
    """One port to try. ``at`` is the name whose addresses are connected to: that of the cloud, before the customer's
    own one leads there.
    """

    name: str
    at: str
    service: str
    port: int
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All that is tried."""

    open: tuple[Try, ...]
    closed: tuple[Try, ...]
    mx: tuple[Try, ...]

    @property
    def hosts(self) -> list[str]:
        """The names whose addresses are needed, each once."""
        return list(dict.fromkeys(one.at for one in (*self.open, *self.closed, *self.mx)))


def plan(
    names: Iterable[PublicName], exchangers: Iterable[str], cloud: Cloud, ports: Mapping[str, int], by: str
) -> Plan:
    """The plan. ``by`` is ``cloud`` or ``dns``: whether customers' names are sought where the cloud's are, or where
    the DNS says. A port of 0 is left out. A port has to be closed on every address where another one is open.
    """
    opened: dict[Try, None] = {}
    closed: dict[Try, None] = {}
    for one in names:
        for service in one.services:
            at = (cloud.host(service) if by == "cloud" else "") or one.name
            if ports[service]:
                opened[Try(one.name, at, service, ports[service], one.fingerprints)] = None
            closed.update({Try(at, at, other, ports[other]): None for other in CLOSED if ports[other]})
    mx = [Try(name, name, MX, ports[MX]) for name in exchangers] if ports[MX] else []
    return Plan(tuple(opened), tuple(sorted(closed, key=lambda one: (one.at, one.port))), tuple(dict.fromkeys(mx)))


def covering(
    names: Iterable[PublicName], cloud: Cloud, bundles: Sequence[tuple[str, Sequence[str]]]
) -> list[tuple[str, Found]]:
    """For every name the certificate that is planned for it (H11): the cloud's own, or one of the customer's
    ``bundles`` (a file and the names that it has to cover).
    """
    found = []
    for one in names:
        files = [file for file, covered in bundles if any(covers(each, one.name) for each in covered)]
        if covers(f"*.{cloud.domain}", one.name):
            found.append((one.name, Found("plan", "planned", f"*.{cloud.domain}")))
        elif files:
            found.append((one.name, Found("plan", "planned", ", ".join(files))))
        else:
            found.append((one.name, Found("plan", "unplanned", "no certificate is listed for it")))
    return found
