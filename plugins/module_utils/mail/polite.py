# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run opens connections and tries again: within the caps, with no password twice, as patiently as it must be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeVar

from ..courtesy import Caps, Courtesy
from ..errors import (
    AuthError,
    ConnectionLostError,
    FolderGoneError,
    MigrationError,
    ProtocolError,
    RenumberedError,
    ThrottledError,
    TimedOutError,
)
from ..hints import EXPIRED, NOT_NOW, Hint, read_hint
from ..pace import Pace
from ..tasks import Account
from ..transport.wire import Wire
from . import session
from .server import Server
from .session import Session

_ATTEMPTS = 3
_UNCLEAR = Hint(NOT_NOW, 15.0, shared=False, vendor="unknown")


class Connection(Protocol):
    """Something that was logged in."""

    wire: Wire


ConnectionT = TypeVar("ConnectionT", bound=Connection)


def courteous(server: Server, accounts: Iterable[str], pace: Pace) -> Server:
    """The server with what all processes of a run will know of it; to be called before they are forked."""

    def most() -> int:
        return min(pace.at(datetime.now().astimezone()).connections, server.max_connections)

    caps = Caps(most, max(1, min(pace.most_connections, server.max_connections)), server.max_connections_per_account)
    admin = server.admin_user is not None
    return replace(
        server, courtesy=Courtesy(server.place["server"], accounts, caps, admin=admin, patience=pace.max_backoff)
    )


def connect(server: Server, account: Account, meanwhile: Callable[[], None] | None = None) -> Session:
    """A logged-in session, opened :func:`politely`."""
    return politely(session.connect, server, account, meanwhile)


def politely(
    log_in: Callable[[Server, Account], ConnectionT],
    server: Server,
    account: Account,
    meanwhile: Callable[[], None] | None = None,
) -> ConnectionT:
    """A connection that counts against the server's caps until it is closed.

    ``meanwhile`` is called now and then while there is no room for it yet.

    :raises MigrationError: as ``log_in`` does; ThrottledError for all that asks for patience.
    """
    if server.courtesy is None:
        return log_in(server, account)
    with server.courtesy.admitted(account.user, meanwhile) as lease:
        try:
            made = log_in(server, account)
        except (AuthError, ConnectionLostError, ProtocolError) as error:
            hint = read_hint(error.message)
            if hint and hint.meaning != EXPIRED:
                raise error.become(ThrottledError) from error
            raise
        made.wire.closed = lease.release
        return made


class Side(Protocol):
    """A connection that can be kept alive."""

    @property
    def server(self) -> Server:
        """The server it leads to."""

    def keep_alive(self) -> None:
        """Say something to a server that has heard nothing for long, if nothing is under way."""

    def while_waiting(self, elsewhere: Callable[[], None], every: float) -> None:
        """Call ``elsewhere`` about every so many seconds while this server is waited for."""


def keep_each_other_alive(source: Side, target: Side) -> None:
    """While one side is waited for, the other one, which has nothing to do, is told now and then that we are there."""
    for busy, idle in ((source, target), (target, source)):
        if idle.server.keepalive:
            busy.while_waiting(idle.keep_alive, idle.server.keepalive / 4)


@dataclass
class _Waits:
    """What one mailbox has waited for one server: in a row, and in all."""

    times: int = 0
    since: float = 0.0
    count: int = 0
    seconds: float = 0.0
    words: str = ""


@dataclass
class Patience:
    """How often, and after which wait, one mailbox is tried again. ``find`` gets what the operator should know."""

    servers: tuple[Server, ...]
    find: Callable[[str], None]
    _lost: int = 0
    _done: int = 0
    _waits: dict[str, _Waits] = field(default_factory=dict)

    def before_next(self, error: MigrationError, *, connected: bool, done: int) -> None:
        """Wait until the next try is due; ``done`` counts what has been done so far, so that a new start is seen.

        :raises MigrationError: the error itself: another try is of no use, or there have been enough.
        """
        if done > self._done:
            self._done, self._lost = done, 0
            self.succeeded()
        if isinstance(error, ThrottledError):
            self._wait_for_server(error)
        elif isinstance(error, RenumberedError):
            self.find(f"looked at everything again: {error.message}")
        elif isinstance(error, ConnectionLostError | TimedOutError | FolderGoneError) and connected:
            self._lost += 1
            if self._lost >= _ATTEMPTS:
                raise error
            what = "a folder was gone" if isinstance(error, FolderGoneError) else "the connection was lost"
            self.find(f"{what} and made anew: {error.message}")
            time.sleep(self._lost)
        else:
            raise error

    def succeeded(self) -> None:
        """Something was done: whatever a server had asked for is over."""
        for waits in self._waits.values():
            waits.times, waits.since = 0, 0.0
        for server in self.servers:
            if server.courtesy:
                server.courtesy.went_well()

    def tell(self) -> None:
        """Note as findings what was waited for."""
        for place, waits in self._waits.items():
            if waits.count:
                self.find(f"waited {waits.count} times, {waits.seconds:.0f} s in all, for the {place}: {waits.words}")

    def _wait_for_server(self, error: ThrottledError) -> None:
        place = str(error.where.get("server"))
        courtesy = next((one.courtesy for one in self.servers if one.place["server"] == place), None)
        if courtesy is None:
            raise error
        waits = self._waits.setdefault(place, _Waits())
        waits.times += 1
        waits.since = waits.since or courtesy.tick()
        waits.words = error.message
        seconds = courtesy.told(read_hint(error.message) or _UNCLEAR, waits.times, waits.since)
        if seconds is None:
            raise error
        waits.count += 1
        waits.seconds += seconds
        courtesy.wait(seconds)


def persist(
    attempt: Callable[[], None], patience: Patience, *, connected: Callable[[], bool], done: Callable[[], int]
) -> None:
    """Try until nothing comes in between, as often and as patiently as ``patience`` has it.

    :raises MigrationError: what the last attempt failed for.
    """
    try:
        while True:
            try:
                attempt()
            except (ConnectionLostError, TimedOutError, ThrottledError, FolderGoneError, RenumberedError) as error:
                patience.before_next(error, connected=connected(), done=done())
            else:
                patience.succeeded()
                return
    finally:
        patience.tell()
