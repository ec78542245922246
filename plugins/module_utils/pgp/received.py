# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Files that a customer sends: read as they are, or opened first when they are encrypted by PGP (H20).

Every secret file that the collection takes goes through :func:`read_received`, or through :func:`copy_received` when it
may be large. What is decrypted is in memory only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import InputError, PgpError, PgpKeyError, PgpPassphraseError, PgpSignatureError
from .home import PgpKeys, Status, gnupg_home, import_file, status_of
from .public_keys import full_fingerprint

_ARMOR = b"-----BEGIN PGP MESSAGE-----"
_BOM = b"\xef\xbb\xbf"
_HEAD = 512
_CHUNK = 256 * 1024

#: Versions of the packets that an encrypted message starts with, by tag (RFC 9580, 5.1 and 5.3).
_VERSIONS = {1: (2, 3, 6), 3: (4, 5, 6)}
#: GPG_ERR_BAD_PASSPHRASE and GPG_ERR_NO_PASSPHRASE, in the low bits of what gpg reports (libgpg-error).
_NO_PASSPHRASE = (11, 31, 177)


def is_pgp(head: bytes) -> bool:
    """Whether a file that begins with these bytes is an encrypted message, armored (RFC 9580, 6.2) or binary."""
    return head.removeprefix(_BOM).lstrip().startswith(_ARMOR) or _binary(head)


def read_received(path: str | Path, keys: PgpKeys | None = None) -> bytes:
    """What a file says: its bytes, or, when it is encrypted, what is inside.

    Raises InputError when the file can't be read, or is encrypted and there are no ``keys``; PgpKeyError when it is for
    another key, PgpPassphraseError, PgpSignatureError, PgpError when it is damaged.
    """
    pieces: list[bytes] = []
    copy_received(path, keys, pieces.append)
    return b"".join(pieces)


def copy_received(path: str | Path, keys: PgpKeys | None, sink: Callable[[bytes], object]) -> bool:
    """Give what a file says to ``sink`` piece by piece; whether the file was encrypted.

    Until this returns the pieces are not to be trusted: that a message is whole is known at its end. Raises as
    :func:`read_received`, and whatever ``sink`` raises.
    """
    place = Path(path).expanduser()
    try:
        with place.open("rb") as stream:
            head = stream.read(_HEAD)
            stream.seek(0)
            if is_pgp(head):
                _decrypt(place, stream, keys, sink)
                return True
            while piece := stream.read(_CHUNK):
                sink(piece)
    except OSError as error:
        if error.filename is None or Path(error.filename) != place:
            raise
        raise InputError(f"the file {place} cannot be read: {error.strerror}", file=str(place)) from error
    return False


def decrypt(message: bytes, keys: PgpKeys) -> bytes:
    """What is inside a message. Raises as :func:`read_received`."""
    with gnupg_home(keys) as gpg:
        result = gpg.decrypt(message, passphrase=keys.passphrase)
        _check(status_of(result), keys)
        return bytes(result.data)


def verify(path: str | Path, signature: str | Path, signer: str, keys: PgpKeys) -> None:
    """Check a detached signature over the file as it was sent, made by the key with the fingerprint ``signer``.

    Raises PgpSignatureError unless it is good; InputError, PgpKeyError, PgpError.
    """
    wanted = full_fingerprint(signer, "signer")
    place, proof = Path(path).expanduser(), Path(signature).expanduser().absolute()
    for file in (place, proof):
        if not file.is_file():
            raise InputError(f"there is no file {file}", file=str(file))
    with gnupg_home(PgpKeys(keys.keyring)) as gpg:
        for file_name in keys.key_files:
            import_file(gpg, file_name)
        result = gpg.verify_data(str(proof), place.read_bytes())
    if not result.valid or result.problems:
        said = result.status or "no signature found"
        raise PgpSignatureError(f"the signature {proof} does not prove the file: {said}", file=str(place))
    if wanted not in (result.pubkey_fingerprint, result.fingerprint):
        raise PgpSignatureError(f"the signature is by the key {result.pubkey_fingerprint}", file=str(place))


def _decrypt(place: Path, stream: BinaryIO, keys: PgpKeys | None, sink: Callable[[bytes], object]) -> None:
    if keys is None:
        raise InputError(
            f"the file {place} is encrypted by PGP, and there is no key to open it with",
            file=str(place),
            option="pgp",
            safe_next="Name the keyring folder or the key file that opens it; nothing has been changed.",
        )
    failures: list[Exception] = []

    def give(piece: bytes) -> bool:
        """False: python-gnupg need not keep the piece. It swallows what is raised here, so that we keep it."""
        if piece and not failures:
            try:
                sink(piece)
            except Exception as error:  # noqa: BLE001 -- raised again below
                failures.append(error)
        return False

    try:
        with gnupg_home(keys) as gpg:
            gpg.on_data = give
            result: Any = gpg.decrypt_file(stream, passphrase=keys.passphrase)
            if failures:
                raise failures[0]
            _check(status_of(result), keys)
    except (PgpError, InputError) as error:
        raise error.at(file=str(place)) from error.__cause__


def _check(status: Status, keys: PgpKeys) -> None:
    """Raises unless the message was decrypted, is whole, and no signature in it is bad."""
    if status.has("BADSIG"):
        raise PgpSignatureError("the message carries a signature that is not good")
    faults = [line.split() for line in status.values("ERROR")]
    unreadable = any(fault[0].startswith("proc_pkt") for fault in faults if fault) or status.has("UNEXPECTED")
    if status.has("DECRYPTION_OKAY") and not status.has("DECRYPTION_FAILED", "BADMDC") and not unreadable:
        return
    if keys.passphrase is None and status.has("INQUIRE_MAXLEN", "NEED_PASSPHRASE_SYM"):  # gpg asks for one
        raise PgpPassphraseError("a passphrase is needed to open it, and none is given", option="pgp.passphrase")
    if _wrong_passphrase(status, faults):
        raise PgpPassphraseError("the passphrase does not open it", option="pgp.passphrase")
    if status.has("NO_SECKEY"):
        wanted = ", ".join(sorted({line.split()[0] for line in status.values("ENC_TO")}))
        raise PgpKeyError(f"it is encrypted to the key {wanted}, which we do not have")
    raise PgpError("the encrypted message is damaged, cut off, or not protected against changes")


def _wrong_passphrase(status: Status, faults: list[list[str]]) -> bool:
    if status.has("BAD_PASSPHRASE", "MISSING_PASSPHRASE"):
        return True
    codes = [int(fault[1]) & 0xFFFF for fault in faults if len(fault) > 1 and fault[1].isdigit()]
    if any(code in _NO_PASSPHRASE for code in codes):
        return True
    return status.has("NEED_PASSPHRASE_SYM") and status.has("DECRYPTION_FAILED") and not status.has("BADMDC")


def _binary(head: bytes) -> bool:
    """Whether a packet of an encrypted message comes first: tag, length, and a version that there is."""
    if len(head) < 4 or not head[0] & 0x80:
        return False
    if head[0] & 0x40:  # RFC 9580, 4.2.1
        tag = head[0] & 0x3F
        size = 1 if head[1] < 192 else 2 if head[1] < 224 else 5
    else:  # 4.2.2
        tag = (head[0] >> 2) & 0x0F
        size = {0: 1, 1: 2, 2: 4}.get(head[0] & 0x03, 0)
    return size > 0 and len(head) > 1 + size and head[1 + size] in _VERSIONS.get(tag, ())
