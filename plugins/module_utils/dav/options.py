# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The module options that `dav_sync` and `dav_audit` share, as plain specs and as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import password_list
from ..errors import InputError
from ..pace import Pace, pace_from_options
from ..pgp.options import PGP
from ..platforms import options as platforms
from .pairing import Rules
from .web.server import OPTIONS as WEB

DAV, ATMAIL, FILES = PROTOCOLS = ("dav", "atmail", "files")
GROUPS = ("auto", "vcard", "apple", "categories")
SCHEDULING = ("auto", "agent", "off", "refuse")
#: So many connections to each side at once, of all accounts together.
CONNECTIONS = 16

_LIMITS = {
    "connections": {"type": "int"},
    "requests_per_second": {"type": "float"},
    "bytes_per_second": {"type": "float"},
}
PACE: dict[str, Any] = {
    **_LIMITS,
    "max_backoff": {"type": "float"},
    "off_peak": {
        "type": "dict",
        "options": {
            "start": {"type": "str"},
            "end": {"type": "str"},
            "timezone": {"type": "str", "default": "UTC"},
            **_LIMITS,
        },
    },
}
SOURCE: dict[str, Any] = {
    "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": DAV},
    **WEB,
    "url": {"type": "str"},
    "ssh": platforms.SSH_SERVER,
    "database": {"type": "dict", "options": platforms.DATABASE},
    "dump": {"type": "dict", "options": platforms.DUMP},
    **PGP,
    "overrides": {"type": "dict", "default": {}, "options": platforms.OVERRIDES},
    "path": {"type": "path"},
}
TARGET: dict[str, Any] = WEB
ACCOUNT: dict[str, Any] = {
    "source_user": {"type": "str", "required": True},
    "source_password": {"type": "str", "no_log": True},
    "target_user": {"type": "str"},
    "target_password": {"type": "str", "no_log": True},
}
PASSWORDS = {"type": "dict", "options": password_list.OPTIONS, **password_list.RULES}
COLLECTIONS: dict[str, Any] = {
    "exclude": {"type": "list", "elements": "str", "default": []},
    "rename": {"type": "dict", "default": {}},
}
#: What both modules take, as an AnsibleModule's argument_spec.
COMMON: dict[str, Any] = {
    "source": {
        "type": "dict",
        "required": True,
        "options": SOURCE,
        "required_if": [
            ["protocol", DAV, ["url"]],
            ["protocol", ATMAIL, ["database", "dump"], True],
            ["protocol", FILES, ["path"]],
        ],
        "mutually_exclusive": [["database", "dump"], ["dump", "ssh"]],
    },
    "target": {"type": "dict", "required": True, "options": TARGET},
    "accounts": {"type": "list", "elements": "dict", "required": True, "options": ACCOUNT},
    "source_passwords": {**PASSWORDS, "no_log": False},
    "target_passwords": {**PASSWORDS, "no_log": False},
    "collections": {"type": "dict", "options": COLLECTIONS},
    "groups": {"type": "str", "choices": list(GROUPS), "default": GROUPS[0]},
    "pace": {"type": "dict", "options": PACE},
    "ignore_account_errors": {"type": "bool", "default": False},
    "progress_file": {"type": "path"},
}


def rules(options: Mapping[str, Any]) -> Rules:
    """The option ``collections``.

    :raises InputError: what is not a name.
    """
    given = options.get("collections") or {}
    rename = given.get("rename") or {}
    for name, new in rename.items():
        if not isinstance(name, str) or not isinstance(new, str) or not new.strip():
            raise InputError("names are texts that are not empty", option="collections.rename")
    return Rules(tuple(str(pattern) for pattern in given.get("exclude") or ()), dict(rename))


def pace(options: Mapping[str, Any]) -> Pace:
    """The option ``pace``; what it says of requests holds for both sides together.

    :raises InputError: a limit that can't be.
    """
    given = _in_words_of_mail(options.get("pace") or {})
    if given.get("connections") is None:
        given["connections"] = CONNECTIONS
    if given.get("off_peak"):
        given["off_peak"] = _in_words_of_mail(given["off_peak"])
    return pace_from_options(given)


def _in_words_of_mail(given: Mapping[str, Any]) -> dict[str, Any]:
    """Limits are kept for mail and for this by the same code, which calls requests messages."""
    after = dict(given)
    rate = after.pop("requests_per_second", None)
    if rate is not None:
        if rate < 0:
            raise InputError("a limit can't be negative; 0 means no limit", option="pace.requests_per_second")
        after["messages_per_second"] = rate
    return after
