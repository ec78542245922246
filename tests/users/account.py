# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be true of a target after the cut-over, whatever users did: kept as an account of every message.

A message is known by its content; copies of it are counted. Nothing here knows how the engine comes to its results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.integration.checks.picture import Message, Picture, placeholders

#: A message's place: folder, UIDVALIDITY and UID.
Place = tuple[str, int, int]


def placed(picture: Picture) -> dict[Place, Message]:
    """Every message by its place."""
    return {
        (name, folder.uidvalidity, uid): message
        for name, folder in picture.folders.items()
        for uid, message in folder.messages.items()
    }


def contents(picture: Picture) -> Counter[str]:
    """How many copies there are of each content."""
    return Counter(message.digest for message in placed(picture).values())


def merged(base: frozenset[str] | None, source: frozenset[str], target: frozenset[str]) -> frozenset[str]:
    r"""What a target's flags must be: what the source changed since the base is changed, but for `\Deleted`.

    Without a base nobody can tell what the source changed, and the target stays as it is.
    """
    if base is None:
        return target
    return (target | (source - base - {"\\deleted"})) - (base - source)


@dataclass
class Account:
    """One account since its cut-over."""

    #: How often each content has come into being on the source: delivered or copied, not moved.
    made: Counter[str] = field(default_factory=Counter)
    #: Copies on the target at the cut-over, and those that runs have added since.
    initial: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    #: What the target's user has removed, and what she has moved.
    removed: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    #: What a killed run has brought, which the ledger may not know before the next run has ended well.
    fragile: set[str] = field(default_factory=set)
    #: What may come back, because everything that knew of it was lost.
    waived: set[str] = field(default_factory=set)
    #: Whether the ledger was lost, and what the source's user has moved since then.
    ledger_lost: bool = False
    moved_on_source: set[str] = field(default_factory=set)
    #: The flags that a message had when it was last merged: several possibilities after a kill.
    bases: dict[str, list[frozenset[str] | None]] = field(default_factory=dict)
    subscribed: frozenset[str] = frozenset()

    # what users do

    def source_moved(self, digests: Iterable[str]) -> None:
        """The source's user moved messages: they have other UIDs now."""
        for digest in digests:
            self.bases.pop(digest, None)
            self.moved_on_source.add(digest)
            self._waive(digest)

    def target_moved(self, digests: Iterable[str]) -> None:
        """The target's user moved messages."""
        for digest in digests:
            self.bases.pop(digest, None)
            self.moved.add(digest)
            self._waive(digest)

    def target_removed(self, digests: Iterable[str]) -> None:
        """The target's user removed messages."""
        for digest in digests:
            self.bases.pop(digest, None)
            self.removed.add(digest)
            self._waive(digest)
            if digest in self.fragile:
                self.waived.add(digest)

    def lose_ledger(self) -> None:
        """The ledger is gone: with it the knowledge of what was removed, and every base."""
        self.ledger_lost = True
        self.moved_on_source.clear()
        self.waived |= self.removed
        self.bases = {digest: [None] for digest in self.bases}

    def _waive(self, digest: str) -> None:
        if self.ledger_lost and digest in self.removed:
            self.waived.add(digest)

    # what runs do

    def cut_over(self, source: Picture, target: Picture, *, clean: bool) -> None:
        """The customer is cut over; after a ``clean`` mirror both sides are the same."""
        self.initial = contents(target)
        self.subscribed = target.subscribed
        if clean:
            self._base(source, target, contents(target))

    def after_run(self, source: Picture, before: Picture, after: Picture, *, whole: bool) -> list[str]:
        """What is wrong after a run; ``whole`` when it was not killed."""
        wrong = _nothing_lost(before, after)
        wrong += [f"a placeholder is left: {place}" for place in placeholders(after)] if whole else []
        new = contents(after) - contents(before)
        self.added += new
        for digest, count in new.items():
            if digest not in self.waived and self.initial[digest] + self.added[digest] > self.made[digest]:
                wrong.append(f"{digest[:12]} was brought {count} times too often ({self._told(digest)})")
        if whole:
            wrong += self._missing(source, after)
            wrong += self._flags(source, before, after)
            self.fragile.clear()
            self._base(source, after, new)
        else:
            self.fragile |= set(new)
            self._maybe(source)
        return wrong

    def _told(self, digest: str) -> str:
        words = [name for name in ("removed", "moved", "fragile", "moved_on_source") if digest in getattr(self, name)]
        return (
            f"initial {self.initial[digest]}, added {self.added[digest]}, made {self.made[digest]}; {' '.join(words)}"
        )

    def _missing(self, source: Picture, after: Picture) -> list[str]:
        """What is on the source and not on the target, although nobody removed it there."""
        there = contents(after)
        return [
            f"{digest[:12]} is on the source and was not brought ({self._told(digest)})"
            for digest in contents(source)
            if not there[digest] and digest not in self.removed
        ]

    def _flags(self, source: Picture, before: Picture, after: Picture) -> list[str]:
        here, was, now = _single(source), _single(before), _single(after)
        wrong = []
        for digest, bases in self.bases.items():
            if digest not in here or digest not in was or digest not in now:
                continue
            allowed = [merged(base, here[digest].flags, was[digest].flags) for base in bases]
            if now[digest].flags not in allowed:
                flags = [sorted(one[digest].flags) for one in (now, here, was)]
                wrong.append(f"{digest[:12]} has flags {flags[0]}; source {flags[1]}, before {flags[2]}, base {bases}")
        return wrong

    def _base(self, source: Picture, target: Picture, new: Mapping[str, int]) -> None:
        """The base after a run that was not killed: of what it brought, and of what was followed before."""
        here, there = _single(source), _single(target)
        for digest in [*new, *self.bases]:
            if digest in here and digest in there and self.made[digest] == 1:
                self.bases[digest] = [here[digest].flags]

    def _maybe(self, source: Picture) -> None:
        """After a killed run the flags of the source may have been merged, or not."""
        here = _single(source)
        for digest, bases in self.bases.items():
            if digest in here and here[digest].flags not in bases:
                bases.append(here[digest].flags)


def _single(picture: Picture) -> dict[str, Message]:
    """The contents of which there is one copy."""
    count = contents(picture)
    return {one.digest: one for one in placed(picture).values() if count[one.digest] == 1}


def _nothing_lost(before: Picture, after: Picture) -> list[str]:
    """Runs remove nothing after the cut-over: no message, no folder, no subscription; no UIDVALIDITY changes."""
    now = placed(after)
    wrong = [
        f"{place} is gone"
        for place, one in placed(before).items()
        if place not in now or now[place].digest != one.digest
    ]
    wrong += [f"the folder {name} is gone" for name in before.folders if name not in after.folders]
    lost = before.subscribed - after.subscribed
    return wrong + ([f"subscriptions {sorted(lost)} are gone"] if lost else [])


def same(first: Picture, second: Picture) -> bool:
    """Whether two looks at a target show the same messages, flags, folders and subscriptions."""
    return (
        placed(first) == placed(second)
        and first.folders.keys() == second.folders.keys()
        and (first.subscribed == second.subscribed)
    )
