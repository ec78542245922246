# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Password schemes: what a stored password is, and how a plain one is hashed for the cloud.

Names are Dovecot's (doc.dovecot.org, "Password Schemes"). Atmail 6 and 7 store no prefix: one setting of the site
names the scheme of all rows, and rows written before the setting was changed are of another. So the shape decides, row
by row, and the setting decides where a shape has two meanings.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from .model import Level, Password

PLAIN = "PLAIN"
# Salted hashes that a plain password may be stored as: name, digest, its length in bytes.
_SALTED = {"SSHA512": ("sha512", 64), "SSHA256": ("sha256", 32), "SSHA": ("sha1", 20)}
HASHES = ("SSHA512", "SSHA256")
_SALT_BYTES = 16

_CRYPT_BASE = "[./0-9A-Za-z]"
_SHAPES = (
    ("MD5-CRYPT", re.compile(rf"\$1\$[^$:\s]{{0,8}}\${_CRYPT_BASE}{{22}}")),
    ("BLF-CRYPT", re.compile(rf"\$2[abxy]?\$\d\d\${_CRYPT_BASE}{{53}}")),
    ("SHA256-CRYPT", re.compile(rf"\$5\$(rounds=\d+\$)?[^$:\s]{{0,16}}\${_CRYPT_BASE}{{43}}")),
    ("SHA512-CRYPT", re.compile(rf"\$6\$(rounds=\d+\$)?[^$:\s]{{0,16}}\${_CRYPT_BASE}{{86}}")),
    ("ARGON2ID", re.compile(r"\$argon2id\$[^\s:]+")),
    ("ARGON2I", re.compile(r"\$argon2i\$[^\s:]+")),
)
# Dovecot reads prefixes whatever their case is; PostfixAdmin writes {crypt} and {md5raw} for Courier's authlib.
_PREFIXED = re.compile(r"\{([A-Za-z0-9-]+(?:\.(?:HEX|B64|BASE64|hex|b64|base64))?)\}(.+)", re.DOTALL)
_SYNONYMS = {"CLEARTEXT": "PLAIN", "CLEAR": "PLAIN", "MD5RAW": "PLAIN-MD5"}
_KNOWN = frozenset(
    (
        "PLAIN",
        "CLEARTEXT",
        "CRYPT",
        "MD5-CRYPT",
        "MD5",
        "SHA256-CRYPT",
        "SHA512-CRYPT",
        "BLF-CRYPT",
        "DES-CRYPT",
        "ARGON2I",
        "ARGON2ID",
        "PBKDF2",
        "PLAIN-MD4",
        "PLAIN-MD5",
        "LDAP-MD5",
        "SMD5",
        "SHA",
        "SHA1",
        "SHA256",
        "SHA512",
        "SSHA",
        "SSHA256",
        "SSHA512",
        "CRAM-MD5",
        "DIGEST-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "NTLM",
        "LANMAN",
    )
)
_MD5 = re.compile(r"[0-9A-Fa-f]{32}")
_AES = re.compile(r"(?:[0-9A-Fa-f]{32})+")
_DES = re.compile(rf"{_CRYPT_BASE}{{13}}")

# The site's setting as it is spelt in code and databases → one word.
_SITE = {
    "PLAIN": "PLAIN",
    "PLAINTEXT": "PLAIN",
    "MD5": "MD5",
    "MD5_CRYPT": "CRYPT",
    "MD5CRYPT": "CRYPT",
    "CRYPT": "CRYPT",
    "ENCRYPTED": "AES",
    "HEXAES": "AES",
    "AES": "AES",
}


@dataclass(frozen=True)
class Remark:
    """A finding about a password, before it is known whose."""

    kind: str
    level: Level
    message: str


@dataclass(frozen=True)
class Identified:
    """A password that can be carried over, or None; and what is to be said about it."""

    password: Password | None
    remarks: tuple[Remark, ...] = ()


def site_scheme(setting: str | None) -> str:
    """The site's setting as one of PLAIN, MD5, CRYPT, AES, OTHER; UNKNOWN when there is none."""
    if not setting or not setting.strip():
        return "UNKNOWN"
    word = setting.strip().upper().replace("-", "_").removeprefix("PASSWORD_")
    return _SITE.get(word, "OTHER")


