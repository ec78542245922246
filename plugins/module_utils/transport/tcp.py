# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A TCP connection, and what the failures of sockets and TLS mean."""

from __future__ import annotations

import socket
import ssl
import time
import warnings
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from ..errors import (
    CertificateExpiredError,
    CertificateNameError,
    CertificateUntrustedError,
    ConnectError,
    ConnectionLostError,
    InputError,
    MigrationError,
    RefusedError,
    TimedOutError,
    TlsError,
    UnknownHostError,
)

# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h): not yet valid, expired; name and IP address mismatch.
_EXPIRED = (9, 10)
_WRONG_NAME = (62, 64)


#: How long, in seconds, an address may keep us waiting while another one is left to try.
_NEXT_AFTER = 10.0
#: The TLS versions that can be asked for, the least first.
TLS_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
#: What is safe; less must be asked for.
SAFE_TLS = "1.2"


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A connected socket with ``timeout`` seconds for each step; every failure is one of our errors.

    A name's addresses are tried one after the other, IPv6 and IPv4 in turn (RFC 8305 section 4), each for ten seconds
    while others are left, and all of them together for ``timeout`` seconds.
    """
    end = time.monotonic() + timeout
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise socket_error(error, host, port) from error
    addresses = in_turn([(family, address) for family, _type, _protocol, _name, address in found])
    failures: list[tuple[str, MigrationError]] = []
    for number, (family, address) in enumerate(addresses):
        left = end - time.monotonic()
        if failures and left <= 0:
            break
        last = number == len(addresses) - 1
        try:
            return _open(family, address, left if last else min(left, _NEXT_AFTER), timeout)
        except OSError as error:
            failures.append((str(address[0]), socket_error(error, host, port)))
    raise _none_answers(failures, host, port)


def in_turn(addresses: Sequence[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Addresses of the first one's family and of the others alternately; each address once."""
    known = list(dict.fromkeys(addresses))
    first = [one for one in known if one[0] == known[0][0]]
    others = [one for one in known if one[0] != known[0][0]]
    mixed = [one for pair in zip_longest(first, others) for one in pair]
    return [one for one in mixed if one is not None]


def _open(family: int, address: Any, patience: float, timeout: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(max(patience, 0.001))
        sock.connect(address)
        sock.settimeout(timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _none_answers(failures: Sequence[tuple[str, MigrationError]], host: str, port: int) -> MigrationError:
    """The one failure, or what all addresses had to say: of the kind that tells most (somebody was there at least)."""
    kinds: tuple[type[MigrationError], ...] = (RefusedError, ConnectionLostError, TimedOutError, MigrationError)
    chosen = next(error for kind in kinds for _address, error in failures if isinstance(error, kind))
    if len(failures) == 1:
        return chosen
    said = "; ".join(f"{address}: {error.message}" for address, error in failures)
    return type(chosen)(f"none of the {len(failures)} addresses of {host} answers: {said}", server=f"{host}:{port}")


def tls_context(ca_path: str | None, *, verify: bool = True, minimum: str = SAFE_TLS) -> ssl.SSLContext:
    """A context that verifies chain and name and speaks TLS 1.2 or later (H08); ``ca_path`` replaces the system's CAs.

    With a lower ``minimum`` it also takes what servers of that time have: SHA-1 signatures, short keys, and no secure
    renegotiation (RFC 5746).

    :raises InputError: ``ca_path`` can't be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca_path or None)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"the CA file {ca_path} cannot be read: {error}", option="ca_path") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    wanted = TLS_VERSIONS[minimum]
    if wanted < TLS_VERSIONS[SAFE_TLS]:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is why somebody asked for it
            context.minimum_version = wanted
    else:
        context.minimum_version = wanted
    return context


def encrypt(sock: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """TLS over a connected socket, whose timeout is for the whole handshake; the socket is closed if it fails.

    :raises OSError: what :func:`socket_error` understands.
    """
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def socket_error(error: Exception, host: str, port: int) -> MigrationError:
    """The error of our tree for what a socket or TLS raised at ``host``:``port``."""
    server = f"{host}:{port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_error(error, server)
    if isinstance(error, (ssl.SSLZeroReturnError, ssl.SSLEOFError)):
        return ConnectionLostError("the server closed the connection", server=server)
    if isinstance(error, ssl.SSLError):
        return _tls_error(error, server)
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return UnknownHostError(f"the host name {host} does not resolve", server=server)
    if isinstance(error, ConnectionRefusedError):
        return RefusedError(f"nothing listens on port {port}", server=server)
    if isinstance(error, TimeoutError):
        return TimedOutError("no answer within the time limit", server=server)
    if isinstance(error, (ConnectionError, EOFError)):
        return ConnectionLostError("the server closed the connection", server=server)
    return ConnectError(f"no connection: {error}", server=server)


#: What OpenSSL says when the other side speaks only versions or ciphers that we do not take.
_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "UNSAFE_LEGACY_RENEGOTIATION", "DH_KEY_TOO_SMALL", "NO_SHARED")


def _tls_error(error: ssl.SSLError, server: str) -> TlsError:
    reason = str(getattr(error, "reason", None) or error)
    if "WRONG_VERSION_NUMBER" in reason or "UNKNOWN_PROTOCOL" in reason:
        return TlsError(f"no TLS connection: the server does not speak TLS on this port ({reason})", server=server)
    if any(word in reason.upper() for word in _TOO_OLD):
        return too_old(reason, server)
    return TlsError(f"no TLS connection: {reason}", server=server)


def too_old(reason: str, server: str) -> TlsError:
    """The error for a server that speaks no version of TLS that is asked for."""
    return TlsError(
        f"no TLS connection: the server speaks no version of TLS that is safe ({reason})",
        safe_next="Have the server updated. Where it is a source that can't be, min_tls: '1.0' allows what it "
        "speaks, which others on the way may be able to read; no password has been sent.",
        server=server,
    )


def _certificate_error(error: ssl.SSLCertVerificationError, server: str) -> TlsError:
    text = error.verify_message or str(error)
    if error.verify_code in _EXPIRED:
        return CertificateExpiredError(f"the server's certificate is not valid now: {text}", server=server)
    if error.verify_code in _WRONG_NAME:
        return CertificateNameError(f"the server's certificate is for another name: {text}", server=server)
    return CertificateUntrustedError(f"the server's certificate is not to be trusted: {text}", server=server)
