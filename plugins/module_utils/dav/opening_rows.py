# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run reaches the accounts of an Atmail site; apart from :mod:`.opening`, since few runs need it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import MigrationError
from ..platforms.options import overrides as platform_overrides
from ..platforms.reach import Reached, reached
from ..platforms.shape import Overrides
from ..tasks import Account
from .rows.side import Groups, Site, open_rows
from .sides import Source

#: The form of groups that most servers and programs know.
APPLE: Groups = "apple"


@contextlib.contextmanager
def opening_rows(options: Mapping[str, Any], connections: int) -> Iterator[Rows]:
    """Atmail's database as a source. A dump is loaded once, before any process is forked."""
    params = options["source"]
    overrides = platform_overrides(params)
    groups: Groups = APPLE if options.get("groups") in (None, "auto") else options["groups"]
    if params.get("dump"):
        with reached(params) as loaded:
            yield Rows(lambda: contextlib.nullcontext(loaded), overrides, groups, connections)
    else:
        yield Rows(lambda: reached(params), overrides, groups, connections)


class Rows:
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
