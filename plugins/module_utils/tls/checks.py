# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The single checks of a bundle; each says all that it finds. Pure: the clock is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .chain import Chain, is_self_signed
from .facts import dns_names, extension, title
from .findings import Finding, error, info, shown, warning
from .names import covers
from .strength import MOST_RSA_BITS, key_fault, key_text, signature_fault

if TYPE_CHECKING:
    from cryptography import x509

#: Days; Apple's clients refuse what is valid for longer, whoever signed it (support.apple.com/103769).
LONGEST_LIFE = 825
_ANOTHER = "Ask the customer for another certificate."
_CHAIN = "Ask the customer for the whole chain of the certificate's authority, in the same file."


def key_findings(key: Any, *, accept_ed25519: bool) -> Iterator[Finding]:
    """About the public key; of a private one its public half."""
    if key is None:
        return
    public = key.public_key() if hasattr(key, "public_key") else key
    fault = key_fault(public, accept_ed25519=accept_ed25519)
    if fault:
        step = "Ask the customer for a certificate with another key: RSA 2048, or EC P-256."
        yield error(fault[0], fault[1], next_step=step)
    elif getattr(public, "key_size", 0) > MOST_RSA_BITS:
        yield warning("large_key", f"the key is {key_text(public)}: each new connection costs the server a lot")


