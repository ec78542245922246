# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars, address books and what is in them, as plain values: the same for every kind of side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Level = Literal["note", "warning", "error"]


class Kind(StrEnum):
    """What a collection is."""

    CALENDAR = "calendar"
    ADDRESS_BOOK = "address_book"


@dataclass(frozen=True)
class Finding:
    """Something an operator should know of an account.

    ``error``: the thing was left out. ``warning``: it was not, but look at it. ``note``: good to know. ``kind`` is a
    stable word; ``collection`` and ``name`` (of the object, or the row) are empty where it is not about one.
    """

    kind: str
    message: str
    level: Level = "note"
    collection: str = ""
    name: str = ""


@dataclass(frozen=True)
class Properties:
    """What a collection says of itself; None where it says nothing. Names in brackets are WebDAV properties.

    ``name`` is ``{DAV:}displayname``; ``description`` of RFC 4791 section 5.2.1 or RFC 6352 section 6.2.1. Of calendars
    alone: ``color`` and ``order`` (``{http://apple.com/ns/ical/}calendar-color``, ``#RRGGBB`` or ``#RRGGBBAA``, and
    ``calendar-order``), ``timezone`` (RFC 4791 section 5.2.2: an iCalendar text with one VTIMEZONE), ``components``
    (section 5.2.3; None: every kind), ``transparent`` (RFC 6638 section 9.1: does not count for free-busy).
    """

    name: str | None = None
    description: str | None = None
    color: str | None = None
    order: int | None = None
    timezone: str | None = None
    components: frozenset[str] | None = None
    transparent: bool | None = None


@dataclass(frozen=True)
class Collection:
    """One calendar or address book of one account, as one side has it now.

    ``key`` is its stable and unique name at its side (the path of its URL as the server writes it; a table and a row's
    id). ``slug`` is what the end of its URL is or would be, decoded, without a slash. ``state`` is an opaque word that
    is equal as long as nothing in it changed (sync-token, ctag, a digest of rows); None when the side has none.
    ``max_size`` is in bytes (RFC 4791 section 5.2.5), None: not known.
    """

    kind: Kind
    key: str
    slug: str
    properties: Properties = Properties()
    state: str | None = None
    writable: bool = True
    max_size: int | None = None


@dataclass(frozen=True)
class Survey:
    """An account's collections, in a stable order, and what there is to say (of shared and delegated ones, say)."""

    collections: tuple[Collection, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Changes:
    """What is in a collection, or what changed in it since a state.

    ``versions``: object name → version (ETag, or a digest of a row): equal as long as the object is. A name is the last
    segment of the object's URL, decoded. With ``whole`` these are all objects that there are and ``removed`` is empty;
    else they are those that changed or came since, and ``removed`` are those that went. ``state`` is the collection's
    state that this belongs to, from which the next call may go on; None: only a whole listing is possible.
    """

    versions: Mapping[str, str]
    whole: bool
    removed: frozenset[str] = frozenset()
    state: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Item:
    """An object as a side gave it: ``data`` is its iCalendar or vCard text as it is; ``version`` as in Changes."""

    name: str
    version: str
    data: bytes = field(repr=False)
    findings: tuple[Finding, ...] = ()
