# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What kinds of keys and signatures clients of today take (CA/Browser Forum, Baseline Requirements 6.1.5, 7.1.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography import x509

LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 4096
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_GOOD_CURVES = ("secp256r1", "secp384r1")
_WEAK_HASHES = ("md5", "sha1", "md2", "md4")


def key_text(key: Any) -> str:
    """A public key in a few words: ``RSA 2048``, ``EC P-256``, ``Ed25519``."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    return type(key).__name__.lstrip("_").removesuffix("PublicKey")


def key_fault(key: Any, *, accept_ed25519: bool = False) -> tuple[str, str] | None:
    """The kind and the words for a public key that is not to be used; None for a good one."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    text = key_text(key)
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA_BITS:
            return "weak_key", f"the key is {text}; clients want at least {LEAST_RSA_BITS} bits"
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in _GOOD_CURVES:
            return None
        if key.curve.key_size < 256:
            return "weak_key", f"the key is {text}; clients want P-256 or P-384"
        return "key_type", f"the key is {text}, which many clients don't take; P-256 and P-384 are"
    if isinstance(key, ed25519.Ed25519PublicKey) and accept_ed25519:
        return None
    return "key_type", f"the key is {text}, which mail programs and browsers don't take; RSA and EC (P-256, P-384) are"


def signature_fault(certificate: x509.Certificate) -> str | None:
    """The hash of a signature that clients take no more, or None."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        used = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return "an unknown algorithm"
    return used.name.upper() if used is not None and used.name in _WEAK_HASHES else None
