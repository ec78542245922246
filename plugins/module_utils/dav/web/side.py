# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One account of a CalDAV and CardDAV server as a side: a source, or the target."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ...errors import InputError
from ..model import Changes, Collection, Item, Kind, Properties, Survey
from . import making, reading, writing
from .account import Account, opened
from .discovery import Homes, discover
from .listing import changes
from .scheduling import WAYS, Asked, Scheduling, decide
from .server import WebServer
from .srv import located
from .survey import collections


class WebSide:
    """A :class:`..sides.Target`. Nothing is asked of the server before it is needed; any thread may ask."""

    def __init__(self, account: Account, scheduling: Asked) -> None:
        self._account, self._asked = account, scheduling
        self._lock = threading.Lock()
        self._homes: Homes | None = None
        self._way: Scheduling | None = None

    def survey(self) -> Survey:
        """The account's own collections; shared, delegated and subscribed ones are findings."""
        homes = self._found()
        own, findings = collections(self._account, homes)
        guarded = self._guarded().findings if self._account.server.name == "target" else ()
        return Survey(tuple(own), (*homes.findings, *findings, *guarded))

    def changes(self, collection: Collection, since: str | None = None) -> Changes:
        """What changed since a state; the whole listing where the server can't say that."""
        return changes(self._account, collection, since, self._texts)

    def read(self, collection: Collection, names: Sequence[str]) -> Iterator[Item]:
        """The objects of these names; one that the server keeps back comes without data, and with a finding."""
        return reading.read(self._account, collection, names)

    def make(self, kind: Kind, slug: str, properties: Properties) -> Collection:
        """Make a collection in the account's home."""
        return making.make(self._account, self._found(), kind, slug, properties)

    def amend(self, collection: Collection, properties: Properties) -> frozenset[str]:
        """Set properties; the names of those that the server refused."""
        return making.amend(self._account, collection, properties)

    def put(self, collection: Collection, name: str, data: bytes, *, version: str | None) -> str | None:
        """Write an object, and send no invitation for it."""
        return writing.put(self._account, self._guarded(), collection, name, data, version)

    def remove(self, collection: Collection, name: str, *, version: str) -> None:
        """Remove this version of an object, and send no cancellation for it."""
        writing.remove(self._account, self._guarded(), collection, name, version)

    def close(self) -> None:
        """End the connections."""
        self._account.http.close()

    def _found(self) -> Homes:
        with self._lock:
            if self._homes is None:
                self._homes = discover(self._account)
            return self._homes

    def _guarded(self) -> Scheduling:
        homes = self._found()
        with self._lock:
            if self._way is None:
                home = next(iter(homes.calendars), None)
                self._way = Scheduling("none") if home is None else decide(self._account, self._asked, home)
            return self._way

    def _texts(self, collection: Collection, names: Iterable[str]) -> Mapping[str, bytes]:
        return {item.name: item.data for item in reading.read(self._account, collection, list(names))}


def open_web(
    server: WebServer,
    user: str,
    password: str | None,
    *,
    connections: int = 4,
    pacer: Callable[[int], None] | None = None,
    scheduling: Asked = "auto",
) -> WebSide:
    """An account of a server; nothing is asked of it yet (but of DNS, where ``url`` is a domain).

    ``connections`` is how many there may be at once. ``pacer`` is told the bytes of each request with its answer, and
    may wait. ``scheduling``: ``auto`` keeps invitations back by what the server understands, ``agent`` by a parameter
    in the objects, ``off`` says that the operator has switched scheduling off at the server, and ``refuse`` writes
    nothing that would have to be changed for it.

    :raises InputError: there is no password, or an option is wrong.
    :raises DnsError: the domain names no server.
    """
    if scheduling not in WAYS:
        raise InputError(f"scheduling must be one of {', '.join(WAYS)}", option="scheduling")
    base = located(server)
    return WebSide(opened(server, base, user, password, connections=connections, pacer=pacer), scheduling)
