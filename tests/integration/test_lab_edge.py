# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The lab's edge: HAProxy answers on the public ports and chooses the certificate by the name asked for."""

from __future__ import annotations

import socket
import ssl

from tests.lab.lab import Lab
from tests.lab.region import Region
from tests.lab.state import RegionOptions

#: What a client says first, where it does, and how the answer begins.
TALKS = {
    "https": (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 "),
    "smtps": (b"", b"220 "),
    "imaps": (b"", b"* OK"),
    "pop3s": (b"", b"+OK"),
    "dav": (b"OPTIONS /.well-known/caldav HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK\r\ndav: 1, 3, calendar-access"),
}


def talk(region: Region, ca: str, service: str, name: str) -> tuple[bytes, set[str]]:
    """The beginning of what a service answers, and the names of the certificate that it shows for a name."""
    context = ssl.create_default_context(cafile=ca)
    port = region.edge.setup.ports[service]
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        secure.sendall(TALKS[service][0])
        certificate = secure.getpeercert()
        assert certificate is not None
        return secure.recv(512), {str(entry[1]) for entry in certificate["subjectAltName"]}


def test_two_customers_have_names_of_their_own_on_every_port() -> None:
    options = {"eu": RegionOptions(edge=True, submission=True)}
    with Lab.temporary(sites=(), regions=("eu",), region_options=options) as lab:
        region, ca = lab.region("eu"), str(lab.authority.ca_file)
        one = ("mail.acme.example",)
        each = ("www.globex.example", "imap.globex.example")
        region.edge.stop()
        for customer, names in (("acme", one), ("globex", each)):
            region.edge.offer(customer, lab.authority.issue(customer, names), names)
        region.edge.start()
        for service, (_said, expected) in TALKS.items():
            for name, wanted in (
                (one[0], set(one)),
                (each[0], set(each)),
                (each[1], set(each)),
                ("imap-eu.atmailcloud.example", {"*.atmailcloud.example", "127.0.0.1", "localhost"}),
            ):
                answer, shown = talk(region, ca, service, name)
                assert answer.startswith(expected), service
                assert shown == wanted, (service, name)
        assert (region.edge.certificates / "acme.pem").stat().st_mode & 0o777 == 0o600
