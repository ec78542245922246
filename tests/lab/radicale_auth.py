# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log in to the lab's Radicale: a plugin that Radicale loads (`[auth] type`), not used by anything else.

Passwords are those of the accounts: an IMAP server says whether they are right, or a JSON file (`lab_people`) where the
server has accounts of its own. Besides, there is an administrator, in both ways in which DAV servers know one: the name
`admin` is a user with rights on everybody's collections, and `ann*admin` is Ann.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from pathlib import Path

from radicale import config
from radicale.auth import imap

SEPARATOR = "*"
#: Seconds for which a password that was right counts without asking again: every request brings one.
_REMEMBERED = 15.0


class Auth(imap.Auth):
    """Radicale's own log-in by IMAP, and what the lab needs besides."""

    def __init__(self, configuration: config.Configuration) -> None:
        super().__init__(configuration)
        self._people = Path(str(configuration.get("auth", "lab_people")))
        self._salt = secrets.token_bytes(16)
        self._known: dict[tuple[str, bytes], float] = {}

    def _login(self, login: str, password: str) -> str:
        """The user that they mean, empty where the password is wrong."""
        told = json.loads(self._people.read_text())
        admin: tuple[str, str] = (told["admin_user"], told["admin_password"])
        if (login, password) == admin:
            return login
        user, _separator, behalf = login.partition(SEPARATOR)
        if not told["imap"]:
            right = (behalf, password) == admin if behalf else told["users"].get(user) == password
            return user if right and user in told["users"] else ""
        mark = (login, hashlib.sha256(self._salt + password.encode()).digest())
        if time.monotonic() < self._known.get(mark, 0.0):
            return user
        if not super()._login(login, password):
            return ""
        self._known[mark] = time.monotonic() + _REMEMBERED
        return user
