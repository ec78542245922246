# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The options of dns_readiness_info, and what they mean as values. Raises InputError for what makes no sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import DuplicateError, InputError
from ..transport.nameserver import PORT, NameServer, parse_server, system_resolvers
from .cloud import DOMAIN, REGIONS, SERVICES, Cloud, Customer, ascii_name
from .dmarc import POLICIES
from .ttl import HOURS, LIMIT, Since, parse_recorded, parse_time

CHECKS = (
    "servers",
    "mx",
    "mx_host",
    "ttl",
    "spf",
    "dkim",
    "dmarc",
    "name",
    "srv",
    "autoconfig",
    "caa",
    "dnssec",
    "cloud",
)
#: What a cut-over does not need unless somebody says so.
OPTIONAL = ("srv", "autoconfig")

NAMES: dict[str, Any] = {
    "type": "dict",
    "options": {service: {"type": "list", "elements": "str", "default": []} for service in SERVICES},
}
TTL: dict[str, Any] = {
    "type": "dict",
    "options": {
        "limit": {"type": "int", "default": LIMIT},
        "hours": {"type": "float", "default": float(HOURS)},
        "lowered_at": {"type": "str"},
    },
}
DMARC: dict[str, Any] = {
    "type": "dict",
    "options": {"policy": {"type": "str", "choices": list(POLICIES)}, "reports": {"type": "str"}},
}
AUTHORITATIVE: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "zone": {"type": "str", "required": True},
        "servers": {"type": "list", "elements": "str", "required": True},
    },
}
DKIM: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {"name": {"type": "str", "required": True}, "value": {"type": "str", "required": True}},
}

OPTIONS: dict[str, Any] = {
    "customer": {"type": "str", "required": True},
    "region": {"type": "str", "required": True, "choices": list(REGIONS)},
    "subscription": {"type": "str", "required": True},
    "cloud_domain": {"type": "str", "default": DOMAIN},
    "domains": {"type": "list", "elements": "str", "required": True},
    "stage": {"type": "str", "choices": ["before", "after"], "default": "before"},
    "names": NAMES,
    "mx_hosts": {"type": "list", "elements": "str", "default": []},
    "dkim": DKIM,
    "certificate_names": {"type": "list", "elements": "str", "default": []},
    "certificate_issuers": {"type": "list", "elements": "str", "default": []},
    "autoconfig": {"type": "str"},
    "dmarc": DMARC,
    "ttl": TTL,
    "recorded": {"type": "dict", "default": {}},
    "optional": {"type": "list", "elements": "str", "choices": list(CHECKS), "default": list(OPTIONAL)},
    "resolvers": {"type": "list", "elements": "str", "default": []},
    "authoritative": AUTHORITATIVE,
    "port": {"type": "int", "default": PORT},
    "timeout": {"type": "float", "default": 5.0},
}


@dataclass(frozen=True)
class Terms:
    """What a verdict depends on besides the records themselves."""

    now: datetime
    after: bool = False
    ttl_limit: int = LIMIT
    ttl_hours: float = HOURS
    lowered_at: datetime | None = None
    optional: Sequence[str] = OPTIONAL


def cloud_of(params: Mapping[str, Any]) -> Cloud:
    """Region, subscription and the cloud's domain."""
    domain = ascii_name(params["cloud_domain"], "cloud_domain")
    subscription = params["subscription"].lower()
    if not subscription or "." in subscription:
        raise InputError(f"{params['subscription']!r} is no name of a subscription", option="subscription")
    ascii_name(f"{subscription}.{domain}", "subscription")
    return Cloud(params["region"], subscription, domain)


def customer_of(params: Mapping[str, Any]) -> Customer:
    """Names and records of the customer, all as they stand in DNS."""
    domains = [ascii_name(name, "domains") for name in params["domains"]]
    if not domains:
        raise InputError("there is no domain to look at", option="domains")
    if len(set(domains)) < len(domains):
        twice = sorted({name for name in domains if domains.count(name) > 1})
        raise DuplicateError(f"{', '.join(twice)} stands twice", option="domains")
    dmarc = params["dmarc"] or {}
    return Customer(
        domains=domains,
        names={
            service: [ascii_name(name, f"names.{service}") for name in names or ()]
            for service, names in (params["names"] or {}).items()
        },
        mx=[ascii_name(name, "mx_hosts") for name in params["mx_hosts"]],
        selectors={ascii_name(one["name"], "dkim"): one["value"] for one in params["dkim"]},
        certificates=[ascii_name(name, "certificate_names") for name in params["certificate_names"]],
        issuers=[name.lower() for name in params["certificate_issuers"]],
        autoconfig=ascii_name(params["autoconfig"], "autoconfig") if params.get("autoconfig") else "",
        dmarc_policy=dmarc.get("policy") or "",
        dmarc_reports=dmarc.get("reports") or "",
    )


def terms_of(params: Mapping[str, Any], now: datetime) -> Terms:
    """Stage and limits."""
    ttl = {"limit": LIMIT, "hours": HOURS, **{key: value for key, value in (params["ttl"] or {}).items() if value}}
    return Terms(
        now=now,
        after=params["stage"] == "after",
        ttl_limit=int(ttl["limit"]),
        ttl_hours=float(ttl["hours"]),
        lowered_at=parse_time(ttl["lowered_at"], "ttl.lowered_at") if ttl.get("lowered_at") else None,
        optional=params["optional"],
    )


def recorded_of(params: Mapping[str, Any]) -> dict[str, Since]:
    """What earlier checks have recorded."""
    return parse_recorded(params["recorded"] or {})


def resolvers_of(params: Mapping[str, Any]) -> list[NameServer]:
    """The given resolvers, or those of this machine."""
    found = [parse_server(text, resolver=True) for text in params["resolvers"]]
    return found or system_resolvers()


def authoritative_of(params: Mapping[str, Any]) -> dict[str, list[NameServer]]:
    """Servers of zones that are not to be looked up."""
    return {
        ascii_name(one["zone"], "authoritative"): [
            parse_server(text, option="authoritative") for text in one["servers"]
        ]
        for one in params["authoritative"]
    }
