# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""From a host name to a logged-in IMAP connection: TLS, the log-in in all its ways, compression.

RFC 3501 sections 6.1 to 6.2, RFC 4959 (initial responses), RFC 4978 (compression), RFC 5530 (response codes). All of it
together is over within the server's ``timeout``, however slowly the other side answers. A password is tried once.

This is our own code because IMAPClient (over imaplib) has a time limit for each read only, and none for the whole;
reads answers of any number and size; quotes passwords but not users, and takes neither if they are not ASCII; sends no
literals; goes on after STARTTLS when bytes in clear text came with the answer; takes a PREAUTH for a log-in without
saying so; believes a list of capabilities that comes in the middle of a log-in; and does not let go of its socket.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import replace

from ..errors import (
    AuthError,
    ConnectionLostError,
    InputError,
    MigrationError,
    ProtocolError,
    ThrottledError,
    TlsError,
)
from ..hints import EXPIRED, read_hint
from ..tasks import Account
from . import sasl
from .deflate import Deflated
from .dialogue import Dialogue, Reply, response_code
from .imap import OAUTH, ImapServer
from .tcp import SAFE_TLS, connect, encrypt, socket_error, tls_context, too_old
from .tokens import renewed, token_for
from .wire import Literal, Response, Wire, quoted

#: A round trip that takes this long, in seconds, is no local network: compression is worth its time there.
SLOW = 0.010
_UNSAFE = ("SSLv3", "TLSv1", "TLSv1.1")
#: Longer initial responses go out when asked for: some servers take no command line of more than a few kB.
_INITIAL = 1000
#: Untagged responses to all commands of a log-in together; a server that sends more of them means no good.
_MAX_UNTAGGED = 1000


def log_in(server: ImapServer, account: Account) -> LogIn:
    """A connection that is logged in as the account; a password is tried once.

    :raises InputError: there is nothing to log in with.
    :raises ConnectError: unknown host, closed port, no answer in time, or a server that hangs up.
    :raises TlsError: the certificate is not to be trusted, or STARTTLS is not offered or tampered with.
    :raises AuthError: the server refused the log-in, or has no safe way of it.
    :raises ThrottledError: the server can't log anybody in just now.
    """
    _check_account(server, account)
    began = time.monotonic()
    made: LogIn | None = None
    try:
        made = LogIn(server, connect(server.host, server.port, server.timeout), began + server.timeout)
        made.open()
        made.prove(account)
        made.compress()
    except MigrationError as error:
        _abandon(made)
        raise error.at(**server.place) from error
    except OSError as error:
        _abandon(made)
        found = socket_error(error, server.host, server.port)
        found.where.update(server.place)
        raise found from error
    made.wire.until(None, server.timeout)
    return made


def _abandon(made: LogIn | None) -> None:
    if made is not None:
        made.wire.close()


def _check_account(server: ImapServer, account: Account) -> None:
    option = f"mailboxes.{server.name}_password"
    if server.auth not in (*OAUTH, "preauth") and account.password is None and server.admin_user is None:
        raise InputError(
            f"no password for {account.user} and no admin user for the {server.name}",
            option=option,
            account=account.user,
        )
    if "\0" in account.user + (account.password or "") + (server.admin_user or "") + (server.admin_password or ""):
        raise InputError("a user or a password with a NUL can't be sent by IMAP", option=option)


def way(auth: str, offered: Iterable[bytes], *, simple: bool, behalf: bool = False) -> str:
    """How a password is to be sent: ``command`` (LOGIN), ``plain`` or ``login`` (both SASL); ``offered`` are the
    server's capabilities, ``simple`` says that user and password can be quoted, ``behalf`` that PLAIN alone will do.

    :raises AuthError: the server has no such way; nothing has been sent.
    """
    known = frozenset(offered)
    ways = {"command": b"LOGINDISABLED" not in known, "plain": b"AUTH=PLAIN" in known, "login": b"AUTH=LOGIN" in known}
    if behalf or auth == "plain":
        wanted = ["plain"]
    elif auth == "login":
        wanted = ["command", "login"]
    else:
        wanted = ["command", "plain", "login"] if simple else ["plain", "login", "command"]
    for one in wanted:
        if ways[one]:
            return one
    shown = ", ".join(sorted(one.decode("ascii", "replace") for one in known if one.startswith(b"AUTH="))) or "nothing"
    disabled = "" if ways["command"] else " and allows no LOGIN on this connection (LOGINDISABLED)"
    raise AuthError(
        f"the server has no way to log in that is asked for here: it offers {shown}{disabled}",
        safe_next="Set auth to what the server offers, or security to tls or starttls; no password has been sent.",
    )


