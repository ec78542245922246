# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where an IMAP server is and how one gets in: the options, as plain specs and as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from .tcp import SAFE_TLS, TLS_VERSIONS

#: What a mailbox is read by; a source may have POP3 only (:mod:`pop`).
IMAP, POP3 = "imap", "pop3"
DEFAULT_PORTS = {
    IMAP: {"tls": 993, "starttls": 143, "plain": 143},
    POP3: {"tls": 995, "starttls": 110, "plain": 110},
}
SECURITY = ("tls", "starttls", "plain")
#: The ways in which an admin user logs in as another user.
ADMIN_METHODS = ("separator", "sasl_plain", "proxyauth")
#: How a user proves who he is; `preauth` is for a server that knows it by itself.
AUTH_METHODS = ("auto", "login", "plain", "xoauth2", "oauthbearer", "preauth")
#: Those that take a token instead of a password.
OAUTH = ("xoauth2", "oauthbearer")
COMPRESS = ("auto", "always", "never")
#: Where a token for all mailboxes comes from.
TOKENS = ("oauth_token", "oauth_token_file", "oauth_token_command")

#: What every IMAP server takes, as an AnsibleModule's argument_spec.
OPTIONS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "security": {"type": "str", "choices": list(SECURITY), "default": "tls"},
    "allow_plaintext": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "min_tls": {"type": "str", "choices": list(TLS_VERSIONS), "default": SAFE_TLS},
    "auth": {"type": "str", "choices": list(AUTH_METHODS), "default": "auto"},
    "oauth_token": {"type": "str", "no_log": True},
    "oauth_token_file": {"type": "path", "no_log": False},
    "oauth_token_command": {"type": "list", "elements": "str", "no_log": False},
    "admin_user": {"type": "str"},
    "admin_password": {"type": "str", "no_log": True},
    "admin_method": {"type": "str", "choices": list(ADMIN_METHODS), "default": "separator"},
    "admin_separator": {"type": "str", "default": "*"},
    "compress": {"type": "str", "choices": list(COMPRESS), "default": "auto"},
    "max_connections": {"type": "int", "default": 20},
    "timeout": {"type": "float", "default": 120.0},
}
#: What a source takes besides.
PROTOCOL: dict[str, dict[str, Any]] = {"protocol": {"type": "str", "choices": [IMAP, POP3], "default": IMAP}}
#: Where the POP3 server beside it is.
POP3_OPTIONS: dict[str, dict[str, Any]] = {
    "pop3_host": {"type": "str"},
    "pop3_port": {"type": "int"},
    "pop3_security": {"type": "str", "choices": list(SECURITY)},
}


@dataclass(frozen=True)
class ImapServer:
    """Where a mail server is and how to get in. ``name`` is said in errors; ``timeout`` is in seconds."""

    name: str
    host: str
    port: int = 993
    security: str = "tls"
    validate_certs: bool = True
    ca_path: str | None = None
    min_tls: str = SAFE_TLS
    auth: str = "auto"
    oauth_token: str | None = field(default=None, repr=False)
    oauth_token_file: str | None = None
    oauth_token_command: tuple[str, ...] = ()
    admin_user: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    admin_method: str = "separator"
    admin_separator: str = "*"
    compress: str = "auto"
    max_connections: int = 20
    timeout: float = 120.0
    protocol: str = IMAP

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"

    @property
    def place(self) -> dict[str, str]:
        """Where this is, for errors."""
        return {"server": f"{self.name} {self.address}"}


def checked(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the mail server ``name`` that are given, its default port among them.

    :raises InputError: options that do not fit together, or that are not safe without being asked for twice.
    """
    given = {key: value for key, value in options.items() if value is not None}
    given.setdefault("port", DEFAULT_PORTS[given.get("protocol", IMAP)][given.get("security", "tls")])
    if "oauth_token_command" in given:
        given["oauth_token_command"] = tuple(str(part) for part in given["oauth_token_command"])
    for option, message in _wrong(name, given):
        raise InputError(message, option=f"{name}.{option}")
    return given


def _wrong(name: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options that are wrong, each with the reason."""
    auth, admin = given.get("auth", "auto"), given.get("admin_user")
    tokens = [option for option in TOKENS if given.get(option)]
    minimum = str(given.get("min_tls", SAFE_TLS))
    rules = (
        (
            given.get("security") == "plain" and not given.get("allow_plaintext"),
            "security",
            "security: plain sends passwords and mail in clear text; it needs allow_plaintext: true",
        ),
        (bool(admin) and not given.get("admin_password"), "admin_password", "admin_user needs admin_password"),
        (int(given.get("max_connections", 1)) < 1, "max_connections", "max_connections must be 1 or more"),
        (float(given.get("timeout", 1)) <= 0, "timeout", "timeout must be more than 0 seconds"),
        (
            name == "target" and TLS_VERSIONS[minimum] < TLS_VERSIONS[SAFE_TLS],
            "min_tls",
            f"only an old source may use a TLS below {SAFE_TLS}; a target must not",
        ),
        (len(tokens) > 1, tokens[-1] if tokens else "", f"give one of {', '.join(tokens)} only"),
        (
            bool(tokens) and auth not in OAUTH,
            tokens[0] if tokens else "",
            f"a token needs auth: {' or auth: '.join(OAUTH)}",
        ),
        (
            bool(admin) and auth in (*OAUTH, "preauth"),
            "admin_user",
            f"auth: {auth} and an admin user do not go together",
        ),
        (
            bool(admin) and given.get("admin_method") == "sasl_plain" and auth == "login",
            "auth",
            "admin_method: sasl_plain needs auth: plain or auth: auto",
        ),
    )
    return [(option, message) for holds, option, message in rules if holds]
