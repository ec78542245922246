# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run reaches both sides of its accounts: once for all of them, in whatever process an account is worked on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..courtesy import Caps, Courtesy
from ..pace import Governor, Pace
from ..tasks import Account, Task
from .options import DAV, FILES
from .sides import Source, Target
from .web.scheduling import Asked
from .web.server import WebServer
from .web.side import open_web

AUTO: Asked = "auto"


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
            # Most of what reads tables takes longer to import than a run takes in which nothing has changed.
            from .opening_rows import opening_rows

            reader = stack.enter_context(opening_rows(options, connections)).open
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
    from .files.side import open_files

    return open_files(folder, account.user)


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
