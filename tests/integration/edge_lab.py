# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""HAProxy in front of a Dovecot, authorities for customers' certificates, and the module run against them."""

from __future__ import annotations

import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.integration.settings_lab import Outcome, run_here, run_module
from tests.lab import ports
from tests.lab.authorities import Issued, authority
from tests.lab.haproxy import SERVICES, HAProxy, HAProxySetup
from tests.lab.tls import Authority
from tests.lab.virtual import VirtualPair

#: Several sessions in one process: a thousand processes are what no machine for tests has.
MANY_SESSIONS = "service imap {\n  client_limit = 100\n  process_limit = 100\n}\n"


@dataclass(frozen=True)
class EdgeLab:
    """``root`` is what clients trust; ``inner`` issues the customers' certificates."""

    edge: HAProxy
    pair: VirtualPair
    root: Issued
    inner: Issued
    ca: Path

    def bundle(self, names: Sequence[str], **how: Any) -> tuple[Issued, str]:
        """A new certificate for these names, and the bundle that a customer would send."""
        leaf = self.inner.server(names, **how)
        return leaf, (leaf.key_pem + leaf.pem + self.inner.pem).decode()

    def options(self, **changes: Any) -> dict[str, Any]:
        """The module's options for the customer acme."""
        balancer = {
            "directory": str(self.edge.certificates),
            "crt_list": str(self.edge.crt_list),
            "socket": str(self.edge.socket),
        }
        return {"customer": "acme", "ca_path": str(self.ca), "balancer": balancer, **changes}

    def run(self, *, check: bool = False, **changes: Any) -> Outcome:
        """Run the module in this process."""
        return run_here("certificate_bundle", self.options(**changes), check=check)

    def run_alone(self, *, check: bool = False, **changes: Any) -> Outcome:
        """Run it as Ansible does."""
        return run_module("certificate_bundle", self.options(**changes), check=check)

    def connect(self, name: str, service: str = "imaps") -> ssl.SSLSocket:
        """A connection of a client that asks for a name and trusts the root only, whatever it is shown."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if name else ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.edge.setup.ports[service]), timeout=20)
        return context.wrap_socket(plain, server_hostname=name)

    def served(self, name: str, service: str = "imaps") -> x509.Certificate:
        """What a client is shown for a name; it fails where the chain does not lead to the root."""
        with self.connect(name, service) as connection:
            der = connection.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)

    def files(self) -> dict[str, bytes]:
        """All files of the edge that a migration may write."""
        found = {path.name: path.read_bytes() for path in self.edge.certificates.iterdir()}
        return {**found, "list": self.edge.crt_list.read_bytes()}


@contextmanager
def edge_lab() -> Iterator[EdgeLab]:
    """All of it in a throw-away folder."""
    folder = Path(tempfile.mkdtemp(prefix="edge-"))
    folder.chmod(0o755)
    root = authority("Trust Root")
    inner = root.authority("Trust Inner")
    ca = folder / "clients.pem"
    try:
        with VirtualPair.temporary(source_extra=MANY_SESSIONS) as pair:
            lab_ca = Authority(folder / "tls")
            ca.write_bytes(root.pem + lab_ca.ca_file.read_bytes())
            setup = HAProxySetup(
                dict(zip(SERVICES, ports.claim(folder, len(SERVICES)), strict=True)),
                {"imap": pair.source.setup.ports["imap"]},
                lab_ca.issue("cloud", ("*.atmailcloud.example",)),
            )
            edge = HAProxy("edge", folder / "edge", folder / "run", setup)
            edge.start()
            try:
                yield EdgeLab(edge, pair, root, inner, ca)
            finally:
                edge.stop()
    finally:
        ports.release(folder)
        shutil.rmtree(folder)
