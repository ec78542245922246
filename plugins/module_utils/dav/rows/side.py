# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One account of an Atmail site as a source of calendars and contacts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...addresses import canonical_address
from ...errors import CollectionError
from ...platforms.texts import shown
from ..model import Changes, Collection, Finding, Item, Survey
from ..sides import Source
from . import appointments, contacts, sabre
from .appointments import AppointmentShelf
from .cards import Groups
from .contacts import ContactShelf
from .sabre import SabreShelf
from .sabre_owners import owned_by
from .shelf import Listing, Shelf
from .site import Site

__all__ = ["Groups", "RowsSource", "Site", "open_rows"]


def open_rows(site: Site, account: str, *, groups: Groups = "vcard") -> Source:
    """The account as a source; ``groups`` says how groups of contacts are written. Nothing is asked yet."""
    return RowsSource(site, account, groups)


@dataclass(frozen=True)
class _Kind:
    """A kind of collections, and how their keys begin."""

    begins: tuple[str, ...]
    shelf: Shelf


class RowsSource:
    """See :class:`..sides.Source`. The listing of a collection is kept until the next one is asked for."""

    def __init__(self, site: Site, account: str, groups: Groups) -> None:
        self._site = site
        self._account = canonical_address(account)
        self._written = account
        self._groups = groups
        self._lock = threading.Lock()
        self._kinds: tuple[_Kind, ...] | None = None
        self._listings: dict[str, Listing] = {}

    def survey(self) -> Survey:
        """Its calendars and its address book."""
        surveys = [kind.shelf.survey() for kind in self._opened()]
        collections = tuple(each for survey in surveys for each in survey.collections)
        findings = [each for survey in surveys for each in survey.findings]
        return Survey(collections, (*findings, *self._about_all()))

    def changes(self, collection: Collection, since: str | None = None) -> Changes:
        """Nothing, where the survey has found the state that is asked for; else everything that there is."""
        if since is not None and since == collection.state:
            return Changes({}, whole=False, state=since)
        listing = self._listing(collection)
        versions = {name: entry.version for name, entry in listing.entries.items()}
        return Changes(versions, whole=True, state=listing.state, findings=listing.findings)

    def read(self, collection: Collection, names: Sequence[str]) -> Iterator[Item]:
        """The objects of these names."""
        with self._lock:
            listing = self._listings.get(collection.key)
        known = listing or self._listing(collection)
        wanted = {name: known.entries[name] for name in names if name in known.entries}
        return self._shelf(collection).read(collection, wanted)

    def close(self) -> None:
        """Nothing to end: the sessions are the site's."""

    def _listing(self, collection: Collection) -> Listing:
        listing = self._shelf(collection).listing(collection)
        with self._lock:
            self._listings[collection.key] = listing
        return listing

    def _shelf(self, collection: Collection) -> Shelf:
        for kind in self._opened():
            if collection.key.startswith(kind.begins):
                return kind.shelf
        raise CollectionError("there is no such calendar or address book in the database", collection=collection.key)

    def _opened(self) -> tuple[_Kind, ...]:
        with self._lock:
            if self._kinds is None:
                self._kinds = tuple(self._open())
            return self._kinds

    def _open(self) -> Iterator[_Kind]:
        site, account = self._site, self._account
        if "calendars" in site.tables:
            yield _Kind((sabre.PREFIX,), SabreShelf(site, account))
        elif appointments.KEY in site.tables:
            yield _Kind((appointments.KEY, appointments.TASKS), AppointmentShelf(site, account))
        if contacts.KEY in site.tables:
            yield _Kind((contacts.KEY,), ContactShelf(site, account, self._groups))

    def _about_all(self) -> Iterator[Finding]:
        site, account = self._site, self._account
        if "calendars" in site.tables and site.places(appointments.KEY, account):
            message = "there are appointments in the tables of an older Atmail, too: they are left where they are"
            yield Finding("appointments_left", message, "warning")
        if any(map(self._cut, (appointments.KEY, contacts.KEY))):
            message = (
                "its name is too long for a column, and who else's rows are under what is left of it, nobody knows"
            )
            yield Finding("account_cut", message, "error")
        there = any(site.places(key, account) for key in (appointments.KEY, contacts.KEY))
        if not there and not owned_by(site, account):
            message = f"the database has neither a calendar nor a contact of {shown(self._written)}"
            yield Finding("account_without_rows", message, "warning")

    def _cut(self, key: str) -> bool:
        """Are there rows under the beginning of a name that its column is too narrow for?"""
        table = self._site.tables.get(key)
        widths = {shard.widths.get("account", len(self._account)) for shard in table.shards} if table else set()
        return any(
            width < len(self._account) and self._site.places(key, self._account[:width].rstrip()) for width in widths
        )
