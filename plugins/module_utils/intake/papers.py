# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is handed in as files: certificates for own host names (H31, H33), and PGP keys in both directions (H20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..errors import BundleError, MigrationError
from ..pgp.handover import encrypt
from ..pgp.home import PgpKeys, gnupg_home
from ..pgp.public_keys import Recipient, full_fingerprint, keys_in_file
from ..pgp.received import read_received
from ..tls.run import judged
from .items import Answer, invalid, missing, ok

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
            yield _judged(read_received(file, pgp), one, about, now)
        except MigrationError as error:
            yield invalid("certificate", error, about)


def _judged(bundle: bytes, one: Mapping[str, Any], about: str, now: datetime) -> Answer:
    """The same verdict that is given when the bundle is to be installed."""
    verdict = judged(bundle, one, now)
    wrong = [finding for finding in verdict.findings if finding.level == "error"]
    if wrong or verdict.chain is None:
        steps = " ".join(dict.fromkeys(finding.next for finding in wrong if finding.next))
        return invalid("certificate", BundleError("; ".join(each.message for each in wrong), safe_next=steps), about)
    said = f"valid until {verdict.chain.certificates[0].not_valid_after_utc:%Y-%m-%d} for {', '.join(verdict.names)}"
    warned = [finding.message for finding in verdict.findings if finding.level == "warning"]
    return ok("certificate", "; ".join([said, *warned]), about)


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
