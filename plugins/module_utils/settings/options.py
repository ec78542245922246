# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The module options for settings, as plain specs, and as the values that the core takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import password_list
from ..errors import InputError
from ..pgp.options import PGP, pgp_keys
from ..platforms.options import DATABASE, DUMP, OVERRIDES, SSH_SERVER, overrides
from ..transport.imap import OPTIONS as LOGIN
from ..transport.imap import POP3_OPTIONS, PROTOCOL, TOKENS, ImapServer, checked
from .escrow_forms import FORMS
from .files import CsvFiles
from .files.columns import FILES as FILE_KINDS
from .files.customer import PROFILE
from .files.table import DELIMITERS, Reading
from .files.text import ENCODINGS
from .merge import POLICIES
from .plan import PHASES, Wish
from .schemes import HASHES
from .sizes import ListedServer
from .target import Place
from .things import WORDS

#: What every module that opens a customer's database takes.
REACH: dict[str, Any] = {
    "customer": {"type": "str", "required": True},
    "ssh": SSH_SERVER,
    "database": {"type": "dict", "required": True, "options": DATABASE},
    "overrides": {"type": "dict", "default": {}, "options": OVERRIDES},
}
#: What those take that have to do with domains in it.
CONNECTION: dict[str, Any] = {**REACH, "domains": {"type": "list", "elements": "str", "default": []}}
#: A source that is a file instead of a database.
FILES: dict[str, Any] = {
    "dump": {"type": "dict", "options": DUMP},
    "csv": {
        "type": "dict",
        "options": {
            "accounts": {"type": "path", "required": True},
            "aliases": {"type": "path"},
            "forwards": {"type": "path"},
            "lists": {"type": "path"},
            "domains": {"type": "path"},
            "encoding": {"type": "str", "choices": list(ENCODINGS), "default": ENCODINGS[0]},
            "delimiter": {"type": "str", "choices": ["auto", *DELIMITERS], "default": "auto"},
            "vault_password": {"type": "str", "no_log": True},
        },
    },
}
#: What every module that reads a source takes, and the rules between these options.
SOURCE: dict[str, Any] = {
    **CONNECTION,
    "database": {**CONNECTION["database"], "required": False},
    **FILES,
    **PGP,
}
ONE_SOURCE = [["database", "dump", "csv"]]
SOURCE_RULES: dict[str, Any] = {
    "required_one_of": ONE_SOURCE,
    "mutually_exclusive": [*ONE_SOURCE, ["dump", "ssh"], ["csv", "ssh"]],
}
#: What every module that has to do with a snapshot takes.
SNAPSHOT: dict[str, Any] = {
    "snapshot": {"type": "path", "required": True},
    "vault_password": {"type": "str", "required": True, "no_log": True},
    "ignore_account_errors": {"type": "bool", "default": False},
}
DATABASE_PROFILE: dict[str, Any] = {
    "profile": {"type": "str", "choices": ["atmail", "postfixadmin"], "default": "atmail"}
}
SOURCE_PROFILE: dict[str, Any] = {
    "profile": {"type": "str", "choices": ["atmail", "csv", "postfixadmin"], "default": "atmail"}
}
IMAP: dict[str, Any] = {
    "imap": {
        "type": "dict",
        "options": {
            **LOGIN,
            **PROTOCOL,
            **POP3_OPTIONS,
            "max_connections": {"type": "int", "default": 4},
            "max_connections_per_account": {"type": "int", "default": 4},
            "keepalive": {"type": "float", "default": 60.0},
            "timeout": {"type": "float", "default": 30.0},
        },
    },
    "source_passwords": {
        "type": "dict",
        "no_log": False,
        "options": password_list.OPTIONS,
        **password_list.RULES,
    },
}
ESCROW: dict[str, Any] = {
    "state": {"type": "str", "choices": ["escrowed", "reinstated"], "required": True},
    "escrow": {"type": "path", "required": True},
    "vault_password": {"type": "str", "required": True, "no_log": True},
    "vault_id": {"type": "str"},
    "accounts": {"type": "list", "elements": "str", "default": []},
    "stored_as": {"type": "str", "choices": list(FORMS)},
    "forget": {"type": "str", "choices": ["sealed", "removed"], "default": "sealed"},
    "allow_missing": {"type": "float", "default": 0.2},
    "moved": {"type": "bool", "default": False},
}
TENANT: dict[str, Any] = {
    "profile": {"type": "str", "choices": ["cloud", "postfixadmin"], "default": "cloud"},
    "subscription": {"type": "str", "required": True},
    "region": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
}
APPLY: dict[str, Any] = {
    "profile": {"type": "str", "choices": ["cloud", "postfixadmin"], "default": "cloud"},
    "subscription": {"type": "str", "required": True},
    "region": {"type": "str", "required": True},
    "on_conflict": {"type": "str", "choices": list(POLICIES), "default": "replace"},
    "on_password_conflict": {
        "type": "str",
        "choices": list(POLICIES),
        "default": "keep_and_warn",
        "no_log": False,
    },
    "phase": {"type": "str", "choices": list(PHASES), "default": "mirror"},
    "on_conflicts": {
        "type": "dict",
        "default": {},
        "options": {word: {"type": "str", "choices": list(POLICIES), "no_log": False} for word in WORDS},
    },
    "allow_removals": {"type": "float", "default": 0.2},
    "allow_removals_below": {"type": "int", "default": 10},
    "password_scheme": {"type": "str", "choices": list(HASHES), "default": HASHES[0], "no_log": False},
    "mailbox_server": {"type": "str", "default": ""},
    "mailbox_type": {"type": "str", "default": "mdbox"},
}


