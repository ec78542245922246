# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The way from a certificate to an authority that is trusted, with what the bundle holds (RFC 5280, 6.1).

Nothing is fetched: a client takes what it is sent. Signatures are verified, so that certificates which only share a
name with an issuer are no links of a chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .strength import signature_fault

if TYPE_CHECKING:
    from cryptography import x509

#: Links of the longest way that is looked at, and how many ways: bundles of rings and webs cost no more than that.
_DEEPEST, _MOST = 10, 500


@dataclass(frozen=True)
class Chain:
    """The certificate and what stands above it, without the root; ``anchor`` is the trusted root, when it gets there.

    ``loose_root`` is the self-signed certificate of the bundle that it ends in when that is not trusted.
    """

    certificates: tuple[x509.Certificate, ...]
    anchor: x509.Certificate | None = None
    loose_root: x509.Certificate | None = None

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """What is sent along with the certificate."""
        return self.certificates[1:]


def build_chain(
    leaf: x509.Certificate, pool: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> Chain:
    """The best way up: one to a trusted root before others, one of valid certificates, then the shortest."""
    search = _Search(pool, roots)
    ways = list(search.ways((leaf,)))
    return min(ways, key=lambda way: _rank(way, now))


def _rank(way: Chain, now: datetime) -> tuple[bool, bool, int, int]:
    """Of ways that end nowhere the longest is the best: it names what is really missing."""
    upper = [*way.certificates, *([way.anchor] if way.anchor else [])]
    stale = sum(not is_current(one, now) for one in upper)
    length = len(way.certificates)
    return way.anchor is None, way.loose_root is None, stale, length if way.anchor else -length


def is_current(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether it is valid at that time (aware)."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether it vouches for itself."""
    return issued(certificate, certificate)


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the name fits, and the signature was made with the issuer's key.

    One that the library verifies no more (SHA-1, MD5) is taken on its name: it is refused for its signature anyway.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, UnsupportedAlgorithm):
        return signature_fault(certificate) is not None
    except (TypeError, InvalidSignature):
        return False
    return True


class _Search:
    """All ways up, each certificate at most once on a way."""

    def __init__(self, pool: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> None:
        self._pool = pool
        self._roots = roots
        self._left = _MOST

    def ways(self, below: tuple[x509.Certificate, ...]) -> Iterator[Chain]:
        """Ways that begin with these; each of the links has issued the one before."""
        self._left -= 1
        top = below[-1]
        if top in self._roots:
            # The root itself is not sent: clients have it. A certificate that is its own root is.
            yield Chain(below[:-1] or below, anchor=top)
            return
        anchors = [root for root in self._roots if issued(top, root)]
        for anchor in anchors:
            yield Chain(below, anchor=anchor)
        if is_self_signed(top):
            yield Chain(below[:-1] or below, loose_root=top)
            return
        further = [one for one in self._pool if one not in below and issued(top, one)]
        if not further and not anchors:
            yield Chain(below)
        for one in further:
            if len(below) < _DEEPEST and self._left > 0:
                yield from self.ways((*below, one))
            else:
                yield Chain(below)
