# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is asked of whom: each server of the zone that a name is in, and the resolvers."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..errors import DnsError, MigrationError
from ..transport.nameserver import Asker, NameServer, Told, ZoneServers, plain, zone_servers


class View:
    """All servers' answers. ``given`` are a zone's servers where they are not to be looked up, by the zone's name."""

    def __init__(
        self, asker: Asker, resolvers: Sequence[NameServer], given: Mapping[str, Sequence[NameServer]], port: int
    ) -> None:
        self.resolvers = tuple(resolvers)
        self._asker = asker
        self._given = {plain(zone): tuple(servers) for zone, servers in given.items()}
        self._port = port
        self._zones: dict[str, ZoneServers | MigrationError] = {}
        self._heard: dict[str, list[Told]] = {}
        self._lock = threading.Lock()

    @property
    def zones(self) -> list[ZoneServers]:
        """The zones that have been asked about so far."""
        found = {each.zone: each for each in self._zones.values() if isinstance(each, ZoneServers)}
        return [found[zone] for zone in sorted(found)]

    def zone(self, name: str) -> ZoneServers:
        """The zone that a name is in. Raises DnsError."""
        name = plain(name)
        if name not in self._zones:
            try:
                self._zones[name] = self._find(name)
            except DnsError as error:
                self._zones[name] = error
        found = self._zones[name]
        if isinstance(found, MigrationError):
            raise found
        return found

    def prepare(self, questions: Iterable[tuple[str, str]]) -> None:
        """Begin to ask all that, so that answers are there sooner."""
        for name, kind in questions:
            self._asker.prepare((*self.zone(name).servers, *self.resolvers), [(name, kind)])

    def all(self, name: str, kind: str) -> list[Told]:
        """What every server of the name's zone says, then every resolver. Raises DnsError where there is no zone."""
        zone = self.zone(name)
        told = self._asker.ask_all((*zone.servers, *self.resolvers), name, kind)
        with self._lock:
            self._heard.setdefault(zone.zone, []).extend(one for one in told if not one.server.resolver)
        return told

    def owners(self, name: str, kind: str) -> list[Told]:
        """The same without the resolvers."""
        return [told for told in self.all(name, kind) if not told.server.resolver]

    def look(self, name: str, kind: str) -> Told:
        """What the first resolver says that says anything."""
        return self._asker.first(self.resolvers, plain(name), kind)

    def look_unchecked(self, name: str, kind: str) -> Told:
        """The same, whether the resolver can verify it or not."""
        return self._asker.first([replace(one, checking=False) for one in self.resolvers], plain(name), kind)

    def heard(self, zone: str) -> list[Told]:
        """All that the servers of a zone have answered."""
        return [told for told in self._heard.get(zone, []) if told.answered]

    def _find(self, name: str) -> ZoneServers:
        for start in range(len(labels := name.split("."))):
            above = ".".join(labels[start:])
            if above in self._given:
                return ZoneServers(above, self._given[above])
        return zone_servers(self._asker, self.resolvers, name, self._port)