def old_tls(secure: ssl.SSLSocket, server: ImapServer) -> list[str]:
    """What to tell of a connection that an old TLS only protects."""
    version = secure.version() or "an unknown version of TLS"
    if version not in _UNSAFE:
        return []
    what = f"the connection to the {server.name} {server.address} uses {version}, which min_tls {server.min_tls} allows"
    return [f"{what} and which others may be able to read: TLS {SAFE_TLS} or later is safe"]


class LogIn(Dialogue):
    """A connection on its way to being logged in; ``findings`` are what an operator should know about it."""

    def __init__(self, server: ImapServer, sock: socket.socket, deadline: float) -> None:
        self.server = server
        self.findings: list[str] = []
        #: The shortest time that an answer took, in seconds: no less than a round trip.
        self.round_trip = float("inf")
        #: What is spoken, as OpenSSL calls it; nothing in clear text.
        self.tls_version = ""
        self._sock = sock
        self._deadline = deadline
        self._secrets: list[bytes] = []
        self._proving = False
        self._untagged = 0
        self._known = False
        self._preauth = False
        super().__init__(self._wire())

    def _wire(self) -> Wire:
        wire = Wire(self._sock, patience=self.server.timeout)
        wire.until(self._deadline, self.server.timeout)
        return wire

    # the connection

    def open(self) -> None:
        """Greeting and TLS, in the order that ``security`` asks for."""
        if self.server.security == "tls":
            self._encrypt()
        self._greeting()
        if self.server.security == "starttls":
            self._starttls()

    def _encrypt(self) -> None:
        server = self.server
        try:
            context = tls_context(server.ca_path, verify=server.validate_certs, minimum=server.min_tls)
        except InputError as error:
            error.where["option"] = f"{server.name}.ca_path"
            raise
        began = time.monotonic()
        self._sock.settimeout(max(0.001, self._deadline - began))
        try:
            secure = encrypt(self._sock, context, server.host)
        except (ssl.SSLEOFError, ConnectionError) as error:
            raise self._why_hung_up() from error
        self.round_trip = min(self.round_trip, time.monotonic() - began)
        self._sock = secure
        self.wire = self._wire()
        self.tls_version = secure.version() or ""
        self.findings += old_tls(secure, server)

    def _why_hung_up(self) -> MigrationError:
        """What it means that the server ended the handshake without a word: old ones do when no version suits them.

        Another connection, on which nothing but the handshake is said, tells.
        """
        server, version = self.server, ""
        if server.min_tls != "1.0":
            relaxed = replace(server, min_tls="1.0", validate_certs=False)
            with contextlib.suppress(OSError, MigrationError):
                left = max(0.001, self._deadline - time.monotonic())
                other = LogIn(relaxed, connect(server.host, server.port, left), self._deadline)
                try:
                    other.open()
                    version = other.tls_version
                finally:
                    other.wire.close()
        if version in _UNSAFE:
            return too_old(f"{version} at most", server.place["server"])
        return ConnectionLostError("the server hung up in the TLS handshake")

    def _greeting(self) -> None:
        response = self.wire.response()
        status, _blank, text = response.text.partition(b" ")
        if response.tag != b"*" or status.upper() not in (b"OK", b"PREAUTH", b"BYE"):
            line = (response.tag + b" " + response.text)[:80]
            raise ProtocolError(f"{self.server.address} does not speak IMAP to us: {line!r}")
        self.note(response)
        self._preauth = status.upper() == b"PREAUTH"
        self._learn(text)

    def _starttls(self) -> None:
        """RFC 3501 section 6.2.1: nothing that came before TLS counts, and nothing in clear may come with it."""
        if self._preauth:
            raise TlsError("the server is logged in before TLS could be asked for (PREAUTH), so that there is none")
        self._ask_capabilities()
        if not self.has(b"STARTTLS"):
            raise TlsError("the server does not offer STARTTLS, and security: starttls never goes on in clear text")
        reply = self.run(b"STARTTLS")
        if not reply.ok:
            raise TlsError(f"the server refused STARTTLS: {reply.said}")
        if self.wire.arrived:
            raise TlsError(
                f"{self.wire.arrived} bytes came in clear text after STARTTLS: somebody on the way may have put them "
                "there (CVE-2011-0411)"
            )
        self.capabilities, self._known = frozenset(), False
        self._encrypt()

    # what the server can do

    def _learn(self, text: bytes) -> None:
        """Take the capabilities from a response code where there is one (RFC 3501 section 7.1)."""
        code, argument = response_code(text)
        if code == b"CAPABILITY":
            self._take(argument)

    def _take(self, listed: bytes) -> None:
        self.capabilities = frozenset(listed.upper().split())
        self._known = True

    def _ask_capabilities(self) -> None:
        if self._known:
            return
        for response in self.run(b"CAPABILITY").untagged:
            if response.text[:11].upper() == b"CAPABILITY ":
                self._take(response.text[11:])
        self._known = True

    # the log-in

    def prove(self, account: Account) -> None:
        """Log in as the account, or as the admin user on its behalf; then ask anew what the server can do.

        :raises AuthError: refused, or there is no safe way.
        """
        try:
            self._proving = True
            self._learn_afresh(self._proved(account))
            if self.server.admin_user is not None and self.server.admin_method == "proxyauth":
                self._proxyauth(account.user)
        except (AuthError, ThrottledError, ConnectionLostError) as error:
            found = self._hung_up("") if isinstance(error, ConnectionLostError) and self.wire.ended else error
            raise found.at(account=account.user) from error
        finally:
            self._proving = False

    def _proved(self, account: Account) -> Reply | None:
        """The answer that let us in; None when the greeting did."""
        server = self.server
        if self._preauth or server.auth == "preauth":
            self._check_preauth()
            return None
        self._ask_capabilities()
        if server.auth in OAUTH:
            return self._by_token(account)
        user, password, behalf = account.user, account.password or "", ""
        if server.admin_user is not None:
            user, password = server.admin_user, server.admin_password or ""
            if server.admin_method == "separator":
                user = f"{account.user}{server.admin_separator}{server.admin_user}"
            elif server.admin_method == "sasl_plain":
                behalf = account.user
        reply = self._by_password(_bytes(user), _bytes(password), _bytes(behalf))
        if not reply.ok:
            raise self._refusal(reply)
        return reply

    def _check_preauth(self) -> None:
        """A server that knows who we are by itself may mean somebody else: it has to be asked for."""
        if not self._preauth:
            raise AuthError("auth: preauth was asked for, but the server wants a log-in")
        if self.server.auth != "preauth":
            raise AuthError(
                "the server has logged us in by itself (PREAUTH) as a user that it does not name",
                safe_next="If that user is the mailbox's, say so by auth: preauth; nothing has been read or written.",
            )

    def _by_password(self, user: bytes, password: bytes, behalf: bytes) -> Reply:
        self._secrets.append(password)
        simple = not any(isinstance(quoted(one), Literal) for one in (user, password))
        chosen = way(self.server.auth, self.capabilities, simple=simple, behalf=bool(behalf))
        if chosen == "command":
            return self.run(b"LOGIN ", quoted(user), b" ", quoted(password))
        return self._authenticate(
            sasl.plain(user, password, behalf) if chosen == "plain" else sasl.login(user, password)
        )[0]

    def _by_token(self, account: Account) -> Reply:
        """Log in by an OAuth token; one that is refused is replaced by a fresh one where there is any."""
        server = self.server
        name = f"AUTH={server.auth.upper()}"
        if not self.has(name.encode()):
            raise AuthError(f"the server does not offer {name}; no token has been sent")
        token = token_for(server, account)
        reply, why = self._try_token(account.user, token)
        if not reply.ok and isinstance(self._refusal(reply), AuthError):
            other = renewed(server, account, token)
            if other is not None:
                reply, why = self._try_token(account.user, other)
        if not reply.ok:
            error = self._refusal(reply)
            if isinstance(error, AuthError):
                error.message += f" ({why})" if why else ""
                error.safe_next = (
                    "Give a fresh token for this user and this server, or oauth_token_file or oauth_token_command, "
                    "which are asked for a new one when one has expired; then run again: nothing is done twice."
                )
            raise error
        return reply

    def _try_token(self, user: str, token: str) -> tuple[Reply, str]:
        server, secret = self.server, token.encode()
        self._secrets.append(secret)
        if server.auth == "xoauth2":
            mechanism = sasl.xoauth2(_bytes(user), secret)
        else:
            mechanism = sasl.oauthbearer(_bytes(user), secret, server.host, server.port)
        reply, challenge = self._authenticate(mechanism)
        return reply, sasl.oauth_status(challenge)

    def _authenticate(self, mechanism: sasl.Mechanism) -> tuple[Reply, bytes]:
        """The answer to an AUTHENTICATE command, and the last thing that the server asked beyond what was to say."""
        answers = [base64.b64encode(answer) for answer in mechanism.answers]
        self._secrets += answers
        command = b"AUTHENTICATE " + mechanism.name
        if mechanism.initial and self.has(b"SASL-IR") and len(answers[0]) <= _INITIAL:
            command += b" " + answers.pop(0)
        began = time.monotonic()
        tag = self.start(command)
        challenge = b""
        while True:
            self.wire.flush()
            response = self.wire.response()
            self.round_trip = min(self.round_trip, time.monotonic() - began)
            if response.tag == tag:
                return Reply.of(response), challenge
            if response.tag == b"*":
                self.note(response)
            elif response.tag != b"+":
                raise ProtocolError(f"the server answered {response.tag[:40]!r}, which was not asked")
            elif answers:
                self.wire.send(answers.pop(0) + b"\r\n")
            else:
                challenge = _decoded(response.text)
                end = mechanism.closing
                self.wire.send((b"*" if end is None else base64.b64encode(end)) + b"\r\n")

    def _proxyauth(self, user: str) -> None:
        """``PROXYAUTH user`` as Sun/Oracle, Netscape and Zimbra servers know it: from here on we are that user."""
        reply = self.run(b"PROXYAUTH ", quoted(_bytes(user)))
        if not reply.ok:
            raise AuthError(f"the server refused PROXYAUTH: {self._masked(reply.text)}")
        self._learn_afresh(reply)

    def _learn_afresh(self, reply: Reply | None) -> None:
        """What counts is what the server can do after the log-in; what it said before is forgotten."""
        if reply is not None:
            self._known = False
            self.capabilities = frozenset()
            self._learn(reply.text)
        self._ask_capabilities()

    # compression

    def compress(self) -> None:
        """RFC 4978, where the option ``compress`` and the link want it and the server has it."""
        wanted = self.server.compress
        if wanted == "never" or (wanted == "auto" and not self.has(b"COMPRESS=DEFLATE")):
            return
        if not self.has(b"COMPRESS=DEFLATE"):
            self.findings.append(f"compress: always was asked for, but the {self.server.name} has no COMPRESS=DEFLATE")
        elif (wanted == "always" or self._is_slow()) and self.run(b"COMPRESS DEFLATE").ok:
            self.wire.through(Deflated)

    def _is_slow(self) -> bool:
        """Whether a round trip is a long one; asked by a NOOP where the log-in, which takes its time, can't tell."""
        if self.round_trip >= SLOW:
            self.run(b"NOOP")
        return self.round_trip >= SLOW

    # words

    def run(self, *parts: bytes | Literal) -> Reply:
        """Send one command, wait for its answer, and note how long that took."""
        began = time.monotonic()
        reply = super().run(*parts)
        self.round_trip = min(self.round_trip, time.monotonic() - began)
        return reply

    def next_tag(self) -> bytes:
        """A tag that no later command of the connection has."""
        return b"L" + super().next_tag()[1:]

    def note(self, response: Response) -> None:
        """Look at an untagged response; there can't be many in a log-in."""
        super().note(response)
        self._untagged += 1
        if self._untagged > _MAX_UNTAGGED:
            raise ProtocolError(f"the server sent more than {_MAX_UNTAGGED} responses that nobody asked for")

    def place(self) -> dict[str, str]:
        """Where this is, for errors."""
        return self.server.place

    def refused(self, reply: Reply, doing: str) -> MigrationError:
        """A refusal in the middle of a command, at a literal: it is about the log-in like any other."""
        return self._refusal(reply) if self._proving else super().refused(reply, doing)

    def ended(self, text: bytes) -> MigrationError:
        """The error for a BYE: too many of us, or no such account, or no more to be said."""
        said = self._masked(text[4:])
        if _not_now(text[4:]):
            return ThrottledError(f"the server can't log anybody in just now: {said}")
        if self._proving:
            return self._hung_up(said)
        return ConnectionLostError(f"the server hung up before the log-in: {said}")

    def _hung_up(self, said: str) -> AuthError:
        """Dovecot, for one, lets a master user in and then hangs up without a word when it knows no such user."""
        said = f": {said}" if said else ""
        return AuthError(f"the server hung up at the log-in, which is how some say that there is no such account{said}")

    def _refusal(self, reply: Reply) -> MigrationError:
        said = self._masked(reply.text)
        if _not_now(reply.text):
            return ThrottledError(f"the server can't log anybody in just now: {said}")
        error = AuthError(f"the server refused the log-in: {said}")
        error.credentials = reply.code[0] != b"AUTHORIZATIONFAILED"
        return error

    def _masked(self, text: bytes) -> str:
        """The server's words, shortened and without our secrets, should it repeat what we said."""
        for secret in self._secrets:
            if len(secret) > 3:
                text = text.replace(secret, b"***")
        return text[:200].decode("utf-8", "replace")


def _not_now(text: bytes) -> bool:
    """Whether a refusal is about the moment and not about the password (RFC 5530 section 3, and what vendors say)."""
    if response_code(text)[0] in (b"AUTHENTICATIONFAILED", b"AUTHORIZATIONFAILED", b"EXPIRED"):
        return False
    hint = read_hint(text.decode("utf-8", "replace"))
    return hint is not None and hint.meaning != EXPIRED


def _bytes(text: str) -> bytes:
    """UTF-8, as RFC 4616 and RFC 6855 want it; bytes that are none pass as they came in."""
    return text.encode("utf-8", "surrogateescape")


def _decoded(challenge: bytes) -> bytes:
    try:
        return base64.b64decode(challenge[:4096])
    except binascii.Error:
        return b""
