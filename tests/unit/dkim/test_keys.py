# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
from __future__ import annotations

import base64

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dkim.keys import Form, KeyType, new_key, read_key
from ansible_collections.atmail.migration.plugins.module_utils.errors import DkimKeyError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


def pem(key: serialization.PrivateFormat, private: object, password: bytes | None = None) -> bytes:
    assert isinstance(private, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey)
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, key, how)


PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL


@pytest.mark.parametrize(("key_type", "bits"), [("rsa", 2048), ("rsa", 3072), ("ed25519", 256)])
@pytest.mark.parametrize("form", ["pem", "seed"])
def test_a_key_is_read_as_it_was_written(key_type: KeyType, bits: int, form: Form) -> None:
    key = new_key(key_type, bits)
    read = read_key(key.content(form))
    assert read.public == key.public
    assert (read.public.type, read.public.bits, read.public.weakness) == (key_type, bits, "")


def test_public_halves_are_as_the_rfcs_have_them() -> None:
    """SubjectPublicKeyInfo for RSA (as verifiers expect, RFC 6376 erratum 3017), 32 bytes for Ed25519 (RFC 8463, 4)."""
    der = base64.b64decode(new_key("rsa", 2048).public.data)
    assert isinstance(serialization.load_der_public_key(der), rsa.RSAPublicKey)
    assert len(base64.b64decode(new_key("ed25519", 0).public.data)) == 32


def test_the_key_of_rfc_8463() -> None:
    """Appendix A.1 and A.2: the seed, and the record's p=."""
    assert read_key(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n").public.data == (
        "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    )


def test_keys_of_other_tools_are_read() -> None:
    private = rsa.generate_private_key(65537, 2048)
    assert read_key(pem(TRADITIONAL, private)).public == read_key(pem(PKCS8, private)).public
    raw = ed25519.Ed25519PrivateKey.generate()
    seed = raw.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    public = raw.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    assert read_key(base64.b64encode(seed + public)).public == read_key(pem(PKCS8, raw)).public


def test_a_short_key_is_weak() -> None:
    public = read_key(pem(PKCS8, rsa.generate_private_key(65537, 1024))).public  # noqa: S505 -- so it is
    assert public.bits == 1024
    assert "1024 bits is weak" in public.weakness


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no private key"),
        (b"hello", "no private key"),
        (b"\xff\x00", "no private key"),
        (base64.b64encode(b"x" * 31), "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
        (b"x" * 70000, "too long"),
        (pem(PKCS8, ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (pem(PKCS8, rsa.generate_private_key(65537, 2048), b"secret"), "encrypted"),
        (pem(PKCS8, rsa.generate_private_key(65537, 2048))[:900], "no private key"),
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(content: bytes, reason: str) -> None:
    with pytest.raises(DkimKeyError, match=reason) as caught:
        read_key(content)
    assert content[:20] == b"" or content[:20].decode("latin-1") not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_shows_nothing_of_itself() -> None:
    key = new_key("ed25519", 0)
    assert repr(key) == "SigningKey()"
    assert str(key) == "SigningKey()"
