# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Requests to one HTTP server for one user: bounded, patient, and telling nobody else who we are.

Connections are kept and shared by threads, so many at once as are allowed. What is the same for every kind of request
is done here: log-in, redirects, a server that asks for patience (RFC 9110 section 10.2.3, RFC 6585 section 4), a
connection that breaks. What a status means for what was asked is up to the caller.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..courtesy import Courtesy, Lease
from ..errors import (
    AuthError,
    ConnectionLostError,
    MigrationError,
    ProtocolError,
    ThrottledError,
    TimedOutError,
)
from ..hints import NOT_NOW, SLOW_DOWN, Hint, read_hint
from .http_auth import Authorizer
from .http_pool import failures, limits, pool, trouble

DEFAULT_PORTS = {"https": 443, "http": 80}
#: An answer is read up to so many bytes unless the caller says otherwise.
MAX_ANSWER = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_MAX_REDIRECTS = 5
#: To be asked who we are, to wait for another thread's log-in, to be asked for a fresh nonce, and once more.
_MAX_TRIES = 5
_REDIRECTS = (301, 302, 307, 308)
#: A server that says no time is asked again after so many seconds, doubled each time, and so often for a short trouble.
_FIRST_WAIT, _SHORT_TROUBLES = 2.0, 3
#: Answers that have no body (RFC 9112 section 6.3).
_BODILESS = (204, 304)
_BUSY = (429, 502, 503, 504)
#: An answer may take so many time limits in all: a server that sends a byte now and then is no server.
_DRIP = 20
_AGENT = "atmail.migration"


