# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The module options for PGP, as plain specs, and as the values that the core takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .home import PgpKeys
from .public_keys import Recipient

#: What opens received files: the option ``pgp`` of every module that takes a secret file.
PGP: dict[str, Any] = {
    "pgp": {
        "type": "dict",
        "options": {
            "keyring": {"type": "path"},
            "key_files": {"type": "list", "elements": "path", "default": [], "no_log": False},
            "passphrase": {"type": "str", "no_log": True},
        },
        "mutually_exclusive": [["keyring", "key_files"]],
    }
}
RECIPIENTS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "fingerprint": {"type": "str", "required": True},
        "key_file": {"type": "path", "no_log": False},
    },
}


def pgp_keys(params: Mapping[str, Any]) -> PgpKeys | None:
    """The option ``pgp``, None when it is not given."""
    given = params.get("pgp")
    if not given:
        return None
    return PgpKeys(
        keyring=given.get("keyring"),
        key_files=tuple(given.get("key_files") or ()),
        passphrase=given.get("passphrase"),
    )


def recipients(given: list[Mapping[str, Any]] | None) -> list[Recipient]:
    """A list of those to whom something is encrypted."""
    return [Recipient(one["fingerprint"], one.get("key_file")) for one in given or ()]
