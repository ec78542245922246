# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Signing keys: made, written for a signer, read again, judged. A private key never shows itself."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..errors import DkimKeyError, MissingLibraryError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

KeyType = Literal["rsa", "ed25519"]
#: What a signer reads: PEM (PKCS#8), or base64 of the seed alone.
Form = Literal["pem", "seed"]

#: RFC 8301, 3.2 asks for 1024 at least and says that 2048 should be used.
LEAST_BITS = 2048
_EXPONENT = 65537
_SEED_BYTES = 32
#: More than any key needs: what is longer is something else.
_LARGEST_FILE = 65536


def require_cryptography() -> None:
    """Raises MissingLibraryError where the library is missing; all else here takes it for granted."""
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError as error:
        said = f"the Python library cryptography (>= 42) is missing: {error}"
        raise MissingLibraryError(said, library="cryptography") from error


@dataclass(frozen=True)
class PublicKey:
    """What everybody may know: the type, its size in bits, and the key as a record's ``p=`` has it (base64)."""

    type: KeyType
    bits: int
    data: str

    @property
    def weakness(self) -> str:
        """Why it should be replaced; empty when it need not."""
        if self.type == "rsa" and self.bits < LEAST_BITS:
            return f"RSA of {self.bits} bits is weak, {LEAST_BITS} is the least (RFC 8301)"
        return ""


@dataclass(frozen=True)
class SigningKey:
    """A private key; nothing of it is in its representation."""

    _private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """Its public half: SubjectPublicKeyInfo for RSA, the 32 bytes alone for Ed25519 (RFC 8463, 4)."""
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = self._private.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return PublicKey("rsa", key.key_size, base64.b64encode(der).decode("ascii"))
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PublicKey("ed25519", 256, base64.b64encode(raw).decode("ascii"))

    def content(self, form: Form) -> bytes:
        """The file of it. RSA is always PEM."""
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        if form == "seed" and isinstance(self._private, ed25519.Ed25519PrivateKey):
            raw = self._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
            return base64.b64encode(raw) + b"\n"
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_key(key_type: KeyType, bits: int) -> SigningKey:
    """A key that nobody has had before; ``bits`` counts for RSA only."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    if key_type == "rsa":
        return SigningKey(rsa.generate_private_key(_EXPONENT, bits))
    return SigningKey(ed25519.Ed25519PrivateKey.generate())


def read_key(content: bytes) -> SigningKey:
    """A key from its file, in any form. Raises DkimKeyError, which says nothing of what is in the file."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    if len(content) > _LARGEST_FILE:
        raise DkimKeyError("the file is too long for a key")
    if b"-----BEGIN" not in content:
        return SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(_seed(content)))
    return SigningKey(_pem(content))


def _pem(content: bytes) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        raise DkimKeyError("the key is encrypted, so that no signer can use it") from None
    except (ValueError, UnsupportedAlgorithm):
        raise DkimKeyError("the file holds no private key that can be read") from None
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise DkimKeyError("the key is neither RSA nor Ed25519, and DKIM knows no other")
    return key


def _seed(content: bytes) -> bytes:
    """The seed of an Ed25519 key; rspamd's own tool writes the public half behind it."""
    try:
        raw = base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        raise DkimKeyError("the file holds no private key that can be read") from None
    if len(raw) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise DkimKeyError("the file holds no private key that can be read")
    return raw[:_SEED_BYTES]
