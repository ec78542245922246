# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One side of a migration: an IMAP server (a source may have POP3 only), and what it offers beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..courtesy import Courtesy
from ..errors import InputError
from ..transport.imap import POP3, ImapServer, checked


@dataclass(frozen=True)
class Server(ImapServer):
    """One side of a migration; ``name`` is ``source`` or ``target``."""

    doveadm_url: str | None = None
    doveadm_api_key: str | None = field(default=None, repr=False)
    pop3_host: str | None = None
    pop3_port: int | None = None
    pop3_security: str | None = None
    max_connections_per_account: int = 4
    keepalive: float = 60.0
    #: What a run's processes know of this server together; None outside of a run.
    courtesy: Courtesy | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, Any]) -> Server:
        """The side ``name`` from the module's options.

        :raises InputError: options that do not fit together.
        """
        given = checked(name, options)
        if given.get("pop3_security") == "plain" and not given.get("allow_plaintext"):
            raise InputError(
                "it sends passwords in clear text; that needs allow_plaintext: true", option=f"{name}.pop3_security"
            )
        if given.get("doveadm_url") and not given.get("doveadm_api_key"):
            raise InputError("doveadm_url needs doveadm_api_key", option=f"{name}.doveadm_api_key")
        for option in ("max_connections_per_account", "keepalive"):
            if given.get(option, 0) < 0:
                raise InputError(f"{option} can't be negative; 0 means none", option=f"{name}.{option}")
        return cls(name, **{key: value for key, value in given.items() if key in cls.__dataclass_fields__})

    def pop3(self) -> Server | None:
        """Where the side's POP3 server is, and how to get in; None when it is not known."""
        if self.protocol == POP3:
            return self
        if not self.pop3_port:
            return None
        return replace(
            self,
            protocol=POP3,
            host=self.pop3_host or self.host,
            port=self.pop3_port,
            security=self.pop3_security or self.security,
        )