@dataclass(frozen=True)
class Answer:
    """What a server answered. ``url`` is where in the end, after redirects. ``cut`` when it is longer than the limit.

    ``endless`` when the server does not say how long it is, so that an end may be its end or the connection's.
    ``repeated`` when the request was sent twice, because the connection broke before the first answer had come: the
    server may have done it twice.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str
    cut: bool = False
    repeated: bool = False
    endless: bool = False

    def text(self, limit: int = 300) -> str:
        """The beginning of the body as one printable line."""
        said = self.body[: 4 * limit].decode("utf-8", "replace")
        return " ".join("".join(one if one.isprintable() else " " for one in said).split())[:limit]


@dataclass(frozen=True)
class Client:
    """How a server is talked to. ``place`` says in errors where that is.

    ``hosts`` are those (beside the server's own) that are told who we are. ``timeout`` is in seconds, for each step;
    ``connections`` is how many there may be at once. ``pacer`` is told the bytes of each request and its answer, and
    may wait. ``headers`` go with every request.
    """

    base: str
    place: Mapping[str, str]
    context: ssl.SSLContext
    timeout: float = 60.0
    connections: int = 4
    hosts: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    pacer: Callable[[int], None] | None = None


class Http:
    """A user's requests to one server; any number of threads may ask."""

    def __init__(self, client: Client, authorizer: Authorizer, courtesy: Courtesy, account: str) -> None:
        self._client, self._authorizer, self._courtesy, self._account = client, authorizer, courtesy, account
        self._origin = origin(client.base)
        self._pools: dict[tuple[str, str, int], Any] = {}
        self._lock = threading.Lock()
        self._entering = threading.Lock()
        self._refused: AuthError | None = None
        self._lease: Lease | None = None

    @property
    def authorizer(self) -> Authorizer:
        """Who we say that we are."""
        return self._authorizer

    def close(self) -> None:
        """End the connections."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
            lease, self._lease = self._lease, None
        for one in pools:
            one.close()
        if lease is not None:
            lease.release()

    def ask(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        limit: int = MAX_ANSWER,
    ) -> Answer:
        """The answer to a request, whatever its status is (but for 401).

        :raises AuthError: user or password are refused, here or before; or there is no way to log in that fits.
        :raises ThrottledError: the server has asked for patience for longer than is waited.
        :raises ProtocolError: it sends us elsewhere or in circles, or speaks no HTTP; or the address is elsewhere.
        """
        if not self.allowed(url):
            raise ProtocolError(
                f"this address is at another host, which may not know who we are: {_shown(url)}", **self._client.place
            )
        asked = _Asked(method, url, body, {**self._client.headers, **(headers or {})}, limit)
        for _number in range(_MAX_REDIRECTS + 1):
            answer = self._patiently(asked)
            target = answer.headers.get("Location") if answer.status in _REDIRECTS else None
            if not target:
                return answer
            asked.url = self._redirected(answer.url, target)
        raise ProtocolError("the server redirects in circles", **self._client.place, url=_shown(url))

    def _redirected(self, url: str, target: str) -> str:
        """Where a redirect leads to: the same host, or one that may know us, and never from TLS to plain text."""
        found = urljoin(url, target)
        if not self.allowed(found) or (urlsplit(url).scheme == "https" and urlsplit(found).scheme != "https"):
            raise ProtocolError(
                f"the server sends us elsewhere, to {_shown(found)}, which may not know who we are",
                safe_next="Give that address as url if it is the right one, or its host in trusted_hosts; "
                "no password has been sent there.",
                **self._client.place,
            )
        return found

    def allowed(self, url: str) -> bool:
        """Whether the server at this address may know who we are."""
        try:
            scheme, host, port = origin(url)
        except ProtocolError:
            return False
        if host == self._origin[1]:
            return scheme == "https" or (scheme, port) == (self._origin[0], self._origin[2])
        return scheme == "https" and host in self._client.hosts

    # patience

    def _patiently(self, asked: _Asked) -> Answer:
        times, since = 0, self._courtesy.tick()
        while True:
            answer = self._logged_in(asked)
            hint = _hint(answer, times + 1)
            if hint is None:
                if times:
                    self._courtesy.went_well()
                return answer
            times += 1
            wait = self._courtesy.told(hint, times, since)
            if wait is None:
                raise ThrottledError(
                    f"the server asks for patience for too long (HTTP status {answer.status}: {answer.text(100)})",
                    **self._client.place,
                )
            self._courtesy.wait(wait)

    # log-in

    def _logged_in(self, asked: _Asked) -> Answer:
        for _number in range(_MAX_TRIES):
            if self._refused is not None:
                raise self._not_let_in()
            sent = self._authorization(asked)
            if sent and not self._authorizer.proved:
                answer = self._first(asked)
            else:
                answer = self._let_in(self._once_more(asked, sent), sent)
            if answer is not None:
                return answer
        raise self._not_let_in()

    def _let_in(self, answer: Answer, sent: str | None) -> Answer | None:
        """The answer; None when the server wants to be told in another way who we are."""
        if answer.status != http.client.UNAUTHORIZED:
            if sent:
                self._authorizer.proved = True
            return answer
        if not self._another_way(answer, sent):
            raise self._not_let_in()
        return None

    def _first(self, asked: _Asked) -> Answer | None:
        """The first request with a password: one at a time, so that a wrong one is not tried by every thread."""
        with self._entering:
            if self._authorizer.proved or self._refused is not None:
                return None  # somebody else has just tried it
            sent = self._authorization(asked)
            with self._courtesy.admitted(self._account) as lease:
                answer = self._let_in(self._once_more(asked, sent), sent)
            if answer is None:
                lease.release()  # it is asked for again with what the server wants to hear now
                return None
            with self._lock:
                self._lease = lease
            return answer

    def _authorization(self, asked: _Asked) -> str | None:
        try:
            return self._authorizer.header(asked.method, asked.url)
        except MigrationError as error:
            raise error.at(**self._client.place) from None

    def _another_way(self, answer: Answer, sent: str | None) -> bool:
        try:
            return self._authorizer.again(_all(answer.headers, "WWW-Authenticate"), sent)
        except MigrationError as error:
            raise error.at(**self._client.place) from None

    def _not_let_in(self) -> AuthError:
        found = AuthError(
            f"the server refused user or password ({self._authorizer.scheme or 'no'} authentication)",
            **self._client.place,
        )
        found.credentials = True
        self._refused = found
        return found

    # the wire

    def _once_more(self, asked: _Asked, authorization: str | None) -> Answer:
        """One request; a connection that breaks under it is replaced by another one, once."""
        try:
            return self._send(asked, authorization, repeated=False)
        except ConnectionLostError:
            return self._send(asked, authorization, repeated=True)

    def _send(self, asked: _Asked, authorization: str | None, *, repeated: bool) -> Answer:
        scheme, host, port = origin(asked.url)
        parts = urlsplit(asked.url)
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **asked.headers}
        if authorization:
            headers["Authorization"] = authorization
        try:
            response = self._pool(scheme, host, port).request(
                asked.method,
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                body=asked.body or None,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=True,
                timeout=limits(self._client.timeout, len(asked.body)),
            )
            body, cut = self._body(response, asked.limit)
        except MigrationError as error:
            raise error.at(**self._client.place) from error
        except failures() as error:
            raise trouble(error, host, port).at(**self._client.place) from error
        if self._client.pacer:
            self._client.pacer(len(asked.body) + len(body))
        endless = response.status not in _BODILESS and not {"Content-Length", "Transfer-Encoding"} & _names(response)
        return Answer(response.status, response.headers, body, asked.url, cut, repeated, endless)

    def _body(self, response: Any, limit: int) -> tuple[bytes, bool]:
        end = time.monotonic() + _DRIP * self._client.timeout
        parts: list[bytes] = []
        size = 0
        while part := response.read1(_CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > limit:
                response.close()
                return b"".join(parts)[:limit], True
            if time.monotonic() > end:
                response.close()
                raise TimedOutError(f"the answer was not there after {_DRIP} time limits")
        response.release_conn()
        return b"".join(parts), False

    def _pool(self, scheme: str, host: str, port: int) -> Any:
        client, place = self._client, (scheme, host, port)
        with self._lock:
            if place not in self._pools:
                self._pools[place] = pool(
                    *place, connections=client.connections, timeout=client.timeout, context=client.context
                )
            return self._pools[place]


@dataclass
class _Asked:
    """A request as it is asked for; redirects change its address."""

    method: str
    url: str
    body: bytes
    headers: dict[str, str]
    limit: int


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host (in lower case) and port of an address.

    :raises ProtocolError: it is no address of HTTP.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if not host or scheme not in DEFAULT_PORTS:
        raise ProtocolError(f"this is no address of a web server: {_shown(url)}")
    return scheme, host, port or DEFAULT_PORTS[scheme]


def _shown(url: str) -> str:
    """An address for a message, without a password that may be in it."""
    text = "".join(one if one.isprintable() else "?" for one in url[:300])
    scheme, separator, rest = text.partition("://")
    return scheme + separator + rest.rpartition("@")[2] if separator and "@" in rest.split("/")[0] else text


def _names(response: Any) -> set[str]:
    """The names of an answer's headers, as in `Content-Length`."""
    return {str(name).title() for name in response.headers}


def _all(headers: Any, name: str) -> list[str]:
    """All values of a header that may stand there several times."""
    return list(headers.getlist(name)) if hasattr(headers, "getlist") else [headers[name]]


def _hint(answer: Answer, times: int) -> Hint | None:
    """What patience a server asks for with this answer; None when it is an answer."""
    if answer.status not in _BUSY:
        return None
    after = retry_after(answer.headers.get("Retry-After"), time.time())
    if after is not None:
        return Hint(SLOW_DOWN, after, shared=True, vendor="HTTP", exact=True)
    if answer.status == http.client.TOO_MANY_REQUESTS:
        return read_hint(answer.text()) or Hint(SLOW_DOWN, _FIRST_WAIT, shared=True, vendor="HTTP")
    if times > _SHORT_TROUBLES:
        return None
    return Hint(NOT_NOW, _FIRST_WAIT, shared=False, vendor="HTTP")


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds that ``Retry-After`` names, as a number or as a date (RFC 9110 section 10.2.3); ``now`` is Unix time.

    None when there is none, or it makes no sense. A server that asks for more than a day is not waited for anyway.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), 86400))
    from email.utils import parsedate_to_datetime  # takes time to load, and is seldom needed

    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, min(date.timestamp() - now, 86400.0))
