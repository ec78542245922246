# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is handed in as files: certificates for own host names (H31, H33), and PGP keys in both directions (H20).

A certificate is looked at just far enough to know whether it is worth going on with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..errors import InputError, MigrationError, MissingLibraryError
from ..pgp.handover import encrypt
from ..pgp.home import PgpKeys, gnupg_home
from ..pgp.public_keys import Recipient, full_fingerprint, keys_in_file
from ..pgp.received import read_received
from .items import Answer, invalid, missing, ok

_KEY = re.compile(rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)
_ASK = "Ask the customer for one PEM file with the private key, the certificate and the chain."


def check_certificates(params: Mapping[str, Any], pgp: PgpKeys | None, now: datetime) -> Iterator[Answer]:
    """An answer for each certificate that the inventory lists."""
    listed = params.get("certificates") or []
    if not listed:
        yield ok("certificate", "not needed: migration_certificates lists none, so the cloud's own names are used")
    for number, one in enumerate(listed):
        file, names = one.get("file"), [str(name) for name in one.get("names") or ()]
        about = str(file or ", ".join(names) or f"number {number + 1}")
        if not file:
            yield missing("certificate", "its file is not given", _ASK, about)
            continue
        try:
            faults, said = _judged(read_received(file, pgp), names, now)
        except MigrationError as error:
            yield invalid("certificate", error, about)
            continue
        if faults:
            yield invalid("certificate", InputError("; ".join(faults), safe_next=_ASK), about)
        else:
            yield ok("certificate", said, about)


def _judged(bundle: bytes, names: Sequence[str], now: datetime) -> tuple[list[str], str]:
    """What is wrong with a bundle, and what it is when nothing is."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library cryptography is missing: {error}", library="cryptography"
        ) from error
    try:
        chain = x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return ["there is no certificate in PEM form in it, or it is damaged"], ""
    match = _KEY.search(bundle)
    if match is None:
        return ["there is no private key in PEM form in it"], ""
    try:
        key = load_pem_private_key(match[0], None)
    except TypeError:
        return ["the private key is encrypted"], ""
    except ValueError:
        return ["the private key is damaged"], ""
    leaf = next((one for one in chain if one.public_key() == key.public_key()), None)
    if leaf is None:
        return ["the private key fits none of the certificates"], ""
    faults = [*_time_faults(leaf, now), *_name_faults(x509, leaf, names)]
    if leaf.issuer != leaf.subject and not any(one.subject == leaf.issuer for one in chain):
        faults.append(f"the certificate of its issuer is missing: {leaf.issuer.rfc4514_string()}")
    covered = f" for {', '.join(names)}" if names else ""
    return faults, f"valid until {leaf.not_valid_after_utc:%Y-%m-%d}{covered}"


def _time_faults(leaf: Any, now: datetime) -> list[str]:
    if now > leaf.not_valid_after_utc:
        return [f"it expired on {leaf.not_valid_after_utc:%Y-%m-%d}"]
    if now < leaf.not_valid_before_utc:
        return [f"it is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}"]
    return []


def _name_faults(x509: Any, leaf: Any, names: Sequence[str]) -> list[str]:
    """Wanted names that no subject alternative name covers (RFC 9525, 6.3); a wildcard is one label."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ["it has no subject alternative name"]
    there = {str(name).lower() for name in found.value.get_values_for_type(x509.DNSName)}
    bare = [name for name in names if not {name.lower(), f"*.{name.lower().partition('.')[2]}"} & there]
    return [f"it is not for {', '.join(bare)}"] if bare else []


def check_recipients(params: Mapping[str, Any]) -> Iterator[Answer]:
    """An answer for each public key, which is really encrypted to."""
    listed = params.get("recipients") or []
    if not listed:
        said = "migration_pgp_recipients is empty: nothing can be handed over safely"
        yield missing("pgp_recipient", said, "Ask the customer for a public PGP key, and for its fingerprint apart.")
    keyring = (params.get("pgp") or {}).get("keyring")
    for number, one in enumerate(listed):
        about = str(one.get("key_file") or one.get("fingerprint") or f"number {number + 1}")
        try:
            yield _recipient(one, keyring, about)
        except MigrationError as error:
            yield invalid("pgp_recipient", error, about)


def _recipient(one: Mapping[str, Any], keyring: str | None, about: str) -> Answer:
    file, fingerprint = one.get("key_file"), one.get("fingerprint")
    if not fingerprint:
        if not file:
            return missing("pgp_recipient", "neither fingerprint nor key_file is given", "Give both.", about)
        found = "; ".join(f"{key.fingerprint} of {', '.join(key.names)}" for key in keys_in_file(file))
        next_step = "Have its owner confirm the fingerprint by telephone, say, then set it."
        return missing(
            "pgp_recipient", f"nobody has confirmed the fingerprint; the file holds {found}", next_step, about
        )
    wanted = full_fingerprint(fingerprint)
    encrypt(b"intake", [Recipient(wanted, file)], None if file else keyring)
    return ok("pgp_recipient", f"{wanted} can be encrypted to", about)


def check_own_key(pgp: PgpKeys | None) -> Iterator[Answer]:
    """Whether there is a secret key to open received files with; needed only when ``migration_pgp`` says so."""
    if pgp is None:
        yield ok("pgp_key", "not needed: migration_pgp is not given, so received files are not encrypted")
        return
    with gnupg_home(pgp) as gpg:
        known = [entry["fingerprint"] for entry in gpg.list_keys(secret=True)]
    if known:
        yield ok("pgp_key", ", ".join(known))
    elif pgp.passphrase:
        yield ok("pgp_key", "no key, but a passphrase for files that are encrypted with one")
    else:
        yield missing("pgp_key", "there is no secret key", "Name the keyring folder or the key file in migration_pgp.")
