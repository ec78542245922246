# SPDX-License-Identifier: GPL-3.0-or-later
"""One server alone, in a throw-away folder of its own, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from . import ports
from .server import Server

ServerT = TypeVar("ServerT", bound=Server)


def fast_folder() -> str | None:
    """Memory, where there is a file system in it with room enough."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30:
        return str(memory)
    return None


@contextmanager
def throw_away_folder(name: str) -> Iterator[Path]:
    """A new folder that servers of any user can reach; its ports are given back with it."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        ports.release(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def throw_away(name: str, make: Callable[[Path], ServerT]) -> Iterator[ServerT]:
    """The server that `make` makes for a new folder, running; it may claim ports for that folder."""
    with throw_away_folder(name) as folder:
        server = make(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
