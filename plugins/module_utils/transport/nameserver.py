# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Questions to name servers (RFC 1034, 1035), each asked of one server, and where the servers of a zone are.

No answer is ever an error here: a server that is silent or refuses is a finding about that server.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self

from ..errors import DnsError, InputError, MissingLibraryError

DNSPYTHON_WANTED = "2.4"
PORT = 53
#: What fits into one packet everywhere (DNS flag day 2020).
_PAYLOAD = 1232
_AT_ONCE = 16
#: Questions without an answer after which a server is given up.
_SILENT = 3

Status = Literal["found", "nothing", "no_name", "refused", "failed", "silent"]


@dataclass(frozen=True)
class NameServer:
    """One address of a name server; ``resolver`` for one that answers for others and remembers what they said.

    A resolver that is not ``checking`` is asked to give out what it can't verify, too (RFC 4035 section 3.2.2).
    """

    address: str
    name: str = ""
    port: int = PORT
    resolver: bool = False
    checking: bool = True

    @property
    def label(self) -> str:
        """What people know it by."""
        where = self.address if self.port == PORT else f"{self.address} port {self.port}"
        who = f"resolver {where}" if self.resolver else where
        return f"{self.name} ({who})" if self.name else who


@dataclass(frozen=True)
class Told:
    """What one server answers to one question.

    ``values`` are in the form of a zone file, sorted, names in lower case with their last dot; ``texts`` are TXT
    records whole. ``aliases`` are the names that CNAMEs lead to, in turn; ``ttl`` is in seconds. ``status``: ``found``,
    ``nothing`` (the name is there, such a record is not), ``no_name`` (NXDOMAIN), ``refused``, ``failed`` (SERVFAIL and
    the like), ``silent``; ``reason`` says more of the last three.
    """

    server: NameServer
    name: str
    kind: str
    status: Status
    values: tuple[str, ...] = ()
    texts: tuple[bytes, ...] = ()
    ttl: int = 0
    aliases: tuple[str, ...] = ()
    authoritative: bool = False
    reason: str = ""
    message: Any = field(default=None, repr=False, compare=False)

    @property
    def answered(self) -> bool:
        """Whether the server has said what there is, or that there is nothing."""
        return self.status in {"found", "nothing", "no_name"}


