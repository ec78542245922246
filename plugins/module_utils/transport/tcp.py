# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A TCP connection, and what the failures of sockets and TLS mean."""

from __future__ import annotations

import socket
import ssl

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


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A connected socket with ``timeout`` seconds for each step; every failure is one of our errors."""
    try:
        sock = socket.create_connection((host, port), timeout)
    except (OSError, UnicodeError) as error:
        raise socket_error(error, host, port) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def tls_context(ca_path: str | None) -> ssl.SSLContext:
    """A context that verifies chain and name and speaks TLS 1.2 or later (H08); ``ca_path`` replaces the system's CAs.

    Raises :class:`InputError` when ``ca_path`` can't be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca_path or None)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"the CA file {ca_path} cannot be read: {error}", option="ca_path") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def socket_error(error: Exception, host: str, port: int) -> MigrationError:
    """The error of our tree for what a socket or TLS raised at ``host``:``port``."""
    server = f"{host}:{port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_error(error, server)
    if isinstance(error, (ssl.SSLZeroReturnError, ssl.SSLEOFError)):
        return ConnectionLostError("the server closed the connection", server=server)
    if isinstance(error, ssl.SSLError):
        return TlsError(f"no TLS connection: {getattr(error, 'reason', None) or error}", server=server)
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return UnknownHostError(f"the host name {host} does not resolve", server=server)
    if isinstance(error, ConnectionRefusedError):
        return RefusedError(f"nothing listens on port {port}", server=server)
    if isinstance(error, TimeoutError):
        return TimedOutError("no answer within the time limit", server=server)
    if isinstance(error, (ConnectionError, EOFError)):
        return ConnectionLostError("the server closed the connection", server=server)
    return ConnectError(f"no connection: {error}", server=server)


def _certificate_error(error: ssl.SSLCertVerificationError, server: str) -> TlsError:
    text = error.verify_message or str(error)
    if error.verify_code in _EXPIRED:
        return CertificateExpiredError(f"the server's certificate is not valid now: {text}", server=server)
    if error.verify_code in _WRONG_NAME:
        return CertificateNameError(f"the server's certificate is for another name: {text}", server=server)
    return CertificateUntrustedError(f"the server's certificate is not to be trusted: {text}", server=server)
