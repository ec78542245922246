# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The cloud's own names in a region (H25, H27, H28, H35 to H38), and those that a customer gives to services. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..domain_names import a_labels
from ..errors import InputError
from ..transport.nameserver import plain

DOMAIN = "atmailcloud.com"
REGIONS = ("eu", "us")
#: Priority of each of the cloud's mail servers (H27).
PRIORITIES = (10, 20)
#: The services that a customer can have names of its own for.
SERVICES = ("webmail", "imap", "smtp", "admin")
#: A label; those of services begin with an underscore (RFC 8552).
_LABEL = re.compile(r"_?[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")


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
        whole = a_labels(name)
    except ValueError as error:
        raise InputError(f"{name!r} is no name: {error}", option=option) from error
    labels = whole.removeprefix("*.").split(".")
    if len(whole) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError(f"{name!r} is no whole name of a domain or host", option=option)
    return whole
