# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where a CalDAV and CardDAV server is and how one gets in: the options, as plain specs and as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ...courtesy import Courtesy
from ...domain_names import a_labels
from ...errors import InputError
from ...transport.http import DEFAULT_PORTS
from ...transport.http_auth import AUTH_METHODS
from ...transport.tcp import SAFE_TLS, TLS_VERSIONS

#: The ways in which an admin user reaches other users' collections.
ADMIN_METHODS = ("separator", "direct", "authorize_as")
#: Where a token for all accounts comes from.
TOKENS = ("oauth_token", "oauth_token_file", "oauth_token_command")
#: What stands for the account's user in a template.
USER = "{user}"

#: What such a server takes, as an AnsibleModule's argument_spec.
OPTIONS: dict[str, dict[str, Any]] = {
    "url": {"type": "str", "required": True},
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
    "principal": {"type": "str"},
    "trusted_hosts": {"type": "list", "elements": "str"},
    "dns_servers": {"type": "list", "elements": "str"},
    "max_connections": {"type": "int", "default": 20},
    "timeout": {"type": "float", "default": 60.0},
}


@dataclass(frozen=True)
class WebServer:
    """A CalDAV and CardDAV server, and how to get in.

    ``name`` is ``source`` or ``target``. ``url`` is its address, or a domain whose SRV records name it (RFC 6764).
    ``principal`` is the address of a user's principal or home, with ``{user}`` in it, where it is not to be asked for.
    ``timeout`` is in seconds. ``courtesy`` is what a run's processes know of this server together, None outside of one.
    """

    name: str
    url: str
    allow_plaintext: bool = False
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
    principal: str | None = None
    trusted_hosts: frozenset[str] = frozenset()
    dns_servers: tuple[str, ...] = ()
    max_connections: int = 20
    timeout: float = 60.0
    courtesy: Courtesy | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, Any]) -> WebServer:
        """The side ``name`` from the module's options.

        :raises InputError: options that do not fit together, or that are not safe without being asked for twice.
        """
        given = {key: value for key, value in options.items() if value is not None and key in cls.__dataclass_fields__}
        given["url"] = _address(name, str(given.get("url") or "").strip())
        given["trusted_hosts"] = frozenset(_host(name, one) for one in given.get("trusted_hosts", ()))
        for key in ("oauth_token_command", "dns_servers"):
            given[key] = tuple(str(part) for part in given.get(key, ()))
        found = cls(name, **given)
        for option, message in _wrong(found):
            raise InputError(message, option=f"{name}.{option}")
        return found

    @property
    def domain(self) -> str | None:
        """The domain that SRV records are asked of; None when the address itself is known."""
        return None if "://" in self.url else self.url

    @property
    def place(self) -> dict[str, str]:
        """Where this is, for errors."""
        return {"server": f"{self.name} {self.domain or urlsplit(self.url).netloc}"}


def _address(name: str, url: str) -> str:
    """The address with its host in the form that DNS has; a domain stays one."""
    option = f"{name}.url"
    if not url:
        raise InputError("the address of the CalDAV and CardDAV server is missing", option=option)
    if "://" not in url:
        if "/" in url or ":" in url:
            raise InputError("give https://… or a domain alone", option=option)
        return _host(name, url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"this is no address: {error}", option=option) from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise InputError("the address must begin with https:// and a host", option=option)
    if parts.username is not None or parts.password is not None:
        raise InputError("no user or password in the address: other options are for them", option=option)
    shown = f"[{host}]" if ":" in host else _host(name, host)
    port_part = f":{port}" if port and port != DEFAULT_PORTS[parts.scheme] else ""
    return f"{parts.scheme}://{shown}{port_part}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def _host(name: str, host: str) -> str:
    try:
        return a_labels(host)
    except ValueError as error:
        raise InputError(f"{host} is no host name: {error}", option=f"{name}.url") from error


def _wrong(server: WebServer) -> list[tuple[str, str]]:
    """The options that are wrong, each with the reason."""
    tokens = [option for option in TOKENS if getattr(server, option)]
    admin = server.admin_user
    rules = (
        (
            server.url.startswith("http://") and not server.allow_plaintext,
            "url",
            "http:// sends passwords and data in clear text; it needs allow_plaintext: true",
        ),
        (bool(admin) and not server.admin_password, "admin_password", "admin_user needs admin_password"),
        (bool(server.admin_password) and not admin, "admin_user", "admin_password needs admin_user"),
        (
            bool(admin) and server.admin_method == "direct" and not server.principal,
            "principal",
            "admin_method: direct needs principal: the server would name the admin user's own otherwise",
        ),
        (
            bool(server.principal) and USER not in str(server.principal),
            "principal",
            f"principal needs {USER} in it: each account has its own",
        ),
        (server.max_connections < 1, "max_connections", "max_connections must be 1 or more"),
        (server.timeout <= 0, "timeout", "timeout must be more than 0 seconds"),
        (
            server.name == "target" and TLS_VERSIONS[server.min_tls] < TLS_VERSIONS[SAFE_TLS],
            "min_tls",
            f"only an old source may use a TLS below {SAFE_TLS}; a target must not",
        ),
        (len(tokens) > 1, tokens[-1] if tokens else "", f"give one of {', '.join(tokens)} only"),
        (bool(tokens) and server.auth != "bearer", tokens[0] if tokens else "", "a token needs auth: bearer"),
        (bool(admin) and server.auth == "bearer", "admin_user", "auth: bearer and an admin user do not go together"),
    )
    return [(option, message) for holds, option, message in rules if holds]
