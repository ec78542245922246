# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The cloud's own names in a region (H25, H27, H28, H35 to H38), and those that a customer gives to services. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import InputError, MissingLibraryError
from ..transport.nameserver import plain

DOMAIN = "atmailcloud.com"
REGIONS = ("eu", "us")
#: Priority of each of the cloud's mail servers (H27).
PRIORITIES = (10, 20)
#: The services that a customer can have names of its own for.
SERVICES = ("webmail", "imap", "smtp", "admin")


@dataclass(frozen=True)
class Cloud:
    """A region of the cloud, and the customer's subscription there."""

    region: str
    subscription: str
    domain: str = DOMAIN

    @property
    def mx(self) -> tuple[str, ...]:
        """Its mail servers, the first one first."""
        return tuple(f"mx{number}-{self.region}.{self.domain}" for number in (1, 2))

    @property
    def spf(self) -> str:
        """What an SPF record has to include."""
        return f"_spf.{self.domain}"

    def target(self, service: str) -> str:
        """Where the customer's own name of a service has to lead to."""
        if service in {"imap", "smtp"}:
            return f"{service}-{self.region}.{self.domain}"
        return f"{self.subscription}.{self.domain}"

    def elsewhere(self, name: str) -> str:
        """What is wrong with a name that is the cloud's and not the one of this region; empty for all others."""
        host, _dot, domain = plain(name).partition(".")
        if domain != self.domain:
            return ""
        region = host.rpartition("-")[2]
        if host.startswith(("mx1-", "mx2-", "imap-", "smtp-")) and region != self.region:
            return f"{plain(name)} is in the region {region}, not {self.region}"
        return ""


@dataclass(frozen=True)
class Customer:
    """What the inventory says: domains, names by service, white-label MX hosts in the order of their priorities.

    ``selectors`` are the DKIM records by their whole names; ``certificates`` are the names that one has to cover.
    """

    domains: Sequence[str]
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    mx: Sequence[str] = ()
    selectors: Mapping[str, str] = field(default_factory=dict)
    certificates: Sequence[str] = ()
    issuers: Sequence[str] = ()
    autoconfig: str = ""
    dmarc_policy: str = ""
    dmarc_reports: str = ""


def ascii_name(name: str, option: str) -> str:
    """A name as it stands in DNS: lower case, A-labels (RFC 5891), no last dot. Raises InputError for what is none."""
    try:
        import idna
    except ImportError as error:
        raise MissingLibraryError("the Python library idna (3.7 or later) is missing", library="idna") from error
    wild, bare = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    labels = []
    for label in bare.strip().removesuffix(".").split("."):
        try:
            # a label of services (_dmarc) is no host name and never one of another language
            labels.append(label.lower() if label.startswith("_") else idna.encode(label, uts46=True).decode("ascii"))
        except (idna.IDNAError, UnicodeError) as error:
            raise InputError(f"{name!r} is no name: {error}", option=option) from error
    found = ".".join(labels)
    if not all(labels) or len(found) > 253 or len(labels) < 2:
        raise InputError(f"{name!r} is no whole name of a domain or host", option=option)
    return wild + found
