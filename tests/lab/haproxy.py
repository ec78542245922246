# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy: the edge of a region. It speaks TLS on all public ports, with a certificate chosen by the name asked for."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .server import Server, write_private
from .tls import Certificate

#: The handbook's services, in the order of their ports (443, 465, 993, 995, 8443).
SERVICES = ("https", "smtps", "imaps", "pop3s", "dav")
_OWNER = "haproxy"


@dataclass(frozen=True)
class HAProxySetup:
    """`ports` are the public ones by service; `backends` the servers behind them in clear text, 0 or none where there
    is none (HTTPS, and DAV with nobody behind it, are answered by HAProxy itself); `certificate` is what names get that
    have none of their own.
    """

    ports: Mapping[str, int]
    backends: Mapping[str, int]
    certificate: Certificate


class HAProxy(Server):
    """TLS 1.2 and later on five ports of loopback, a crt-list for all of them, and the runtime API on `socket`.

    The crt-list and the certificates are written once and then belong to whoever manages them. `run` is a folder with a
    short path for the socket.
    """

    def __init__(self, name: str, folder: Path, run: Path, setup: HAProxySetup) -> None:
        super().__init__(name, folder)
        self.run = run
        self.setup = setup
        self.configuration = folder / "haproxy.cfg"
        self.certificates = folder / "certs"
        self.default = self.certificates / "cloud.pem"
        self.crt_list = folder / "crt-list.txt"
        self.socket = run / "admin.sock"

    def listens_on(self) -> Sequence[int]:
        return list(self.setup.ports.values())

    def command(self) -> Sequence[str]:
        return ["/usr/sbin/haproxy", "-db", "-f", str(self.configuration)]

    def prepare(self) -> None:
        self.run.mkdir(parents=True, exist_ok=True)
        self.certificates.mkdir(mode=0o700, exist_ok=True)
        write_private(self.default, combined(self.setup.certificate))
        if not self.crt_list.exists():
            write_private(
                self.crt_list, f"# The first one is for names that no other line has.\n{self.default}\n", 0o644
            )
        self.render(
            "haproxy.cfg.j2",
            self.configuration,
            name=self.name,
            # As root it reads the keys, and then it is somebody who can't.
            user=_OWNER if os.geteuid() == 0 else "",
            socket=self.socket,
            crt_list=self.crt_list,
            ports=self.setup.ports,
            backends=self.setup.backends,
        )

    def offer(self, name: str, certificate: Certificate, names: Sequence[str]) -> Path:
        """Give some host names a certificate from the next start on; gives back its file."""
        self.certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.certificates / f"{name}.pem"
        write_private(path, combined(certificate))
        listed = self.crt_list.read_text() if self.crt_list.exists() else f"{self.default}\n"
        write_private(self.crt_list, f"{listed}{path} {' '.join(names)}\n", 0o644)
        return path

    def ask(self, command: str) -> str:
        """What the runtime API answers to a command."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def forget(self) -> None:
        """Throw away all certificates but the cloud's; counts from the next start."""
        shutil.rmtree(self.certificates, ignore_errors=True)
        self.crt_list.unlink(missing_ok=True)


def combined(certificate: Certificate) -> str:
    """One PEM text, as HAProxy wants it: the certificate and its key."""
    return certificate.certificate.read_text() + certificate.key.read_text()