def csv_files(params: Mapping[str, Any]) -> CsvFiles | None:
    """The option ``csv``, None when it is not given. Raises InputError when it does not go with the profile."""
    given, names = params.get("csv"), overrides(params)
    if (params["profile"] == PROFILE) != bool(given):
        raise InputError(f"the option csv and the profile {PROFILE} go together", option="profile")
    if not given:
        return None
    how = Reading(
        encoding=given["encoding"],
        delimiter=DELIMITERS.get(given["delimiter"]),
        names=names.columns,
        keys=pgp_keys(params),
        vault_password=given.get("vault_password"),
    )
    paths = {kind: Path(given[kind]) for kind in FILE_KINDS if given.get(kind)}
    for what, unknown in (("tables", set(names.tables)), ("columns", set(names.columns) - set(paths))):
        if unknown:
            message = f"overrides.{what} has {', '.join(sorted(unknown))}, which is no file that is given"
            raise InputError(message, option=f"overrides.{what}")
    return CsvFiles(paths, how, names.settings.get("password_type", ""))


def wish(params: Mapping[str, Any]) -> Wish:
    """What to do where somebody else changed the target. Raises InputError for a share that is none."""
    share = params["allow_removals"]
    if not 0 <= share <= 1:
        raise InputError("it is a share: between 0 and 1", option="allow_removals")
    given = {word: policy for word, policy in (params.get("on_conflicts") or {}).items() if policy}
    return Wish(
        params["subscription"],
        params["on_conflict"],
        params["on_password_conflict"],
        given,
        share,
        params["allow_removals_below"],
        params["phase"],
    )


def place(params: Mapping[str, Any]) -> Place:
    """Where on the target a customer goes."""
    names = ("subscription", "region", "password_scheme", "mailbox_server", "mailbox_type")
    return Place(**{name: params[name] for name in names})


def imap_server(params: Mapping[str, Any]) -> ImapServer | None:
    """The option ``imap``, None when it is not given.

    :raises InputError: options that do not fit together.
    :raises EscrowError: the list of passwords is an escrow that can't be used.
    """
    if not params.get("imap"):
        return None
    given = checked("imap", params["imap"])
    passwords = password_list.from_options(params.get("source_passwords"), "source_passwords")
    if not passwords and not given.get("admin_user") and not any(given.get(option) for option in TOKENS):
        message = (
            "mailboxes are measured by an admin user, by a token that serves them all, or with a list of passwords"
        )
        raise InputError(message, option="imap.admin_user")
    known = {key: value for key, value in given.items() if key in ImapServer.__dataclass_fields__}
    return ListedServer("imap", **known, passwords=passwords)
