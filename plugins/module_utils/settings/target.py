# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a target is to a plan: what it holds now, what it can hold, and something that carries a plan out.

A platform is one class with the methods of :class:`TargetAdapter`. It turns its rows into :class:`things.There` and
changes into rows; everything that is decided is decided in :mod:`.plan`, for all platforms alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .merge import Applied
from .model import Finding, Password
from .schemes import HASHES
from .things import There, Thing

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .plan import Change


@dataclass(frozen=True)
class Place:
    """Where on the target a customer goes, and how its passwords and mailboxes are kept there."""

    subscription: str
    region: str
    password_scheme: str = HASHES[0]
    mailbox_server: str = ""
    mailbox_type: str = "mdbox"


def as_it_is(thing: Thing) -> tuple[Thing | None, tuple[Finding, ...]]:
    """A target on which everything fits."""
    return thing, ()


@dataclass(frozen=True)
class Capacity:
    """What a target can hold.

    ``places``: kind → attributes (``site`` of ``senders``: lists of the whole site; ``password`` of ``accounts``).
    ``limits``: ``kind.attribute`` → characters, of a set those of each word; ``kind.key`` for the thing's own name.
    ``fit`` makes of a wanted thing what would be read back of it, and says what it changed; None can't be there at all.
    """

    places: Mapping[str, frozenset[str]]
    limits: Mapping[str, int] = field(default_factory=dict)
    fit: Callable[[Thing], tuple[Thing | None, tuple[Finding, ...]]] = as_it_is

    def limit(self, kind: str, attribute: str) -> int | None:
        """Characters; None: no limit."""
        return self.limits.get(f"{kind}.{attribute}")


@dataclass(frozen=True)
class State:
    """What there is on the target: things by kind and key, of all domains that are the customer's there.

    ``foreign`` are domains of the customer that belong to somebody else on the target. ``notes`` are of things that
    are gone by now: kind → key → what a migration wrote last.
    """

    things: Mapping[str, Mapping[str, There]]
    foreign: frozenset[str] = frozenset()
    notes: Mapping[str, Mapping[str, Applied]] = field(default_factory=dict)

    def kind(self, kind: str) -> Mapping[str, There]:
        """The things of a kind, by key."""
        return self.things.get(kind, {})

    def __iter__(self) -> Iterator[There]:
        for things in self.things.values():
            yield from things.values()


@dataclass(frozen=True)
class Writing:
    """What writing needs besides the changes: ``stored`` hashes a plain password as the target keeps it."""

    place: Place
    stored: Callable[[Password], str]


class TargetAdapter(Protocol):
    """A platform to write to."""

    @property
    def capacity(self) -> Capacity:
        """What this target can hold."""

    def check(self, place: Place) -> None:
        """Raises TenantError unless the customer may be written there."""

    def survey(self, place: Place, domains: Iterable[str], *, lock: bool) -> State:
        """All that the customer has there, and who has these domains; ``lock`` until the transaction ends."""

    def write(self, changes: Sequence[Change], writing: Writing) -> None:
        """Carry the changes out; they come in the order in which they can be written."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written inside is written at its end, or not at all."""


def by_kind(things: Iterable[There]) -> dict[str, dict[str, There]]:
    """The things as :class:`State` has them."""
    found: dict[str, dict[str, There]] = {}
    for each in things:
        found.setdefault(each.kind, {})[each.key] = each
    return found
