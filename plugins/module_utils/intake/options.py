# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The options of the intake check: those of other modules, and nothing required, as what is missing is the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import password_list
from ..dav import options as dav
from ..mail.options import SOURCE, TARGET
from ..pace import OPTIONS as PACE
from ..pgp.options import PGP, RECIPIENTS
from ..platforms.options import DATABASE, OVERRIDES, SSH
from ..tls.options import BUNDLE
from .items import Terms

_KEPT = ("type", "elements", "no_log")
_PERSON = {"type": "dict", "options": {"name": {"type": "str"}, "email": {"type": "str"}}}


def relaxed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The options with their types and secrets, and without any demand on what is given."""
    found = {}
    for name, option in spec.items():
        found[name] = {key: option[key] for key in _KEPT if key in option}
        if "options" in option:
            found[name]["options"] = relaxed(option["options"])
    return found


_SIDE = {
    "imap": {"type": "dict", "options": {**SOURCE, **TARGET}},
    "ssh": {"type": "dict", "options": SSH},
    "database": {"type": "dict", "options": DATABASE},
    "profile": {"type": "str"},
    "overrides": {"type": "dict", "options": OVERRIDES},
}
# Where calendars and contacts are in the database, it is the one that is named beside them.
_DAV_SOURCE = {name: option for name, option in dav.SOURCE.items() if name not in {"ssh", "database", "dump", "pgp"}}
_SOURCE = {
    **_SIDE,
    "dav": {"type": "dict", "options": _DAV_SOURCE},
    "csv": {"type": "dict"},
    "dump": {"type": "dict"},
    **PGP,
}
_TARGET = {
    **_SIDE,
    "dav": {"type": "dict", "options": dav.TARGET},
    "password_scheme": {"type": "str", "no_log": False},
    "mailbox_server": {"type": "str"},
    "mailbox_type": {"type": "str"},
}

OPTIONS: dict[str, Any] = {
    "customer": {"type": "str", "required": True},
    "undefined": {"type": "dict", "default": {}},
    "subscription": {"type": "str"},
    "region": {"type": "str"},
    "domains": {"type": "list", "elements": "str", "default": []},
    "owners": {
        "type": "dict",
        "options": dict.fromkeys(("customer", "support_engineer", "deputy", "us"), _PERSON),
    },
    "ticket": {"type": "str"},
    "time_zone": {"type": "str"},
    "pace": {"type": "dict", "options": relaxed(PACE)},
    "source": {"type": "dict", "options": relaxed(_SOURCE)},
    "target": {"type": "dict", "options": relaxed(_TARGET)},
    "mailboxes": {
        "type": "list",
        "elements": "dict",
        "options": {
            "source_user": {"type": "str"},
            "source_password": {"type": "str", "no_log": True},
            "target_user": {"type": "str"},
            "target_password": {"type": "str", "no_log": True},
        },
    },
    "source_passwords": {"type": "dict", "options": relaxed(password_list.OPTIONS), "no_log": False},
    "escrow": {"type": "bool", "default": False},
    "calendars": {"type": "bool", "default": True},
    "account": {"type": "str"},
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": BUNDLE,
    },
    **PGP,
    "recipients": relaxed({"recipients": RECIPIENTS})["recipients"],
    "vault_password": {"type": "str", "no_log": True},
    "folders": {"type": "list", "elements": "path", "default": []},
    "min_free_bytes": {"type": "int", "default": 1024**3},
    "timeout": {"type": "float", "default": 15.0},
    "terms": {
        "type": "dict",
        "options": {
            "due": {"type": "str"},
            "due_dates": {"type": "dict", "default": {}},
            "optional": {"type": "list", "elements": "str", "default": []},
        },
    },
}


def terms(params: Mapping[str, Any]) -> Terms:
    """The option ``terms``, and the owners' names."""
    given = params.get("terms") or {}
    owners = params.get("owners") or {}
    people = {who: str((person or {}).get("name") or "") for who, person in owners.items()}
    return Terms(
        people=people,
        due=given.get("due") or "",
        due_dates={name: str(day) for name, day in (given.get("due_dates") or {}).items()},
        optional=tuple(given.get("optional") or ()),
    )
