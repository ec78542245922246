# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the runs ask of a side; ``web/`` is both, ``rows/`` and ``files/`` are sources only.

Every method may be called from several threads at a time. All raise the errors of :mod:`..errors`: those of
connecting (ConnectError and its kinds, TlsError and its kinds, AuthError, ThrottledError, ServerError and its kinds)
end the account's run; ObjectRefusedError and ObjectChangedError are about one object, CollectionError about one
collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from .model import Changes, Collection, Item, Kind, Properties, Survey


class Source(Protocol):
    """One account of one side, open for reading."""

    def survey(self) -> Survey:
        """Its collections."""

    def changes(self, collection: Collection, since: str | None = None) -> Changes:
        """What changed since a state that :class:`Changes` gave; the whole listing without one, or if it is too old."""

    def read(self, collection: Collection, names: Sequence[str]) -> Iterator[Item]:
        """The objects of these names, in any order, as they come; those that are gone meanwhile are left out."""

    def close(self) -> None:
        """End its connections."""


class Target(Source, Protocol):
    """One account of the target, open for writing."""

    def make(self, kind: Kind, slug: str, properties: Properties) -> Collection:
        """Make a collection. What the server does not take of the properties is left out; see what :meth:`survey` says.

        Raises CollectionError.
        """

    def amend(self, collection: Collection, properties: Properties) -> frozenset[str]:
        """Set those of the properties that are not None; the names (fields of Properties) that the server refused."""

    def put(self, collection: Collection, name: str, data: bytes, *, version: str | None) -> str | None:
        """Write an object: a new one (``version`` None: ``If-None-Match: *``), or over this version (``If-Match``).

        The new version; None where the server does not say it, as when it stored something else than it was given
        (RFC 4791 section 5.3.4). No invitation leaves (see ``web/scheduling.py``).

        Raises ObjectChangedError (412: there is one, or another version), ObjectRefusedError (the server does not take
        it; ``where`` has the ``condition``: ``no-uid-conflict``, ``valid-calendar-data``, ``max-resource-size`` …).
        """

    def remove(self, collection: Collection, name: str, *, version: str) -> None:
        """Remove this version of an object; that it is gone already is no error. Raises ObjectChangedError."""
