# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""OAuth 2.0 access tokens: given, read from a file that somebody keeps fresh, or fetched by a command.

A token lives for an hour or so, a migration for days. A token that the server refuses is asked for anew, and tried
again only when the new one is another one: no credential is ever tried twice.
"""

from __future__ import annotations

import re
import subprocess
import threading
from pathlib import Path
from typing import Protocol

from ..errors import InputError
from ..tasks import Account

#: RFC 6750 section 2.1.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/\-]+=*")
_MAX_TOKEN = 64 * 1024
_COMMAND_SECONDS = 60.0
#: What stands for the mailbox's user in a command or a file's name.
USER = "{user}"


class TokenServer(Protocol):
    """What a server's options say of tokens; ``name`` is ``source`` or ``target``."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def auth(self) -> str: ...  # noqa: D102
    @property
    def oauth_token(self) -> str | None: ...  # noqa: D102
    @property
    def oauth_token_file(self) -> str | None: ...  # noqa: D102
    @property
    def oauth_token_command(self) -> tuple[str, ...]: ...  # noqa: D102


_fetched: dict[tuple[str, ...], str] = {}
_lock = threading.Lock()


def token_for(server: TokenServer, account: Account) -> str:
    """The token to log in with; a command is run once for all mailboxes that it serves.

    :raises InputError: there is none, the file can't be read, or the command failed.
    """
    if account.password is not None:
        return _checked(account.password, f"mailboxes.{server.name}_password")
    if server.oauth_token is not None:
        return _checked(server.oauth_token, f"{server.name}.oauth_token")
    if server.oauth_token_file is not None:
        return _from_file(server, account)
    if server.oauth_token_command:
        return _from_command(server, account, refused=None)
    raise InputError(
        f"no token for {account.user}: auth {server.auth} takes the mailbox's {server.name}_password for it, or "
        "oauth_token, oauth_token_file or oauth_token_command",
        option=f"{server.name}.oauth_token",
        account=account.user,
    )


def renewed(server: TokenServer, account: Account, refused: str) -> str | None:
    """Another token than the one that the server refused, None when there is none.

    :raises InputError: as for :func:`token_for`.
    """
    if account.password is not None or server.oauth_token is not None:
        return None
    if server.oauth_token_file is not None:
        token = _from_file(server, account)
    else:
        token = _from_command(server, account, refused=refused)
    return token if token != refused else None


def _from_file(server: TokenServer, account: Account) -> str:
    path = Path(str(server.oauth_token_file).replace(USER, account.user))
    option = f"{server.name}.oauth_token_file"
    if "/" in account.user and USER in str(server.oauth_token_file):
        raise InputError("a user with a slash in its name can't stand in a file's name", option=option)
    try:
        with path.expanduser().open(encoding="utf-8") as file:
            text = file.read(_MAX_TOKEN)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InputError(f"the token file {path} cannot be read: {reason}", option=option) from error
    return _checked(text.strip(), option)


def _from_command(server: TokenServer, account: Account, refused: str | None) -> str:
    """The token that is known, unless that is the refused one; then the command is run. One thread at a time does."""
    command = tuple(part.replace(USER, account.user) for part in server.oauth_token_command)
    with _lock:
        known = _fetched.get(command)
        if known is None or known == refused:
            known = _fetched[command] = _run(command, f"{server.name}.oauth_token_command")
        return known


def _run(command: tuple[str, ...], option: str) -> str:
    """What the command prints; never shown, and nor is what it says on standard error: both may be secret."""
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command, run without a shell
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{command[0]} gave no token within {_COMMAND_SECONDS:.0f} seconds", option=option) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{command[0]} cannot be run: {error}", option=option) from error
    if done.returncode != 0:
        raise InputError(
            f"{command[0]} gave no token: it ended with status {done.returncode}; run it by hand to see why",
            option=option,
        )
    return _checked(done.stdout[:_MAX_TOKEN].decode("ascii", "replace").strip(), option)


def _checked(token: str, option: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise InputError("this is no OAuth access token: it is empty or holds other characters", option=option)
    return token
