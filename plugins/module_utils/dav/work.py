# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One collection while an account is worked on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..ledger_dav import ObjectRow, RefusedRow
from .model import Collection, Item, Kind, Properties
from .pairing import Pair
from .plan import ObjectsPlan, Seen


@dataclass(eq=False)
class Work:
    """A collection on both sides, what was seen of it, and what is to be done with it.

    ``number`` is its own in the ledger, 0 while it has none. ``source_state`` and ``target_state`` are what the last
    look belongs to; ``source_since`` and ``target_since`` are what is remembered. ``items`` are objects of the source
    that were read already. ``given_up`` are those that this run could not bring: they are not tried twice in it;
    ``unreadable`` among them are those that the source lists and did not give out. ``fresh`` are those that it has
    written, and ``read_back`` is what the target then said, by its own names. ``contested`` are those that somebody
    else was said to have changed, ``unseen`` those of the round before. ``stuck``: something could not be removed, and
    has to be tried again.
    """

    pair: Pair
    number: int
    target: Collection | None
    amend: Properties = field(default_factory=Properties)
    plan: ObjectsPlan = field(default_factory=ObjectsPlan)
    rows: dict[str, ObjectRow] = field(default_factory=dict)
    refused: dict[str, RefusedRow] = field(default_factory=dict)
    source: dict[str, str] | None = None
    target_view: Mapping[str, str] = field(default_factory=dict)
    source_since: str | None = None
    target_since: str | None = None
    source_state: str | None = None
    target_state: str | None = None
    items: dict[str, Item] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    contested: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    read_back: dict[str, Seen] = field(default_factory=dict)
    stuck: bool = False
    failed: bool = False

    @property
    def name(self) -> str:
        """What it is called, for people."""
        return self.pair.name

    @property
    def kind(self) -> Kind:
        """Calendar or address book."""
        known = self.pair.source or self.target or self.pair.row
        return known.kind if known else Kind.CALENDAR

    @property
    def slug(self) -> str:
        """The end of its URL; a stable word for what is made of it."""
        known = self.pair.source or self.target
        return known.slug if known else ""

    def where(self, name: str = "") -> dict[str, str]:
        """Its place for an error."""
        return {"collection": self.name, "object": name} if name else {"collection": self.name}
