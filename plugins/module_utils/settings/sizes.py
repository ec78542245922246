# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How much mail each account has, asked by IMAP: one LIST and one STATUS per folder (RFC 9051, 6.3.11; RFC 8438).

Only what an assessment needs; copying mail is another package's work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..errors import AuthError, InputError, MigrationError, MissingLibraryError, ProtocolError, TlsError
from ..transport.tcp import socket_error, tls_context
from .extract import shown

IMAPCLIENT_WANTED = "3.0"
# A wrong master password must not be tried once for every account: some servers would lock them all.
_TRIES = 3


@dataclass(frozen=True)
class ImapServer:
    """An IMAP server and a master user on it. ``timeout`` in seconds; ``method`` is ``separator`` or ``sasl_plain``."""

    host: str
    admin_user: str
    admin_password: str = field(repr=False)
    port: int = 993
    security: str = "tls"
    validate_certs: bool = True
    ca_path: str | None = None
    method: str = "separator"
    separator: str = "*"
    connections: int = 4
    timeout: float = 30


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
    with ThreadPoolExecutor(max_workers=max(1, server.connections)) as pool:
        found.update(zip(rest, pool.map(lambda name: _try(server, name), rest), strict=True))
    return found


def _try(server: ImapServer, user: str) -> MailboxSize | Refusal:
    """The server has answered before: what goes wrong now is about this account."""
    try:
        return _measure(server, user)
    except MigrationError as error:
        return Refusal(error.message, error.kind)


def _measure(server: ImapServer, user: str) -> MailboxSize | Refusal:
    library = _library()
    try:
        with _session(server, library) as client:
            try:
                _log_in(client, server, user)
            except library.exceptions.LoginError as error:
                return _not_let_in(str(error))
            return _count(client)
    except MigrationError:
        raise
    except library.exceptions.IMAPClientError as error:
        return Refusal(shown(str(error)), "server_error")
    except OSError as error:
        raise socket_error(error, server.host, server.port) from error


def _not_let_in(message: str) -> Refusal:
    """Dovecot hangs up on accounts that its user database does not know; RFC 5530 has a code for its own trouble."""
    if "socket error" in message:
        return Refusal("the server hung up at log-in, as it does for an account without a mailbox")
    return Refusal(shown(message), "server_error" if "[UNAVAILABLE]" in message else "mailbox_missing")


@contextlib.contextmanager
def _session(server: ImapServer, library: Any) -> Iterator[Any]:
    if server.security not in ("tls", "starttls", "plain"):
        raise InputError(f"security {server.security!r} is not known", option="imap.security")
    context = tls_context(server.ca_path)
    if not server.validate_certs:
        context.check_hostname = False
        context.verify_mode = library.tls.ssl.CERT_NONE
    implicit = server.security == "tls"
    try:
        client = library.IMAPClient(
            server.host,
            port=server.port,
            ssl=implicit,
            ssl_context=context if implicit else None,
            timeout=server.timeout,
        )
    except library.exceptions.IMAPClientError as error:
        raise ProtocolError(f"this is no IMAP server: {shown(str(error))}", server=server.host) from error
    try:
        if server.security == "starttls":
            _start_tls(client, context, library, server)
        yield client
    finally:
        with contextlib.suppress(OSError, library.exceptions.IMAPClientError):
            client.logout()


def _start_tls(client: Any, context: Any, library: Any, server: ImapServer) -> None:
    try:
        client.starttls(context)
    except library.exceptions.IMAPClientError as error:
        raise TlsError("the IMAP server offers no STARTTLS", server=f"{server.host}:{server.port}") from error


def _log_in(client: Any, server: ImapServer, user: str) -> None:
    if server.method == "sasl_plain":
        client.plain_login(server.admin_user, server.admin_password, user)
    else:
        client.login(f"{user}{server.separator}{server.admin_user}", server.admin_password)


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


def _library() -> Any:
    try:
        import imapclient
        import imapclient.exceptions
        import imapclient.tls
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library imapclient (>= {IMAPCLIENT_WANTED}) is missing: {error}", library="imapclient"
        ) from error
    return imapclient
