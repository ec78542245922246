# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Two CalDAV and CardDAV servers, and runs of `dav_sync` from one to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.dav import compare
from ansible_collections.atmail.migration.plugins.module_utils.dav.identity import IGNORED
from ansible_collections.atmail.migration.plugins.module_utils.dav.sides import Source, Target
from ansible_collections.atmail.migration.plugins.module_utils.dav.sync import sync
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.server import WebServer
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.side import open_web
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError

from tests.lab.objects import contacts, events
from tests.lab.radicale import DavCloud

ANN, BOB = "ann@acme.example", "bob@acme.example"
USERS = (ANN, BOB)
#: What a client asks without writing anything.
READS = frozenset({"PROPFIND", "REPORT", "OPTIONS", "GET", "HEAD"})


def fill(cloud: DavCloud, user: str, count: int) -> None:
    """3 calendars of ``count`` events and 2 address books of twice as many contacts."""
    for number in range(3):
        things = events(count, f"{user} {number}")
        cloud.radicale.write(
            user, f"cal-{number}", things, D__displayname=f"Kalender {number}", ICAL__calendar_color="#12ab34"
        )
    for number in range(2):
        things = contacts(2 * count, f"{user} {number}")
        cloud.radicale.write(user, f"book-{number}", things, D__displayname=f"Buch {number}")


@dataclass
class Way:
    """From a source to a cloud, with a ledger; ``wrote`` is what the last run asked of the cloud beside reading."""

    source: Mapping[str, Any]
    cloud: DavCloud
    ledger: Path
    users: Sequence[str] = USERS
    wrote: Counter[str] = field(default_factory=Counter)

    def options(self, **changes: Any) -> dict[str, Any]:
        """The module's options."""
        return {
            "source": {"protocol": "dav", **self.source},
            "target": self.cloud.options(),
            "accounts": [{"source_user": user} for user in self.users],
            "ledger": str(self.ledger),
            **changes,
        }

    def run(self, *, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
        """Run the module's core; its result, also where accounts failed."""
        before = self.cloud.radicale.log_size()
        try:
            return sync(self.options(**changes), check_mode=check_mode)
        except MigrationError as error:
            if not error.done:
                raise
            return error.done
        finally:
            asked = Counter(method for method, _path in self.cloud.radicale.requests(before))
            self.wrote = Counter({method: count for method, count in asked.items() if method not in READS})


@contextmanager
def side(cloud: DavCloud, user: str) -> Iterator[Target]:
    """An account of a cloud."""
    given = WebServer.from_options("target", cloud.options())
    with closing(open_web(given, user, None)) as opened:
        yield opened


def said(source: Source) -> dict[str, Counter[bytes]]:
    """What the objects of each collection that is not empty say, by its display name."""
    found: dict[str, Counter[bytes]] = {}
    for collection in source.survey().collections:
        names = list(source.changes(collection).versions)
        digests = Counter(compare.digest(item.data, IGNORED) for item in source.read(collection, names))
        if digests:
            found[collection.properties.name or collection.slug] = digests
    return found


def clouds_differ(here: DavCloud, there: DavCloud, users: Sequence[str] = USERS) -> list[str]:
    """The accounts that do not say the same on both."""
    different = []
    for user in users:
        with side(here, user) as one, side(there, user) as other:
            if said(one) != said(other):
                different.append(user)
    return different
