# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""An account on two sides in memory and the runs between them, which can be killed at any of their steps.

The sides stand for servers in unit tests of the engine alone: they can keep versions back, remember changes, store
something else than they were given, and refuse a second object with the same UID.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.dav.account import sync_account
from ansible_collections.atmail.migration.plugins.module_utils.dav.identity import uid_of
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import (
    Changes,
    Collection,
    Item,
    Kind,
    Properties,
    Survey,
)
from ansible_collections.atmail.migration.plugins.module_utils.dav.outcome import Outcome
from ansible_collections.atmail.migration.plugins.module_utils.dav.pairing import Rules
from ansible_collections.atmail.migration.plugins.module_utils.dav.plan import Policy
from ansible_collections.atmail.migration.plugins.module_utils.dav.quarantine import Quarantine
from ansible_collections.atmail.migration.plugins.module_utils.dav.task import Setting
from ansible_collections.atmail.migration.plugins.module_utils.errors import ObjectChangedError, ObjectRefusedError
from ansible_collections.atmail.migration.plugins.module_utils.ledger_dav import DavLedger
from ansible_collections.atmail.migration.plugins.module_utils.tasks import Account, Task

USER = "ann@acme.example"


class Killed(BaseException):
    """The run was ended from outside; nothing that it does afterwards has any effect."""


def event(uid: str | None, summary: str = "Besprechung", *more: str) -> bytes:
    """An event that is as it should be; without a UID where that is None."""
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Acme//Test//DE", "BEGIN:VEVENT",
        *([f"UID:{uid}"] if uid is not None else []),
        "DTSTAMP:20260101T100000Z", "DTSTART:20260102T100000Z", f"SUMMARY:{summary}", *more, "END:VEVENT",
        "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def version_of(data: bytes) -> str:
    """The ETag that the sides give."""
    return hashlib.sha256(data).hexdigest()[:16]


