# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""SSH to a customer's server: channels to what it can reach (RFC 4254, 7.2), handed out as sockets.

Nothing runs on the server, no shell is asked for and no local port is opened. The host key must be in a known-hosts
file; a key that is not there and one that differs are two errors. Only the channel's user knows what goes through it.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..errors import (
    AuthError,
    ConnectError,
    ConnectionLostError,
    HostKeyChangedError,
    HostKeyError,
    InputError,
    MigrationError,
    MissingLibraryError,
    RefusedError,
    TimedOutError,
)
from .tcp import connect, socket_error

if TYPE_CHECKING:
    import paramiko

PARAMIKO_WANTED = "3.4"

# What a server of today does not need; `legacy_algorithms` lets it in again as far as the installed paramiko has it.
_LEGACY = {
    "kex": [
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
    ],
    "ciphers": ["aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc", "blowfish-cbc"],
    "macs": ["hmac-sha1", "hmac-md5", "hmac-sha1-96", "hmac-md5-96"],
    "keys": ["ssh-rsa", "ssh-dss"],
    "pubkeys": ["ssh-rsa", "ssh-dss"],
}
# RFC 4254, 5.1
_PROHIBITED, _CONNECT_FAILED = 1, 2


@dataclass(frozen=True)
class SshServer:
    """Where and as whom to log in. ``timeout`` and ``keepalive`` are in seconds; ``keepalive`` 0 sends none."""

    host: str
    user: str
    port: int = 22
    known_hosts: str = "~/.ssh/known_hosts"
    key_file: str | None = None
    key_passphrase: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    timeout: float = 30
    keepalive: int = 30
    legacy_algorithms: bool = False

    @property
    def known_as(self) -> str:
        """The name in the known-hosts file: the host, or ``[host]:port`` for another port than 22 (sshd(8))."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"

    @property
    def place(self) -> str:
        """Host and port for messages."""
        return f"{self.host}:{self.port}"


class Tunnel:
    """An authenticated SSH connection that opens channels; close it, or use it as a context manager."""

    def __init__(self, server: SshServer) -> None:
        """Connect, verify the host key, log in once.

        Raises UnknownHostError, RefusedError, TimedOutError, ConnectError, HostKeyError, HostKeyChangedError,
        AuthError, InputError (key file, known-hosts file), MissingLibraryError.
        """
        self.server = server
        self._paramiko = _library()
        known, revoked = _known_keys(self._paramiko, server)
        self._transport = self._handshake(known)
        try:
            self._verify_host_key(known, revoked)
            self._log_in()
        except BaseException:
            self._transport.close()
            raise
        self._transport.set_keepalive(server.keepalive)

    def channel(self, host: str, port: int) -> paramiko.Channel:
        """A connection from the SSH server to ``host``:``port`` that can be used as a socket.

        Raises RefusedError when the SSH server can't connect there, ConnectError when it does not let us,
        TimedOutError, ConnectionLostError.
        """
        place = f"{host}:{port} through {self.server.place}"
        try:
            channel = self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=self.server.timeout
            )
        except self._paramiko.ChannelException as error:
            if error.code == _CONNECT_FAILED:
                raise RefusedError(
                    f"the SSH server cannot connect to port {port} of {host}: {error.text}", server=place
                ) from error
            raise ConnectError(
                f"the SSH server does not let us connect to port {port} of {host} ({error.text})",
                server=place,
                safe_next="Ask the customer to allow TCP forwarding to it (PermitOpen), then run again.",
            ) from error
        except self._paramiko.SSHException as error:
            if self._transport.is_active():
                raise TimedOutError("the SSH server did not open a channel in time", server=place) from error
            raise ConnectionLostError("the SSH connection is gone", server=place) from error
        channel.settimeout(self.server.timeout)
        return channel

    def close(self) -> None:
        """Close every channel and the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _handshake(self, known: dict[str, paramiko.PKey]) -> paramiko.Transport:
        """Algorithms agreed upon, host key not looked at yet."""
        server = self.server
        disabled = None if server.legacy_algorithms else _LEGACY
        sock = connect(server.host, server.port, server.timeout)
        transport: paramiko.Transport | None = None
        try:
            transport = self._paramiko.Transport(sock, disabled_algorithms=disabled)
            transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = server.timeout
            options = transport.get_security_options()
            # Ask for a kind of key that we know: a server with several is not "changed".
            options.key_types = tuple(sorted(options.key_types, key=lambda kind: _kind(kind) not in known))
            transport.start_client(timeout=server.timeout)
        except (self._paramiko.SSHException, OSError, EOFError) as error:
            if transport is not None:
                transport.close()
            sock.close()
            raise self._no_handshake(error) from error
        return transport

    def _no_handshake(self, error: Exception) -> MigrationError:
        place = self.server.place
        if isinstance(error, self._paramiko.ssh_exception.IncompatiblePeer):
            return ConnectError(
                f"the SSH server has no algorithm that we take: {error}",
                server=place,
                safe_next="Have the server updated; or, if that cannot be, allow ssh.legacy_algorithms.",
            )
        if isinstance(error, self._paramiko.SSHException):
            if isinstance(error.__cause__ or error.__context__, TimeoutError) or "imeout" in str(error):
                return TimedOutError("no SSH greeting within the time limit", server=place)
            return ConnectError(f"this is not an SSH server that we can talk to: {error}", server=place)
        return socket_error(error, self.server.host, self.server.port)

    def _verify_host_key(self, known: dict[str, paramiko.PKey], revoked: list[paramiko.PKey]) -> None:
        server = self.server
        try:
            key = self._transport.get_remote_server_key()
        except self._paramiko.SSHException as error:
            raise TimedOutError("no SSH key exchange within the time limit", server=server.place) from error
        if any(_same(key, other) for other in revoked):
            raise HostKeyChangedError(
                f"the host key {key.fingerprint} is marked as revoked in {server.known_hosts}", server=server.place
            )
        if not known:
            raise HostKeyError(
                f"{server.known_as} is not in {server.known_hosts}; its key is {key.get_name()} {key.fingerprint}",
                server=server.place,
            )
        expected = known.get(key.get_name())
        if expected is None or not _same(key, expected):
            raise HostKeyChangedError(
                f"the host key is {key.get_name()} {key.fingerprint}; {server.known_hosts} holds "
                + ", ".join(f"{name} {other.fingerprint}" for name, other in sorted(known.items())),
                server=server.place,
            )

    def _log_in(self) -> None:
        server = self.server
        key = _private_key(self._paramiko, server)
        try:
            if key is not None:
                self._transport.auth_publickey(server.user, key)
            else:
                self._transport.auth_password(server.user, server.password or "", fallback=False)
        except self._paramiko.AuthenticationException as error:
            how = f"the key {server.key_file}" if key is not None else "the password"
            raise AuthError(f"the SSH server refused user {server.user} with {how}", server=server.place) from error
        except (self._paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionLostError("the SSH server hung up while we logged in", server=server.place) from error
        if not self._transport.is_authenticated():
            raise AuthError(f"the SSH server wants more than one proof from user {server.user}", server=server.place)


@contextlib.contextmanager
def maybe_tunnel(server: SshServer | None) -> Iterator[Tunnel | None]:
    """A tunnel for as long as the context lasts, or None when there is no SSH server in between."""
    if server is None:
        yield None
        return
    with Tunnel(server) as tunnel:
        yield tunnel


def _library() -> Any:
    try:
        import paramiko
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library paramiko (>= {PARAMIKO_WANTED}) is missing: {error}", library="paramiko"
        ) from error
    # Its own log would print to stderr what our errors say already.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    return paramiko


