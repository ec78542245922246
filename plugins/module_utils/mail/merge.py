# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a catch-up after the cut-over has to do: the three-way merge, as pure decisions without I/O.

The base is what the last run left in the ledger. What came to the source since then comes to the target; a flag that
changed on the source since then changes on the target, unless it was changed there too. Nothing is ever removed, no
UIDVALIDITY is changed, and what the target's user moved or deleted does not come back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from .attributes import flag_key, is_placeholder, storable
from .deltas import LISTING
from .folders import Path
from .plan import (
    COMPARE,
    FAITHFUL,
    FRESH,
    MAPPED,
    TROUBLE,
    UNCHANGED,
    Base,
    FlagChange,
    FolderPlan,
    Look,
    MailboxPlan,
    Pair,
    Policy,
    Step,
)
from .survey import Folder, FolderState, Side

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)
#: Gaps in the UIDs up to which new messages still get the UIDs of the source: each costs a call to doveadm (12 ms).
_MANY_GAPS = 64
_DELETED = b"\\deleted"


def plan_mailbox_merge(
    source: Side,
    target: Side,
    mapping: Mapping[Path, Path],
    bases: Mapping[Path, Base],
    subscribed: Collection[Path] | None,
    policy: Policy,
) -> MailboxPlan:
    """What each folder needs; ``subscribed`` are the source's subscriptions at the base, None when nobody knows.

    A folder whose source is as the last run saw it needs nothing, whatever its target has become. Folders that the
    source made anew come first: what they no longer hold may have been moved to others.
    """
    remembers = any(base.source for base in bases.values())
    trust = policy.delta != LISTING
    steps = [
        _step(source.folders[path], target, new, bases.get(path), remembers=remembers, trust_modseqs=trust)
        for path, new in mapping.items()
    ]
    steps.sort(key=lambda step: not _made_anew(step))
    if not policy.rules.subscribe:
        return MailboxPlan(tuple(steps))
    made = {step.target_path for step in steps if step.create}
    there = set(target.existing())
    known = {path for path, folder in target.folders.items() if folder.subscribed}
    # a subscription to what is not there is not told by every server at all times: it does not count
    new = {
        mapping[path]
        for path, folder in source.existing().items()
        if path in mapping and folder.subscribed and (_is_new(path, subscribed) or mapping[path] in made)
    }
    return MailboxPlan(tuple(steps), subscribe=tuple(sorted((new - known) & (there | made))))


def _is_new(path: Path, subscribed: Collection[Path] | None) -> bool:
    """Whether the source subscribed to a folder since the base; without a base nobody can tell, and the target wins."""
    return subscribed is not None and path not in subscribed


def _made_anew(step: Step) -> bool:
    state = step.source.state if step.source else None
    return bool(state and step.base and step.base.source_uidvalidity != state.uidvalidity)


def _step(source: Folder, target: Side, new: Path, base: Base | None, *, remembers: bool, trust_modseqs: bool) -> Step:
    there = target.folders.get(new)
    there = there if there and there.selectable else None

    def needs(action: str) -> Step:
        return Step(source.path, new, action, source, there, base)

    trouble = source.trouble or (there.trouble if there else None)
    if not source.selectable or _as_the_base(source.state, base, trust_modseqs=trust_modseqs):
        return needs(UNCHANGED)
    if trouble or source.state is None:
        return Step(source.path, new, TROUBLE, source, there, base, trouble)
    # without any memory a folder that is not there may be one that the user has renamed or deleted
    is_new = base is None and there is None and (remembers or source.state.messages == 0)
    return needs(FRESH if is_new else COMPARE)


def _as_the_base(state: FolderState | None, base: Base | None, *, trust_modseqs: bool) -> bool:
    """Whether the source is as the last complete run saw it; without mod-sequences flags must be looked at."""
    if base is None or state is None or base.source != state:
        return False
    return bool(state.messages == 0 or (trust_modseqs and state.highestmodseq))


# one folder


@dataclass(frozen=True)
class MergeLook(Look):
    """What is known of a folder after the cut-over.

    ``source`` are messages that are new or whose flags have changed since the base, ``target`` those that matter for
    them. ``pairs`` are those that runs have brought (``target_uid`` is 0 where the target's copy can't be named), with
    the flags of the base. ``base_flags`` are those of messages in ``matched`` that were known under another source UID.
    ``elsewhere`` are source UIDs whose messages the target has, or had, somewhere else. ``base_reasons`` say why the
    folder was mapped before.
    """

    base_flags: Mapping[int, bytes] = field(default_factory=dict)
    elsewhere: frozenset[int] = frozenset()
    base_reasons: tuple[str, ...] = ()


