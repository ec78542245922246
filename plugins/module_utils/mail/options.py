# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The module options that `mailbox_sync` and `mailbox_audit` share, as plain specs and as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import password_list
from ..errors import InputError
from ..pace import OPTIONS as PACE_OPTIONS
from ..transport.imap import OPTIONS, POP3_OPTIONS, PROTOCOL, Account
from .folders import KEEP, MAP
from .namespaces import KINDS, PERSONAL
from .server import Server
from .task import Task

SIDE = {
    **OPTIONS,
    **POP3_OPTIONS,
    "max_connections_per_account": {"type": "int", "default": 4},
    "keepalive": {"type": "float", "default": 60.0},
}
SOURCE = {**SIDE, **PROTOCOL}
TARGET = {**SIDE, "doveadm_url": {"type": "str"}, "doveadm_api_key": {"type": "str", "no_log": True}}
MAILBOX = {
    "source_user": {"type": "str", "required": True},
    "source_password": {"type": "str", "no_log": True},
    "target_user": {"type": "str"},
    "target_password": {"type": "str", "no_log": True},
}
PASSWORDS = {"type": "dict", "options": password_list.OPTIONS, **password_list.RULES}
FOLDERS = {
    "exclude": {"type": "list", "elements": "str", "default": []},
    "rename": {"type": "dict", "default": {}},
    "subscribe": {"type": "bool", "default": True},
    "namespaces": {"type": "list", "elements": "str", "choices": list(KINDS), "default": [PERSONAL]},
    "special_use": {"type": "str", "choices": [KEEP, MAP], "default": KEEP},
}
#: What both modules take, as an AnsibleModule's argument_spec.
COMMON: dict[str, Any] = {
    "source": {"type": "dict", "required": True, "options": SOURCE},
    "target": {"type": "dict", "required": True, "options": TARGET},
    "mailboxes": {"type": "list", "elements": "dict", "required": True, "options": MAILBOX},
    "source_passwords": {**PASSWORDS, "no_log": False},
    "target_passwords": {**PASSWORDS, "no_log": False},
    "folders": {"type": "dict", "options": FOLDERS},
    "pace": {"type": "dict", "options": PACE_OPTIONS},
    "ignore_mailbox_errors": {"type": "bool", "default": False},
    "progress_file": {"type": "path"},
}


def tasks(options: Mapping[str, Any]) -> list[Task]:
    """The mailboxes to work on; one that has no password of its own gets the one that a list has for its user.

    :raises InputError: an entry without a name, or a list that is none.
    :raises EscrowError: the list is an escrow that can't be used.
    """
    lists = [password_list.from_options(options.get(name), name) for name in ("source_passwords", "target_passwords")]
    found: list[Task] = []
    for number, one in enumerate(options["mailboxes"]):
        source = str(one.get("source_user") or "").strip()
        if not source:
            raise InputError("a mailbox needs its source_user", option=f"mailboxes[{number}].source_user")
        target = str(one.get("target_user") or source).strip()
        passwords = (
            one.get("source_password") or lists[0].get(source),
            one.get("target_password") or lists[1].get(target),
        )
        found.append(Task(Account(source, passwords[0]), Account(target, passwords[1])))
    return found


def check_preauth(todo: Sequence[Task], *servers: Server) -> None:
    """A server that logs us in by itself has one mailbox for us.

    :raises InputError: it is asked for more.
    """
    for server in servers:
        if server.auth == "preauth" and len(todo) > 1:
            raise InputError("auth: preauth gives one mailbox only, whoever is asked for", option=f"{server.name}.auth")
