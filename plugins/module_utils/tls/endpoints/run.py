# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Try everything that a plan says, many things at a time, and tell what was found in an order that stays."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ...errors import ConnectError, InternalError, MigrationError, ProtocolError, TimedOutError, UnknownHostError
from ...transport import nameserver
from ...transport.tcp import in_turn, socket_error, tls_context
from . import certificate, flight, hello, mail, talk, web
from .plan import Plan, Try
from .verdicts import Found, Place, Row

#: What a service is asked besides its protocol.
_MORE: Mapping[str, tuple[str, ...]] = {
    "imaps": ("log_in",),
    "pop3s": ("log_in",),
    "smtps": ("authentication", "relay"),
}
_MX_CHECKS = ("starttls", "users", "accepts", "relay")


@dataclass(frozen=True)
class Ways:
    """How everything is tried: seconds for a connection, and for one to a mail exchanger, which may let strangers wait;
    connections at once, the authorities to trust (the system's when None), addresses of names that are known, resolvers
    instead of the system's, when a certificate's end is near, and the addresses that mail servers are asked about.
    """

    timeout: float = 10.0
    mx_timeout: float = 30.0
    connections: int = 16
    ca_path: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    resolvers: Sequence[nameserver.NameServer] = ()
    warn: timedelta = timedelta(days=21)
    recipients: tuple[str, ...] = ()
    foreign: str = ""


def try_all(wanted: Plan, ways: Ways, now: datetime) -> list[Row]:
    """Everything that was found. ``now`` is aware. Raises InputError when ``ca_path`` can't be read, nothing else."""
    trusting = tls_context(ways.ca_path)
    trusting.check_hostname = False  # names are looked at apart, so that all that is wrong is known
    with ThreadPoolExecutor(max_workers=ways.connections, thread_name_prefix="endpoint") as pool:
        run = _Run(pool, ways, trusting, now)
        return run.rows(wanted)


