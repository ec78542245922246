# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Generated passwords, in the form in which a source's own log-in understands them, and how to know them again.

All bear a mark: in the password where it is stored in clear text, in the salt where there is one, in the first digits
of a plain MD5. So a source whose passwords are swapped is recognised by its data alone, also by somebody who forgot to
say where the originals are.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import MissingLibraryError
from .model import Password
from .schemes import PLAIN, hashed, identify

PASSLIB_WANTED = "1.9"
#: With its upper and lower case letters, its digit and its symbol it also makes every password meet the policy (H17).
MARK = "mIgr8-"
_SALT_MARK = "mIgr8"
_MD5_MARK = "e5c"  # one MD5 in 4,096 begins so
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"  # 64: six bits each
_LENGTH = 18
_TRIES = len(_LETTERS) ** 3

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class Form:
    """How a password is stored: ``prefix`` (``{SSHA256}`` or nothing) and the scheme, in Dovecot's words."""

    prefix: str
    scheme: str

    @property
    def name(self) -> str:
        """For people."""
        return self.prefix or f"{self.scheme} without a prefix"


@dataclass(frozen=True)
class Generated:
    """A generated password, in clear text and as the source is to store it."""

    plain: str = field(repr=False)
    stored: bytes = field(repr=False)


# A prefix that says how rows are stored → the one for ours. Dovecot knows them all, and reads rows of any of them.
_PREFIXES = {
    "PLAIN": PLAIN,
    "CLEARTEXT": PLAIN,
    "PLAIN-MD5": "PLAIN-MD5",
    "LDAP-MD5": "PLAIN-MD5",
    "SMD5": "PLAIN-MD5",
    "MD5": "MD5-CRYPT",
    "MD5-CRYPT": "MD5-CRYPT",
    "CRYPT": "MD5-CRYPT",
    "DES-CRYPT": "MD5-CRYPT",
    "SHA256-CRYPT": "SHA512-CRYPT",
    "SHA512-CRYPT": "SHA512-CRYPT",
    "BLF-CRYPT": "SHA512-CRYPT",
    "SHA": "SSHA",
    "SHA1": "SSHA",
    "SSHA": "SSHA",
    "SHA256": "SSHA256",
    "SSHA256": "SSHA256",
}
_OTHER_PREFIX = "SSHA512"
# What crypt(3) and everything made of it reads, whatever kind of crypt the row was.
_CRYPTS = {
    "MD5-CRYPT": "MD5-CRYPT",
    "DES-CRYPT": "MD5-CRYPT",
    "BLF-CRYPT": "SHA512-CRYPT",
    "SHA256-CRYPT": "SHA512-CRYPT",
    "SHA512-CRYPT": "SHA512-CRYPT",
}
_SITES = {"PLAIN": PLAIN, "MD5": "PLAIN-MD5", "CRYPT": "MD5-CRYPT"}
#: What the option ``stored_as`` may say.
FORMS = (PLAIN, "PLAIN-MD5", "MD5-CRYPT", "SHA512-CRYPT", "SSHA", "SSHA256", "SSHA512")

_HAS_PREFIX = re.compile(r"\{([A-Za-z0-9.-]+)\}")
# Prefixes that stay as they are spelt in the row, since they say the same of ours: what reads them need not be Dovecot.
_KEPT = {"CRYPT": "MD5-CRYPT", "MD5RAW": "PLAIN-MD5", "CLEARTEXT": PLAIN, "CLEAR": PLAIN}


def form_for(stored: str | None, site: str, stored_as: str | None = None) -> Form | None:
    """How to store a password in place of ``stored``, on a site whose setting is ``site`` (:func:`site_scheme`).

    The row's own shape decides where it has one that says it, else the setting; ``stored_as`` (one of FORMS) overrules
    both. None when nothing tells what the site's log-in would understand.
    """
    found = identify(stored, site).password
    prefix = _HAS_PREFIX.match(stored) if stored and found and stored != found.value else None
    if stored_as:
        return Form(f"{{{stored_as}}}" if prefix else "", stored_as)
    if found and prefix:
        scheme = _PREFIXES.get(found.scheme.partition(".")[0], _OTHER_PREFIX)
        said = prefix[1].upper()
        keeps = _KEPT.get(said, said) == scheme
        return Form(prefix[0] if keeps else f"{{{scheme}}}", scheme)
    if found and found.scheme in _CRYPTS:
        return Form("", _CRYPTS[found.scheme])
    if site in _SITES:
        return Form("", _SITES[site])
    if site == "AES" or found is None or found.scheme not in (PLAIN, "PLAIN-MD5"):
        return None
    return Form("", found.scheme)


