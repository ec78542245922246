# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer's bundle judged as a whole (H31, H33): everything that is wrong with it, and what is to be installed.

The steps: read (:mod:`.pem`), find the certificate that belongs to the key, build its chain from what the bundle holds
(:mod:`.chain`), look at each certificate on the way, and at the names. The clock is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .chain import Chain, build_chain, is_current
from .checks import (
    chain_findings,
    is_authority,
    key_findings,
    leaf_findings,
    name_findings,
    order_findings,
    strict_findings,
    time_findings,
)
from .facts import certificate_facts, dns_names, title
from .findings import Finding, error, in_order, shown, warning
from .names import ascii_name, covers
from .pem import Contents, read_bundle, require_cryptography
from .strength import key_text

if TYPE_CHECKING:
    from cryptography import x509

_CHAIN = "Ask the customer for the whole chain of the certificate's authority, in the same file."
#: What says already why there is no certificate, and why there is no private key.
_NO_PEM_SAID = frozenset({"not_pem", "der", "pkcs12", "pkcs7", "empty", "too_large", "java_keystore", "truncated"})
_NO_KEY_SAID = _NO_PEM_SAID | {"key_encrypted", "passphrase_wrong", "key_damaged"}
_NO_CERTIFICATE_SAID = _NO_PEM_SAID | {"certificate_damaged"}


@dataclass(frozen=True)
class Wishes:
    """What is wanted of a bundle: host names, trusted roots, days before the end at which is warned."""

    names: Sequence[str] = ()
    roots: Sequence[x509.Certificate] = ()
    warn_days: int = 30
    accept_ed25519: bool = False


@dataclass(frozen=True)
class Verdict:
    """What came out; ``content`` is what is to be installed, the private key in it."""

    findings: tuple[Finding, ...]
    chain: Chain | None = None
    key: Any = field(default=None, repr=False)
    names: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether there is no error."""
        return self.chain is not None and not any(finding.level == "error" for finding in self.findings)

    @cached_property
    def content(self) -> bytes:
        """Certificate, intermediates, and the private key without a passphrase, each in PEM form (RFC 7468)."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        if self.chain is None:
            return b""
        certificates = b"".join(one.public_bytes(Encoding.PEM) for one in self.chain.certificates)
        return certificates + bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def with_findings(self, more: Sequence[Finding]) -> Verdict:
        """The same with more findings."""
        return Verdict(in_order([*self.findings, *more]), self.chain, self.key, self.names)

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """What may be shown: nothing of the key."""
        chain = self.chain
        return {
            "usable": self.usable,
            "findings": [finding.as_dict() for finding in self.findings],
            "certificate": certificate_facts(chain.certificates[0], now) if chain else {},
            "chain": [certificate_facts(one, now) for one in chain.intermediates] if chain else [],
            "root": shown(chain.anchor.subject.rfc4514_string()) if chain and chain.anchor else "",
            "names": list(self.names),
        }


def judge(data: bytes, wishes: Wishes, now: datetime, passphrase: str | None = None) -> Verdict:
    """The verdict on the bytes of a bundle. ``now`` is aware. Raises MissingLibraryError, nothing else."""
    require_cryptography()
    contents = read_bundle(data, passphrase)
    wanted, wrong_names = _wanted(wishes.names)
    findings = [*contents.findings, *wrong_names]
    leaf, key, more = _leaf_and_key(contents, wanted, now)
    findings += more
    if leaf is None:
        return Verdict(in_order([*findings, *key_findings(key, accept_ed25519=wishes.accept_ed25519)]), names=wanted)
    pool = [one for one in contents.certificates if one != leaf]
    chain = build_chain(leaf, pool, wishes.roots, now)
    findings += key_findings(leaf.public_key(), accept_ed25519=wishes.accept_ed25519)
    findings += leaf_findings(leaf, now)
    findings += name_findings(leaf, wanted)
    findings += time_findings(chain, wishes.warn_days, now)
    findings += chain_findings(chain)
    findings += order_findings(contents.certificates, chain)
    if not wanted:
        wanted, odd_names = _own_names(leaf)
        findings += odd_names
    verdict = Verdict(in_order(findings), chain, key, wanted)
    return verdict.with_findings(list(strict_findings(chain, verdict.names, now))) if verdict.usable else verdict


