# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The options of an estimate, as plain specs, and as the values that the core takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..pace import OPTIONS as PACE
from ..rates import NAMES
from ..transport.imap import OPTIONS as LOGIN
from ..transport.imap import ImapServer, checked

#: What is needed of a target to say hello to it.
_HELLO = ("host", "port", "security", "allow_plaintext", "validate_certs", "ca_path", "min_tls")

ESTIMATE: dict[str, Any] = {
    "estimate": {
        "type": "dict",
        "options": {
            "rates": {"type": "dict", "options": {name: {"type": "float"} for name in NAMES}},
            "earlier": {"type": "list", "elements": "path", "default": []},
            "connections": {"type": "int"},
            "measure": {"type": "bool", "default": False},
            "measure_bytes": {"type": "int", "default": 8_000_000},
            "measure_seconds": {"type": "float", "default": 10.0},
            "target": {
                "type": "dict",
                "options": {
                    **{name: LOGIN[name] for name in _HELLO},
                    "timeout": {"type": "float", "default": 30.0},
                },
            },
        },
    },
    "pace": {"type": "dict", "options": PACE},
}


def estimate_target(asked: Mapping[str, Any]) -> ImapServer | None:
    """The option ``estimate.target``, None when it is not given. Raises InputError for what does not fit together."""
    if not asked.get("target"):
        return None
    given = checked("target", asked["target"])
    return ImapServer(
        "target", **{key: value for key, value in given.items() if key in ImapServer.__dataclass_fields__}
    )
