# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The options of everything that reads or writes a customer's database, as plain specs, and as the core's values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..pgp.options import pgp_keys
from ..transport.database import DatabaseServer
from ..transport.ssh import SshServer
from .dump import Dump
from .shape import Overrides

SSH = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 22},
    "user": {"type": "str", "required": True},
    "key_file": {"type": "path"},
    "key_passphrase": {"type": "str", "no_log": True},
    "password": {"type": "str", "no_log": True},
    "known_hosts": {"type": "path", "default": "~/.ssh/known_hosts"},
    "timeout": {"type": "float", "default": 30.0},
    "keepalive": {"type": "int", "default": 30},
    "legacy_algorithms": {"type": "bool", "default": False},
}
DATABASE = {
    "host": {"type": "str", "default": "127.0.0.1"},
    "port": {"type": "int", "default": 3306},
    "name": {"type": "str", "required": True},
    "user": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "tls": {"type": "bool"},
    "ca_path": {"type": "path"},
    "timeout": {"type": "float", "default": 30.0},
}
OVERRIDES = {
    "tables": {"type": "dict", "default": {}},
    "columns": {"type": "dict", "default": {}},
    "settings": {"type": "dict", "default": {}},
}
#: The server in between.
SSH_SERVER: dict[str, Any] = {
    "type": "dict",
    "options": SSH,
    "required_one_of": [["key_file", "password"]],
    "mutually_exclusive": [["key_file", "password"]],
}
#: A dump of a database instead of the database itself.
DUMP: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "database": {"type": "str"},
    "allow_truncated": {"type": "bool", "default": False},
    "workspace": {"type": "path"},
}


def ssh_server(params: Mapping[str, Any]) -> SshServer | None:
    """The option ``ssh``, None when it is not given."""
    return SshServer(**params["ssh"]) if params.get("ssh") else None


def database_server(params: Mapping[str, Any]) -> DatabaseServer:
    """The option ``database``."""
    return DatabaseServer(**params["database"])


def dump(params: Mapping[str, Any]) -> Dump | None:
    """The option ``dump``, None when it is not given."""
    given = params.get("dump")
    if not given:
        return None
    workspace = given.get("workspace")
    return Dump(
        path=Path(given["path"]),
        database=given.get("database"),
        allow_truncated=given["allow_truncated"],
        workspace=Path(workspace) if workspace else None,
        keys=pgp_keys(params),
    )


def overrides(params: Mapping[str, Any]) -> Overrides:
    """The option ``overrides``. Raises InputError for what is not names by keys."""
    given = params.get("overrides") or {}
    columns = given.get("columns") or {}
    for table, names in columns.items():
        if not isinstance(names, Mapping):
            raise InputError(f"{table} must have column keys with names", option="overrides.columns")
    return Overrides(
        tables=_words(given.get("tables"), "overrides.tables"),
        columns={str(table): _words(names, f"overrides.columns.{table}") for table, names in columns.items()},
        settings=_words(given.get("settings"), "overrides.settings"),
    )


def _words(given: Any, option: str) -> dict[str, str]:
    if any(not isinstance(name, str) or not name for name in (given or {}).values()):
        raise InputError("every value must be a name", option=option)
    return dict(given or {})
