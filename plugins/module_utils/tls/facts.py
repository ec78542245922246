# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What may be told about a certificate: plain values, nothing secret, all on one line."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .findings import shown
from .strength import key_text

if TYPE_CHECKING:
    from cryptography import x509


def extension(certificate: x509.Certificate, kind: type[Any]) -> Any:
    """The value of an extension, or None."""
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names of the subject alternative name, in lower case; the common name counts for nobody (RFC 9525, 2)."""
    from cryptography import x509

    found = extension(certificate, x509.SubjectAlternativeName)
    names = found.get_values_for_type(x509.DNSName) if found is not None else []
    return [str(name).lower() for name in names]


def title(certificate: x509.Certificate) -> str:
    """What people call it: its common name, or else its organisation's or its whole subject."""
    from cryptography.x509.oid import NameOID

    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(kind):
            return shown(str(attribute.value))
    return shown(certificate.subject.rfc4514_string()) or f"serial {certificate.serial_number:X}"


def fingerprint(certificate: x509.Certificate, kind: str = "sha256") -> str:
    """The hash over its DER form, in hexadecimal."""
    from cryptography.hazmat.primitives import hashes

    return certificate.fingerprint(hashes.SHA256() if kind == "sha256" else hashes.SHA1()).hex()  # noqa: S303


def certificate_facts(certificate: x509.Certificate, now: datetime) -> dict[str, Any]:
    """Subject, issuer, names, times (UTC), days that are left, key, fingerprint."""
    return {
        "subject": shown(certificate.subject.rfc4514_string()),
        "issuer": shown(certificate.issuer.rfc4514_string()),
        "names": [shown(name) for name in dns_names(certificate)],
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "days_left": (certificate.not_valid_after_utc - now).days,
        "key": key_text(certificate.public_key()),
        "sha256": fingerprint(certificate),
    }
