# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Signing keys made for a signer, mail that it signs, and what verifiers of other people's making say of it."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

import authheaders
import dkim
import dns.resolver
import spf
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.atmail.migration.plugins.module_utils.dkim.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.dkim.run import dkim_key

from tests.lab.knot import Knot, Zone
from tests.lab.region import Region

DOMAIN = "acme.example"
USER = f"ann@{DOMAIN}"
#: Loopback is where the lab's cloud sends from; nobody sends from the other one.
CLOUD, STRANGER = "127.0.0.1", "192.0.2.66"
POLICY = ('@ TXT "v=spf1 ip4:127.0.0.1 -all"', '_dmarc TXT "v=DMARC1; p=reject; adkim=s; aspf=s"')
HOUR, DAY = 3600, 86400


def valid(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the module gets them."""
    found = ArgumentSpecValidator(OPTIONS).validate(options)
    assert not found.error_messages
    validated: dict[str, Any] = found.validated_parameters
    return validated


@dataclass
class Keys:
    """dkim_key for one domain at one signer, with a clock that a test may turn on."""

    options: dict[str, Any]
    ahead: int = 0
    results: list[dict[str, Any]] = field(default_factory=list)

    def run(self, *, check: bool = False, **changes: Any) -> dict[str, Any]:
        params = valid({"customer": "acme", "domain": DOMAIN, **self.options, **changes})
        result = dkim_key(params, int(time.time()) + self.ahead, check_mode=check, diff_mode=True)
        self.results.append(result)
        return result

    def file(self, selector: str, domain: str = DOMAIN) -> Path:
        return Path(self.options["directory"]) / domain / f"{selector}.key"


def publish(knot: Knot, *records: dict[str, Any], domain: str = DOMAIN, policy: tuple[str, ...] = POLICY) -> None:
    """Serve these records, and no other keys."""
    knot.publish(domain, Zone((*policy, *(record["zone_line"] for record in records))))


def message(subject: str, sender: str = USER) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Ann <{sender}>", "joe@far.example", subject
    made["Date"], made["Message-ID"] = format_datetime(datetime.now(UTC)), make_msgid(domain="acme.example")
    made.set_content("Hello Joe,\n\n.a line with a dot\nend  \n\n\n")
    return made.as_bytes().replace(b"\n", b"\r\n")


def send(region: Region, subject: str, sender: str = USER) -> bytes:
    """Send a mail as a user does who has logged in; gives back what arrived outside, without its envelope."""
    region.outside.forget()
    with smtplib.SMTP("127.0.0.1", region.state.ports["submission"], timeout=30) as client:
        client.login(USER, "a secret")
        client.sendmail(sender, ["joe@far.example"], message(subject, sender))
    region.submission.settle()
    region.outside.settle()
    (file,) = (region.outside.mail / "new").iterdir()
    arrived = file.read_bytes()
    assert subject.encode() in arrived
    return arrived[arrived.index(b"Received:") :].replace(b"\n", b"\r\n")


@dataclass(frozen=True)
class Verdict:
    """What verifiers say: each signature by dkimpy, the mail by authheaders with pyspf."""

    signatures: dict[str, bool]
    dkim: str
    spf: str
    dmarc: str


@contextmanager
def resolving_by(knot: Knot) -> Iterator[None]:
    """The verifiers ask this name server; they all use dnspython's default resolver."""
    before = dns.resolver.default_resolver
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = [knot.address], knot.port, 5.0
    dns.resolver.default_resolver = resolver
    try:
        yield
    finally:
        dns.resolver.default_resolver = before


def verify(mail: bytes, knot: Knot, *, sent_from: str = CLOUD, sender: str = USER) -> Verdict:
    """Ask the verifiers about a mail that arrived from this address."""
    with resolving_by(knot):
        spf.DNSLookup = spf.DNSLookup_dnspython
        signatures = {}
        parsed = dkim.DKIM(mail)
        for number, selector in enumerate(selectors(mail)):
            try:
                signatures[selector] = bool(parsed.verify(number))
            except dkim.DKIMException:
                signatures[selector] = False
        found = authheaders.authenticate_message(
            mail, "mail.far.example", spf=True, dkim=True, dmarc=True, ip=sent_from, mail_from=sender, helo="mx.example"
        )
    words = {name: value for name, _is, value in (part.strip().partition("=") for part in found.split(";"))}
    return Verdict(signatures, *(words.get(name, "none").split()[0] for name in ("dkim", "spf", "dmarc")))


def selectors(mail: bytes) -> list[str]:
    """The selectors of a mail's signatures, in their order."""
    found = []
    for name, value in dkim.rfc822_parse(mail)[0]:
        if name.lower() == b"dkim-signature":
            tags = dkim.util.parse_tag_value(value)
            found.append(tags[b"s"].decode())
    return found
