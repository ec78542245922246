# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The server that a domain names for calendars (RFC 6764): an SRV record, and a TXT record with the path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import DnsError
from .server import WebServer

if TYPE_CHECKING:
    from ...transport.nameserver import Asker, NameServer

_SERVICES = ("_caldavs._tcp", "_carddavs._tcp")


def located(server: WebServer) -> str:
    """The address to begin at.

    A record that leads out of the domain is not followed unless the host is trusted: DNS is not signed everywhere, and
    whoever can change an answer would get the passwords (RFC 6764 section 8).

    :raises DnsError: it leads elsewhere, or no name server answers.
    """
    domain = server.domain
    if domain is None:
        return server.url
    from ...transport.nameserver import Asker, parse_server, system_resolvers  # seldom needed, and large

    resolvers = [parse_server(one, resolver=True, option=f"{server.name}.dns_servers") for one in server.dns_servers]
    with Asker(min(server.timeout, 5.0)) as asker:
        for service in _SERVICES:
            found = _asked(asker, resolvers or system_resolvers(), f"{service}.{domain}", server)
            if found is not None:
                return found
    return f"https://{domain}/"


def _asked(asker: Asker, resolvers: Sequence[NameServer], name: str, server: WebServer) -> str | None:
    told = asker.first(resolvers, name, "SRV")
    if not told.answered:
        raise DnsError(
            f"the name servers do not say where the domain's calendars are ({told.reason})", name=name, **server.place
        )
    records = sorted(_record(value) for value in told.values)
    if not records:
        return None
    _priority, _weight, port, host = records[0]
    if not host:
        raise DnsError("the domain says that it has no calendars", name=name, **server.place)
    if host != server.url and not host.endswith(f".{server.url}") and host not in server.trusted_hosts:
        raise DnsError(
            f"the domain's records lead to {host}, which is not in the domain",
            safe_next="Give its address as url if it is the right one, or its name in trusted_hosts; nothing was sent.",
            name=name,
            **server.place,
        )
    path = "/"
    for text in asker.first(resolvers, name, "TXT").texts:
        if text.lower().startswith(b"path=/"):
            path = text[5:].decode("ascii", "replace")
    return f"https://{host}{'' if port == 443 else f':{port}'}{path}"


def _record(value: str) -> tuple[int, int, int, str]:
    """Priority, weight (the heaviest first), port and host of an SRV record (RFC 2782)."""
    priority, weight, port, host = value.split()
    return int(priority), -int(weight), int(port), host.rstrip(".").lower()