class Asker:
    """Asks several servers at once, each question of a server once. ``timeout`` is in seconds for each question."""

    def __init__(self, timeout: float = 5.0) -> None:
        self._dns = library()
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="dns")
        self._known: dict[tuple[NameServer, str, str], Future[Told]] = {}
        self._silent: dict[NameServer, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def ask(self, server: NameServer, name: str, kind: str) -> Told:
        """The server's answer. Raises InputError for what is no name."""
        return self._asked(server, name, kind).result()

    def ask_all(self, servers: Iterable[NameServer], name: str, kind: str) -> list[Told]:
        """The answers of all these servers, in their order."""
        return [one.result() for one in [self._asked(server, name, kind) for server in servers]]

    def prepare(self, servers: Iterable[NameServer], questions: Iterable[tuple[str, str]]) -> None:
        """Begin to ask all of them all of that, so that the answers are there sooner."""
        pairs = list(questions)
        for server in servers:
            for name, kind in pairs:
                self._asked(server, name, kind)

    def first(self, servers: Sequence[NameServer], name: str, kind: str) -> Told:
        """The answer of the first server that has one, else the last failure. There must be one server at least."""
        told = self.ask(servers[0], name, kind)
        for server in servers[1:]:
            if told.answered:
                break
            told = self.ask(server, name, kind)
        return told

    def _asked(self, server: NameServer, name: str, kind: str) -> Future[Told]:
        key = (server, plain(name), kind)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._pool.submit(self._ask, *key)
            return self._known[key]

    def _ask(self, server: NameServer, name: str, kind: str) -> Told:
        """One question; a server that was silent several times is asked no more, as every time costs the whole wait."""
        if self._silent.get(server, 0) >= _SILENT:
            return Told(server, name, kind, "silent", reason="no answer before")
        told = ask(self._dns, server, name, kind, self._timeout)
        with self._lock:
            self._silent[server] = self._silent.get(server, 0) + 1 if told.status == "silent" else 0
        return told


@dataclass(frozen=True)
class ZoneServers:
    """Whose zone a name is in, and the addresses of its servers; ``problems`` are servers without an address."""

    zone: str
    servers: tuple[NameServer, ...]
    problems: tuple[str, ...] = ()


def zone_servers(asker: Asker, resolvers: Sequence[NameServer], name: str, port: int = PORT) -> ZoneServers:
    """The closest zone above or at a name, by its SOA record, and its servers by their NS and address records.

    That the zone can't be verified is no obstacle. Raises DnsError when no resolver answers, and when there is no such
    zone.
    """
    resolvers = [replace(one, checking=False) for one in resolvers]
    zone = _zone(asker, resolvers, plain(name))
    names = asker.first(resolvers, zone, "NS").values
    servers: list[NameServer] = []
    problems: list[str] = []
    for host in names:
        found = asker.first(resolvers, host, "A").values or asker.first(resolvers, host, "AAAA").values
        servers += [NameServer(address, plain(host), port) for address in found]
        if not found:
            problems.append(plain(host))
    if not servers:
        raise DnsError(f"no server of the zone {zone} has an address", zone=zone)
    return ZoneServers(zone, tuple(servers), tuple(problems))


def _zone(asker: Asker, resolvers: Sequence[NameServer], name: str) -> str:
    labels = name.split(".")
    for start in range(len(labels)):
        above = ".".join(labels[start:])
        told = asker.first(resolvers, above, "SOA")
        if not told.answered:
            raise DnsError(f"{told.server.label} does not say what zone {name} is in: {told.reason}", name=name)
        if told.values and not told.aliases:
            return above
    raise DnsError(f"there is no zone that {name} could be in", name=name)


def system_resolvers() -> list[NameServer]:
    """The resolvers that this machine uses. Raises DnsError when it has none."""
    dns = library()
    try:
        found = dns.resolver.Resolver().nameservers
    except dns.exception.DNSException as error:
        raise DnsError(f"this machine has no resolver: {error}") from error
    return [NameServer(str(address), resolver=True) for address in found]


def parse_server(text: str, *, resolver: bool = False, option: str = "resolvers") -> NameServer:
    """``192.0.2.1``, ``192.0.2.1:5353``, ``[2001:db8::1]:5353``. Raises InputError."""
    address, port = text.strip(), str(PORT)
    if address.startswith("["):
        address, _bracket, rest = address[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif address.count(":") == 1:
        address, _colon, port = address.partition(":")
    try:
        number = int(port)
        ipaddress.ip_address(address)
        if not 0 < number < 65536:
            raise ValueError
    except ValueError:
        raise InputError(
            f"{text!r} is no address of a name server (192.0.2.1 or 192.0.2.1:5353)", option=option
        ) from None
    return NameServer(address, "", number, resolver)


def plain(name: str) -> str:
    """A name in lower case and without its last dot; the root is the empty name."""
    return name.lower().rstrip(".")


def library() -> Any:
    """The library dnspython. Raises MissingLibraryError."""
    try:
        import dns
        import dns.exception
        import dns.flags
        import dns.message
        import dns.query
        import dns.rcode
        import dns.rdatatype
        import dns.resolver
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library dnspython (>= {DNSPYTHON_WANTED}) is missing: {error}", library="dnspython"
        ) from error
    return dns


def ask(dns: Any, server: NameServer, name: str, kind: str, timeout: float) -> Told:
    """One question, over UDP (twice, as packets get lost) and where the answer is cut off over TCP."""
    try:
        question = dns.message.make_query(f"{name}.", kind, want_dnssec=True, payload=_PAYLOAD)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise InputError(f"{name!r} is no name: {error}", name=name) from error
    if not server.resolver:
        question.flags &= ~dns.flags.RD
    elif not server.checking:
        question.flags |= dns.flags.CD
    try:
        answer = exchange(dns, server, question, timeout)
    except (OSError, EOFError, dns.exception.DNSException) as error:
        silent = isinstance(error, dns.exception.Timeout | OSError)
        reason = "no answer" if isinstance(error, dns.exception.Timeout) else _words(error)
        return Told(server, name, kind, "silent" if silent else "failed", reason=reason)
    return understood(dns, server, name, kind, answer)


def exchange(dns: Any, server: NameServer, question: Any, timeout: float) -> Any:
    """The answer to a message. Raises OSError, EOFError, and dnspython's exceptions."""
    where = {"where": server.address, "port": server.port}
    half = timeout / 2
    try:
        answer, _tcp = dns.query.udp_with_fallback(question, timeout=half, **where)
    except dns.exception.Timeout:
        answer, _tcp = dns.query.udp_with_fallback(question, timeout=half, **where)
    except (dns.exception.FormError, dns.query.BadResponse):
        answer = dns.query.tcp(question, timeout=timeout, **where)
    if answer.rcode() == dns.rcode.FORMERR and question.edns >= 0:
        # servers older than RFC 6891 know no EDNS
        question.use_edns(False)
        answer, _tcp = dns.query.udp_with_fallback(question, timeout=timeout, **where)
    return answer


def understood(dns: Any, server: NameServer, name: str, kind: str, answer: Any) -> Told:
    """An answer as a plain value."""
    code = answer.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        status: Status = "refused" if code in (dns.rcode.REFUSED, dns.rcode.NOTAUTH) else "failed"
        return Told(server, name, kind, status, reason=dns.rcode.to_text(code), message=answer)
    by_name = {(plain(rrset.name.to_text()), dns.rdatatype.to_text(rrset.rdtype)): rrset for rrset in answer.answer}
    aliases: list[str] = []
    at, ttls = name, []
    while kind != "CNAME" and (at, "CNAME") in by_name and len(aliases) < len(by_name):
        rrset = by_name[at, "CNAME"]
        ttls.append(rrset.ttl)
        at = plain(rrset[0].target.to_text())
        aliases.append(at)
    found = by_name.get((at, kind))
    texts = tuple(sorted(b"".join(each.strings) for each in found)) if found and kind == "TXT" else ()
    nothing: Status = "no_name" if code == dns.rcode.NXDOMAIN else "nothing"
    return Told(
        server,
        name,
        kind,
        "found" if found else nothing,
        values=tuple(sorted(_value(kind, each.to_text()) for each in found)) if found else (),
        texts=texts,
        ttl=min([*ttls, found.ttl]) if found else min(ttls, default=0),
        aliases=tuple(aliases),
        authoritative=bool(answer.flags & dns.flags.AA),
        message=answer,
    )


_NAMES = {"MX", "CNAME", "NS", "SRV", "SOA", "A", "AAAA", "DNAME", "PTR"}


def _value(kind: str, text: str) -> str:
    return text.lower() if kind in _NAMES else text


def _words(error: BaseException) -> str:
    """What a socket's or the library's error says, without what a server put into it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
