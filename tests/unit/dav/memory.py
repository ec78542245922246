# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A side in memory, for unit tests of pure code alone: a real server stands behind every integration test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.atmail.migration.plugins.module_utils.dav.model import (
    Changes,
    Collection,
    Finding,
    Item,
    Kind,
    Properties,
    Survey,
)
from ansible_collections.atmail.migration.plugins.module_utils.errors import ObjectChangedError


@dataclass
class Shelf:
    """A collection and what is in it, by name."""

    kind: Kind
    slug: str
    properties: Properties = field(default_factory=Properties)
    objects: dict[str, bytes] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name at its side."""
        return f"{self.kind}/{self.slug}"

    @property
    def state(self) -> str:
        """Equal as long as its objects are."""
        return hashlib.sha256(repr(sorted(self.objects.items())).encode()).hexdigest()

    @property
    def collection(self) -> Collection:
        """What a survey says of it."""
        return Collection(self.kind, self.key, self.slug, self.properties, self.state)


@dataclass
class Memory:
    """An account's side; ``written`` counts what was written."""

    shelves: dict[str, Shelf] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    written: int = 0

    @classmethod
    def of(cls, *shelves: Shelf) -> Memory:
        """A side with these collections."""
        return cls({shelf.key: shelf for shelf in shelves})

    def survey(self) -> Survey:
        return Survey(tuple(self.shelves[key].collection for key in sorted(self.shelves)), self.findings)

    def changes(self, collection: Collection, since: str | None = None) -> Changes:
        shelf = self.shelves[collection.key]
        if since is not None and since == shelf.state:
            return Changes({}, whole=False, state=since)
        versions = {name: hashlib.sha256(data).hexdigest() for name, data in shelf.objects.items()}
        return Changes(versions, whole=True, state=shelf.state)

    def read(self, collection: Collection, names: Sequence[str]) -> Iterator[Item]:
        objects = self.shelves[collection.key].objects
        for name in names:
            if name in objects:
                yield Item(name, hashlib.sha256(objects[name]).hexdigest(), objects[name])

    def close(self) -> None:
        pass

    def make(self, kind: Kind, slug: str, properties: Properties) -> Collection:
        shelf = Shelf(kind, slug, properties)
        self.shelves[shelf.key] = shelf
        self.written += 1
        return shelf.collection

    def amend(self, collection: Collection, properties: Properties) -> frozenset[str]:
        shelf = self.shelves[collection.key]
        given = {name: value for name, value in vars(properties).items() if value is not None}
        shelf.properties = replace(shelf.properties, **given)
        self.written += 1
        return frozenset()

    def put(self, collection: Collection, name: str, data: bytes, *, version: str | None) -> str | None:
        self._check(collection, name, version)
        self.shelves[collection.key].objects[name] = data
        self.written += 1
        return hashlib.sha256(data).hexdigest()

    def remove(self, collection: Collection, name: str, *, version: str) -> None:
        if name in self.shelves[collection.key].objects:
            self._check(collection, name, version)
            del self.shelves[collection.key].objects[name]
            self.written += 1

    def _check(self, collection: Collection, name: str, version: str | None) -> None:
        there = self.shelves[collection.key].objects.get(name)
        if version != (None if there is None else hashlib.sha256(there).hexdigest()):
            raise ObjectChangedError("it is another version")
