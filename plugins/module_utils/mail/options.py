# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The module options that `mailbox_sync` and `mailbox_audit` share, as plain specs and as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import password_list
from ..errors import InputError
from ..pace import OPTIONS as PACE_OPTIONS
from ..tasks import Task
from ..transport.imap import OPTIONS, POP3_OPTIONS, PROTOCOL
from .folders import KEEP, MAP
from .namespaces import KINDS, PERSONAL
from .server import Server

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


def check_preauth(todo: Sequence[Task], *servers: Server) -> None:
    """A server that logs us in by itself has one mailbox for us.

    :raises InputError: it is asked for more.
    """
    for server in servers:
        if server.auth == "preauth" and len(todo) > 1:
            raise InputError("auth: preauth gives one mailbox only, whoever is asked for", option=f"{server.name}.auth")