def leaf_findings(leaf: x509.Certificate, now: datetime) -> Iterator[Finding]:
    """What the certificate itself is for (RFC 5280, 4.2.1.3, 4.2.1.9, 4.2.1.12; RFC 7633)."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    if is_authority(leaf) and not is_self_signed(leaf):
        yield error(
            "leaf_is_authority", f"{title(leaf)} is an authority's certificate, not a server's", next_step=_ANOTHER
        )
        return  # what it is for does not matter then
    purposes = extension(leaf, x509.ExtendedKeyUsage)
    good = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if purposes is not None and not any(each in good for each in purposes):
        yield error("not_for_servers", "the certificate is not for servers (extended key usage)", next_step=_ANOTHER)
    usage = extension(leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        said = "the certificate's key usage has no digital signature, which TLS 1.3 and ECDHE need"
        yield error("key_usage", said, next_step=_ANOTHER)
    if extension(leaf, x509.TLSFeature) is not None:
        said = (
            "the certificate demands OCSP stapling (must-staple); clients refuse it wherever the answer is not stapled"
        )
        yield warning("must_staple", said, next_step="Ask for a certificate without, or have stapling set up.")
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    if life > timedelta(days=LONGEST_LIFE) and leaf.not_valid_after_utc > now:
        said = f"the certificate is valid for {life.days} days; Apple's clients refuse more than {LONGEST_LIFE}"
        yield warning("long_life", said, next_step=_ANOTHER)


def name_findings(leaf: x509.Certificate, wanted: Sequence[str]) -> Iterator[Finding]:
    """Wanted names that the certificate is not for (RFC 9525, 6.3)."""
    there = dns_names(leaf)
    if not there:
        said = "the certificate has no DNS name (subject alternative name); its common name counts for no client"
        yield error("no_names", said, next_step=_ANOTHER)
        return
    for name in wanted:
        if any(covers(pattern, name) for pattern in there):
            continue
        wildcards = [pattern for pattern in there if pattern.startswith("*.") and name.endswith(pattern[1:])]
        bare = [pattern for pattern in there if pattern == f"*.{name}"]
        why = f"it is for {', '.join(shown(each) for each in there[:10])}{' and more' if len(there) > 10 else ''}"
        if wildcards:
            why = f"{wildcards[0]} stands for one label only"
        elif bare:
            why = f"{bare[0]} does not stand for the name without a label before it"
        said = f"the certificate is not for {name}: {why}"
        yield error("name_not_covered", said, about=name, next_step="Ask for a certificate that has this name, too.")


def time_findings(chain: Chain, warn_days: int, now: datetime) -> Iterator[Finding]:
    """What has expired, is not valid yet, or ends soon; the certificate and all above it."""
    for place, one in enumerate(chain.certificates):
        prefix, what = ("chain_", f"the intermediate {title(one)}") if place else ("", "the certificate")
        end, begin = one.not_valid_after_utc, one.not_valid_before_utc
        if now > end:
            said = f"{what} expired on {end:%Y-%m-%d}"
            yield error(f"{prefix}expired", said, about=title(one), next_step=_CHAIN if place else _ANOTHER)
        elif now < begin:
            said = f"{what} is not valid before {begin:%Y-%m-%d %H:%M} UTC"
            yield error(f"{prefix}not_yet_valid", said, about=title(one), next_step="Wait, or check the clock here.")
        elif end - now < timedelta(days=warn_days):
            left = (end - now).days
            said = f"{what} expires on {end:%Y-%m-%d}, in {left} days"
            yield warning(f"{prefix}expires_soon", said, about=title(one), next_step="Ask for the renewed one in time.")
    if chain.anchor is not None and now > chain.anchor.not_valid_after_utc and chain.anchor not in chain.certificates:
        said = f"the root {title(chain.anchor)} expired on {chain.anchor.not_valid_after_utc:%Y-%m-%d}"
        yield error("root_expired", said, about=title(chain.anchor), next_step=_CHAIN)


def chain_findings(chain: Chain) -> Iterator[Finding]:
    """Whether it gets to a trusted root, and by authorities that may issue what they have issued."""
    top = chain.certificates[-1]
    if chain.anchor is None and chain.loose_root is None:
        issuer = shown(top.issuer.rfc4514_string())
        said = f"the intermediate {issuer} is missing, which issued {title(top)}{_offered(top)}"
        yield error("chain_incomplete", said, about=issuer, next_step=_CHAIN)
    elif chain.anchor is None and is_self_signed(chain.certificates[0]):
        said = f"the certificate of {title(top)} is signed by itself: no client trusts it"
        yield error("self_signed", said, about=title(top), next_step="Ask for a certificate of a public authority.")
    elif chain.loose_root is not None:
        said = f"the chain ends in the root {title(chain.loose_root)}, which is none of the trusted ones"
        step = "Ask for a certificate of a public authority, or name this root among the roots if all clients have it."
        yield error("untrusted_root", said, about=title(chain.loose_root), next_step=step)
    for depth, one in enumerate(chain.certificates):
        weak = signature_fault(one) if one is not chain.anchor else None
        if weak:
            said = f"the certificate of {title(one)} is signed with {weak}, which clients take no more"
            yield error("weak_signature", said, about=title(one), next_step=_ANOTHER)
        if depth:
            yield from _issuer_findings(one, depth - 1)


def _issuer_findings(one: x509.Certificate, below: int) -> Iterator[Finding]:
    """About an intermediate with ``below`` intermediates under it (RFC 5280, 6.1.4)."""
    from cryptography import x509

    basic, usage = extension(one, x509.BasicConstraints), extension(one, x509.KeyUsage)
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        said = f"{title(one)} has issued a certificate and is no authority that may"
        yield error("issuer_is_no_authority", said, about=title(one), next_step=_ANOTHER)
    elif basic.path_length is not None and basic.path_length < below:
        said = f"{title(one)} may have {basic.path_length} authorities below it, and there are {below}"
        yield error("path_too_long", said, about=title(one), next_step=_ANOTHER)
    fault = key_fault(one.public_key(), accept_ed25519=True)
    if fault and fault[0] == "weak_key":
        yield error("chain_weak_key", f"{title(one)}: {fault[1]}", about=title(one), next_step=_CHAIN)


def _offered(certificate: x509.Certificate) -> str:
    """Where the issuer says that its own certificate is (RFC 5280, 4.2.2.1)."""
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    found = extension(certificate, x509.AuthorityInformationAccess)
    for one in found or ():
        if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
            one.access_location, x509.UniformResourceIdentifier
        ):
            return f"; its issuer offers it at {shown(one.access_location.value)}"
    return ""


def order_findings(certificates: Sequence[x509.Certificate], chain: Chain) -> Iterator[Finding]:
    """What was put in order or is left out."""
    used = [certificates.index(one) for one in chain.certificates]
    if used != sorted(used) or used[0] != 0:
        yield info("reordered", "the certificates were not in the order in which servers send them; now they are")
    for one in certificates:
        if one in chain.certificates:
            continue
        if is_self_signed(one) and one in (chain.anchor, chain.loose_root):
            yield info("root_left_out", f"the root {title(one)} is not sent: clients have it", about=title(one))
        elif is_self_signed(one):
            yield info("not_in_chain", f"{title(one)} is not needed and is left out", about=title(one))
        else:
            said = f"{title(one)} is not part of the certificate's chain and is left out"
            yield warning("not_in_chain", said, about=title(one))


def strict_findings(chain: Chain, names: Sequence[str], now: datetime) -> Iterator[Finding]:
    """What a verifier with the web's stricter rules says besides."""
    from cryptography.x509 import DNSName
    from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

    if chain.anchor is None or not names:
        return
    name = names[0].replace("*.", "any.", 1)
    builder = PolicyBuilder().store(Store([chain.anchor])).time(now)
    try:
        builder.build_server_verifier(DNSName(name)).verify(chain.certificates[0], list(chain.intermediates))
    except VerificationError as refused:
        said = f"a client with the web's stricter rules would refuse it: {shown(str(refused))}"
        yield warning("strict_clients", said, next_step="Try it with the clients that matter, or ask for another one.")


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may issue others (RFC 5280, 4.2.1.9)."""
    from cryptography import x509

    found = extension(certificate, x509.BasicConstraints)
    return bool(found is not None and found.ca)
