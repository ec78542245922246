# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The options of ``dkim_key``, and the values that they stand for."""

from __future__ import annotations

import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..transport.nameserver import parse_server
from .names import selector_name, signing_domain
from .plan import Wanted
from .published import Whom
from .store import Place
from .tables import Backend

#: Where Debian's packages keep such files.
FOLDERS: Mapping[Backend, str] = {
    "exim": "/etc/exim4/dkim",
    "opendkim": "/etc/dkimkeys",
    "rspamd": "/var/lib/rspamd/dkim",
}
_HOUR = 3600
_DAY = 24 * _HOUR

_SERVERS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}

OPTIONS: dict[str, Any] = {
    "customer": {"type": "str", "required": True},
    "domain": {"type": "str", "required": True},
    "selector": {"type": "str"},
    "selector_prefix": {"type": "str", "default": "atmail"},
    "type": {"type": "str", "choices": ["rsa", "ed25519"], "default": "rsa"},
    "bits": {"type": "int", "choices": [2048, 3072, 4096], "default": 2048},
    "state": {"type": "str", "choices": ["present", "rotated", "absent"], "default": "present"},
    "regenerate": {"type": "str", "choices": ["never", "if_weak", "always"], "default": "if_weak"},
    "sign": {"type": "str", "choices": ["published", "always", "never"], "default": "published"},
    "overlap_hours": {"type": "int", "default": 168},
    "max_age_days": {"type": "int", "default": 180},
    "ttl": {"type": "int", "default": 3600},
    "signer": {"type": "str", "choices": ["exim", "opendkim", "rspamd"], "default": "exim"},
    "directory": {"type": "path"},
    "signing_table": {"type": "path"},
    "key_table": {"type": "path"},
    "owner": {"type": "str"},
    "authoritative": _SERVERS,
    "resolvers": _SERVERS,
    "timeout": {"type": "float", "default": 5.0},
}


@dataclass(frozen=True)
class Request:
    """What is asked for: the domain, the key, where the signer is, and whom to ask about the record."""

    domain: str
    wanted: Wanted | None
    selector: str | None
    place: Place
    ttl: int
    whom: Whom


def request(params: Mapping[str, Any]) -> Request:
    """The options as values; ``wanted`` is None for ``state: absent``. Raises InputError."""
    domain = signing_domain(params["domain"])
    selector = selector_name(params["selector"], domain) if params["selector"] else None
    prefix = selector_name(params["selector_prefix"], domain, "selector_prefix")
    for option in ("overlap_hours", "max_age_days", "ttl"):
        if params[option] < 0:
            raise InputError(f"{option} can't be less than 0", option=option)
    wanted = None
    if params["state"] != "absent":
        wanted = Wanted(
            state=params["state"],
            selector=selector,
            type=params["type"],
            bits=params["bits"],
            regenerate=params["regenerate"],
            sign=params["sign"],
            overlap=params["overlap_hours"] * _HOUR,
            max_age=params["max_age_days"] * _DAY,
            prefix=prefix,
        )
    return Request(
        domain=domain,
        wanted=wanted,
        selector=selector,
        place=_place(params),
        ttl=params["ttl"],
        whom=Whom(
            authoritative=tuple(parse_server(each, option="authoritative") for each in params["authoritative"]),
            resolvers=tuple(parse_server(each, resolver=True) for each in params["resolvers"]),
            timeout=params["timeout"],
        ),
    )


def _place(params: Mapping[str, Any]) -> Place:
    folder = _path(params["directory"] or FOLDERS[params["signer"]], "directory")
    return Place(
        folder=folder,
        backend=params["signer"],
        signing_table=_path(params["signing_table"] or folder / "signing.table", "signing_table"),
        key_table=_path(params["key_table"] or folder / "key.table", "key_table"),
        owner=_owner(params["owner"]),
    )


def _path(given: str | Path, option: str) -> Path:
    """A path that can stand in a table as one word, and in a signer's configuration. Raises InputError."""
    path = Path(given)
    if not path.is_absolute() or any(sign.isspace() or sign in ":$\0\"'\\" for sign in str(path)):
        said = f"{str(path)!r} is no absolute path without white space, quotes, colons and dollars"
        raise InputError(said, option=option)
    return path


def _owner(name: str | None) -> tuple[int, int] | None:
    """The uid and gid of a user by name or number. Raises InputError."""
    if not name:
        return None
    try:
        found = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        if name.isdigit():
            return int(name), int(name)
        raise InputError(f"there is no user {name!r} where the module runs", option="owner") from None
    return found.pw_uid, found.pw_gid
