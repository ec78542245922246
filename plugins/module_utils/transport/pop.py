# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A POP3 connection: the log-in, commands one after another or pipelined, and messages as a stream.

RFC 1939 (POP3), RFC 2449 (CAPA, PIPELINING, response codes), RFC 2595 (STLS), RFC 5034 (AUTH PLAIN), RFC 3206 (the
codes SYS and AUTH). Nothing here ever sends DELE or RSET.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from ..errors import (
    AuthError,
    InputError,
    MigrationError,
    ProtocolError,
    ServerError,
    ThrottledError,
    TlsError,
    UnsupportedError,
)
from ..hints import EXPIRED, read_hint
from ..tasks import Account
from . import sasl
from .imap import OAUTH, ImapServer
from .login import old_tls
from .tcp import connect, encrypt, socket_error, tls_context
from .tokens import renewed, token_for
from .wire import Wire

#: How often, and after how many seconds each, a maildrop that another session holds is asked for again.
IN_USE_PAUSES = (1.0, 2.0, 4.0)
#: Commands that may be under way at once where the server has PIPELINING (RFC 2449 section 6.6).
WINDOW = 100
MAX_LINES = 20_000_000
MAX_LIST_LINE = 1024
_MAX_CHALLENGES = 5

_END = b"\r\n.\r\n"
_CODE = re.compile(rb"\[([A-Z0-9/-]+)\]", re.IGNORECASE)
_NOT_NOW = frozenset({b"IN-USE", b"LOGIN-DELAY", b"SYS/TEMP"})


class Pop:
    """One POP3 connection. Not thread-safe: one step at a time uses it."""

    def __init__(self, server: ImapServer, wire: Wire) -> None:
        self.server = server
        self.wire = wire
        #: What CAPA told: capability → its arguments, all in capitals.
        self.capabilities: Mapping[bytes, frozenset[bytes]] = {}
        #: Whether whole messages are asked for by TOP, which leaves no trace.
        self.whole_by_top = False
        #: What must not be told, should the server repeat what we said.
        self.secrets: list[bytes] = []
        #: What an operator should know about the connection.
        self.findings: list[str] = []

    @property
    def window(self) -> int:
        """How many commands may be under way at once (RFC 2449 section 6.6)."""
        return WINDOW if self.has(b"PIPELINING") else 1

    def has(self, capability: bytes) -> bool:
        """Whether the server offers it; a server without CAPA offers what RFC 1939 demands and may offer more."""
        return capability in self.capabilities

    # commands

    def send(self, command: bytes) -> None:
        """Send a command without waiting for its answer."""
        self.wire.send(command + b"\r\n")

    def status(self, doing: str) -> bytes:
        """The next status line's text after ``+OK``.

        :raises ServerError: it is ``-ERR``; the error says what was being done.
        """
        self.wire.flush()
        line = self.wire.line()
        self.wire.asked()
        if line[:3].upper() == b"+OK":
            return line[3:].strip()
        if line[:4].upper() == b"-ERR":
            raise self._refused(line[4:].strip(), doing)
        raise ProtocolError(f"the server answered {line[:60]!r}, which is no POP3", **self.server.place)

    def run(self, command: bytes, doing: str) -> bytes:
        """Send a command and wait for its status."""
        self.send(command)
        return self.status(doing)

    def lines(self) -> Iterator[bytes]:
        """The lines of a multi-line answer whose status has been read; its lines are short by nature."""
        for _count in range(MAX_LINES):
            line = self.wire.line()
            if line == b".":
                return
            if len(line) > MAX_LIST_LINE:
                raise ProtocolError(f"the server sent a list with a line of {len(line)} bytes", **self.server.place)
            yield line[1:] if line.startswith(b".") else line
        raise ProtocolError(f"the server sent a list of more than {MAX_LINES} lines", **self.server.place)

    def message(self) -> Iterator[bytes]:
        """The bytes of a message whose status has been read, in the pieces in which they arrive.

        What the server put before dots at the start of a line is taken away again (RFC 1939 section 3); only CRLF ends
        a line, so that a bare CR or LF before a dot is left as it is. A line that starts with one dot has not been
        treated so by the server (Dovecot forgets the first line of all), and keeps it.
        """
        start = self.wire.peek(3)
        if start == b".\r\n":
            self.wire.skip(3)
            return
        if start.startswith(b".."):
            self.wire.skip(1)
        for piece in self.wire.up_to(_END):
            whole = piece[:-3] if piece.endswith(_END) else piece
            yield whole.replace(b"\r\n..", b"\r\n.")

    def each(self, commands: Iterable[bytes]) -> Iterator[bytes]:
        """Send commands ahead of their answers where the server allows it; yields each when its answer comes next.

        The caller reads exactly that answer before it takes the next one.
        """
        waiting: deque[bytes] = deque()
        for command in commands:
            self.send(command)
            waiting.append(command)
            if len(waiting) >= self.window:
                yield waiting.popleft()
        yield from waiting

    def _refused(self, said: bytes, doing: str) -> ServerError:
        match = _CODE.match(said)
        for secret in self.secrets:
            said = said.replace(secret, b"***") if len(secret) > 3 else said
        text = said[:200].decode("utf-8", "replace")
        hint = read_hint(text)
        not_now = match[1].upper() in _NOT_NOW if match else hint is not None and hint.meaning != EXPIRED
        kind = ThrottledError if not_now else ServerError
        return kind(f"the server would not {doing}: {text}", **self.server.place)

    # the end

    def quit(self) -> None:
        """Say good-bye if that is still possible, and close."""
        with contextlib.suppress(MigrationError):
            self.run(b"QUIT", "say good-bye")
        self.wire.close()


