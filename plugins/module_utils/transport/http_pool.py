# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Kept connections to web servers (by urllib3), opened as all our connections are; and what its errors mean."""

from __future__ import annotations

import functools
import http.client
import ssl
from collections.abc import Iterator
from typing import Any

from ..errors import ConnectionLostError, MigrationError, MissingLibraryError, ProtocolError, TimedOutError
from .tcp import connect, socket_error

URLLIB3_WANTED = "2.2"
#: What a server may need for each byte that it gets: ten seconds for a megabyte.
_SECONDS_PER_BYTE = 10 / 1_000_000
#: What an unknown time limit is taken for, in seconds.
_SECONDS = 60.0


def pool(scheme: str, host: str, port: int, *, connections: int, timeout: float, context: ssl.SSLContext) -> Any:
    """A ``urllib3.HTTPConnectionPool``: at most ``connections`` at once, whoever wants more waits."""
    library = _library()
    if scheme != "https":
        return library.plain(host, port, timeout=limits(timeout, 0), maxsize=connections, block=True)
    return library.tls(
        host,
        port,
        timeout=limits(timeout, 0),
        maxsize=connections,
        block=True,
        ssl_context=context,
        assert_hostname=None if context.check_hostname else False,
    )


def limits(timeout: float, size: int) -> Any:
    """The time limits of a request whose body has ``size`` bytes: servers look at what they get before they answer."""
    return _library().Timeout(connect=timeout, read=timeout + size * _SECONDS_PER_BYTE)


class _Lines:
    """A connection's file while a head is read from it; the library takes an end within the head for the head's end."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readline(self, limit: int = -1) -> bytes:
        """A line; an end of the connection is none, but for the first line, of which the library knows it."""
        line: bytes = self._file.readline(limit)
        if not line.endswith(b"\n") and (limit < 0 or len(line) < limit) and (line or self._begun):
            raise http.client.IncompleteRead(line)
        self._begun = True
        return line

    _begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Response(http.client.HTTPResponse):
    """An answer whose head is whole."""

    def begin(self) -> None:
        """Read the head."""
        file = self.fp
        self.fp = _Lines(file)  # type: ignore[assignment]  # it can all that is needed for a head
        try:
            super().begin()
        finally:
            if isinstance(self.fp, _Lines):
                self.fp = file


class _Library:
    """The library, and our own kinds of its pools."""

    def __init__(self) -> None:
        try:
            import urllib3
            import urllib3.connection
            import urllib3.connectionpool
            import urllib3.exceptions
        except ImportError as error:
            raise MissingLibraryError(
                f"the Python library urllib3 (>= {URLLIB3_WANTED}) is missing: {error}", library="urllib3"
            ) from error

        class Connection(urllib3.connection.HTTPConnection):
            response_class = _Response

            def _new_conn(self) -> Any:
                return connect(self.host, self.port, _seconds(self.timeout))

        class TlsConnection(urllib3.connection.HTTPSConnection):
            response_class = _Response

            def _new_conn(self) -> Any:
                return connect(self.host, self.port, _seconds(self.timeout))

        class Pool(urllib3.connectionpool.HTTPConnectionPool):
            ConnectionCls = Connection

        class TlsPool(urllib3.connectionpool.HTTPSConnectionPool):
            ConnectionCls = TlsConnection

            def _validate_conn(self, conn: Any) -> None:
                """Connect; that a certificate is not looked at is the operator's own wish and needs no warning."""
                if conn.is_closed:
                    conn.connect()

        self.plain, self.tls = Pool, TlsPool
        self.Timeout, self.exceptions = urllib3.Timeout, urllib3.exceptions


@functools.cache
def _library() -> _Library:
    return _Library()


def _seconds(timeout: Any) -> float:
    return float(timeout) if isinstance(timeout, (int, float)) else _SECONDS


def failures() -> tuple[type[Exception], ...]:
    """What a request may raise."""
    return (OSError, http.client.HTTPException, ValueError, _library().exceptions.HTTPError)


def trouble(error: Exception, host: str, port: int) -> MigrationError:
    """The error of our tree for what a request to ``host``:``port`` raised."""
    known = _library().exceptions
    reasons = list(_reasons(error))
    below = next((one for one in reasons if isinstance(one, (ssl.SSLError, OSError))), None)
    if any(isinstance(one, (known.TimeoutError, TimeoutError)) for one in reasons):
        return TimedOutError("no answer within the time limit")
    if any(isinstance(one, (http.client.IncompleteRead, known.IncompleteRead)) for one in reasons):
        return ConnectionLostError("the server closed the connection in the middle of an answer")
    if below is not None:
        return socket_error(below, host, port)
    return ProtocolError(f"the server does not speak HTTP to us ({type(reasons[-1]).__name__})")


def _reasons(error: BaseException) -> Iterator[BaseException]:
    """An error of the library, and those that it was made of."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        inner = [one for one in found.args if isinstance(one, BaseException)]
        reason = getattr(found, "reason", None)
        found = inner[0] if inner else reason if isinstance(reason, BaseException) else found.__cause__
