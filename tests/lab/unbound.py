# SPDX-License-Identifier: GPL-3.0-or-later
"""Unbound: a resolver on loopback, which remembers what it was told, and gives out nothing that it can't verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import ports
from .server import Server
from .throwaway import throw_away

PROGRAM = "/usr/sbin/unbound"


@dataclass(frozen=True)
class UnboundSetup:
    """The port; each zone with the address and port of the server to ask; DS records that are trusted, with names."""

    port: int
    zones: Mapping[str, tuple[str, int]]
    anchors: Sequence[str] = ()


class Unbound(Server):
    """DNS over UDP and TCP on one port of 127.0.0.1, for clients."""

    def __init__(self, name: str, folder: Path, setup: UnboundSetup) -> None:
        super().__init__(name, folder)
        self.setup = setup
        self._configuration = folder / "unbound.conf"

    @classmethod
    @contextmanager
    def temporary(cls, zones: Mapping[str, tuple[str, int]], anchors: Sequence[str] = ()) -> Iterator[Unbound]:
        """A running resolver in a throw-away folder of its own."""

        def make(folder: Path) -> Unbound:
            return cls("unbound", folder / "unbound", UnboundSetup(ports.claim(folder, 1)[0], zones, anchors))

        with throw_away("unbound", make) as server:
            yield server

    @property
    def port(self) -> int:
        """The port of UDP and TCP."""
        return self.setup.port

    def listens_on(self) -> Sequence[int]:
        return [self.port]

    def command(self) -> Sequence[str]:
        return [PROGRAM, "-d", "-p", "-c", str(self._configuration)]

    def prepare(self) -> None:
        zones = {name: f"{address}@{port}" for name, (address, port) in self.setup.zones.items()}
        self.render(
            "unbound.conf.j2",
            self._configuration,
            name=self.name,
            folder=self.folder,
            port=self.port,
            anchors=self.setup.anchors,
            zones=zones,
        )
