# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is handed over, encrypted to its recipients' keys (H20), and again only when there is something new in it.

Nobody but the recipients can open the file, so a note beside it tells whether its content is still the wanted one: a
salted, slow digest of the plaintext (no short secret can be guessed from it in useful time), the recipients, and a
digest of the encrypted file.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError, PgpError
from ..private_file import write_private
from .home import PgpKeys, gnupg_home, status_of
from .public_keys import PublicKey, Recipient, load

_FORMAT = "atmail.migration/handover"
#: OWASP's advice for PBKDF2-HMAC-SHA256.
_ROUNDS = 600_000
_SALT = 16


@dataclass(frozen=True)
class Handover:
    """What is known of a file that was handed over; ``why`` says why it is, or would be, written; empty when not."""

    path: Path
    recipients: tuple[PublicKey, ...]
    why: str


def encrypt(plaintext: bytes, recipients: Sequence[Recipient], keyring: str | None, *, armor: bool = True) -> bytes:
    """A message that each of the recipients can open. Raises PgpKeyError, PgpError, InputError, MissingLibraryError."""
    with gnupg_home(PgpKeys(keyring)) as gpg:
        return _encrypt(gpg, plaintext, load(gpg, recipients), armor=armor)


def hand_over(
    plaintext: bytes,
    path: Path,
    recipients: Sequence[Recipient],
    *,
    keyring: str | None = None,
    armor: bool = True,
    check_mode: bool = False,
    random: Callable[[int], bytes],
) -> Handover:
    """Put the encrypted file in place (0600) unless it is there with this content for these recipients.

    Every recipient's key is looked at each time, in check mode too. Raises as :func:`encrypt`; nothing is written then.
    """
    if not recipients:
        raise InputError("there is nobody to encrypt to", option="recipients")
    with gnupg_home(PgpKeys(keyring)) as gpg:
        keys = load(gpg, recipients)
        terms = {"armor": armor, "recipients": sorted({key.fingerprint for key in keys})}
        why = _why(path, plaintext, terms)
        if why and not check_mode:
            message = _encrypt(gpg, plaintext, keys, armor=armor)
            # In this order: a crash in between costs a second write, and no note praises an old file.
            write_private(path, message, option="dest")
            write_private(note_path(path), _note(plaintext, message, terms, random(_SALT)), option="dest")
    return Handover(path, tuple(keys), why)


def note_path(path: Path) -> Path:
    """Where the note about a file is."""
    return path.with_name(f".{path.name}.handover")


def _encrypt(gpg: Any, plaintext: bytes, keys: Sequence[PublicKey], *, armor: bool) -> bytes:
    result = gpg.encrypt(plaintext, [key.fingerprint for key in keys], always_trust=True, armor=armor)
    if not result.ok or not status_of(result).has("END_ENCRYPTION"):
        raise PgpError(
            f"gpg did not encrypt: {result.status or 'it does not say why'}",
            safe_next="Check the recipients' keys; nothing has been changed.",
        )
    return bytes(result.data)


def _why(path: Path, plaintext: bytes, terms: dict[str, Any]) -> str:
    try:
        message = path.read_bytes()
    except FileNotFoundError:
        return "it is not there"
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", option="dest") from error
    note = _read_note(note_path(path))
    if note is None or note["message"] != hashlib.sha256(message).hexdigest():
        return "it is not the file that was written last"
    if {key: note[key] for key in terms} != terms:
        return "its recipients or its form are others"
    digest = _digest(plaintext, bytes.fromhex(note["salt"]), note["rounds"])
    if not hmac.compare_digest(digest, note["digest"]):
        return "its content is another"
    return "it can be read by others" if path.stat().st_mode & 0o077 else ""


def _note(plaintext: bytes, message: bytes, terms: dict[str, Any], salt: bytes) -> bytes:
    note = {
        "format": _FORMAT,
        **terms,
        "rounds": _ROUNDS,
        "salt": salt.hex(),
        "digest": _digest(plaintext, salt, _ROUNDS),
        "message": hashlib.sha256(message).hexdigest(),
    }
    return (json.dumps(note, indent=1, sort_keys=True) + "\n").encode()


def _read_note(path: Path) -> dict[str, Any] | None:
    """The note; None when there is none, or one that is not ours: the file is then written anew."""
    kinds = {"armor": bool, "recipients": list, "rounds": int, "salt": str, "digest": str, "message": str}
    try:
        note = json.loads(path.read_bytes())
        bytes.fromhex(note["salt"])
        fits = note["format"] == _FORMAT and all(isinstance(note[key], kind) for key, kind in kinds.items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return note if fits and 0 < note["rounds"] <= 10 * _ROUNDS else None


def _digest(plaintext: bytes, salt: bytes, rounds: int) -> str:
    return hashlib.pbkdf2_hmac("sha256", hashlib.sha256(plaintext).digest(), salt, rounds).hex()
