# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The options of endpoint_info, and what they make: a plan, and the ways to try it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ...errors import InputError
from ...transport.nameserver import parse_server
from ..names import ascii_name
from .plan import PORTS, USES, Cloud, PublicName
from .run import Ways
from .verdicts import WANTED

_CHECKS_AND_SERVICES = list(dict.fromkeys([*WANTED, *PORTS]))
OPTIONS: dict[str, Any] = {
    "customer": {"type": "str", "required": True},
    "region": {"type": "str"},
    "subscription": {"type": "str"},
    "cloud_domain": {"type": "str", "default": "atmailcloud.com"},
    "cloud_names": {"type": "bool", "default": True},
    "names": {
        "type": "dict",
        "default": {},
        "options": {use: {"type": "list", "elements": "str", "default": []} for use in USES},
    },
    "fingerprints": {"type": "dict", "default": {}},
    "where": {"type": "str", "choices": ["cloud", "dns"], "default": "cloud"},
    "certificates": {
        "type": "list",
        "elements": "dict",
        "options": {"file": {"type": "path"}, "names": {"type": "list", "elements": "str", "default": []}},
    },
    "exchangers": {"type": "list", "elements": "str"},
    "domains": {"type": "list", "elements": "str", "default": []},
    "recipients": {"type": "list", "elements": "str", "default": []},
    "foreign": {"type": "str", "default": "postmaster@example.net"},
    "ports": {
        "type": "dict",
        "default": {},
        "options": {name: {"type": "int", "default": number} for name, number in PORTS.items()},
        "apply_defaults": True,
    },
    "addresses": {"type": "dict", "default": {}},
    "resolvers": {"type": "list", "elements": "str", "default": []},
    "ca_path": {"type": "path"},
    "optional": {"type": "list", "elements": "str", "choices": _CHECKS_AND_SERVICES, "default": []},
    "warn_days": {"type": "int", "default": 21},
    "timeout": {"type": "float", "default": 10.0},
    "mx_timeout": {"type": "float", "default": 30.0},
    "connections": {"type": "int", "default": 16},
}
_MOST_CONNECTIONS = 64
#: What can stand in a command between angle brackets (RFC 5321 section 4.1.2, without quoted names).
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^@\s<>]{1,255}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def cloud(params: Mapping[str, Any]) -> Cloud:
    """The customer's place on the cloud. Raises InputError."""
    region, subscription = params.get("region") or "", params.get("subscription") or ""
    place = Cloud(region, subscription, _host(params["cloud_domain"], "cloud_domain"))
    for name in (*(one.name for one in place.names()), *place.exchangers()):
        _host(name, "subscription" if subscription and name.startswith(f"{subscription}.") else "region")
    return place


def public_names(params: Mapping[str, Any], place: Cloud) -> list[PublicName]:
    """The names to look at: the cloud's, then the customer's own. Raises InputError; DuplicateError is one of it."""
    uses = {use: names or [] for use, names in params["names"].items()}
    services: dict[str, list[str]] = {}
    for use in USES:
        for name in uses.pop(use, []):
            services.setdefault(_host(name, f"names.{use}"), []).extend(USES[use])
    if uses:
        raise InputError(f"names are for {', '.join(USES)}, not for {', '.join(uses)}", option="names")
    prints = {_host(name, "fingerprints"): _fingerprints(given) for name, given in params["fingerprints"].items()}
    own = [PublicName(name, tuple(dict.fromkeys(there)), prints.get(name, ())) for name, there in services.items()]
    found = [*(place.names() if params["cloud_names"] else []), *own]
    if not found:
        said = "there is no name to look at: neither region and subscription nor names are given"
        raise InputError(said, option="names")
    return found


def exchangers(params: Mapping[str, Any], place: Cloud) -> list[str]:
    """The mail exchangers to ask. Raises InputError."""
    if params.get("exchangers") is None:
        return place.exchangers()
    return [_host(name, "exchangers") for name in params["exchangers"]]


def bundles(params: Mapping[str, Any]) -> list[tuple[str, Sequence[str]]] | None:
    """The customer's certificates as (file, names); None when nothing is said of them. Raises InputError."""
    if params.get("certificates") is None:
        return None
    found: list[tuple[str, Sequence[str]]] = []
    for number, one in enumerate(params["certificates"], 1):
        names = [ascii_name(name) for name in one.get("names") or ()]
        found.append((str(one.get("file") or f"certificate {number}"), names))
    return found


def ports(params: Mapping[str, Any]) -> dict[str, int]:
    """The port of each service; 0 for what is left out. Raises InputError."""
    found = {**PORTS, **{name: number for name, number in params["ports"].items() if number is not None}}
    for name, number in found.items():
        if name not in PORTS:
            raise InputError(f"there is no service {name!r}, only {', '.join(PORTS)}", option="ports")
        if not 0 <= number <= 65535:
            raise InputError(f"{number} is no port", option=f"ports.{name}")
    return found


def ways(params: Mapping[str, Any]) -> Ways:
    """How to try it. Raises InputError."""
    for option in ("timeout", "mx_timeout"):
        if not 0 < params[option] <= 300:
            raise InputError(f"{option} must be more than 0 and at most 300 seconds", option=option)
    if not 1 <= params["connections"] <= _MOST_CONNECTIONS:
        raise InputError(f"connections must be from 1 to {_MOST_CONNECTIONS}", option="connections")
    if not 0 <= params["warn_days"] <= 3650:
        raise InputError("warn_days must be from 0 to 3650", option="warn_days")
    return Ways(
        timeout=params["timeout"],
        mx_timeout=params["mx_timeout"],
        connections=params["connections"],
        ca_path=params.get("ca_path"),
        addresses={_host(name, "addresses"): _address(text) for name, text in params["addresses"].items()},
        resolvers=tuple(parse_server(text, resolver=True) for text in params["resolvers"]),
        warn=timedelta(days=params["warn_days"]),
        recipients=_recipients(params),
        foreign=_mailbox(params["foreign"], "foreign"),
    )


def _fingerprints(given: Any) -> tuple[str, ...]:
    found = []
    for text in given if isinstance(given, list) else [given]:
        digits = str(text).replace(":", "").replace(" ", "").lower()
        if not _FINGERPRINT.fullmatch(digits):
            raise InputError("a fingerprint is the SHA-256 of a certificate: 64 digits", option="fingerprints")
        found.append(digits)
    return tuple(found)


def _recipients(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The given addresses, and postmaster@ (RFC 5321 section 4.5.1) of every domain that none of them is in."""
    given = [_mailbox(text, "recipients") for text in params["recipients"]]
    domains = [_host(name, "domains") for name in params["domains"]]
    there = {address.rpartition("@")[2] for address in given}
    return tuple(dict.fromkeys([*given, *(f"postmaster@{name}" for name in domains if name not in there)]))


def _mailbox(text: str, option: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise InputError(f"{text!r} is no address of a mailbox in plain ASCII before the @", option=option)
    local, _at, domain = text.rpartition("@")
    return f"{local}@{_host(domain, option)}"


def _host(text: str, option: str) -> str:
    try:
        name = ascii_name(text)
    except InputError as error:
        raise InputError(error.message, option=option) from error
    if name.startswith("*."):
        raise InputError(f"{text!r} is no name of a host, but of many", option=option)
    return name


def _address(text: Any) -> str:
    try:
        return str(ipaddress.ip_address(str(text)))
    except ValueError:
        raise InputError(f"{text!r} is no IP address", option="addresses") from None
