# SPDX-License-Identifier: GPL-3.0-or-later
"""Chains of certificates, right and wrong: a root that is trusted, an intermediate of it, and leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


class Chains:
    """Certificates in a folder. `days` are from when until when it is valid, counted from now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = issue("Trusted root", None)
        self.middle = issue("Intermediate", self.root)
        self.stale = issue("Intermediate of old", self.root, days=(-20, -2))
        self.stranger = issue("Unknown root", None)
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(self.root.certificate.public_bytes(serialization.Encoding.PEM))

    def leaf(
        self,
        names: Sequence[str],
        issuer: Issued | None = None,
        days: tuple[float, float] = (-1, 90),
        subject: str = "",
    ) -> Issued:
        """A server's certificate, by the intermediate unless somebody else is named."""
        return issue(subject or names[0], issuer or self.middle, names=names, days=days)

    def alone(self, names: Sequence[str], days: tuple[float, float] = (-1, 90)) -> Issued:
        """A server's certificate that nobody but itself vouches for."""
        return issue(names[0], None, names=names, days=days)

    def file(self, *chain: Issued) -> Path:
        """A PEM file: the first one's key, and all certificates in this order."""
        path = self._folder / f"{chain[0].fingerprint}-{len(chain)}-{chain[-1].fingerprint[:8]}.pem"
        key = chain[0].key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificates = [one.certificate.public_bytes(serialization.Encoding.PEM) for one in chain]
        path.write_bytes(b"".join([key, *certificates]))
        return path


def issue(
    subject: str, issuer: Issued | None, *, names: Sequence[str] | None = None, days: tuple[float, float] = (-2, 900)
) -> Issued:
    """A certificate; its own when there is no issuer, and an authority's when there are no names."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    name = _name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * _DAY)
        .not_valid_after(now + days[1] * _DAY)
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _name(subject: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
