# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer as a file: canonical JSON, sorted and indented, so that two extracts of the same data are byte-equal.

Everything but secrets is readable. All secrets are one Ansible Vault text under ``secrets``; inside it is canonical
JSON: ``accounts`` has address → ``{"scheme", "value"}``, ``external`` address → mailbox elsewhere → password. When the
secrets have not changed, the old ciphertext stays, and so does the file.
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
from .document import customer_of, hidden, public, upgraded
from .model import Customer

FORMAT = "atmail.migration/snapshot"
VERSION = 2
#: Versions that are read; a file is always written in the present one.
READABLE = (1, VERSION)

_KEYS_1 = {
    "format": str,
    "version": int,
    "customer": str,
    "source": dict,
    "domains": list,
    "accounts": list,
    "findings": list,
    "secrets": str,
}
_KEYS = {**_KEYS_1, "aliases": list, "senders": list, "contacts": list}


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
    plain = _canonical(hidden(customer))
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
        return customer_of(*_opened(document, password))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # The message of a ValueError may quote a secret.
        raise SnapshotError(f"the snapshot is damaged ({type(error).__name__})") from None


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
    if isinstance(version, bool) or version not in READABLE:
        raise SnapshotError(f"the snapshot has no version that this collection reads: {version!r}")
    for key, kind in _KEYS.items() if version == VERSION else _KEYS_1.items():
        if not isinstance(document.get(key), kind):
            raise SnapshotError(f"the snapshot is damaged: {key} is missing or of another kind")
    return document


def _opened(document: Mapping[str, Any], password: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The document and its secrets, as the present version has them."""
    found = json.loads(secrets.decrypt(document["secrets"], password))
    if not isinstance(found, dict):
        raise TypeError
    return (document, found) if document["version"] == VERSION else upgraded(document, found)


def _canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
