# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How much mail each account has, asked by IMAP: one LIST and one STATUS per folder (RFC 9051, 6.3.11; RFC 8438).

Only what an assessment needs; copying mail is another package's work.
"""

from __future__ import annotations

import contextlib
import imaplib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..errors import AuthError, MigrationError, ThrottledError
from ..transport.imap import Account, ImapServer, log_in
from ..transport.tcp import socket_error
from .extract import shown

# A wrong master password must not be tried once for every account: some servers would lock them all.
_TRIES = 3


@dataclass(frozen=True)
class MailboxSize:
    """What an account holds. ``bytes`` is None on a server that does not say (no STATUS=SIZE)."""

    folders: int
    messages: int
    bytes: int | None


@dataclass(frozen=True)
class Refusal:
    """Why an account's mailbox could not be looked at, in the server's words where it had some."""

    message: str
    kind: str = "mailbox_missing"


def measure(server: ImapServer, users: Iterable[str]) -> dict[str, MailboxSize | Refusal]:
    """Sizes by user. A user that the server does not let in becomes a :class:`Refusal`.

    Raises AuthError when the first three users are all refused (the master password is wrong, then), and the errors of
    connecting, TLS and missing libraries.
    """
    names = list(users)
    found: dict[str, MailboxSize | Refusal] = {}
    for name in names[:_TRIES]:
        found[name] = _measure(server, name)
        if isinstance(found[name], MailboxSize):
            break
    else:
        if names:
            said = next(each.message for each in found.values() if isinstance(each, Refusal))
            message = f"the IMAP server refused the master user {server.admin_user} for {len(found)} accounts: {said}"
            raise AuthError(message, server=f"{server.host}:{server.port}")
    rest = [name for name in names if name not in found]
    with ThreadPoolExecutor(max_workers=max(1, server.max_connections)) as pool:
        found.update(zip(rest, pool.map(lambda name: _try(server, name), rest), strict=True))
    return found


def _try(server: ImapServer, user: str) -> MailboxSize | Refusal:
    """The server has answered before: what goes wrong now is about this account."""
    try:
        return _measure(server, user)
    except MigrationError as error:
        return Refusal(error.message, error.kind)


def _measure(server: ImapServer, user: str) -> MailboxSize | Refusal:
    try:
        client = log_in(server, Account(user))
    except AuthError as error:
        return Refusal(shown(error.message))
    except ThrottledError as error:
        return Refusal(shown(error.message), error.kind)
    try:
        return _count(client)
    except imaplib.IMAP4.error as error:
        return Refusal(shown(str(error)), "server_error")
    except OSError as error:
        raise socket_error(error, server.host, server.port) from error
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            client.logout()


def _count(client: Any) -> MailboxSize:
    with_size = client.has_capability("STATUS=SIZE")
    items = ["MESSAGES", "SIZE"] if with_size else ["MESSAGES"]
    folders = messages = size = 0
    for flags, _separator, name in client.list_folders():
        if {b"\\noselect", b"\\nonexistent"} & {flag.lower() for flag in flags}:
            continue
        status = client.folder_status(name, items)
        folders += 1
        messages += status.get(b"MESSAGES", 0)
        size += status.get(b"SIZE", 0)
    return MailboxSize(folders, messages, size if with_size else None)
