# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Secrets at rest: the Ansible Vault format 1.1 and 1.2, which ``ansible-vault`` reads and writes too.

The format (docs.ansible.com, "Format of files encrypted with Ansible Vault"): a header line, then hexadecimal digits
in lines of 80, which are the hex of salt, HMAC and ciphertext in lines. Keys come from PBKDF2-HMAC-SHA256 with 10,000
rounds; the text is PKCS#7-padded and encrypted with AES-256 in counter mode; HMAC-SHA256 covers the ciphertext.

Ansible's own code for it is not for modules (it lives on the controller's side of ansible-core), hence this one.
"""

from __future__ import annotations

import binascii
import hmac
import re
from collections.abc import Callable
from typing import Any

from .errors import InputError, MissingLibraryError, SnapshotError

CRYPTOGRAPHY_WANTED = "42"

_MARK = "$ANSIBLE_VAULT"
_CIPHER = "AES256"
_ROUNDS = 10_000
_KEY, _IV, _SALT, _BLOCK = 32, 16, 32, 128
_WIDTH = 80
_LABEL = re.compile(r"[^;\s]+")


def encrypt(plaintext: bytes, password: str, *, random: Callable[[int], bytes], label: str | None = None) -> str:
    """``plaintext`` as a vault text that ends with a newline; ``random`` gives that many random bytes.

    ``label`` is the vault ID in the header, which makes it format 1.2. Raises InputError for an empty password or a
    label that can't stand in the header.
    """
    _check(password)
    if label is not None and not _LABEL.fullmatch(label):
        raise InputError("a vault ID has no semicolon and no space, and is not empty", option="vault_id")
    lib = _library()
    salt = random(_SALT)
    cipher_key, mac_key, iv = _keys(lib, password, salt)
    padder = lib.padding.PKCS7(_BLOCK).padder()
    encryptor = lib.Cipher(lib.AES(cipher_key), lib.CTR(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    inner = b"\n".join(map(binascii.hexlify, (salt, _mac(mac_key, ciphertext), ciphertext)))
    body = binascii.hexlify(inner).decode()
    head = f"{_MARK};1.1;{_CIPHER}" if label is None else f"{_MARK};1.2;{_CIPHER};{label}"
    lines = [head, *(body[i : i + _WIDTH] for i in range(0, len(body), _WIDTH))]
    return "\n".join(lines) + "\n"


def decrypt(vaulted: str, password: str) -> bytes:
    """The plaintext of a vault text.

    Raises SnapshotError for what is no vault text and for a wrong password (the format can't tell a wrong password from
    damage), InputError for an empty password.
    """
    _check(password)
    lib = _library()
    salt, mac, ciphertext = _parts(vaulted)
    cipher_key, mac_key, iv = _keys(lib, password, salt)
    if not hmac.compare_digest(mac, _mac(mac_key, ciphertext)):
        raise SnapshotError("the vault password does not open the secrets, or they are damaged")
    decryptor = lib.Cipher(lib.AES(cipher_key), lib.CTR(iv)).decryptor()
    unpadder = lib.padding.PKCS7(_BLOCK).unpadder()
    try:
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return bytes(unpadder.update(padded) + unpadder.finalize())
    except ValueError as error:
        raise SnapshotError("the secrets are damaged: wrong padding") from error


def label_of(vaulted: str) -> str | None:
    """The vault ID in the header of format 1.2; None for format 1.1."""
    fields = _header(vaulted)
    return fields[3] if len(fields) == 4 else None


def _check(password: str) -> None:
    if not password:
        raise InputError("the vault password is empty", option="vault_password")


def _header(vaulted: str) -> list[str]:
    fields = vaulted.lstrip().split("\n", 1)[0].strip().split(";")
    known = {3: "1.1", 4: "1.2"}
    if fields[0] != _MARK or known.get(len(fields)) != fields[1] or fields[2] != _CIPHER:
        raise SnapshotError("this is not an Ansible Vault text of format 1.1 or 1.2 with AES256")
    return fields


def _parts(vaulted: str) -> tuple[bytes, bytes, bytes]:
    _header(vaulted)
    body = "".join(vaulted.split()[1:])
    try:
        salt, mac, ciphertext = map(binascii.unhexlify, binascii.unhexlify(body).split(b"\n", 2))
    except ValueError as error:  # binascii.Error is one
        raise SnapshotError("the vault text is damaged: not hexadecimal, or a part is missing") from error
    return salt, mac, ciphertext


def _keys(lib: Any, password: str, salt: bytes) -> tuple[bytes, bytes, bytes]:
    kdf = lib.PBKDF2HMAC(algorithm=lib.hashes.SHA256(), length=2 * _KEY + _IV, salt=salt, iterations=_ROUNDS)
    derived = kdf.derive(password.encode())
    return derived[:_KEY], derived[_KEY : 2 * _KEY], derived[2 * _KEY :]


def _mac(key: bytes, ciphertext: bytes) -> bytes:
    return hmac.digest(key, ciphertext, "sha256")


class _Library:
    """The parts of ``cryptography`` that are used here."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives import hashes, padding
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import CTR
        from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

        self.hashes, self.padding = hashes, padding
        self.Cipher, self.AES, self.CTR, self.PBKDF2HMAC = Cipher, AES, CTR, PBKDF2HMAC


def _library() -> _Library:
    try:
        return _Library()
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library cryptography (>= {CRYPTOGRAPHY_WANTED}) is missing: {error}", library="cryptography"
        ) from error