def _wanted(names: Sequence[str]) -> tuple[tuple[str, ...], list[Finding]]:
    """The names in the form in which they are compared, and those that are none."""
    wanted: list[str] = []
    findings: list[Finding] = []
    for name in names:
        try:
            wanted.append(ascii_name(name))
        except InputError as wrong:
            findings.append(error("name_invalid", shown(wrong.message), about=shown(name), next_step="Correct names."))
    return tuple(dict.fromkeys(wanted)), findings


def _own_names(leaf: x509.Certificate) -> tuple[tuple[str, ...], list[Finding]]:
    """The certificate's own names, as far as they are host names: anything may stand there, and names go into lists."""
    names, findings = [], []
    for name in dns_names(leaf):
        try:
            names.append(ascii_name(name))
        except InputError:
            said = f"the certificate's name {shown(name)!r} is no host name and gets no line on the load balancer"
            findings.append(warning("odd_name", said, about=shown(name)))
    if findings and not names:
        findings.append(error("no_names", "none of the certificate's names is a host name", next_step="Give names."))
    return tuple(dict.fromkeys(names)), findings


def _leaf_and_key(
    contents: Contents, wanted: Sequence[str], now: datetime
) -> tuple[x509.Certificate | None, Any, list[Finding]]:
    """The certificate that is meant, and its key; the certificate alone where no key fits."""
    findings: list[Finding] = []
    said = {finding.kind for finding in contents.findings}
    pairs = [(one, key) for one in contents.certificates for key in contents.keys if _same_key(one, key)]
    if not contents.certificates and not said & _NO_CERTIFICATE_SAID:
        findings.append(error("no_certificate", "there is no certificate in it", next_step=_CHAIN))
    if not contents.keys and not said & _NO_KEY_SAID:
        step = "Ask the customer for the private key that the certificate was requested with."
        findings.append(error("no_key", "there is no private key in it", next_step=step))
    if not pairs:
        alone = _without_key(contents, wanted, now)
        return alone, next(iter(contents.keys), None), [*findings, *_mismatch(alone, contents)]
    leaf, key = max(pairs, key=lambda pair: _fitness(pair[0], wanted, now))
    for other in contents.keys:
        if other is not key:
            what = f"a private key ({key_text(other.public_key())}) belongs to another certificate and is left out"
            findings.append(warning("extra_key", what))
    return leaf, key, findings


def _mismatch(leaf: x509.Certificate | None, contents: Contents) -> list[Finding]:
    if leaf is None or not contents.keys:
        return []
    said = f"the private key does not belong to the certificate of {title(leaf)}, nor to any other in the file"
    return [error("key_mismatch", said, about=title(leaf), next_step="Ask for the key of this certificate.")]


def _same_key(certificate: x509.Certificate, key: Any) -> bool:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bool(certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form))


def _fitness(certificate: x509.Certificate, wanted: Sequence[str], now: datetime) -> tuple[bool, int, bool, datetime]:
    """Which of several certificates is meant: a server's, for most of the names, valid, the newest."""
    there = dns_names(certificate)
    covered = sum(any(covers(pattern, name) for pattern in there) for name in wanted)
    return not is_authority(certificate), covered, is_current(certificate, now), certificate.not_valid_before_utc


def _without_key(contents: Contents, wanted: Sequence[str], now: datetime) -> x509.Certificate | None:
    issuers = {one.issuer for one in contents.certificates if one.issuer != one.subject}
    ends = [one for one in contents.certificates if one.subject not in issuers] or list(contents.certificates)
    return max(ends, key=lambda one: _fitness(one, wanted, now)) if ends else None