@dataclass
class Room:
    """A collection: its objects by name, and what was changed when, by a count that only grows."""

    kind: Kind
    slug: str
    properties: Properties = field(default_factory=Properties)
    objects: dict[str, bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    serial: int = 0

    def set(self, name: str, data: bytes) -> None:
        """Store an object."""
        self.objects[name] = data
        self.log.append(name)

    def drop(self, name: str) -> None:
        """Remove an object."""
        del self.objects[name]
        self.log.append(name)


@dataclass
class Side:
    """One side of an account, seen by its user; :meth:`opened` is it as a run sees it.

    ``tokens``: it can say what changed since a state, else it lists everything. ``silent``: it does not say the version
    of what it stored. ``altering``: it stores something else than it was given. ``unique``: it refuses a second object
    with the same UID in a collection. ``refuses`` is what it does not take, and why.
    """

    rooms: dict[str, Room] = field(default_factory=dict)
    tokens: bool = True
    silent: bool = False
    altering: bool = False
    unique: bool = False
    refuses: Callable[[bytes], str | None] = lambda _data: None
    asked: Counter[str] = field(default_factory=Counter)
    step: Callable[[], None] = lambda: None
    _serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def room(self, slug: str, kind: Kind = Kind.CALENDAR, **properties: Any) -> Room:
        """The collection of this name; it is made when there is none."""
        key = f"/{kind}/{slug}/"
        if key not in self.rooms:
            self.rooms[key] = Room(kind, slug, Properties(**properties), serial=next(self._serials))
        return self.rooms[key]

    def everything(self) -> dict[str, dict[str, bytes]]:
        """All objects by collection and name."""
        return {room.slug: dict(room.objects) for room in self.rooms.values()}

    # what a run asks

    def _did(self, what: str) -> None:
        self.step()
        self.asked[what] += 1

    @staticmethod
    def _state(room: Room) -> str:
        return f"{room.serial}-{len(room.log)}"

    def _collection(self, key: str, room: Room) -> Collection:
        return Collection(room.kind, key, room.slug, room.properties, self._state(room))

    def survey(self) -> Survey:
        self._did("survey")
        return Survey(tuple(self._collection(key, self.rooms[key]) for key in sorted(self.rooms)))

    def changes(self, collection: Collection, since: str | None = None) -> Changes:
        self._did("changes")
        room = self.rooms[collection.key]
        if since is None or not self.tokens or not since.startswith(f"{room.serial}-"):
            versions = {name: version_of(data) for name, data in room.objects.items()}
            return Changes(versions, whole=True, state=self._state(room) if self.tokens else None)
        touched = set(room.log[int(since.partition("-")[2]) :])
        here = {name: version_of(room.objects[name]) for name in touched if name in room.objects}
        return Changes(here, whole=False, removed=frozenset(touched - set(here)), state=self._state(room))

    def read(self, collection: Collection, names: Sequence[str]) -> Iterator[Item]:
        self._did("read")
        room = self.rooms[collection.key]
        for name in names:
            if name in room.objects:
                self.asked["items"] += 1
                yield Item(name, version_of(room.objects[name]), room.objects[name])

    def close(self) -> None:
        pass

    def make(self, kind: Kind, slug: str, properties: Properties) -> Collection:
        self._did("make")
        room = self.room(slug, kind)
        room.properties = properties
        return self._collection(f"/{kind}/{slug}/", room)

    def amend(self, collection: Collection, properties: Properties) -> frozenset[str]:
        self._did("amend")
        room = self.rooms[collection.key]
        given = {name: value for name, value in vars(properties).items() if value is not None}
        room.properties = replace(room.properties, **given)
        return frozenset()

    def put(self, collection: Collection, name: str, data: bytes, *, version: str | None) -> str | None:
        self._did("put")
        room = self.rooms[collection.key]
        self._check(room, name, version)
        reason = self.refuses(data)
        if reason is not None:
            raise ObjectRefusedError("the server does not take it: 400", condition=reason)
        uid = uid_of(data)
        if self.unique and any(uid_of(other) == uid for key, other in room.objects.items() if key != name):
            raise ObjectRefusedError("the UID is in use", condition="no-uid-conflict")
        if self.altering:
            data = data.replace(b"END:VEVENT", b"X-SEEN:1\r\nEND:VEVENT")
        room.set(name, data)
        self.step()
        return None if self.silent or self.altering else version_of(data)

    def remove(self, collection: Collection, name: str, *, version: str) -> None:
        self._did("remove")
        room = self.rooms[collection.key]
        if name in room.objects:
            self._check(room, name, version)
            room.drop(name)
        self.step()

    @staticmethod
    def _check(room: Room, name: str, version: str | None) -> None:
        there = room.objects.get(name)
        if version != (None if there is None else version_of(there)):
            raise ObjectChangedError("it is another version")


class _Ledger(DavLedger):
    """A ledger that a killed run can't write to any more."""

    dead: Callable[[], bool] = staticmethod(lambda: False)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        if self.dead():
            raise Killed
        with super().transaction() as db:
            yield db


class _Meter:
    """What a run tells, which nobody wants to know here."""

    def expect(self, messages: int) -> None:
        pass

    def take(self, messages: int, size: int) -> None:
        pass


@dataclass
class World:
    """Both sides of an account, the ledger and the quarantine in a folder."""

    folder: Path
    source: Side = field(default_factory=Side)
    target: Side = field(default_factory=Side)
    rules: Rules = field(default_factory=Rules)
    repair: bool = True
    connections: int = 2

    @property
    def quarantine(self) -> Path:
        """Where objects are kept."""
        return self.folder / "quarantine"

    def forget(self) -> None:
        """Lose the ledger."""
        for file in self.folder.glob("ledger*"):
            file.unlink()

    def run(self, policy: Policy | None = None, *, check_mode: bool = False, kill_after: int | None = None) -> Outcome:
        """A run; with ``kill_after`` it is killed after so many steps, which raises Killed if it comes to that."""
        left, lock, dead = itertools.count(), threading.Lock(), threading.Event()

        def step() -> None:
            with lock:
                if kill_after is not None and next(left) >= kill_after:
                    dead.set()
                if dead.is_set():
                    raise Killed

        self.source.step = self.target.step = step
        self.source.asked.clear()
        self.target.asked.clear()
        setting = Setting(
            open_source=lambda _account: self.source,
            open_target=lambda _account: self.target,
            policy=policy or Policy(),
            quarantine=Quarantine(self.quarantine),
            rules=self.rules,
            repair=self.repair,
            connections=self.connections,
            check_mode=check_mode,
        )
        try:
            with _Ledger(str(self.folder / "ledger"), read_only=check_mode) as ledger:
                ledger.dead = dead.is_set
                if not check_mode:
                    ledger.advance(setting.policy.phase, 0)
                return sync_account(Task(Account(USER), Account(USER)), setting, ledger, _Meter())
        finally:
            self.source.step = self.target.step = lambda: None

    @property
    def written(self) -> int:
        """How often the last run wrote to the target."""
        return sum(self.target.asked[what] for what in ("put", "remove", "make", "amend"))
