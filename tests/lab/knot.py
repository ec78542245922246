# SPDX-License-Identifier: GPL-3.0-or-later
"""Knot DNS: an authoritative server on loopback, of which a test says zone by zone what it answers.

Several of them with different contents are the servers of a zone to which a change has come in part only. A zone may
be signed by Knot itself, or be given signed already, as badly as a test wants it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring

from . import ports
from .errors import LabError
from .server import Server, write_private
from .throwaway import throw_away

PROGRAM = "/usr/sbin/knotd"
CONTROL = "/usr/sbin/knotc"
_SECONDS = 10.0
_SOA = "@ {ttl} SOA ns1 hostmaster {serial} 3600 600 86400 {ttl}"


@dataclass(frozen=True)
class TsigKey:
    """A key that may change zones and transfer them (RFC 8945); `secret` is Base64, `algorithm` as Knot calls it."""

    name: str = "migration"
    algorithm: str = "hmac-sha256"
    secret: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode(), repr=False)

    def ring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        """The key as dnspython takes it."""
        return {
            dns.name.from_text(self.name): dns.tsig.Key(self.name, self.secret, dns.name.from_text(self.algorithm)),
        }


@dataclass(frozen=True)
class Zone:
    """What a zone holds: lines of a zone file (RFC 1035 section 5), relative to it; `ttl` is for those without one.

    A SOA, and a name server ns1 at 127.0.0.1, are added where there is none. `updates` lets the server's keys change
    it (RFC 2136), `signed` has Knot sign it (ECDSA P-256, one key).
    """

    lines: Sequence[str] = ()
    ttl: int = 300
    updates: bool = True
    signed: bool = False

    def text(self, origin: str, serial: int) -> str:
        """The whole zone file."""
        types = {_type(line) for line in self.lines if line.startswith("@")}
        head = [f"$ORIGIN {origin}", f"$TTL {self.ttl}"]
        if "SOA" not in types:
            head.append(_SOA.format(ttl=self.ttl, serial=serial))
        if "NS" not in types:
            head.append("@ NS ns1")
            if not any(line.split()[0] == "ns1" for line in self.lines if line.strip()):
                head.append("ns1 A 127.0.0.1")
        return "\n".join([*head, *self.lines, ""])


@dataclass(frozen=True)
class KnotSetup:
    """Where it listens (any address of loopback), what it serves, and whose changes it takes."""

    port: int
    zones: Mapping[str, Zone]
    keys: Sequence[TsigKey] = ()
    address: str = "127.0.0.1"


class Knot(Server):
    """DNS over UDP and TCP on one port of loopback. `run` is a folder for its socket, whose path must be short."""

    def __init__(self, name: str, folder: Path, run: Path, setup: KnotSetup) -> None:
        super().__init__(name, folder)
        self.setup = setup
        self.run = run
        self.zones: dict[str, Zone] = {_absolute(each): zone for each, zone in setup.zones.items()}
        self._configuration = folder / "knot.conf"
        self._serial = 1
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def temporary(
        cls,
        zones: Mapping[str, Zone],
        *,
        keys: Sequence[TsigKey] = (),
        address: str = "127.0.0.1",
        port: int = 0,
        name: str = "knot",
    ) -> Iterator[Knot]:
        """A running server in a throw-away folder of its own; port 0 takes a free one."""

        def make(folder: Path) -> Knot:
            chosen = port or ports.claim(folder, 1)[0]
            return cls(name, folder / "knot", folder, KnotSetup(chosen, zones, keys, address))

        with throw_away("knot", make) as server:
            yield server

    @property
    def port(self) -> int:
        """The port of UDP and TCP."""
        return self.setup.port

    @property
    def address(self) -> str:
        """The address of loopback that it listens on."""
        return self.setup.address

    def listens_on(self) -> Sequence[int]:
        return [self.port] if self.address == "127.0.0.1" else []

    def command(self) -> Sequence[str]:
        return [PROGRAM, "-c", str(self._configuration)]

    def prepare(self) -> None:
        self.run.mkdir(parents=True, exist_ok=True)
        for folder in ("zones", "state"):
            (self.folder / folder).mkdir(exist_ok=True)
        self._write_configuration()
        for name, zone in self.zones.items():
            self._write_zone(name, zone)

    def greets(self) -> bool:
        """Whether a question is answered; without any zone it is refused."""
        try:
            self.ask(next(iter(self.zones), "."), "SOA", seconds=1.0)
        except (OSError, dns.exception.DNSException):
            return False
        return True

    def ask(self, name: str, kind: str, *, seconds: float = _SECONDS, dnssec: bool = False) -> dns.message.Message:
        """The server's own answer to one question, over UDP and where that is too long over TCP."""
        question = dns.message.make_query(name, kind, want_dnssec=dnssec)
        answer, _tcp = dns.query.udp_with_fallback(question, self.address, timeout=seconds, port=self.port)
        return answer

    def texts(self, name: str) -> list[bytes]:
        """The TXT records of a name, the strings of each put together; what dkimpy's `dnsfunc` wants is the first."""
        return [
            b"".join(record.strings)
            for rrset in self.ask(name, "TXT").answer
            for record in rrset
            if hasattr(record, "strings")
        ]

    def publish(self, name: str, zone: Zone) -> None:
        """Serve this instead of what the zone held (or a zone that was not there), at once. Raises LabError."""
        with self._lock:
            origin = _absolute(name)
            self._serial += 1
            before = self.zones.get(origin)
            self.zones[origin] = zone
            self._write_zone(origin, zone)
            if before is None or (before.updates, before.signed) != (zone.updates, zone.signed):
                self._write_configuration()
                self._control("reload")
            self._control("zone-reload", origin)

    def withdraw(self, name: str) -> None:
        """Serve the zone no longer: questions about it are refused."""
        with self._lock:
            del self.zones[_absolute(name)]
            self._write_configuration()
            self._control("reload")

    def change(self, name: str, *lines: str) -> None:
        """Add lines to a zone, as its owner would in the file."""
        zone = self.zones[_absolute(name)]
        self.publish(name, Zone((*zone.lines, *lines), zone.ttl, zone.updates, zone.signed))

    def _control(self, *command: str) -> None:
        arguments = [CONTROL, "-s", str(self.run / "knot.sock"), "-b", *command]
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30.0)
        if done.returncode != 0:
            raise LabError(f"{self.name}: {' '.join(command)}: {done.stderr.decode(errors='replace')}{self.log_tail()}")

    def _write_configuration(self) -> None:
        zones = [
            {"name": name, "file": _file(name), "updates": zone.updates, "signed": zone.signed}
            for name, zone in self.zones.items()
        ]
        self.render(
            "knot.conf.j2",
            self._configuration,
            0o600,
            name=self.name,
            folder=self.folder,
            run=self.run,
            address=self.address,
            port=self.port,
            keys=self.setup.keys,
            zones=zones,
        )

    def _write_zone(self, name: str, zone: Zone) -> None:
        write_private(self.folder / "zones" / _file(name), zone.text(name, self._serial), 0o644)


def _absolute(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


def _file(name: str) -> str:
    """A file name for a zone, whatever is in its name."""
    return hashlib.sha256(name.encode()).hexdigest()[:20] + ".zone"


def _type(line: str) -> str:
    """The type of a zone line that begins with a name: the first word that is neither a TTL nor the class."""
    words = line.split()[1:]
    return next((word.upper() for word in words if not word.isdigit() and word.upper() != "IN"), "")
