# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer as a file: canonical JSON, sorted and indented, so that two extracts of the same data are byte-equal.

Everything but secrets is readable. All secrets are one Ansible Vault text under ``secrets``; inside it is canonical
JSON of address → ``{"scheme", "value"}``. When the secrets have not changed, the old ciphertext stays, and so does the
file.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import secrets
from ..errors import InputError, MigrationError, SnapshotError
from .model import Account, Customer, Domain, Finding, Level, Password, Source, address_fault

FORMAT = "atmail.migration/snapshot"
VERSION = 1

_KEYS = {
    "format": str,
    "version": int,
    "customer": str,
    "source": dict,
    "domains": list,
    "accounts": list,
    "findings": list,
    "secrets": str,
}
_LEVELS: Mapping[str, Level] = {"error": "error", "warning": "warning", "note": "note"}


def render(
    customer: Customer,
    password: str,
    *,
    random: Callable[[int], bytes],
    label: str | None = None,
    old: str | None = None,
) -> str:
    """The file's text. ``old`` is the text of the file so far, whose ciphertext is kept if its plaintext is the same.

    Raises SnapshotError when ``old`` does not open with this vault password: a rerun with another password must not
    leave operators with a file that their password does not open.
    """
    plain = _canonical(
        {account.address: _secret(account.password) for account in customer.accounts if account.password}
    )
    vaulted = None
    if old is not None:
        so_far = _document(old)["secrets"]
        if secrets.decrypt(so_far, password) == plain and secrets.label_of(so_far) == label:
            vaulted = so_far
    if vaulted is None:
        vaulted = secrets.encrypt(plain, password, random=random, label=label)
    document = {"format": FORMAT, "version": VERSION, **public(customer), "secrets": vaulted}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def parse(text: str, password: str) -> Customer:
    """The customer in a file's text. Raises SnapshotError for all that is not a whole snapshot of this version."""
    document = _document(text)
    try:
        hidden = json.loads(secrets.decrypt(document["secrets"], password))
        passwords = {address: Password(entry["scheme"], entry["value"]) for address, entry in hidden.items()}
        accounts = tuple(_account(entry, passwords) for entry in document["accounts"])
        return Customer(
            name=document["customer"],
            source=Source(str(document["source"]["profile"]), str(document["source"]["version"])),
            domains=tuple(Domain(_text(entry["name"]), _flag(entry["enabled"])) for entry in document["domains"]),
            accounts=_unique(accounts),
            findings=tuple(_finding(entry) for entry in document["findings"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # The message of a ValueError may quote a secret.
        raise SnapshotError(f"the snapshot is damaged ({type(error).__name__})") from None


def public(customer: Customer) -> dict[str, Any]:
    """What may be seen of a customer: of a password only its scheme."""
    return {
        "customer": customer.name,
        "source": {"profile": customer.source.profile, "version": customer.source.version},
        "domains": [{"name": domain.name, "enabled": domain.enabled} for domain in customer.domains],
        "accounts": [public_account(account) for account in customer.accounts],
        "findings": [finding.as_dict() for finding in customer.findings],
    }


def public_account(account: Account) -> dict[str, Any]:
    """What may be seen of an account."""
    return {
        "address": account.address,
        "source_user": account.source_user,
        "display_name": account.display_name,
        "enabled": account.enabled,
        "quota_bytes": account.quota_bytes,
        "password_scheme": account.password.scheme if account.password else None,
    }


def read(path: Path) -> str | None:
    """The file's text, None when there is none. Raises InputError when it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SnapshotError(f"{path} is not a snapshot: it is not text").at(snapshot=str(path)) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", option="snapshot") from error


def load(path: Path, password: str) -> Customer:
    """The customer in a file; every error names the file."""
    text = read(path)
    if text is None:
        raise InputError(f"there is no snapshot {path}; extract the customer first", option="snapshot")
    try:
        return parse(text, password)
    except MigrationError as error:
        raise error.at(snapshot=str(path)) from error


def write(path: Path, text: str) -> None:
    """Put ``text`` in place at once, readable by the owner only; a crash leaves the old file or the new one.

    A missing folder is made (0700). Raises InputError when the file can't be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", option="snapshot") from error


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        raise SnapshotError("this is not a snapshot: it is not JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SnapshotError("this is not a snapshot of this collection")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise SnapshotError(f"the snapshot has version {version}; this collection reads up to version {VERSION}")
    if version != VERSION:
        raise SnapshotError(f"the snapshot has no version that this collection reads: {version!r}")
    for key, kind in _KEYS.items():
        if not isinstance(document.get(key), kind):
            raise SnapshotError(f"the snapshot is damaged: {key} is missing or of another kind")
    return document


def _account(entry: Mapping[str, Any], passwords: Mapping[str, Password]) -> Account:
    address = _text(entry["address"])
    if address_fault(address) or address != address.lower():
        raise ValueError
    password = passwords.get(address)
    if (password.scheme if password else None) != entry["password_scheme"]:
        raise ValueError
    quota = entry["quota_bytes"]
    if quota is not None and (isinstance(quota, bool) or not isinstance(quota, int) or quota <= 0):
        raise ValueError
    return Account(
        address=address,
        source_user=_text(entry["source_user"]),
        display_name=_text(entry["display_name"]),
        enabled=_flag(entry["enabled"]),
        quota_bytes=quota,
        password=password,
    )


def _unique(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    if len({account.address for account in accounts}) != len(accounts):
        raise SnapshotError("the snapshot is damaged: an address appears twice")
    return accounts


def _finding(entry: Mapping[str, Any]) -> Finding:
    level = _LEVELS[_text(entry["level"])]
    return Finding(_text(entry["account"]), _text(entry["kind"]), _text(entry["message"]), level)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _secret(password: Password) -> dict[str, str]:
    return {"scheme": password.scheme, "value": password.value}


def _canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
