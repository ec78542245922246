# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorities of all kinds and the certificates that they issue, in memory: what customers send, right and wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Life:
    """From when to when something is valid, in days from now."""

    begin: float = -1
    end: float = 365


@dataclass(frozen=True)
class Issued:
    """A certificate and its key; it may issue others when it is an authority."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        """The key, as PKCS#8."""
        return private_pem(self.key)

    def authority(self, name: str, **how: Any) -> Issued:
        """An authority below this one."""
        return authority(name, self, **how)

    def server(self, names: Sequence[str], **how: Any) -> Issued:
        """A server's certificate for these DNS names."""
        return server(names, self, **how)


def private_pem(key: Any, passphrase: str = "", form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    """A private key in PEM form, encrypted when there is a passphrase."""
    way = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return bytes(key.private_bytes(Encoding.PEM, form, way))


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key as good as any; quickly made."""
    return ec.generate_private_key(ec.SECP256R1())


def authority(
    name: str,
    issuer: Issued | None = None,
    *,
    key: Any = None,
    life: Life = Life(-10, 3650),
    ca: bool = True,
    path_length: int | None = None,
) -> Issued:
    """A root, or what an issuer makes an authority (or, with `ca` false, pretends to)."""
    key = key or new_key()
    builder = _builder(name, key, life).add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    usages = ("key_cert_sign", "crl_sign") if ca else ("digital_signature",)
    builder = builder.add_extension(_usage(usages), critical=True)
    return _signed(builder, key, issuer)


def server(
    names: Sequence[str],
    issuer: Issued | None = None,
    *,
    key: Any = None,
    life: Life = Life(),
    usages: Sequence[str] = ("digital_signature",),
    purposes: Sequence[ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
    must_staple: bool = False,
    offered_at: str = "",
    common_name: str = "",
) -> Issued:
    """A server's certificate; signed by itself without an issuer. Without names it has a common name only."""
    key = key or new_key()
    builder = _builder(common_name or (names[0] if names else "mail.acme.example"), key, life)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(usages), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    if must_staple:
        builder = builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
    if offered_at:
        place = x509.UniformResourceIdentifier(offered_at)
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return _signed(builder, key, issuer)


def cross_signed(who: Issued, issuer: Issued, life: Life = Life(-10, 3650)) -> Issued:
    """The same authority (name and key) with a certificate of another issuer."""
    (attribute,) = who.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return authority(str(attribute.value), issuer, key=who.key, life=life)


def _builder(name: str, key: Any, life: Life) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=life.begin))
        .not_valid_after(now + dt.timedelta(days=life.end))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, key: Any, issuer: Issued | None) -> Issued:
    """Signed by the issuer, or by itself."""
    above = issuer.key if issuer else key
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False
    )
    builder = builder.issuer_name(issuer.certificate.subject if issuer else builder._subject_name or _name("nobody"))
    algorithm = None if isinstance(above, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Issued(builder.sign(above, algorithm), key)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(usages: Sequence[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**{each: each in usages for each in _USAGES})
