# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A log-in to an IMAP server by IMAPClient: TLS, the ways of an admin user, and what a failure means.

RFC 3501 section 6.2, RFC 4616 (SASL PLAIN with an authorization identity), RFC 5530 (response codes).
"""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import (
    AuthError,
    ConnectError,
    ConnectionLostError,
    InputError,
    MigrationError,
    MissingLibraryError,
    ProtocolError,
    ThrottledError,
    TlsError,
)
from .tcp import socket_error, tls_context

if TYPE_CHECKING:
    from imapclient import IMAPClient

DEFAULT_PORTS = {"tls": 993, "starttls": 143, "plain": 143}
#: The ways in which an admin user logs in as another user.
ADMIN_METHODS = ("separator", "sasl_plain", "proxyauth")


@dataclass(frozen=True)
class ImapServer:
    """Where an IMAP server is and how to get in. ``name`` is said in errors; ``timeout`` is in seconds."""

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

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"

    @property
    def place(self) -> dict[str, str]:
        """Where this is, for errors."""
        return {"server": f"{self.name} {self.address}"}


@dataclass(frozen=True)
class Account:
    """A user on a server; the password is not needed where the server has an admin user."""

    user: str
    password: str | None = field(default=None, repr=False)


def checked(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the IMAP server ``name`` that are given, its default port among them.

    :raises InputError: ``security: plain`` without ``allow_plaintext``, an admin user without a password, or no
        connection at all.
    """
    given = {key: value for key, value in options.items() if value is not None}
    given.setdefault("port", DEFAULT_PORTS[str(given.get("security", "tls"))])
    if given.get("security") == "plain" and not given.get("allow_plaintext"):
        raise InputError(
            "security: plain sends passwords and mail in clear text; it needs allow_plaintext: true",
            option=f"{name}.security",
        )
    if given.get("admin_user") and not given.get("admin_password"):
        raise InputError("admin_user needs admin_password", option=f"{name}.admin_password")
    if int(given.get("max_connections", 1)) < 1:
        raise InputError("max_connections must be 1 or more", option=f"{name}.max_connections")
    return given


def log_in(server: ImapServer, account: Account) -> IMAPClient:
    """A client that is logged in as the account; the password is tried once.

    :raises ConnectError: unknown host, closed port, no answer in time, or a server that hangs up.
    :raises TlsError: the certificate is not to be trusted, or STARTTLS is not offered.
    :raises AuthError: the server refused the log-in.
    :raises ThrottledError: the server can't log anybody in just now.
    """
    if account.password is None and server.admin_user is None:
        raise InputError(
            f"no password for {account.user} and no admin user for the {server.name}",
            option=f"mailboxes.{server.name}_password",
            account=account.user,
        )
    try:
        from imapclient import IMAPClient
    except ImportError as error:
        raise MissingLibraryError("the Python library imapclient (3.0 or later) is not installed") from error
    client: IMAPClient | None = None
    try:
        client = _open(IMAPClient, server)
        _log_in(client, server, account)
        client.capabilities()  # what counts from here on, kept by the client
    except MigrationError as error:
        _abandon(client)
        raise error.at(**server.place) from error
    except OSError as error:
        _abandon(client)
        found = socket_error(error, server.host, server.port)
        found.where.update(server.place)
        raise found from error
    except imaplib.IMAP4.abort as error:
        _abandon(client)
        raise ConnectionLostError(f"the server hung up before the log-in: {error}", **server.place) from error
    except imaplib.IMAP4.error as error:
        _abandon(client)
        raise ProtocolError(f"{server.address} does not speak IMAP to us: {error}", **server.place) from error
    return client


def _open(factory: type[IMAPClient], server: ImapServer) -> IMAPClient:
    context = _context(server) if server.security != "plain" else None
    client = factory(
        server.host,
        port=server.port,
        ssl=server.security == "tls",
        ssl_context=context if server.security == "tls" else None,
        timeout=server.timeout,
    )
    if server.security == "starttls":
        if not client.has_capability("STARTTLS"):
            _abandon(client)
            raise TlsError("the server does not offer STARTTLS, and security: starttls never goes on in clear text")
        client.starttls(context)
    return client


def _context(server: ImapServer) -> ssl.SSLContext:
    try:
        context = tls_context(server.ca_path)
    except InputError as error:
        error.where["option"] = f"{server.name}.ca_path"
        raise
    if not server.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _log_in(client: IMAPClient, server: ImapServer, account: Account) -> None:
    """Log in as the account, or as the admin user on its behalf (``admin_method``)."""
    user, password, behalf = account.user, account.password or "", ""
    if server.admin_user is not None:
        password = server.admin_password or ""
        user = server.admin_user
        if server.admin_method == "separator":
            user = f"{account.user}{server.admin_separator}{server.admin_user}"
        elif server.admin_method == "sasl_plain":
            behalf = account.user
    try:
        _authenticate(client, user, password, behalf)
        if server.admin_user is not None and server.admin_method == "proxyauth":
            _proxyauth(client, account.user)
    except (AuthError, ConnectError) as error:
        raise error.at(account=account.user) from error


def _authenticate(client: IMAPClient, user: str, password: str, behalf: str) -> None:
    from imapclient.exceptions import IMAPClientAbortError, LoginError

    plain_text = (user + password).isascii() and not any(char in "\r\n\0" for char in user + password)
    try:
        if behalf or (client.has_capability("AUTH=PLAIN") and not plain_text):
            client.plain_login(user, password, behalf or None)
        elif client.has_capability("LOGINDISABLED"):
            raise AuthError("the server allows no log-in on this connection (LOGINDISABLED); use tls or starttls")
        elif not plain_text:
            raise AuthError(
                "the password holds characters that this server's LOGIN can't take, and it has no AUTH=PLAIN"
            )
        else:
            client.login(user, password)
    except LoginError as error:
        said = str(error)
        if isinstance(error.__context__, IMAPClientAbortError):
            raise AuthError(
                f"the server hung up at the log-in, which is how some say that there is no such account: {said}"
            ) from error
        if "[UNAVAILABLE]" in said or "[INUSE]" in said or "[LIMIT]" in said:
            raise ThrottledError(f"the server can't log anybody in just now: {said}") from error
        refused = AuthError(f"the server refused the log-in: {said}")
        refused.credentials = "[AUTHORIZATIONFAILED]" not in said
        raise refused from error
    except IMAPClientAbortError as error:
        raise ConnectionLostError(f"the server hung up at the log-in: {error}") from error


def _proxyauth(client: IMAPClient, user: str) -> None:
    """``PROXYAUTH user`` as Sun/Oracle, Netscape and Zimbra servers know it."""
    imap: Any = client._imap  # noqa: SLF001 - IMAPClient has no PROXYAUTH of its own
    status, data = imap.xatom("PROXYAUTH", imap._quote(user))  # noqa: SLF001
    if status != "OK":
        raise AuthError(f"the server refused PROXYAUTH: {data!r:.200}")


def _abandon(client: IMAPClient | None) -> None:
    if client is not None:
        with contextlib.suppress(Exception):
            client.shutdown()
