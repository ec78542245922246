# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The values that name a server and an account on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError

DEFAULT_PORTS = {"tls": 993, "starttls": 143, "plain": 143}


@dataclass(frozen=True)
class Server:
    """One side of a migration: where it is, how to get in, what it offers beside IMAP.

    ``name`` is ``source`` or ``target`` and is said in errors; ``timeout`` is in seconds.
    """

    name: str
    host: str
    port: int = 993
    security: str = "tls"
    validate_certs: bool = True
    ca_path: str | None = None
    admin_user: str | None = None
    admin_password: str | None = field(default=None, repr=False)
    admin_method: str = "separator"
    admin_separator: str = "*"
    max_connections: int = 20
    timeout: float = 120.0
    doveadm_url: str | None = None
    doveadm_api_key: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, Any]) -> Server:
        """The side ``name`` from the module's options.

        :raises InputError: ``security: plain`` without ``allow_plaintext``, or an admin user without a password.
        """
        known = {key: value for key, value in options.items() if value is not None and key in cls.__dataclass_fields__}
        known.setdefault("port", DEFAULT_PORTS[str(known.get("security", "tls"))])
        if known.get("security") == "plain" and not options.get("allow_plaintext"):
            raise InputError(
                "security: plain sends passwords and mail in clear text; it needs allow_plaintext: true",
                option=f"{name}.security",
            )
        if known.get("admin_user") and not known.get("admin_password"):
            raise InputError("admin_user needs admin_password", option=f"{name}.admin_password")
        if known.get("doveadm_url") and not known.get("doveadm_api_key"):
            raise InputError("doveadm_url needs doveadm_api_key", option=f"{name}.doveadm_api_key")
        if int(known.get("max_connections", 1)) < 1:
            raise InputError("max_connections must be 1 or more", option=f"{name}.max_connections")
        return cls(name=name, **known)


@dataclass(frozen=True)
class Account:
    """A user on a server; the password is not needed where the server has an admin user."""

    user: str
    password: str | None = field(default=None, repr=False)
