# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One account at one server: DAV's requests, and the addresses of what was seen there."""

from __future__ import annotations

import functools
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urljoin

from ...courtesy import Caps, Courtesy
from ...errors import InputError, ProtocolError
from ...transport.http import MAX_ANSWER, Answer, Client, Http
from ...transport.http_auth import Authorizer, Login
from ...transport.tcp import tls_context
from ..model import Collection
from . import refusals, urls
from .server import WebServer
from .xml import Multistatus, Response, multistatus, propfind

#: A server that asks for patience is not waited for longer than this, in seconds, unless a run says otherwise.
_PATIENCE = 600.0
_XML = {"Content-Type": "application/xml; charset=utf-8", "Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class Known:
    """What was seen of an object: its address as the server writes it, and its version."""

    href: str
    version: str


@dataclass
class Account:
    """One account of one server; ``base`` is where the server is. Any number of threads may use it."""

    server: WebServer
    user: str
    base: str
    http: Http
    #: What was seen of objects, by their collection's key and their own name.
    known: dict[str, dict[str, Known]] = field(default_factory=dict)
    #: Keys of collections for which the server refused to give many objects at once.
    without_multiget: set[str] = field(default_factory=set)
    #: Keys of collections whose lengths mean something else, and how often in a row they led astray.
    odd_lengths: set[str] = field(default_factory=set)
    in_vain: dict[str, int] = field(default_factory=dict)
    #: Whether the server gives out cards in more than one version, by the key of the collection.
    converting: dict[str, bool] = field(default_factory=dict)
    #: Names of cards that are vCard 4.0, by the key of their collection.
    fourths: dict[str, frozenset[str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def place(self) -> dict[str, str]:
        """Where this is, for errors."""
        return {**self.server.place, "account": self.user}

    def where(self, collection: Collection, name: str | None = None) -> dict[str, str | None]:
        """Where a collection or an object is, for errors."""
        return {**self.place, "collection": collection.key, "object": name}

    # addresses

    def url(self, key: str) -> str:
        """The address of a collection."""
        return urls.encoded(urljoin(self.base, key))

    def key(self, url: str) -> str:
        """How the collection at this address is called."""
        return urls.key_of(self.base, url)

    def resolve(self, base: str, href: str) -> str:
        """The address of what an answer from ``base`` calls ``href``.

        :raises ProtocolError: it is at a host that may not know who we are.
        """
        found = urls.resolve(base, href)
        if not self.http.allowed(found):
            raise ProtocolError(
                f"the server names an address at another host: {found[:200]}",
                safe_next="Name that host in trusted_hosts if it belongs to the server; no password was sent there.",
                **self.place,
            )
        return found

    def object_url(self, collection: Collection, name: str) -> str:
        """The address of an object: as the server wrote it, or made of its name."""
        seen = self.known.get(collection.key, {}).get(name)
        folder = urls.folder(self.url(collection.key))
        return urls.resolve(folder, seen.href) if seen else folder + urls.segment(name)

    def href(self, collection: Collection, name: str) -> str:
        """An object's address as it stands in a report."""
        seen = self.known.get(collection.key, {}).get(name)
        return seen.href if seen else urls.folder(collection.key) + urls.segment(name)

    def remember(self, collection: Collection, found: Mapping[str, Known]) -> None:
        """Keep what was seen of objects."""
        with self.lock:
            self.known.setdefault(collection.key, {}).update(found)

    # requests

    def ask(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_ANSWER,
    ) -> Answer:
        """One request, whatever its answer."""
        return self.http.ask(method, url, body, headers, limit=limit)

    def propfind(self, url: str, wanted: Iterable[str], depth: int) -> Answer:
        """The answer to a PROPFIND, whatever it is."""
        return self.ask("PROPFIND", url, propfind(wanted), {**_XML, "Depth": str(depth)})

    def xml(self, method: str, url: str, body: bytes, depth: int | None = None, limit: int = MAX_ANSWER) -> Answer:
        """The answer to a request whose body is XML."""
        extra = {} if depth is None else {"Depth": str(depth)}
        return self.ask(method, url, body, {**_XML, **extra}, limit)

    def understood(self, answer: Answer, what: str, **where: str | None) -> Multistatus:
        """What a 207 answer says.

        :raises ServerError: it is no such answer, or not whole.
        """
        place = {**self.place, **where}
        if answer.status != 207:
            raise refusals.refused(answer, what, **place)
        if answer.cut:
            raise ProtocolError(f"{what}: the answer is longer than {len(answer.body)} bytes", **place)
        try:
            return multistatus(answer.body)
        except ProtocolError as error:
            raise error.at(**place) from error

    def properties(self, url: str, wanted: Sequence[str], what: str, **where: str | None) -> Response | None:
        """The properties of one resource; None when it is not there."""
        answer = self.propfind(url, wanted, 0)
        if answer.status in (404, 410):
            return None
        found = self.understood(answer, what, **where).responses
        own = [one for one in found if urls.decoded(urls.resolve(answer.url, one.href)) == urls.decoded(answer.url)]
        chosen = (own or list(found))[:1]
        return chosen[0] if chosen and chosen[0].status not in (404, 410) else None


def opened(
    server: WebServer,
    base: str,
    user: str,
    password: str | None,
    *,
    connections: int,
    pacer: Callable[[int], None] | None = None,
) -> Account:
    """An account of a server; nothing is asked of it yet.

    :raises InputError: there is no password for it.
    """
    login, headers = _login(server, user, password)
    client = Client(
        base=base,
        place=server.place,
        context=_context(server.ca_path, server.validate_certs, server.min_tls),
        timeout=server.timeout,
        connections=max(1, min(connections, server.max_connections)),
        hosts=server.trusted_hosts,
        headers=headers,
        pacer=pacer,
    )
    courtesy = server.courtesy or Courtesy(
        server.place["server"], [user], Caps(lambda: 1, 1), admin=bool(server.admin_user), patience=_PATIENCE
    )
    authorizer = Authorizer(login, server.auth)
    return Account(server, user, base, Http(client, authorizer, courtesy, user))


@functools.cache
def _context(ca_path: str | None, verify: bool, minimum: str) -> ssl.SSLContext:
    """The TLS of all accounts of a server: to read all authorities takes longer than to look at an account."""
    return tls_context(ca_path, verify=verify, minimum=minimum)


def _login(server: WebServer, user: str, password: str | None) -> tuple[Login, dict[str, str]]:
    """Who logs in, and what headers say for whom."""
    if server.admin_user:
        if server.admin_method == "separator":
            return Login(f"{user}{server.admin_separator}{server.admin_user}", server.admin_password), {}
        headers = {"Authorize-As": user} if server.admin_method == "authorize_as" else {}
        return Login(server.admin_user, server.admin_password), headers
    if server.auth == "bearer":
        return Login(user, token=partial(_token, server, user, password)), {}
    if password is None:
        raise InputError(
            f"no password for {user}: give the account's {server.name}_password, or an admin user for all",
            option=f"accounts.{server.name}_password",
            account=user,
        )
    return Login(user, password), {}


def _token(server: WebServer, user: str, password: str | None, refused: str | None) -> str | None:
    from ...tasks import Account as User
    from ...transport import tokens  # seldom needed

    account = User(user, password)
    return tokens.token_for(server, account) if refused is None else tokens.renewed(server, account, refused)
