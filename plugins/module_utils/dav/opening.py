# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run reaches both sides of its accounts: once for all of them, in whatever process an account is worked on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..courtesy import Caps, Courtesy
from ..errors import UnsupportedError
from ..pace import Governor, Pace
from .options import DAV
from .sides import Source, Target
from .task import Account, Task
from .web.server import WebServer
from .web.side import open_web


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
    source = WebServer.from_options("source", options["source"]) if options["source"]["protocol"] == DAV else None
    most = min([pace.most_connections, target.max_connections, *([source.max_connections] if source else [])])
    slots, connections = shared_out(most, len(tasks))

    def pacer(size: int) -> None:
        governor.take(1, size)

    def open_at(server: WebServer, account: Account) -> Target:
        return open_web(
            server,
            account.user,
            account.password,
            connections=connections,
            pacer=pacer,
            scheduling=options.get("scheduling") or "auto",
        )

    if source is None:
        raise UnsupportedError("only protocol dav can be read", option="source.protocol")
    here = _courteous(source, [task.source.user for task in tasks], pace, slots)
    there = _courteous(target, [task.target.user for task in tasks], pace, slots)
    courtesies = tuple(server.courtesy for server in (here, there) if server.courtesy)
    yield Opening(
        lambda account: open_at(here, account), lambda account: open_at(there, account), courtesies, slots, connections
    )


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