# logging in


def log_in(server: ImapServer, account: Account) -> Pop:
    """Log in as the account; the password is tried once. A maildrop that is in use is waited for, some seconds.

    :raises InputError: there is nothing to log in with.
    :raises ConnectError: unknown host, closed port, no answer in time, or a server that hangs up.
    :raises TlsError: the certificate is not to be trusted, or STLS is not offered or tampered with.
    :raises AuthError: the server refused the log-in, or has no safe way of it.
    :raises ThrottledError: the server can't log anybody in just now, or another session holds the maildrop.
    """
    _check(server, account)
    for pause in IN_USE_PAUSES:
        try:
            return _log_in_once(server, account)
        except ThrottledError as error:
            if "[IN-USE]" not in error.message.upper():
                raise
            time.sleep(pause)  # the password was right (RFC 2449 section 8.1.1)
    return _log_in_once(server, account)


def _check(server: ImapServer, account: Account) -> None:
    if account.password is None and server.admin_user is None and server.auth not in OAUTH:
        raise InputError(
            f"no password for {account.user} and no admin user for the {server.name}",
            option=f"mailboxes.{server.name}_password",
            account=account.user,
        )
    if server.admin_user is not None and server.admin_method == "proxyauth":
        raise UnsupportedError("POP3 has no PROXYAUTH", option=f"{server.name}.admin_method")
    if server.auth == "preauth":
        raise UnsupportedError("POP3 has no PREAUTH", option=f"{server.name}.auth")


def _log_in_once(server: ImapServer, account: Account) -> Pop:
    deadline = time.monotonic() + server.timeout
    pop: Pop | None = None
    try:
        sock = connect(server.host, server.port, server.timeout)
        pop = _over(sock, server, deadline)
        pop = _ready(pop, sock, deadline)
        _authenticate(pop, account)
    except MigrationError as error:
        if pop:
            pop.wire.close()
        raise error.at(**server.place) from error
    except OSError as error:
        found = socket_error(error, server.host, server.port)
        found.where.update(server.place)
        raise found from error
    pop.whole_by_top = pop.has(b"TOP")
    pop.wire.until(None, server.timeout)
    return pop


def _over(sock: socket.socket, server: ImapServer, deadline: float) -> Pop:
    """A connection whose log-in must be over at a time (monotonic seconds)."""
    wire = Wire(sock, patience=server.timeout)
    wire.until(deadline, server.timeout)
    return Pop(server, wire)


def _ready(pop: Pop, sock: socket.socket, deadline: float) -> Pop:
    """Greeted and, where asked for, encrypted, with its capabilities known."""
    server = pop.server
    if server.security == "tls":
        pop = _encrypted(sock, server, deadline)
    pop.status("greet us")
    pop.capabilities = _capabilities(pop)
    if server.security != "starttls":
        return pop
    if not pop.has(b"STLS"):
        raise TlsError("the server does not offer STLS, and security: starttls never goes on in clear text")
    pop.run(b"STLS", "start TLS")
    if pop.wire.arrived:
        raise TlsError("the server sent more in clear text after STLS: somebody on the way may have (CVE-2011-0411)")
    pop = _encrypted(sock, server, deadline)
    pop.capabilities = _capabilities(pop)
    return pop