def plan_merge(look: MergeLook, policy: Policy) -> FolderPlan:
    """The plan for a folder after the cut-over: new messages, and the flags that only the source has changed.

    New messages keep their UIDs where the target can still give them out. ``fidelity: faithful`` is not insisted on: a
    target that is in use gives out UIDs of its own, and no mail is left behind for that.
    """
    own = {uid: flag_key(look.source[uid]) for uid in (*look.matched, *look.elsewhere)}
    adopt = {uid: Pair(there, look.base_flags.get(uid, own[uid])) for uid, there in look.matched.items()}
    adopt |= {uid: Pair(0, own[uid]) for uid in look.elsewhere}
    pairs = {**look.pairs, **adopt}
    copy = tuple(sorted(uid for uid in look.source if uid not in pairs))
    keep_uids = _can_keep_uids(copy, look, policy)
    claimed = {pair.target_uid for uid, pair in pairs.items() if uid in look.source}
    fillers = look.gaps | {uid for uid, flags in look.target.items() if is_placeholder(flags)}
    alive = [uid for uid, pair in pairs.items() if uid in look.source and pair.target_uid in look.target]
    others = sum(uid != pairs[uid].target_uid for uid in alive) + (0 if keep_uids else len(copy))
    reasons = look.base_reasons or _why_mapped(look, others)
    return FolderPlan(
        fidelity=MAPPED if reasons else FAITHFUL,
        copy=copy,
        copy_count=len(copy),
        keep_uids=keep_uids,
        flags=_flag_changes(look, {uid: pairs[uid] for uid in alive}) if policy.flags else (),
        placeholders=tuple(sorted(fillers - claimed)),
        adopt=adopt,
        foreign=len(look.target.keys() - claimed - fillers),
        reasons=reasons,
    )


def _can_keep_uids(copy: tuple[int, ...], look: MergeLook, policy: Policy) -> bool:
    """Whether new messages can be given the UIDs they have on the source, at little cost."""
    if policy.fidelity == MAPPED or policy.no_faithful or not look.same_uidvalidity:
        return False
    due = look.target_uidnext
    gaps = 0
    for uid in copy:
        gaps += uid != due
        if uid < due or gaps > _MANY_GAPS:
            return False
        due = uid + 1
    return True


def _why_mapped(look: MergeLook, others: int) -> tuple[str, ...]:
    if not others:
        return ()
    if not look.same_uidvalidity:
        return ("the target folder has a UIDVALIDITY of its own",)
    return ("since the cut-over the target gives out UIDs of its own",)


def _flag_changes(look: MergeLook, pairs: Mapping[int, Pair]) -> tuple[FlagChange, ...]:
    """What the source changed since the base, and the target did not, grouped by equal change."""
    groups: dict[tuple[tuple[bytes, ...], tuple[bytes, ...]], list[int]] = defaultdict(list)
    for uid, pair in pairs.items():
        if flag_key(look.source[uid]) != pair.flags:
            change = merged_flags(pair.flags, look.source[uid], look.target[pair.target_uid])
            if change != ((), ()):
                groups[change].append(pair.target_uid)
    return tuple(FlagChange(tuple(sorted(uids)), *change) for change, uids in sorted(groups.items()))


def merged_flags(base: bytes, source: bytes, target: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    r"""The flags to add to a message of the target and to take away from it, so that the source's changes are made.

    A flag is there or is not: where both sides changed it they agree, and where the target alone did there is nothing
    to do. ``\Deleted`` is never added: the next EXPUNGE on the target would remove the message.
    """
    before = set(base.split())
    now = {flag.lower(): flag for flag in storable(source)}
    held = {flag.lower(): flag for flag in target.split()}
    add = sorted(now.keys() - before - held.keys() - {_DELETED})
    remove = sorted((before - set(flag_key(source).split())) & held.keys())
    return tuple(now[flag] for flag in add), tuple(held[flag] for flag in remove)


# what is known under another name


def take(pool: Mapping[Key, list[T]], wanted: Mapping[int, Key]) -> dict[int, T]:
    """Give out what is in the pool, each thing once, to those that want its like, in the order of their UIDs.

    What is given out is taken from the pool: N copies stand for N messages, never for more.
    """
    found: dict[int, T] = {}
    for uid in sorted(wanted):
        things = pool.get(wanted[uid])
        if things:
            found[uid] = things.pop(0)
    return found
