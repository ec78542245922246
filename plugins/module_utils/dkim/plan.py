# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which key a domain is to have, and which keys sign, wait, or are done with. Pure: no disk, no DNS, no clock.

A key is ``prepared`` until its record has been seen, then ``signing``; when another of its type takes over it is in
``overlap``, for mail that is still on its way; after that it is ``retired``: its file is gone, and its record may go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from ..errors import DkimInUseError, DkimKeyError
from .keys import KeyType, PublicKey
from .names import fresh_selector

Stage = Literal["prepared", "signing", "overlap", "retired"]
Regenerate = Literal["never", "if_weak", "always"]
Sign = Literal["published", "always", "never"]


@dataclass(frozen=True)
class Key:
    """A key of a domain. Times are seconds since 1970, 0 for never; ``public`` is None for a file that is no key."""

    selector: str
    type: KeyType
    public: PublicKey | None
    stage: Stage
    made_at: int = 0
    signed_from: int = 0
    signed_until: int = 0
    retired_at: int = 0
    problem: str = ""

    @property
    def weakness(self) -> str:
        """Why it should be replaced, as far as that can be told from the key alone."""
        return self.problem or (self.public.weakness if self.public else "")


@dataclass(frozen=True)
class Wanted:
    """What an operator asks for. ``overlap`` and ``max_age`` are seconds, ``bits`` counts for RSA only."""

    state: Literal["present", "rotated"]
    selector: str | None
    type: KeyType
    bits: int
    regenerate: Regenerate
    sign: Sign
    overlap: int
    max_age: int
    prefix: str = "atmail"


@dataclass(frozen=True)
class Choice:
    """The selector that all is about, whether its key has to be made, and whether it takes over from another."""

    selector: str
    make: bool
    takes_over: bool


def choose(wanted: Wanted, keys: Sequence[Key], now: int) -> Choice:
    """The key that is to sign, or to be prepared.

    Raises DkimInUseError where a key that has signed would have to be replaced under its own selector, DkimKeyError
    where a file that can't be read is to be kept.
    """
    if wanted.selector is None:
        return _chosen_by_us(wanted, keys, now)
    known = {key.selector: key for key in keys}.get(wanted.selector)
    takes_over = wanted.state == "rotated" or not _signing(keys, wanted.type)
    if known is None:
        return Choice(wanted.selector, make=True, takes_over=takes_over)
    return Choice(wanted.selector, make=_to_be_remade(wanted, known), takes_over=takes_over)


def _to_be_remade(wanted: Wanted, key: Key) -> bool:
    """Whether the key under the wanted selector has to be made anew."""
    if key.stage == "retired":
        said = "the selector was retired: its old record may still be remembered by resolvers"
        raise DkimInUseError(said, selector=key.selector)
    why = f"it is of type {key.type}, not {wanted.type}" if key.type != wanted.type else key.weakness
    if wanted.regenerate == "never":
        if key.public is None:
            raise DkimKeyError(key.problem, selector=key.selector)
        if key.type != wanted.type:
            raise DkimInUseError(f"the key is to be kept, and {why}", selector=key.selector)
        return False
    if wanted.regenerate == "if_weak" and not why:
        return False
    if key.stage != "prepared":
        said = f"the key has signed and can't be replaced under its own selector: {why or 'mail of it is on its way'}"
        raise DkimInUseError(said, selector=key.selector)
    return True


def _chosen_by_us(wanted: Wanted, keys: Sequence[Key], now: int) -> Choice:
    """The same where no selector is given: what there is of the type while it is good, else a new one."""
    taken = frozenset(key.selector for key in keys)
    today = datetime.fromtimestamp(now, UTC).date()
    fresh = fresh_selector(wanted.prefix, wanted.type, today, taken)
    signing = _signing(keys, wanted.type)
    prepared = [key for key in keys if key.stage == "prepared" and key.type == wanted.type]
    waiting = max((key for key in prepared if not key.weakness), key=lambda key: key.made_at, default=None)
    if signing and _stays(wanted, signing[0], now):
        return Choice(signing[0].selector, make=False, takes_over=True)
    if waiting is not None:
        return Choice(waiting.selector, make=False, takes_over=True)
    if prepared and not signing and wanted.regenerate == "never":
        return Choice(_readable(prepared[0]).selector, make=False, takes_over=True)
    return Choice(fresh, make=True, takes_over=True)


def _stays(wanted: Wanted, key: Key, now: int) -> bool:
    """Whether the key that signs goes on signing."""
    if wanted.regenerate == "always":
        return False
    if key.weakness and wanted.regenerate == "if_weak":
        return False
    return wanted.state == "present" or now - key.signed_from < wanted.max_age


def _readable(key: Key) -> Key:
    if key.public is None:
        raise DkimKeyError(key.problem, selector=key.selector)
    return key


def _signing(keys: Sequence[Key], key_type: KeyType) -> list[Key]:
    return [key for key in keys if key.stage == "signing" and key.type == key_type]


def settled(wanted: Wanted, choice: Choice, keys: Sequence[Key], *, published: bool, now: int) -> list[Key]:
    """The keys as they are to be, in a stable order: who signs, who waits until the overlap ends, who is retired.

    ``keys`` already holds the chosen one. A key that signs goes on signing, whatever DNS says at the moment: without
    its record a signature is worth as much as none.
    """
    chosen = next(key for key in keys if key.selector == choice.selector)
    begins = (
        choice.takes_over
        and chosen.stage != "signing"
        and wanted.sign != "never"
        and (published or wanted.sign == "always")
    )
    after = []
    for key in keys:
        if begins and key.selector == choice.selector:
            after.append(replace(key, stage="signing", signed_from=now, signed_until=0))
        elif begins and key.stage == "signing" and key.type == chosen.type:
            after.append(replace(key, stage="overlap", signed_until=now))
        elif key.stage == "overlap" and now >= key.signed_until + wanted.overlap:
            after.append(replace(key, stage="retired", retired_at=now))
        else:
            after.append(key)
    return sorted(after, key=lambda key: (key.made_at, key.selector))


def without(keys: Sequence[Key], selector: str | None) -> list[Key]:
    """The keys that stay when one is removed, or all."""
    return [key for key in keys if selector is not None and key.selector != selector]
