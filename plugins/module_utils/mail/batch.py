# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How many mailboxes are worked on at once."""

from __future__ import annotations

from ..courtesy import Courtesy
from ..pace import Pace
from .server import Server


def connections(pace: Pace, source: Server, target: Server) -> int:
    """How many mailboxes may ever be worked on at once: each needs a connection to either side.

    How many connections there may be at a moment is up to each server's courtesy.
    """
    return max(1, min(pace.most_connections, source.max_connections, target.max_connections))


def courtesies(*servers: Server) -> list[Courtesy]:
    """What a run owes these servers."""
    return [server.courtesy for server in servers if server.courtesy]
