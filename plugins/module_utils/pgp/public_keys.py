# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Public keys of those to whom something is handed over: found by their whole fingerprint, and judged.

A key is trusted because an operator has named its fingerprint, which the customer has confirmed by another way than
the one the key came by; who has signed the key says nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..errors import InputError, PgpKeyError
from .home import PgpKeys, gnupg_home, import_file


@dataclass(frozen=True)
class Recipient:
    """Whose key: its whole fingerprint, and the file that it is in; without a file it is in the keyring folder."""

    fingerprint: str
    key_file: str | None = None


@dataclass(frozen=True)
class PublicKey:
    """What is known of a key. ``fault`` says why nothing can be encrypted to it; empty when it can."""

    fingerprint: str
    names: tuple[str, ...]
    expires: datetime | None
    fault: str = ""


def full_fingerprint(given: str, option: str = "fingerprint") -> str:
    """The fingerprint without blanks and colons, in capitals. Raises InputError for a short key ID and other text."""
    plain = re.sub(r"[\s:]", "", given).upper().removeprefix("0X")
    if not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", plain):
        raise InputError(
            f"{given!r} is not the whole fingerprint of a key (40 or 64 hexadecimal digits)", option=option
        )
    return plain


def keys_in_file(key_file: str) -> list[PublicKey]:
    """The keys that a file holds. Raises InputError, PgpKeyError, PgpError, MissingLibraryError."""
    with gnupg_home(PgpKeys()) as gpg:
        found = import_file(gpg, key_file)
        return [_judged(entry) for entry in gpg.list_keys(keys=found)]


def load(gpg: Any, recipients: Sequence[Recipient]) -> list[PublicKey]:
    """The recipients' keys in the home, where those of key files are put first.

    Raises PgpKeyError for a key that is not there or can't be encrypted to, InputError for what is no fingerprint.
    """
    found = []
    for recipient in recipients:
        wanted = full_fingerprint(recipient.fingerprint)
        if recipient.key_file:
            import_file(gpg, recipient.key_file)
        key = _find(gpg, wanted)
        if key is None:
            place = recipient.key_file or "the keyring"
            raise PgpKeyError(f"there is no key with the fingerprint {wanted} in {place}", fingerprint=wanted)
        if key.fault:
            raise PgpKeyError(f"the key of {', '.join(key.names)} {key.fault}", fingerprint=wanted)
        found.append(key)
    return found


def _find(gpg: Any, fingerprint: str) -> PublicKey | None:
    """The primary key with this fingerprint; gpg would take that of a subkey too."""
    for entry in gpg.list_keys():
        if entry["fingerprint"] == fingerprint:
            return _judged(entry)
    return None


def _judged(entry: Mapping[str, Any]) -> PublicKey:
    """A key from gpg's list (doc/DETAILS of GnuPG, "Format of the colon listings")."""
    expires = _time(entry.get("expires"))
    return PublicKey(entry["fingerprint"], tuple(entry["uids"]), expires, _fault(entry, expires))


def _fault(entry: Mapping[str, Any], expires: datetime | None) -> str:
    """Field 2 is the key's validity; in field 12 a capital E says that the key as a whole can be encrypted to."""
    validity, capabilities = entry["trust"], entry["cap"]
    if validity == "r":
        return "has been revoked"
    if validity == "e":
        return f"expired on {expires:%Y-%m-%d}" if expires else "has expired"
    if validity in ("i", "n") or "D" in capabilities:
        return "is not valid"
    if "E" in capabilities:
        return ""
    parts = [info for info in entry.get("subkey_info", {}).values() if "e" in info.get("cap", "")]
    if any(info.get("trust") == "r" for info in parts):
        return "can't be encrypted to: its encryption key has been revoked"
    if any(info.get("trust") == "e" for info in parts):
        return "can't be encrypted to: its encryption key has expired"
    return "can't be encrypted to: it is for signatures only"


def _time(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds and str(seconds).isdigit() else None
