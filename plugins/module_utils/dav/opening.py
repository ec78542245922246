# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run reaches both sides of its accounts: once for all of them, in whatever process an account is worked on."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..courtesy import Caps, Courtesy
from ..errors import MigrationError
from ..pace import Governor, Pace
from ..platforms.options import overrides as platform_overrides
from ..platforms.reach import Reached, reached
from ..platforms.shape import Overrides
from .files.side import open_files
from .options import DAV, FILES
from .rows.side import Groups, Site, open_rows
from .sides import Source, Target
from .task import Account, Task
from .web.scheduling import Asked
from .web.server import WebServer
from .web.side import open_web

AUTO: Asked = "auto"
#: The form of groups that most servers and programs know.
APPLE: Groups = "apple"


@dataclass(frozen=True)
class Opening:
    """``source`` and ``target`` open an account's sides; ``courtesies`` are of the servers that they connect to.

    ``slots`` is how many accounts may be worked on at once, ``connections`` how many each of them has to either side.
    """

    source: Callable[[Account], Source]
    target: Callable[[Account], Target]
    courtesies: tuple[Courtesy, ...]
    slots: int
    connections: int


@contextlib.contextmanager
def opening(options: Mapping[str, Any], tasks: Sequence[Task], pace: Pace, governor: Governor) -> Iterator[Opening]:
    """The way to both sides, as the module's options say. To be entered before any process is forked.

    :raises InputError: options that do not fit together.
    """
    target = WebServer.from_options("target", options["target"])
    protocol = options["source"]["protocol"]
    source = WebServer.from_options("source", options["source"]) if protocol == DAV else None
    most = min([pace.most_connections, target.max_connections, *([source.max_connections] if source else [])])
    slots, connections = shared_out(most, len(tasks))
    way = _Web(governor, connections, options.get("scheduling") or AUTO)
    there = _courteous(target, [task.target.user for task in tasks], pace, slots)
    here = _courteous(source, [task.source.user for task in tasks], pace, slots) if source else None
    courtesies = tuple(server.courtesy for server in (here, there) if server and server.courtesy)
    with contextlib.ExitStack() as stack:
        if here is not None:
            reader: Callable[[Account], Source] = partial(way.open, here)
        elif protocol == FILES:
            reader = partial(_open_files, Path(options["source"]["path"]))
        else:
            reader = stack.enter_context(_rows(options, connections)).open
        yield Opening(reader, partial(way.open, there), courtesies, slots, connections)


@dataclass(frozen=True)
class _Web:
    """How accounts of CalDAV and CardDAV servers are opened: every request takes its share of the pace."""

    governor: Governor
    connections: int
    scheduling: Asked

    def open(self, server: WebServer, account: Account) -> Target:
        return open_web(
            server,
            account.user,
            account.password,
            connections=self.connections,
            pacer=partial(self.governor.take, 1),
            scheduling=self.scheduling,
        )


def _open_files(folder: Path, account: Account) -> Source:
    return open_files(folder, account.user)


@contextlib.contextmanager
def _rows(options: Mapping[str, Any], connections: int) -> Iterator[_Rows]:
    """Atmail's database as a source. A dump is loaded once, before any process is forked."""
    params = options["source"]
    overrides = platform_overrides(params)
    groups: Groups = APPLE if options.get("groups") in (None, AUTO) else options["groups"]
    if params.get("dump"):
        with reached(params) as loaded:
            yield _Rows(lambda: contextlib.nullcontext(loaded), overrides, groups, connections)
    else:
        yield _Rows(lambda: reached(params), overrides, groups, connections)


class _Rows:
    """Opens accounts of an Atmail site, which is reached once in each process, since no connection outlives a fork.

    What could not be reached is not tried again for the next account: a wrong password is tried once.
    """

    def __init__(
        self,
        reach: Callable[[], contextlib.AbstractContextManager[Reached]],
        overrides: Overrides,
        groups: Groups,
        connections: int,
    ) -> None:
        self._reach, self._overrides, self._groups, self._connections = reach, overrides, groups, connections
        self._lock = threading.Lock()
        self._process = 0
        self._site: Site | None = None
        self._failed: MigrationError | None = None
        self._held = contextlib.ExitStack()

    def open(self, account: Account) -> Source:
        """An account; what is open stays so as long as its process lives.

        Raises the errors of reaching the database, and of tables and columns that are missing.
        """
        with self._lock:
            if self._site is None or self._process != os.getpid():
                if self._failed is not None:
                    raise self._failed
                with self._remembered(), contextlib.ExitStack() as stack:
                    way = stack.enter_context(self._reach())
                    site = stack.enter_context(Site(way.connect, self._overrides, connections=self._connections))
                    self._held = stack.pop_all()
                self._site, self._process = site, os.getpid()
            return open_rows(self._site, account.user, groups=self._groups)

    @contextlib.contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except MigrationError as error:
            self._failed = error
            raise


def shared_out(most: int, accounts: int) -> tuple[int, int]:
    """How many accounts at once, and how many connections to either side each has, when there may be ``most`` of them.

    A few accounts share them all. Of many each has some, so that the last ones do not go on with one alone.
    """
    if accounts <= 0:
        return 1, max(1, most)
    connections = max(1, most // accounts, min(4, most))
    return max(1, min(accounts, most // connections)), connections


def _courteous(server: WebServer, accounts: Sequence[str], pace: Pace, slots: int) -> WebServer:
    """The server with what all processes of a run will know of it. An account holds one place there."""

    def most() -> int:
        limits = pace.at(datetime.now().astimezone())
        return max(1, slots * limits.connections // max(1, pace.most_connections))

    courtesy = Courtesy(
        server.place["server"],
        accounts,
        Caps(most, slots),
        admin=server.admin_user is not None,
        patience=pace.max_backoff,
    )
    return replace(server, courtesy=courtesy)
