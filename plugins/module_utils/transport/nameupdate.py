# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Changes of a zone on its server (RFC 2136), signed by a key that both sides have (TSIG, RFC 8945).

A change says what it was planned on: the server makes all of it, or nothing when the zone is not that any more.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConnectError, DnsChangedError, DnsError, DnsRefusedError, InputError, TimedOutError
from .nameserver import NameServer, library

ALGORITHMS = ("hmac-sha256", "hmac-sha512", "hmac-sha384", "hmac-sha224", "hmac-sha1", "hmac-md5")


@dataclass(frozen=True)
class TsigKey:
    """A key by its name; ``secret`` is Base64."""

    name: str
    secret: str = field(repr=False)
    algorithm: str = ALGORITHMS[0]


@dataclass(frozen=True)
class RrSet:
    """All records of a name and type: ``values`` sorted, in the form of a zone file; without any there is no set."""

    ttl: int = 0
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Swap:
    """A record set to change: what it is, and what it is to be."""

    name: str
    kind: str
    before: RrSet
    after: RrSet


def canonical(kind: str, text: str) -> str:
    """A record as a name server gives it back. Raises InputError for what is no such record or names no whole host."""
    dns = _library()
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text, relativize=False)
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise InputError(f"{text!r} is no {kind} record: {type(error).__name__}", option="records") from error
    host = getattr(rdata, "exchange", None) or getattr(rdata, "target", None)
    if host is not None and not host.is_absolute():
        raise InputError(f"{text!r} names a host without its last dot", option="records")
    found = str(rdata.to_text())
    return found if kind in {"TXT", "CAA"} else found.lower()


def send(server: NameServer, zone: str, key: TsigKey, swaps: Sequence[Swap], timeout: float) -> None:
    """Make all these changes of a zone, or none.

    Raises DnsRefusedError (the key, or what it may not do), DnsChangedError (the zone is not what it was), the errors
    of connecting, and DnsError for everything else that a server may say.
    """
    dns = _library()
    message = _message(dns, zone, key, swaps)
    where = {"server": server.label, "zone": zone}
    try:
        answer = dns.query.tcp(message, server.address, port=server.port, timeout=timeout)
    except dns.exception.Timeout as error:
        raise TimedOutError("the name server does not answer", **where) from error
    except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.tsig.BadTime, dns.tsig.BadKey) as error:
        raise DnsRefusedError(_WHY.get(type(error).__name__, "the signatures do not fit"), **where) from error
    except (OSError, EOFError) as error:
        raise ConnectError(f"the name server can't be reached: {type(error).__name__}", **where) from error
    except dns.exception.DNSException as error:
        raise DnsError(f"the name server's answer makes no sense: {type(error).__name__}", **where) from error
    _judge(dns, answer.rcode(), where)


_WHY = {
    "PeerBadKey": "the name server does not know the key, or not for this zone",
    "PeerBadSignature": "the name server has another secret for the key",
    "PeerBadTime": "the name server's clock and ours are too far apart",
    "BadKey": "the name server answers with another key",
}


def _judge(dns: Any, code: Any, where: dict[str, str]) -> None:
    if code == dns.rcode.NOERROR:
        return
    said = dns.rcode.to_text(code)
    if code in (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN):
        raise DnsChangedError(f"the records are not any more what they were a moment ago ({said})", **where)
    if code in (dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.NOTZONE, dns.rcode.NOTIMP):
        raise DnsRefusedError(f"the name server does not take the change ({said})", **where)
    raise DnsError(f"the name server could not make the change ({said})", **where)


def _message(dns: Any, zone: str, key: TsigKey, swaps: Sequence[Swap]) -> Any:
    try:
        secret = dns.tsig.Key(key.name, key.secret, dns.name.from_text(key.algorithm))
    except (binascii.Error, ValueError, dns.exception.DNSException) as error:
        raise InputError("the key's secret is not Base64, or its name is none", option="key") from error
    message = dns.update.UpdateMessage(f"{zone}.", keyring={secret.name: secret}, keyname=secret.name)
    for swap in swaps:
        name = f"{swap.name}."
        if swap.before.values:
            message.present(name, *_records(dns, swap.kind, swap.before.values))
        else:
            message.absent(name, swap.kind)
    # what goes first: a name can't be an alias while it has other records, nor the other way round
    for swap in swaps:
        if swap.before.values:
            message.delete(f"{swap.name}.", swap.kind)
    for swap in swaps:
        for record in _records(dns, swap.kind, swap.after.values):
            message.add(f"{swap.name}.", swap.after.ttl, record)
    return message


def _records(dns: Any, kind: str, values: Sequence[str]) -> list[Any]:
    return [dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), value) for value in values]


def _library() -> Any:
    library()  # says which one is missing
    import dns
    import dns.rdata
    import dns.rdataclass
    import dns.tsig
    import dns.update

    return dns