class _Run:
    """One run: a pool of threads, and what all of them need."""

    def __init__(self, pool: ThreadPoolExecutor, ways: Ways, trusting: ssl.SSLContext, now: datetime) -> None:
        self._pool = pool
        self._ways = ways
        self._trusting = trusting
        self._now = now
        self._blind = tls_context(None, verify=False)

    def rows(self, wanted: Plan) -> list[Row]:
        hosts = dict(zip(wanted.hosts, self._pool.map(self._host, wanted.hosts), strict=True))
        found = [Row(Place(host, "", "", 0), one) for host, (_there, said) in hosts.items() for one in said]
        opened = [(one, address) for one in wanted.open for address in hosts[one.at][0]]
        closed = [(one, address) for one in wanted.closed for address in hosts[one.at][0]]
        exchangers = [(one, address) for one in wanted.mx for address in hosts[one.at][0]]
        ports = list(self._pool.map(lambda pair: self._port(*pair), opened))
        shut = self._pool.map(lambda pair: self._port(*pair), closed)
        mx = self._pool.map(lambda pair: self._exchanger(*pair), exchangers)
        behind = [self._services(*pair, port.verdict) for pair, port in zip(opened, ports, strict=True)]
        for pair, port, services in zip(opened, ports, behind, strict=True):
            found += [Row(_place(*pair), one) for one in (port, *services())]
        alive = {address for (_one, address), port in zip(opened, ports, strict=True) if port.verdict == "open"}
        found += [Row(_place(*pair), _closed(port, pair[1] in alive)) for pair, port in zip(closed, shut, strict=True)]
        found += [Row(_place(*pair), one) for pair, said in zip(exchangers, mx, strict=True) for one in said]
        return found

    def _host(self, host: str) -> tuple[list[str], list[Found]]:
        """The addresses to try, and what is to be said of the name."""
        try:
            there = self._addresses(host)
        except UnknownHostError as error:
            return [], [Found("name", "unknown_name", error.message)]
        except TimedOutError as error:
            return [], [Found("name", "silent", error.message)]
        except Exception as error:  # noqa: BLE001 -- one name's trouble must not hide the others
            return [], [Found("name", "failed", _mistake(error))]
        far = [address for address in there if talk.out_of_reach(address)]
        near = [address for address in there if address not in far] or there
        said = [Found("name", "out_of_reach", address) for address in there if address not in near]
        return near, [Found("name", "found", ", ".join(there)), *said]

    def _addresses(self, host: str) -> list[str]:
        known = self._ways.addresses.get(host)
        if known:
            return [known]
        if not self._ways.resolvers:
            return talk.addresses(host, self._ways.timeout)
        with nameserver.Asker(self._ways.timeout) as asker:
            asker.prepare(self._ways.resolvers, [(host, "AAAA"), (host, "A")])
            told = [asker.first(self._ways.resolvers, host, kind) for kind in ("AAAA", "A")]
        pairs = [(number, address) for number, one in enumerate(told) for address in one.values]
        if pairs:
            return [address for _family, address in in_turn(pairs)][: talk.MAX_ADDRESSES]
        if any(not one.answered for one in told):
            raise TimedOutError(f"the resolvers do not say what {host} is: {told[-1].reason or told[0].reason}")
        raise UnknownHostError(f"the host name {host} does not resolve")

    def _port(self, one: Try, address: str) -> Found:
        return Found("port", *talk.try_port(address, one.port, self._ways.timeout))

    def _services(self, one: Try, address: str, verdict: str) -> Callable[[], list[Found]]:
        """Start everything that is asked of an open port; the answers come when they are called for."""
        if verdict != "open":
            return list
        versions = [self._pool.submit(self._version, one, address, check) for check in hello.VERSIONS]
        session = self._pool.submit(self._session, one, address)

        def answers() -> list[Found]:
            replies = {check: reply.result() for check, reply in zip(hello.VERSIONS, versions, strict=True)}
            served, said = session.result()
            chain = replies["tls_1_2"].chain
            seen = certificate.Served(served.leaf, chain, served.verify_code, served.verify_text, one.fingerprints)
            return [
                *(Found(check, reply.verdict, reply.seen) for check, reply in replies.items()),
                *_judged(lambda: certificate.judge(seen, one.name, self._now, self._ways.warn), seen),
                *said,
            ]

        return answers

    def _version(self, one: Try, address: str, check: str) -> flight.Reply:
        try:
            return talk.try_version(address, one.port, check, one.name, self._ways.timeout)
        except Exception as error:  # noqa: BLE001 -- as above
            return flight.Reply("failed", _mistake(error))

    def _session(self, one: Try, address: str) -> tuple[certificate.Served, list[Found]]:
        """The certificate with OpenSSL's word on it, and what the service says inside TLS."""
        checks = ("protocol", *_MORE.get(one.service, ()))
        served = certificate.Served(b"")
        try:
            with talk.Talk.to(address, one.port, self._ways.timeout) as trusted:
                try:
                    leaf = trusted.encrypt(self._trusting, one.name)
                    served = certificate.Served(leaf, (), 0)
                    return served, self._asked(checks, self._service(one, trusted))
                except ssl.SSLCertVerificationError as error:
                    served = certificate.Served(b"", (), error.verify_code, error.verify_message)
            with talk.Talk.to(address, one.port, self._ways.timeout) as blind:
                leaf = blind.encrypt(self._blind, one.name)
                served = certificate.Served(leaf, (), served.verify_code, served.verify_text)
                return served, self._asked(checks, self._service(one, blind))
        except (OSError, ConnectError, ProtocolError) as error:
            said = socket_error(error, one.name, one.port).message if isinstance(error, OSError) else error.message
            return served, [Found("protocol", "no_tls", said), *(Found(check, "not_tried") for check in checks[1:])]
        except Exception as error:  # noqa: BLE001 -- as above
            return served, [Found(check, "failed", _mistake(error)) for check in checks]

    def _service(self, one: Try, inside: talk.Talk) -> Iterator[Found]:
        if one.service == "imaps":
            return mail.imap(inside)
        if one.service == "pop3s":
            return mail.pop3(inside)
        if one.service == "smtps":
            own = self._ways.recipients[0] if self._ways.recipients else f"postmaster@{one.name}"
            return mail.submission(inside, own, self._ways.foreign)
        return web.dav(inside, one.name) if one.service == "dav" else web.https(inside, one.name)

    def _exchanger(self, one: Try, address: str) -> list[Found]:
        more = [check for check in _MX_CHECKS if check != "accepts" or self._ways.recipients]
        try:
            with talk.Talk.to(address, one.port, self._ways.mx_timeout) as there:
                said = mail.exchanger(there, self._ways.recipients, self._ways.foreign)
                return self._asked(("mx", *more), said)
        except OSError:
            verdict, seen = talk.try_port(address, one.port, self._ways.timeout)
            verdict = "closed_early" if verdict == "open" else verdict
            return [Found("mx", verdict, seen), *(Found(check, "not_tried") for check in more)]
        except Exception as error:  # noqa: BLE001 -- as above
            return [Found(check, "failed", _mistake(error)) for check in ("mx", *more)]

    @staticmethod
    def _asked(checks: Sequence[str], said: Iterable[Found]) -> list[Found]:
        """What a talk has brought, up to where it ended, and what it has left open."""
        found: list[Found] = []
        seen = ""
        try:
            found.extend(said)
        except MigrationError as error:
            seen = error.message
            if not found:
                found.append(Found(checks[0], mail.trouble(error), seen))
        left = [check for check in checks if check not in {one.check for one in found}]
        talked = found[0].verdict == "right"
        return [*found, *(Found(check, "not_tried", seen if talked else "") for check in left)]


def _judged(judge: Callable[[], Iterable[Found]], seen: certificate.Served) -> list[Found]:
    """The certificate's judgement; all of it open when none was seen."""
    if not seen.leaf:
        return [Found(check, "not_tried") for check in certificate.CHECKS]
    try:
        return list(judge())
    except Exception as error:  # noqa: BLE001 -- a stranger's certificate must not hide the other answers
        return [Found(check, "failed", _mistake(error)) for check in certificate.CHECKS]


def _closed(port: Found, alive: bool) -> Found:
    """The verdict on a port that has to be closed: silence counts where something else of the address answers."""
    if port.verdict == "silent" and alive:
        return Found("closed", "closed", "dropped: no answer")
    return Found("closed", port.verdict, port.seen)


def _place(one: Try, address: str) -> Place:
    return Place(one.name, address, one.service, one.port)


def _mistake(error: Exception) -> str:
    return error.message if isinstance(error, MigrationError) else InternalError.of(error).message
