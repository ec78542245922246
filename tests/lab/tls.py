# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority, and the certificates — good and bad — that it issues."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .server import write_private

#: Names of a certificate that clients of the lab accept.
GOOD_NAMES = ("127.0.0.1", "localhost")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """PEM files: the certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder; the same one again when the folder has one already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self._key_file = folder / "ca.key"
        if not self.ca_file.exists() or not self._key_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._create()
        self._ca = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._key_file} holds no EC key")
        self._key = key

    def issue(self, name: str, names: Sequence[str] = GOOD_NAMES, *, expired: bool = False) -> Certificate:
        """The certificate called `name` for these host names and addresses; made once and then kept.

        An expired one was valid for a month, until yesterday.
        """
        result = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        if result.certificate.exists() and result.key.exists():
            return result
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        begin, end = (now - 31 * _DAY, now - _DAY) if expired else (now - _DAY, now + 365 * _DAY)
        builder = (
            _builder(names[0], key, begin, end)
            .issuer_name(self._ca.subject)
            .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        _write(builder.sign(self._key, hashes.SHA256()), key, result)
        return result

    def issue_kind(self, kind: str) -> Certificate:
        """One of the kinds that a server of the lab can be given: good, expired, wrong_name or self_signed."""
        if kind == "expired":
            return self.issue("expired", expired=True)
        if kind == "wrong_name":
            return self.issue("wrong_name", ("mail.elsewhere.example",))
        if kind == "self_signed":
            return self._self_signed()
        return self.issue("good")

    def _self_signed(self) -> Certificate:
        """A certificate with the right names that nobody but itself vouches for; made once and then kept."""
        result = Certificate(self.folder / "self_signed.pem", self.folder / "self_signed.key")
        if not result.certificate.exists() or not result.key.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            now = dt.datetime.now(dt.UTC)
            builder = _builder(GOOD_NAMES[0], key, now - _DAY, now + 365 * _DAY)
            builder = builder.issuer_name(
                x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, GOOD_NAMES[0])])
            ).add_extension(x509.SubjectAlternativeName([_general_name(each) for each in GOOD_NAMES]), critical=False)
            _write(builder.sign(key, hashes.SHA256()), key, result)
        return result

    def _create(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        builder = _builder("Lab CA", key, now - _DAY, now + 3650 * _DAY)
        builder = (
            builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab CA")]))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_ca_usage(), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        _write(builder.sign(key, hashes.SHA256()), key, Certificate(self.ca_file, self._key_file))


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, begin: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, files: Certificate) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(files.key, pem.decode("ascii"))
    write_private(files.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"), 0o644)
