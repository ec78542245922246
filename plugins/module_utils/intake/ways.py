# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Ways to servers: SSH, databases and mail servers, tried as far as they go. A password is tried once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import (
    AuthError,
    ConnectError,
    HostKeyChangedError,
    HostKeyError,
    InputError,
    MigrationError,
    TlsError,
)
from ..mail.server import Server
from ..tasks import Account
from ..transport import pop
from ..transport.database import Database, DatabaseServer
from ..transport.imap import ImapServer
from ..transport.login import LogIn, log_in
from ..transport.ssh import SshServer, Tunnel
from ..transport.tcp import connect, socket_error
from .items import INVALID, MISSING, Answer, invalid, missing, ok, unchecked

SSH_ITEMS = ("ssh_reachable", "ssh_host_key", "ssh_login")
_DATABASE_WORDS = ("name", "user", "password")
_SSH_WORDS = ("host", "user")


def given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an inventory gives; options that were left out are not there."""
    return {name: value for name, value in (values or {}).items() if value is not None}


def lacking(values: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Those of the names that are not given, or empty."""
    return [name for name in names if not values.get(name)]


def in_time(values: dict[str, Any], limit: float) -> dict[str, Any]:
    """The options with a time limit that is not above ``limit`` seconds."""
    return {**values, "timeout": min(float(values.get("timeout") or limit), limit)}


def open_ssh(options: Mapping[str, Any], limit: float) -> tuple[list[Answer], Tunnel | None]:
    """Answers for :data:`SSH_ITEMS`, and the connection when all is well; the caller closes it."""
    values = given(options)
    short = lacking(values, _SSH_WORDS)
    if short:
        said = f"migration_source.ssh has no {' and no '.join(short)}"
        return [missing("ssh_reachable", said, "Ask the customer for it."), *unchecked(SSH_ITEMS[1:], said)], None
    server = SshServer(**in_time(values, limit))
    try:
        connect(server.host, server.port, server.timeout).close()
    except MigrationError as error:
        return [invalid("ssh_reachable", error), *unchecked(SSH_ITEMS[1:], f"{server.place} can't be reached")], None
    reached = ok("ssh_reachable", server.place)
    if not server.key_file and not server.password:
        no_proof = missing("ssh_login", "there is no key_file and no password", "Ask the customer which of them.")
        return [reached, *unchecked(SSH_ITEMS[1:2], "seen at the log-in"), no_proof], None
    try:
        tunnel = Tunnel(server)
    except MigrationError as error:
        return _refused(reached, error, server), None
    host_key = ok("ssh_host_key", f"{server.known_as} is in {server.known_hosts}")
    return [reached, host_key, ok("ssh_login", f"user {server.user}")], tunnel


def _refused(reached: Answer, error: MigrationError, server: SshServer) -> list[Answer]:
    """Which of the items it is that an error of the connection is about."""
    known = ok("ssh_host_key", f"{server.known_as} is in {server.known_hosts}")
    option = str(error.where.get("option", ""))
    if isinstance(error, HostKeyError) or option == "ssh.known_hosts":
        state = INVALID if isinstance(error, HostKeyChangedError) else MISSING
        answer = Answer("ssh_host_key", state, error.message, error.safe_next, error.kind)
        return [reached, answer, *unchecked(("ssh_login",), "not tried with a host that is not known")]
    if isinstance(error, AuthError) or option.startswith("ssh.key"):
        return [reached, known, invalid("ssh_login", error)]
    return [invalid("ssh_reachable", error), *unchecked(SSH_ITEMS[1:], "the SSH server does not talk to us")]


def database_server(item: str, options: Mapping[str, Any], limit: float) -> DatabaseServer | Answer:
    """The database that is meant; an answer when something about it is missing."""
    values = given(options)
    short = lacking(values, _DATABASE_WORDS)
    if short:
        side = "source" if item == "database_login" else "target"
        said = f"migration_{side}.database has no {', no '.join(short)}"
        return missing(item, said, f"Set it in migration_{side}.database.")
    return DatabaseServer(**in_time({"host": "127.0.0.1", **values}, limit))


@contextlib.contextmanager
def open_database(server: DatabaseServer, tunnel: Tunnel | None) -> Iterator[Database]:
    """A session that can't write. Raises the errors of :class:`Database`."""
    with Database(server, tunnel, read_only=True) as database:
        yield database


def seconds_off(database: Database) -> float:
    """How far the database server's clock is ahead of ours, in seconds."""
    before = time.time()
    told = float(database.all("SELECT UNIX_TIMESTAMP(NOW())")[0][0])
    return told - (before + time.time()) / 2


def mail_server(name: str, options: Mapping[str, Any], limit: float) -> Server:
    """The IMAP server of a side. Raises InputError for options that do not fit together."""
    return Server.from_options(name, in_time(given(options), limit))


def without_half_an_admin(options: dict[str, Any]) -> dict[str, Any]:
    """The options without an admin user whose password is not given: the server can be looked at all the same."""
    half = bool(options.get("admin_user")) and not options.get("admin_password")
    return {name: value for name, value in options.items() if not (half and name.startswith("admin_"))}


def check_tls(item: str, server: ImapServer) -> Answer:
    """Whether the server is there, and what it shows is a certificate to trust."""
    if server.security == "plain":
        wrong = TlsError("passwords and mail would travel in clear text", safe_next="Use tls or starttls.")
        return invalid(item, wrong)
    try:
        version, findings = _handshake(server)
    except MigrationError as error:
        return Answer(item, INVALID, f"{server.address}: {error.message}", error.safe_next, error.kind)
    if findings:
        return invalid(item, TlsError("; ".join(findings), safe_next="Have the server updated, or leave it so."))
    if not server.validate_certs:
        wrong = TlsError(
            "its certificate is not checked (validate_certs: false)", safe_next="Give its ca_path instead."
        )
        return invalid(item, wrong)
    return ok(item, f"{server.address}, {version}")


def _handshake(server: ImapServer) -> tuple[str, list[str]]:
    """The version of TLS, and what an operator should know about the connection."""
    made: LogIn | None = None
    try:
        made = LogIn(server, connect(server.host, server.port, server.timeout), time.monotonic() + server.timeout)
        made.open()
        return made.tls_version, list(made.findings)
    except OSError as error:
        raise socket_error(error, server.host, server.port) from error
    finally:
        if made is not None:
            made.wire.close()


def check_login(item: str, server: ImapServer, accounts: Sequence[Account]) -> Answer:
    """Whether one of the accounts can be opened; each is tried once.

    A server may not have every account, so that a refusal counts only when nobody gets in.
    """
    failure: MigrationError | None = None
    for account in accounts:
        try:
            _visit(server, account)
        except (AuthError, InputError) as error:
            failure = failure or error
        except MigrationError as error:
            return Answer(item, INVALID, f"{server.address}: {error.message}", error.safe_next, error.kind)
        else:
            return ok(item, f"{server.address} lets {_who(server)} in, tried with {account.user}")
    if failure is None:
        raise ConnectError("there is no account to try")
    return invalid(item, failure)


def _visit(server: ImapServer, account: Account) -> None:
    if server.protocol == "pop3":
        pop.log_in(server, account).quit()
    else:
        log_in(server, account).wire.close()


def _who(server: ImapServer) -> str:
    if server.admin_user:
        return f"the admin user {server.admin_user}"
    return "the bearer of the token" if server.auth in ("xoauth2", "oauthbearer") else "users with their own passwords"