def _kind(algorithm: str) -> str:
    """The kind of key (RFC 4253) to a signature algorithm: ``rsa-sha2-*`` are made with ``ssh-rsa`` keys (RFC 8332)."""
    plain = algorithm.removesuffix("-cert-v01@openssh.com")
    return "ssh-rsa" if plain.startswith("rsa-sha2-") else plain


def _same(one: paramiko.PKey, other: paramiko.PKey) -> bool:
    return one.get_name() == other.get_name() and hmac.compare_digest(one.asbytes(), other.asbytes())


def _known_keys(paramiko: Any, server: SshServer) -> tuple[dict[str, Any], list[Any]]:
    """The keys of the server by kind, and all revoked ones (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    path = Path(server.known_hosts).expanduser()
    keys = paramiko.hostkeys.HostKeys()
    revoked = []
    try:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if not words or words[0].startswith("#") or words[0] == "@cert-authority":
                continue
            is_revoked = words[0] == "@revoked"
            entry = paramiko.hostkeys.HostKeyEntry.from_line(" ".join(words[1:] if is_revoked else words))
            if entry is not None and is_revoked:
                revoked.append(entry.key)
            elif entry is not None:
                for name in entry.hostnames:
                    keys.add(name, entry.key.get_name(), entry.key)
    except OSError as error:
        raise InputError(
            f"the known-hosts file {path} cannot be read: {error.strerror}", option="ssh.known_hosts"
        ) from error
    except paramiko.hostkeys.InvalidHostKey as error:
        raise InputError(f"the known-hosts file {path} has a line that is no key", option="ssh.known_hosts") from error
    found = keys.lookup(server.known_as)
    return ({name: found[name] for name in found} if found else {}), revoked


def _private_key(paramiko: Any, server: SshServer) -> Any:
    if server.key_file is None:
        return None
    path = Path(server.key_file).expanduser()
    passphrase = server.key_passphrase.encode() if server.key_passphrase else None
    try:
        return paramiko.PKey.from_path(path, passphrase)
    except OSError as error:
        raise InputError(f"the key file {path} cannot be read: {error.strerror}", option="ssh.key_file") from error
    except (paramiko.PasswordRequiredException, TypeError) as error:
        raise InputError(f"the key file {path} is encrypted", option="ssh.key_passphrase") from error
    except (paramiko.SSHException, ValueError) as error:
        raise InputError(
            f"the key file {path} does not open: not a private key, or another passphrase", option="ssh.key_file"
        ) from error