def _encrypted(sock: socket.socket, server: ImapServer, deadline: float) -> Pop:
    try:
        context = tls_context(server.ca_path, verify=server.validate_certs, minimum=server.min_tls)
    except InputError as error:
        error.where["option"] = f"{server.name}.ca_path"
        raise
    sock.settimeout(max(0.001, deadline - time.monotonic()))
    secure = encrypt(sock, context, server.host)
    pop = _over(secure, server, deadline)
    pop.findings += old_tls(secure, server)
    return pop


def _capabilities(pop: Pop) -> dict[bytes, frozenset[bytes]]:
    """What CAPA tells; nothing where the server does not know the command (RFC 2449 section 5)."""
    try:
        pop.run(b"CAPA", "tell its capabilities")
    except ServerError as error:
        if isinstance(error, ProtocolError):
            raise
        return {}
    words = [line.upper().split() for line in pop.lines()]
    return {one[0]: frozenset(one[1:]) for one in words if one}


def _authenticate(pop: Pop, account: Account) -> None:
    """Log in as the account, or as the admin user on its behalf (``admin_method``)."""
    server = pop.server
    user, password, behalf = account.user, account.password or "", ""
    if server.admin_user is not None:
        user, password = server.admin_user, server.admin_password or ""
        if server.admin_method == "sasl_plain":
            behalf = account.user
        else:
            user = f"{account.user}{server.admin_separator}{server.admin_user}"
    try:
        if server.auth in OAUTH:
            _by_token(pop, account)
        else:
            _by_password(pop, user, password, behalf)
    except (ThrottledError, ProtocolError) as error:
        raise error.at(account=account.user) from error
    except ServerError as error:
        raise error.become(AuthError).at(account=account.user) from error
    except MigrationError as error:
        raise error.at(account=account.user) from error


def _by_password(pop: Pop, user: str, password: str, behalf: str) -> None:
    """USER and PASS, or AUTH PLAIN where those can't carry the names, are not offered, or are not wanted."""
    name, secret = _bytes(user), _bytes(password)
    pop.secrets.append(secret)
    plain = b"PLAIN" in pop.capabilities.get(b"SASL", frozenset())
    simple = (user + password).isascii() and (user + password).isprintable() and " " not in user
    named = not pop.capabilities or pop.has(b"USER")
    auth = pop.server.auth
    if behalf or auth == "plain" or (auth == "auto" and plain and not (simple and named)):
        _sasl(pop, sasl.plain(name, secret, _bytes(behalf)))
    elif not named:
        raise AuthError("the server allows no log-in by password on this connection; use tls or starttls")
    elif not simple:
        raise AuthError("the user or the password holds what USER and PASS can't take, and there is no SASL PLAIN")
    else:
        pop.run(b"USER " + name, "log in")
        pop.run(b"PASS " + secret, "log in")


def _by_token(pop: Pop, account: Account) -> None:
    """Log in by an OAuth token; one that is refused is replaced by a fresh one where there is any."""
    token = token_for(pop.server, account)
    try:
        _sasl(pop, _mechanism(pop, account, token))
    except ServerError as error:
        other = renewed(pop.server, account, token) if error.kind == ServerError.kind else None
        if other is None:
            raise
        _sasl(pop, _mechanism(pop, account, other))


def _mechanism(pop: Pop, account: Account, token: str) -> sasl.Mechanism:
    server, user, secret = pop.server, _bytes(account.user), token.encode()
    pop.secrets.append(secret)
    return (
        sasl.xoauth2(user, secret)
        if server.auth == "xoauth2"
        else sasl.oauthbearer(user, secret, server.host, server.port)
    )


def _sasl(pop: Pop, mechanism: sasl.Mechanism) -> None:
    """RFC 5034 section 4: what we say goes on lines of its own, as a command may have 255 bytes only."""
    answers = [base64.b64encode(answer) for answer in mechanism.answers]
    pop.secrets += answers
    pop.send(b"AUTH " + mechanism.name)
    for _round in range(_MAX_CHALLENGES):
        pop.wire.flush()
        if pop.wire.peek(2) not in (b"+ ", b"+\r", b"+\n"):
            break
        pop.wire.line()
        if answers:
            pop.send(answers.pop(0))
        else:
            pop.send(b"*" if mechanism.closing is None else base64.b64encode(mechanism.closing))
    pop.status("log in")


def _bytes(text: str) -> bytes:
    """UTF-8; bytes that are none pass as they came in."""
    return text.encode("utf-8", "surrogateescape")
