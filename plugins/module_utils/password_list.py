# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Passwords of many accounts from one encrypted file: a list that somebody made, or the escrow of a source (H10).

A list is encrypted as a whole by ``ansible-vault encrypt``. Inside it is a mapping of users to passwords, a list of
mappings, both as YAML or JSON, or CSV with a header line. Of an escrow the generated passwords count that the source
may hold now, of a customer's snapshot those that the source has in clear text.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import escrow_file, secrets
from .errors import DuplicateError, InputError, MissingLibraryError, SnapshotError

#: The module options, as an argument spec.
OPTIONS: dict[str, Any] = {
    "file": {"type": "path"},
    "content": {"type": "str"},
    "vault_password": {"type": "str", "required": True, "no_log": True},
}
RULES: dict[str, Any] = {"required_one_of": [["file", "content"]], "mutually_exclusive": [["file", "content"]]}

_USERS = ("source_user", "target_user", "user", "account", "address", "email", "emailaddress", "username")
_PASSWORDS = ("password", "source_password", "target_password")
_MARK = "$ANSIBLE_VAULT"
_SNAPSHOT = "atmail.migration/snapshot"


class PasswordList:
    """Passwords by user. A user is looked for as it is spelt, then without regard to case."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._exact = dict(passwords)
        self._folded = {_folded(user): password for user, password in passwords.items()}

    def __len__(self) -> int:
        return len(self._exact)

    def get(self, user: str) -> str | None:
        """The user's password, None when the list has none."""
        return self._exact.get(user, self._folded.get(_folded(user)))


def from_options(given: Mapping[str, Any] | None, option: str) -> PasswordList:
    """The list that the option ``option`` names; an empty one when it is not given.

    Raises InputError (with ``option``) for what is not a list of passwords, EscrowError for an escrow that can't be
    used. No error shows a secret.
    """
    if not given:
        return PasswordList({})
    name = str(given.get("file") or f"{option}.content")
    text = given.get("content") or _read(Path(given["file"]).expanduser(), option)
    if escrow_file.is_escrow(text):
        book = escrow_file.parse(text, given["vault_password"], name)
        return PasswordList({entry.name: entry.generated for entry in book.open_entries})
    hidden = _of_snapshot(text)
    if hidden is not None:
        return PasswordList(_plain_ones(_opened(hidden, given["vault_password"], name, option), name, option))
    return PasswordList(_unique(_entries(_opened(text, given["vault_password"], name, option), name, option), option))


def _of_snapshot(text: str) -> str | None:
    """The vaulted secrets of a customer's snapshot, None when the text is something else."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    found = document.get("secrets") if isinstance(document, dict) and document.get("format") == _SNAPSHOT else None
    return found if isinstance(found, str) else None


def _plain_ones(text: str, name: str, option: str) -> dict[str, str]:
    """The passwords that a snapshot has in clear text; of others nobody can make one to log in with."""
    try:
        accounts = json.loads(text)["accounts"]
        return {address: entry["value"] for address, entry in accounts.items() if entry["scheme"] == "PLAIN"}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{name} is a snapshot of another version, or damaged", option=f"{option}.file") from None


def _read(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text", option=f"{option}.file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", option=f"{option}.file") from error


def _opened(text: str, password: str, name: str, option: str) -> str:
    if not text.lstrip().startswith(_MARK):
        message = f"{name} is not encrypted: passwords are kept by ansible-vault encrypt, or in an escrow file"
        raise InputError(message, option=f"{option}.file")
    try:
        return secrets.decrypt(text, password).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"what is in {name} is not text", option=f"{option}.file") from None
    except SnapshotError as error:
        raise InputError(f"{name}: {error.message}", option=f"{option}.vault_password") from error


def _entries(text: str, name: str, option: str) -> list[tuple[str, str]]:
    """Users and passwords in the order of the file."""
    rows = _csv_rows(text)
    if rows is not None:
        return [_from_row(row, number, name, option) for number, row in rows]
    found = _structure(text)
    if isinstance(found, Mapping):
        return [_pair(user, password, name, option) for user, password in found.items()]
    if isinstance(found, list) and all(isinstance(one, Mapping) for one in found):
        return [_from_row(one, number, name, option) for number, one in enumerate(found, 1)]
    message = f"{name} is neither a mapping of users to passwords, nor a list of them, nor CSV with a header line"
    raise InputError(message, option=f"{option}.file")


def _structure(text: str) -> Any:
    """What JSON or YAML say; None for what is neither."""
    with contextlib.suppress(ValueError):
        return json.loads(text)
    try:
        import yaml
    except ImportError as error:
        raise MissingLibraryError(f"the Python library PyYAML is missing: {error}", library="pyyaml") from error
    try:
        # Every value as the text that it is written as: 0123, no and 1e5 are passwords.
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 -- the base loader makes nothing but text
    except yaml.YAMLError:
        return None


def _csv_rows(text: str) -> list[tuple[int, dict[str, str]]] | None:
    """Line number and columns by the header's names; None when the header has no user or no password."""
    head = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        if not set(names) & set(_USERS) or not set(names) & set(_PASSWORDS):
            return None
        reader.fieldnames = names
        return [(reader.line_num, {key: value or "" for key, value in row.items() if key}) for row in reader]
    except csv.Error:
        return None


def _from_row(row: Mapping[Any, Any], number: int, name: str, option: str) -> tuple[str, str]:
    user = next((row[key] for key in _USERS if row.get(key)), None)
    password = next((row[key] for key in _PASSWORDS if row.get(key)), None)
    if user is None or password is None:
        raise InputError(f"{name}: entry {number} has no user or no password", option=f"{option}.file")
    return _pair(user, password, name, option)


def _pair(user: Any, password: Any, name: str, option: str) -> tuple[str, str]:
    if not isinstance(user, str) or not isinstance(password, str) or not user.strip() or not password:
        shown = ascii(user)[:100] if isinstance(user, str) else type(user).__name__
        message = f"{name}: user and password are texts that are not empty; those of {shown} are not"
        raise InputError(message, option=f"{option}.file")
    return user.strip(), password


def _unique(entries: Iterable[tuple[str, str]], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for user, password in entries:
        if found.get(user, password) != password:
            raise DuplicateError(f"{user} has two passwords that differ", option=f"{option}.file", account=user)
        found[user] = password
    return found


def _folded(user: str) -> str:
    return user.strip().lower()