def identify(stored: str | None, site: str) -> Identified:
    """What a stored password is, in a site whose setting is ``site`` (see :func:`site_scheme`)."""
    if not stored:
        return Identified(
            None, (Remark("password_empty", "warning", "the account has no password: nobody can log in"),)
        )
    prefixed = _PREFIXED.fullmatch(stored)
    if prefixed:
        scheme = _SYNONYMS.get(prefixed[1].upper(), prefixed[1].upper())
        if scheme.partition(".")[0] in _KNOWN:
            return _judged(Password(scheme, prefixed[2]))
    if site == "AES" and _AES.fullmatch(stored):
        return Identified(None, (Remark("password_unreadable", "warning", _UNREADABLE),))
    for scheme, shape in _SHAPES:
        if shape.fullmatch(stored):
            return Identified(Password(scheme, stored), _unexpected(scheme, site, ("CRYPT", "OTHER", "UNKNOWN")))
    if site == "CRYPT" and _DES.fullmatch(stored):
        return Identified(Password("DES-CRYPT", stored))
    if _MD5.fullmatch(stored):
        return _md5(stored, site)
    return _judged(Password(PLAIN, stored), _unexpected(PLAIN, site, ("PLAIN", "UNKNOWN")))


_UNREADABLE = (
    "the password is encrypted with the site's own key, by a cipher that is not known: mailboxes are copied with an"
    " admin user or an escrow (password_escrow), and the password itself has to be captured at a log-in or set anew"
)
_AMBIGUOUS = (
    "32 hexadecimal digits are taken for {0}, as the site's setting is {1}; if it is {2}, this user can't log in"
)


def _md5(stored: str, site: str) -> Identified:
    """32 hexadecimal digits are an MD5 hash, but on a site with plain passwords they are somebody's password."""
    if site == "PLAIN":
        remark = Remark("password_ambiguous", "warning", _AMBIGUOUS.format("a plain password", site, "an MD5 hash"))
        return _judged(Password(PLAIN, stored), (remark,))
    if site == "MD5":
        return Identified(Password("PLAIN-MD5", stored))
    remark = Remark("password_ambiguous", "note", _AMBIGUOUS.format("an MD5 hash", site, "a plain password"))
    return Identified(Password("PLAIN-MD5", stored), (remark,))


def _unexpected(scheme: str, site: str, expected: tuple[str, ...]) -> tuple[Remark, ...]:
    if site in expected:
        return ()
    message = f"the password is {scheme} by its shape, on a site whose setting is {site}"
    return (Remark("password_scheme_mixed", "note", message),)


def _judged(password: Password, remarks: tuple[Remark, ...] = ()) -> Identified:
    if password.scheme == PLAIN and not meets_policy(password.value):
        message = "the password does not meet the cloud's policy; it is carried over all the same"
        remarks = (*remarks, Remark("password_policy", "note", message))
    return Identified(password, remarks)


def meets_policy(plain: str) -> bool:
    """The cloud's rule (H17): 8 characters or more, with upper case, lower case, digit and symbol among them."""
    tests = (str.isupper, str.islower, str.isdigit, lambda character: not character.isalnum())
    return len(plain) >= 8 and all(any(test(character) for character in plain) for test in tests)


def for_target(password: Password, scheme: str, random: Callable[[int], bytes]) -> str:
    """What the target stores: a plain password hashed with ``scheme``, any other as it is; always with its prefix."""
    if password.scheme != PLAIN:
        return password.stored
    return hashed(password.value, scheme, random(_SALT_BYTES))


def hashed(plain: str, scheme: str, salt: bytes) -> str:
    """``{SSHA512}`` and its like: base64 of digest(password, salt) and salt."""
    digest = hashlib.new(_SALTED[scheme][0], plain.encode() + salt).digest()
    return f"{{{scheme}}}{base64.b64encode(digest + salt).decode()}"


def same(password: Password, stored: str | None) -> bool:
    """Does ``stored`` (with prefix) stand for this very password? False where that can't be shown."""
    if not stored:
        return False
    if password.scheme != PLAIN:
        return hmac.compare_digest(password.stored.encode(), stored.encode())
    return verify(password.value, stored)


def verify(plain: str, stored: str) -> bool:
    """Is ``stored`` a hash of ``plain``? Knows PLAIN, PLAIN-MD5 and the salted SHAs; False for all other schemes."""
    match = _PREFIXED.fullmatch(stored)
    if not match:
        return False
    scheme, value = match.groups()
    if scheme in ("PLAIN", "CLEARTEXT"):
        return hmac.compare_digest(plain.encode(), value.encode())
    if scheme == "PLAIN-MD5":
        digest = hashlib.md5(plain.encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(digest.encode(), value.lower().encode())
    return scheme in _SALTED and _verify_salted(plain, scheme, value)


def _verify_salted(plain: str, scheme: str, value: str) -> bool:
    name, length = _SALTED[scheme]
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    digest = hashlib.new(name, plain.encode() + raw[length:]).digest()
    return hmac.compare_digest(digest, raw[:length])


def scheme_of(stored: str | None) -> str:
    """The prefix of a stored password for people to read: ``{SSHA512}``; ``none``, or ``unknown`` without a prefix."""
    if not stored:
        return "none"
    match = _PREFIXED.fullmatch(stored)
    return f"{{{match[1]}}}" if match else "unknown"
