# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The way to a source's database: directly, through SSH, or out of a dump."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..transport.database import Database
from ..transport.ssh import maybe_tunnel
from . import options
from .dump import dumped, remarks
from .remark import Remark


@dataclass(frozen=True)
class Reached:
    """``connect`` opens a session that can't write, as often as wanted; ``remarks`` is what to say of the way."""

    connect: Callable[[], Database]
    remarks: tuple[Remark, ...] = ()


@contextlib.contextmanager
def reached(params: Mapping[str, Any]) -> Iterator[Reached]:
    """The database that the options ``dump``, or ``database`` and ``ssh``, name.

    Raises the errors of connecting, and those of dumps.
    """
    dump = options.dump(params)
    if dump is not None:
        with dumped(dump) as (connect, loaded):
            yield Reached(connect, tuple(remarks(loaded)))
        return
    server = options.database_server(params)
    with maybe_tunnel(options.ssh_server(params)) as tunnel:
        yield Reached(lambda: Database(server, tunnel, read_only=True))
