# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The certificate that a server shows for a name: chain, trust, name, dates. Pure.

RFC 5280 (certificates), RFC 9525 (names), RFC 8446 section 4.4.2 (the chain's order). All that is wrong is told, not
what a client would stumble over first. Trust itself is OpenSSL's word, which clients go by as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ...errors import MissingLibraryError
from ..names import covers
from .verdicts import Found

if TYPE_CHECKING:
    from cryptography import x509

# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h).
_NO_ISSUER = (2, 20, 21)
_DATES = (9, 10)
_SELF_SIGNED_LEAF = 18
_ROOT_UNKNOWN = 19
CHECKS = ("chain", "trust", "names", "dates")
_NAMES_SHOWN = 8


@dataclass(frozen=True)
class Served:
    """What a server showed: the leaf and the chain (DER, in the order they came; empty when not seen), and OpenSSL's
    word on them: a number (0 is trusted, None not tried) and its text. ``fingerprints`` are those of the
    leaves that are expected.
    """

    leaf: bytes
    chain: tuple[bytes, ...] = ()
    verify_code: int | None = None
    verify_text: str = ""
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What a certificate says, as far as it can be read. The fingerprint is that of SHA-256, in lower-case digits."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    begins: datetime
    ends: datetime
    fingerprint: str
    certificate: x509.Certificate = field(repr=False, compare=False)


def facts(der: bytes) -> Facts | None:
    """What the certificate says; None when it can't be read. Raises MissingLibraryError."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library cryptography is missing: {error}", library="cryptography"
        ) from error
    try:
        one = x509.load_der_x509_certificate(der)
        try:
            listed = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = tuple(map(str, listed.get_values_for_type(x509.DNSName)))
            addresses = tuple(map(str, listed.get_values_for_type(x509.IPAddress)))
        except x509.ExtensionNotFound:
            names, addresses = (), ()
        return Facts(
            subject=one.subject.rfc4514_string(),
            issuer=one.issuer.rfc4514_string(),
            names=names,
            addresses=addresses,
            begins=one.not_valid_before_utc,
            ends=one.not_valid_after_utc,
            fingerprint=one.fingerprint(hashes.SHA256()).hex(),
            certificate=one,
        )
    except Exception:  # noqa: BLE001 -- the library has many words for a stranger's bytes that are no certificate
        return None


def judge(served: Served, name: str, now: datetime, warn: timedelta) -> Iterator[Found]:
    """An answer for each of :data:`CHECKS`, and for ``served`` where fingerprints are given. ``now`` is aware."""
    leaf = facts(served.leaf)
    if leaf is None:
        yield Found("chain", "unreadable", f"{len(served.leaf)} bytes that are no certificate")
        yield from (Found(check, "not_tried") for check in CHECKS[1:])
        return
    above = [facts(der) for der in (served.chain[1:] if served.chain[:1] == (served.leaf,) else ())]
    yield _chain(leaf, above, served)
    yield _trust(leaf, served)
    yield _name(leaf, name)
    yield _dates(leaf, above, served, now, warn)
    if served.fingerprints:
        yield _expected(leaf, served.fingerprints)


def _chain(leaf: Facts, above: Sequence[Facts | None], served: Served) -> Found:
    if None in above:
        return Found("chain", "unreadable", f"certificate {above.index(None) + 2} of {len(above) + 1}")
    issuers = [one for one in above if one]
    path = _path(leaf, issuers)
    top = path[-1]
    if top.subject != top.issuer and served.verify_code in _NO_ISSUER:
        return Found("chain", "incomplete", f"the certificate of {top.issuer} is neither served nor a trusted root")
    if served.verify_code is None:
        return Found("chain", "not_tried")
    if path != [leaf, *issuers[: len(path) - 1]]:
        return Found("chain", "disordered", " / ".join(one.subject for one in (leaf, *issuers)))
    return Found("chain", "complete", f"{len(above) + 1} served, issued by {top.issuer}")


def _path(leaf: Facts, issuers: Sequence[Facts]) -> list[Facts]:
    """From the leaf up, as far as one certificate is signed by another of them."""
    path, left = [leaf], list(issuers)
    while path[-1].subject != path[-1].issuer:
        found = next((one for one in left if _issued(path[-1], one)), None)
        if found is None:
            break
        left.remove(found)
        path.append(found)
    return path


def _issued(below: Facts, above: Facts) -> bool:
    """Whether the one has signed the other."""
    try:
        below.certificate.verify_directly_issued_by(above.certificate)
    except Exception:  # noqa: BLE001 -- whatever it says (wrong name, wrong signature, unknown kind of key): it has not
        return False
    return True


def _trust(leaf: Facts, served: Served) -> Found:
    code = served.verify_code
    if code is None:
        return Found("trust", "not_tried")
    if code == 0 or code in _DATES:  # dates are looked at when the whole chain is known to be good
        return Found("trust", "trusted", leaf.issuer)
    if code == _SELF_SIGNED_LEAF:
        return Found("trust", "self_signed", leaf.subject)
    if code in (*_NO_ISSUER, _ROOT_UNKNOWN):
        return Found("trust", "untrusted", served.verify_text)
    return Found("trust", "refused", served.verify_text)


def _name(leaf: Facts, name: str) -> Found:
    if name in leaf.addresses or any(covers(pattern, name) for pattern in leaf.names):
        return Found("names", "covered", name)
    there = [*leaf.names, *leaf.addresses]
    more = f" and {len(there) - _NAMES_SHOWN} more" if len(there) > _NAMES_SHOWN else ""
    return Found("names", "other_name", f"{', '.join(there[:_NAMES_SHOWN]) or 'no name at all'}{more}")


def _dates(leaf: Facts, above: Sequence[Facts | None], served: Served, now: datetime, warn: timedelta) -> Found:
    if now > leaf.ends:
        return Found("dates", "expired", f"on {leaf.ends:%Y-%m-%d}")
    if now < leaf.begins:
        return Found("dates", "not_yet_valid", f"before {leaf.begins:%Y-%m-%d}")
    if served.verify_code in _DATES:
        old = [one for one in above if one and not one.begins <= now <= one.ends]
        said = f"{old[0].subject} on {old[0].ends:%Y-%m-%d}" if old else served.verify_text
        return Found("dates", "chain_expired", said)
    left = leaf.ends - now
    verdict = "expires_soon" if left < warn else "valid"
    return Found("dates", verdict, f"until {leaf.ends:%Y-%m-%d}, {left.days} days")


def _expected(leaf: Facts, wanted: Sequence[str]) -> Found:
    verdict = "expected" if leaf.fingerprint in wanted else "another"
    return Found("served", verdict, leaf.fingerprint)
