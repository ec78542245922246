# SPDX-License-Identifier: GPL-3.0-or-later
"""Radicale's storage in files, made fast enough for full calendars: a plugin that Radicale loads (`[storage] type`).

With each new object Radicale reads all others of the collection, to see whether its UID is there already, and looks at
its whole history for what may be forgotten: filling a collection takes time that grows with the square of its size,
minutes for 2,000 contacts. Here the UIDs are remembered, nothing is forgotten, and nobody waits for the disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from radicale import config
from radicale import item as radicale_item
from radicale.storage import multifilesystem

#: By the folder of a collection: when it was changed last (ns), and the UIDs by the names of its objects. Radicale's
#: own lock lets nobody else in where this is used: while something is written.
_known: dict[str, tuple[int, dict[str, str]]] = {}


class Collection(multifilesystem.Collection):
    """A collection that knows its UIDs."""

    def has_uid(self, uid: str) -> bool:
        """Whether an object of the collection has this UID."""
        return uid in self._uids().values()

    def upload(self, href: str, item: radicale_item.Item) -> tuple[radicale_item.Item, radicale_item.Item | None]:
        """Store an object."""
        uids = self._uids()
        stored = super().upload(href, item)
        uids[href] = item.uid
        self._remember(uids)
        return stored

    def delete(self, href: str | None = None) -> None:
        """Remove an object, or the collection."""
        uids = self._uids() if href else {}
        super().delete(href)
        if href:
            uids.pop(href, None)
            self._remember(uids)
        else:
            _known.pop(self._filesystem_path, None)

    def _uids(self) -> dict[str, str]:
        changed, uids = _known.get(self._filesystem_path, (0, {}))
        if changed != Path(self._filesystem_path).stat().st_mtime_ns:
            uids = {item.href: item.uid for item in self.get_all() if item.href}
            self._remember(uids)
        return uids

    def _remember(self, uids: dict[str, str]) -> None:
        _known[self._filesystem_path] = (Path(self._filesystem_path).stat().st_mtime_ns, uids)

    def _clean_history(self) -> None:
        """The lab lives shorter than a month."""


class Storage(multifilesystem.Storage):
    """The storage of these collections."""

    _collection_class: ClassVar[type[multifilesystem.Collection]] = Collection

    def __init__(self, configuration: config.Configuration) -> None:
        super().__init__(configuration)
        self._filesystem_fsync = False
