# SPDX-License-Identifier: GPL-3.0-or-later
"""One server alone, in a throw-away folder of its own, for as long as it is needed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from . import ports
from .server import Server

ServerT = TypeVar("ServerT", bound=Server)


@contextmanager
def throw_away(name: str, make: Callable[[Path], ServerT]) -> Iterator[ServerT]:
    """The server that `make` makes for a new folder, running; it may claim ports for that folder."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    try:
        server = make(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        ports.release(folder)
        shutil.rmtree(folder, ignore_errors=True)
