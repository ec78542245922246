# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One side of a migration: an IMAP server, and what it offers beside IMAP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..courtesy import Courtesy
from ..errors import InputError
from ..transport.imap import ImapServer, checked


@dataclass(frozen=True)
class Server(ImapServer):
    """One side of a migration; ``name`` is ``source`` or ``target``."""

    doveadm_url: str | None = None
    doveadm_api_key: str | None = field(default=None, repr=False)
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
        if given.get("doveadm_url") and not given.get("doveadm_api_key"):
            raise InputError("doveadm_url needs doveadm_api_key", option=f"{name}.doveadm_api_key")
        for option in ("max_connections_per_account", "keepalive"):
            if given.get(option, 0) < 0:
                raise InputError(f"{option} can't be negative; 0 means none", option=f"{name}.{option}")
        return cls(name, **{key: value for key, value in given.items() if key in cls.__dataclass_fields__})