def generate(form: Form, random: Random) -> Generated:
    """A password that meets the policy (H17), with 108 random bits, stored in that form.

    Raises MissingLibraryError where a crypt is wanted and the library for it is missing.
    """
    plain = MARK + _letters(random, _LENGTH)
    if form.scheme == PLAIN:
        stored = plain
    elif form.scheme == "PLAIN-MD5":
        plain, stored = _marked_md5(plain)
    elif form.scheme in ("MD5-CRYPT", "SHA512-CRYPT"):
        stored = _crypted(plain, form.scheme, _SALT_MARK + _letters(random, 3).replace("_", "/"))
    else:
        stored = hashed(plain, form.scheme, _SALT_MARK.encode() + random(3)).partition("}")[2]
    return Generated(plain, f"{form.prefix}{stored}".encode("ascii"))


def companion(stored: bytes) -> bytes:
    """What a column beside the password holds: the MD5 of what is stored."""
    return hashlib.md5(stored, usedforsecurity=False).hexdigest().encode("ascii")


def marked(stored: Iterable[Password]) -> int:
    """How many of these passwords an escrow has set.

    A clear text or a salt can't bear the mark by chance. Plain MD5s can: they count only where there are far more of
    them than chance makes, two of a few or three of many at least (a wrong alarm in 60,000 customers).
    """
    certain = hashes = by_chance = 0
    for password in stored:
        if password.scheme == "PLAIN-MD5":
            hashes += 1
            by_chance += password.value.startswith(_MD5_MARK)
        elif _bears_mark(password):
            certain += 1
    return certain + (by_chance if by_chance > max(1 if hashes <= 16 else 2, hashes // 64) else 0)


def _bears_mark(password: Password) -> bool:
    if password.scheme == PLAIN:
        return password.value.startswith(MARK)
    if password.scheme in ("CRYPT", "MD5-CRYPT", "SHA512-CRYPT"):
        return password.value.split("$")[2:3] != [] and password.value.split("$")[2].startswith(_SALT_MARK)
    digest = {"SSHA": 20, "SSHA256": 32, "SSHA512": 64}.get(password.scheme)
    if digest is None:
        return False
    try:
        raw = base64.b64decode(password.value, validate=True)
    except ValueError:
        return False
    return raw[digest:].startswith(_SALT_MARK.encode())


def _letters(random: Random, count: int) -> str:
    return "".join(_LETTERS[byte & 63] for byte in random(count))


def _marked_md5(base: str) -> tuple[str, str]:
    """A password that begins with ``base``, and its MD5, which bears the mark: about 4,000 tries, 3 ms."""
    begun = hashlib.md5(base.encode("ascii"), usedforsecurity=False)
    for number in range(_TRIES):
        tail = _LETTERS[number & 63] + _LETTERS[number >> 6 & 63] + _LETTERS[number >> 12]
        tried = begun.copy()
        tried.update(tail.encode("ascii"))
        if tried.hexdigest().startswith(_MD5_MARK):
            return base + tail, tried.hexdigest()
    raise AssertionError("no MD5 of 262,144 has the mark: that happens once in 10^27")


def _crypted(plain: str, scheme: str, salt: str) -> str:
    crypt = _library()
    if scheme == "MD5-CRYPT":
        return str(crypt.md5_crypt.using(salt=salt).hash(plain))
    return str(crypt.sha512_crypt.using(salt=salt, rounds=5000).hash(plain))


def _library() -> Any:
    try:
        import passlib.hash
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library libpass (>= {PASSLIB_WANTED}) is missing: {error}", library="libpass"
        ) from error
    return passlib.hash
