# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What has to be done so that a target mailbox becomes the same as its source: pure decisions, no I/O.

Planning has two steps. :func:`plan_mailbox` decides from both surveys and the ledger's memory what each folder needs;
most folders are settled there. :func:`plan_folder` decides for a folder that has to be looked at, from the lists of
messages. A plan is a plain value: check mode shows it, and the real run carries out the same value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..errors import FidelityError, FolderError, MigrationError
from .attributes import difference, flag_key, is_placeholder, storable
from .deltas import AUTO, LISTING
from .folders import FolderRules, Path, show, wire_to_text
from .guards import Allowance, folder_trouble, passing
from .listing import Fingerprint
from .survey import Folder, FolderState, Side

#: What a folder needs.
UNCHANGED, FRESH, COMPARE, TROUBLE, GONE = "unchanged", "fresh", "compare", "trouble", "gone"
FAITHFUL, MAPPED = "faithful", "mapped"


@dataclass(frozen=True)
class Policy:
    """What the operator wants and what the target can do.

    ``fidelity`` is ``auto``, ``faithful`` or ``mapped``; ``allow_removals`` is a share between 0 and 1,
    ``allow_removals_below`` a number of messages, ``moved`` how many came to other folders (:mod:`guards`);
    ``no_faithful`` says why UIDVALIDITY can't be set on this target, empty when it can; ``delta`` is how changes are
    asked for (:mod:`deltas`). ``phase`` is the customer's; ``used_target`` is ``stop`` or ``mirror``, for a mirror that
    finds signs of use on a target that it remembers nothing of (:mod:`used_target`). ``flags`` is whether they
    follow the source: one that knows none has no say in them.
    """

    fidelity: str = "auto"
    allow_removals: float = 0.2
    no_faithful: str = ""
    rules: FolderRules = field(default_factory=FolderRules)
    delta: str = AUTO
    phase: str = "mirror"
    used_target: str = "stop"
    allow_removals_below: int = 0
    moved: int = 0
    flags: bool = True

    def given(self, source: FolderState) -> Policy:
        """The policy for a source folder: one whose server tells no UIDs can't be faithful."""
        if source.uidvalidity > 0 or (source.uidvalidity == 0 and not source.messages):
            return self
        return replace(self, no_faithful=self.no_faithful or "the source tells no UIDs")

    @property
    def allowance(self) -> Allowance:
        """What may be removed."""
        return Allowance(self.allow_removals, self.allow_removals_below, self.moved)

    def of(self, path: Path, folder: Folder | None = None) -> Policy:
        """The policy for one target folder: one that doveadm can't be told the name of can't be faithful.

        ``folder`` is the source's or, where that is gone, the target's: what mail only passes through may be emptied.
        """
        if passing(folder) and 0 < self.allow_removals < 1:
            return replace(self, allow_removals=1.0).of(path)
        if all(wire_to_text(level) is not None for level in path):
            return self
        return replace(self, no_faithful=self.no_faithful or "its name is no legal modified UTF-7, as doveadm needs it")


@dataclass(frozen=True)
class Base:
    """What the ledger remembers of a folder: the states after the last complete run (None: there was none).

    ``target_path`` is what the folder became on the target.
    """

    source: FolderState | None = None
    target: FolderState | None = None
    source_uidvalidity: int = 0
    target_uidvalidity: int = 0
    fidelity: str = ""
    reasons: tuple[str, ...] = ()
    target_path: Path | None = None


@dataclass(frozen=True)
class Pair:
    """A message that a run brought: its UID on the target, and the flags it had when both were the same."""

    target_uid: int
    flags: bytes


@dataclass(frozen=True)
class Step:
    """What one folder needs; ``target`` is None when it has to be made."""

    path: Path
    target_path: Path
    action: str
    source: Folder | None = None
    target: Folder | None = None
    base: Base | None = None
    trouble: MigrationError | None = None

    @property
    def create(self) -> bool:
        """Whether the folder has to be made first."""
        return self.action == FRESH and self.target is None


@dataclass(frozen=True)
class MailboxPlan:
    """The steps of a mailbox, in order, and the target folders to subscribe to and to unsubscribe from.

    ``absent`` are folders to subscribe to that are on neither side: IMAP's SUBSCRIBE may refuse that (RFC 3501 6.3.6).
    """

    steps: tuple[Step, ...]
    subscribe: tuple[Path, ...] = ()
    absent: tuple[Path, ...] = ()
    unsubscribe: tuple[Path, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to do and nothing to look at."""
        return not (self.subscribe or self.absent or self.unsubscribe) and all(
            step.action == UNCHANGED for step in self.steps
        )


def plan_mailbox(
    source: Side, target: Side, mapping: Mapping[Path, Path], bases: Mapping[Path, Base], policy: Policy
) -> MailboxPlan:
    """What each folder needs; ``mapping`` is source path → target path, ``bases`` is by source path."""
    steps = [
        _settled(_step(source.folders[path], target, new, bases.get(path), policy), policy)
        for path, new in mapping.items()
    ]
    wanted = {mapping[path] for path in mapping if source.folders[path].subscribed}
    known = {path for path, folder in target.folders.items() if folder.subscribed}
    came = {new for path, new in mapping.items() if source.folders[path].selectable}
    gone = [
        Step(path, new, GONE, target=target.folders[new], base=bases[path])
        for path, new in _gone(source, bases, policy)
        if new not in came and new in target.existing()
    ]
    steps += gone
    if not policy.rules.subscribe:
        return MailboxPlan(tuple(steps))
    ours = set(mapping.values()) | {step.target_path for step in gone}
    missing = sorted(wanted - known)
    return MailboxPlan(
        tuple(steps),
        subscribe=tuple(path for path in missing if path in came or path in target.existing()),
        absent=tuple(path for path in missing if path not in came and path not in target.existing()),
        unsubscribe=tuple(sorted((known & ours) - wanted)),
    )


def _gone(source: Side, bases: Mapping[Path, Base], policy: Policy) -> Iterable[tuple[Path, Path]]:
    """Folders that a run brought and that are no longer on the source (one that is not asked for is not gone)."""
    here = source.existing()
    for path, base in () if source.partial else bases.items():
        if path not in here and not is_left_out(source, path, policy.rules):
            yield path, base.target_path or policy.rules.renamed(path)


def is_left_out(source: Side, path: Path, rules: FolderRules) -> bool:
    """Whether a folder is not asked for, be it on the source or not."""
    return rules.excludes(path) or source.namespace.left_out(path, rules.namespaces)


def _step(source: Folder, target: Side, new: Path, base: Base | None, policy: Policy) -> Step:
    there = target.folders.get(new)
    found = Step(path=source.path, target_path=new, action=COMPARE, source=source, target=there, base=base)
    if not source.selectable:
        return _with(found, UNCHANGED)
    trouble = source.trouble or (there.trouble if there else None)
    if trouble or source.state is None:
        return _with(found, TROUBLE, trouble)
    if there is None or not there.selectable or there.state is None:
        return Step(path=source.path, target_path=new, action=FRESH, source=source, target=None, base=base)
    if _same_as_before(source.state, there.state, base, trust_modseqs=policy.delta != LISTING):
        return _with(found, UNCHANGED)
    if there.state.messages == 0 and there.state.uidnext == 1:
        return _with(found, FRESH)
    return found


def _settled(step: Step, policy: Policy) -> Step:
    """A folder that would have to be made, but can't be as it was asked for, is not made at all."""
    state = step.source.state if step.source else None
    trouble = plan_fresh(state, policy.of(step.target_path)).trouble if step.action == FRESH and state else None
    return _with(step, TROUBLE, trouble) if trouble else step


def _with(step: Step, action: str, trouble: MigrationError | None = None) -> Step:
    return Step(step.path, step.target_path, action, step.source, step.target, step.base, trouble)


def _same_as_before(source: FolderState, target: FolderState, base: Base | None, *, trust_modseqs: bool) -> bool:
    """Whether both sides are as the last complete run left them; without mod-sequences flags must be looked at."""
    if base is None or base.source != source or base.target != target:
        return False
    return bool(source.messages == 0 or (trust_modseqs and source.highestmodseq and target.highestmodseq))


# one folder


@dataclass(frozen=True)
class FlagChange:
    """Flags to add to and take away from messages of the target."""

    uids: tuple[int, ...]
    add: tuple[bytes, ...]
    remove: tuple[bytes, ...]


@dataclass(frozen=True)
class FolderPlan:
    """What is to be done in one folder.

    ``copy`` are the source UIDs to bring, None for all; with ``keep_uids`` they get the UIDs they have on the source,
    and ``late`` are those that no longer can. ``renew_uidvalidity`` gives the folder a UIDVALIDITY of its own;
    ``replace`` makes the folder anew first.
    ``adopt`` are pairs found by fingerprint; ``forget`` are source UIDs whose pairs no longer hold; ``foreign`` counts
    messages of the target that no run brought: they are never touched.
    """

    fidelity: str
    copy: tuple[int, ...] | None = ()
    late: tuple[int, ...] = ()
    copy_count: int = 0
    keep_uids: bool = False
    renew_uidvalidity: bool = False
    replace: bool = False
    set_uidvalidity: int | None = None
    flags: tuple[FlagChange, ...] = ()
    remove: tuple[int, ...] = ()
    placeholders: tuple[int, ...] = ()
    adopt: Mapping[int, Pair] = field(default_factory=dict)
    forget: tuple[int, ...] = ()
    foreign: int = 0
    reasons: tuple[str, ...] = ()
    trouble: MigrationError | None = None

    @property
    def flag_messages(self) -> int:
        """How many messages get other flags."""
        return sum(len(change.uids) for change in self.flags)


@dataclass(frozen=True)
class Look:
    """The two lists of messages of a folder (UID → flags) and what is known about them.

    ``pairs`` are the ledger's, as far as both UIDVALIDITYs are still those it knows; ``ours`` are target UIDs that a
    run brought under another source UIDVALIDITY; ``matched`` are pairs found by fingerprint, ``gaps`` placeholders.

    Messages that are the same on both sides and in the ledger may be left out: ``untouched`` counts them, and
    ``untouched_moved`` those among them that have another UID than on the source, as far as that is known not to be 0.
    """

    source: Mapping[int, bytes]
    target: Mapping[int, bytes]
    pairs: Mapping[int, Pair] = field(default_factory=dict)
    ours: frozenset[int] = frozenset()
    matched: Mapping[int, int] = field(default_factory=dict)
    gaps: frozenset[int] = frozenset()
    same_uidvalidity: bool = False
    target_uidnext: int = 0
    untouched: int = 0
    untouched_moved: int = 0


def plan_fresh(source: FolderState, policy: Policy) -> FolderPlan:
    """The plan for a folder that has to be made or is empty and unused: everything is copied."""
    reasons = _why_mapped(policy.given(source))
    faithful = not reasons
    if not faithful and policy.fidelity == FAITHFUL:
        return FolderPlan(MAPPED, reasons=reasons, trouble=FidelityError("; ".join(reasons)))
    return FolderPlan(
        FAITHFUL if faithful else MAPPED,
        copy=None,
        copy_count=source.messages,
        keep_uids=faithful,
        set_uidvalidity=source.uidvalidity if faithful else None,
        reasons=reasons,
    )


def _why_mapped(policy: Policy) -> tuple[str, ...]:
    if policy.fidelity == MAPPED:
        return ("fidelity: mapped was asked for",)
    return (policy.no_faithful,) if policy.no_faithful else ()


def unknown(look: Look) -> tuple[set[int], set[int]]:
    """The source and target UIDs of which no pair holds: to be told apart by fingerprints if both are there.

    A pair whose message is gone from the target does not hold: it may well be there again under another UID.
    """
    known_target = {pair.target_uid for pair in look.pairs.values()}
    here = {uid for uid in look.source if uid not in look.pairs or look.pairs[uid].target_uid not in look.target}
    there = {uid for uid in look.target if uid not in known_target and not is_placeholder(look.target[uid])}
    return here, there


def match(source: Mapping[int, Fingerprint], target: Mapping[int, Fingerprint]) -> dict[int, int]:
    """Which messages are the same, as a multiset: N copies on one side are N on the other.

    Copies with the same UID on both sides belong together first; the others in the order of their UIDs. What has no
    date that a copy could have kept is told by the rest.
    """
    found = {uid: uid for uid, print_ in source.items() if print_.copied_as(target.get(uid))}
    dated = {uid: print_ for uid, print_ in source.items() if uid not in found and print_.received is not None}
    _pair_up(dated, target, found, lambda print_: print_)
    rest = {uid: print_ for uid, print_ in source.items() if uid not in found and print_.received is None}
    _pair_up(rest, target, found, lambda print_: (print_.size, print_.header))
    return found


def _pair_up(
    source: Mapping[int, Fingerprint],
    target: Mapping[int, Fingerprint],
    found: dict[int, int],
    key: Callable[[Fingerprint], Hashable],
) -> None:
    """Add pairs of one key to those found, in the order of the UIDs."""
    if not source:
        return
    taken = set(found.values())
    by_key: dict[Hashable, list[int]] = defaultdict(list)
    for uid in sorted(target, reverse=True):
        if uid not in taken:
            by_key[key(target[uid])].append(uid)
    for uid in sorted(source):
        candidates = by_key.get(key(source[uid]))
        if candidates:
            found[uid] = candidates.pop()


def plan_folder(look: Look, source: FolderState, policy: Policy, *, replaceable: bool = False) -> FolderPlan:
    """The plan for a folder that exists on both sides.

    Copies what the target lacks, makes flags follow the source, removes what a run brought and the source no longer
    has. A removal of more than ``policy.allowance`` lets go is refused; so is a folder that can't be
    faithful when ``fidelity: faithful`` was asked for.

    Whatever else: while both sides have one UIDVALIDITY, no UID may name one message here and another there, because a
    mail client would show the one for the other. Where that has come about, the target gets a UIDVALIDITY of its own.

    Another UIDVALIDITY on the source means other UIDs. A target folder whose messages still have the source's UIDs just
    gets it, too; one that is ``replaceable``, and in which there is nothing but what runs have brought, is made anew.
    """
    policy = policy.given(source)
    adopt = {uid: Pair(there, flag_key(look.source[uid])) for uid, there in look.matched.items()}
    pairs = {**look.pairs, **adopt}
    alive = {uid: pair for uid, pair in pairs.items() if uid in look.source and pair.target_uid in look.target}
    claimed = {pair.target_uid for pair in pairs.values()}
    stale = {uid for uid in look.ours if uid not in claimed and uid in look.target}
    gone = {pair.target_uid for uid, pair in pairs.items() if uid not in look.source and pair.target_uid in look.target}
    placeholders = {uid for uid, flags in look.target.items() if uid in look.gaps or is_placeholder(flags)} - claimed
    stays = set(look.target) - stale - gone - placeholders
    strangers = stays - {pair.target_uid for uid, pair in alive.items() if uid == pair.target_uid}
    clash = min((uid for uid in strangers if look.same_uidvalidity and uid < source.uidnext), default=0)
    # the target holds nothing, or nothing but messages under the UIDs that they have on the source
    free = not strangers and not look.untouched_moved
    keep_uids = _can_keep_uids(look, policy, free=free, clash=bool(clash))
    copy = tuple(sorted(uid for uid in look.source if uid not in alive))
    late = tuple(uid for uid in copy if keep_uids and uid < look.target_uidnext)
    foreign = len(stays - claimed)
    brought = len(pairs) + len(stale) + look.untouched
    exact = look.same_uidvalidity or (free and not late)
    if replaceable and not exact and not foreign and _ours_alone(look, policy):
        plan = replace(plan_fresh(source, policy), replace=True, remove=tuple(sorted(stale | gone)))
        return _guarded(plan, brought, policy)
    reasons = _why_clash(clash) or _reasons(look, policy, free=free)
    if keep_uids:
        reasons = _exceptions(len(strangers) - foreign, foreign, late)
    plan = FolderPlan(
        fidelity=MAPPED if reasons else FAITHFUL,
        copy=copy[len(late) :],
        late=late,
        copy_count=len(copy),
        keep_uids=keep_uids,
        set_uidvalidity=source.uidvalidity if keep_uids and not look.same_uidvalidity else None,
        renew_uidvalidity=bool(clash),
        flags=_flag_changes(look, alive) if policy.flags else (),
        remove=tuple(sorted(stale | gone)),
        placeholders=tuple(sorted(placeholders)),
        adopt=adopt,
        forget=tuple(sorted(uid for uid in pairs if uid not in look.source)),
        foreign=foreign,
        reasons=reasons,
    )
    return _guarded(plan, brought, policy)


def _ours_alone(look: Look, policy: Policy) -> bool:
    """Whether a folder without foreign mail is one that runs have filled, and may have the source's UIDs."""
    return not look.untouched and bool(look.ours or look.pairs or look.matched) and not _why_mapped(policy)


def _can_keep_uids(look: Look, policy: Policy, *, free: bool, clash: bool) -> bool:
    """Whether messages can be given the UIDs they have on the source."""
    if policy.fidelity == MAPPED or clash or not look.target_uidnext:
        return False
    return look.same_uidvalidity or (free and not policy.no_faithful)


def _why_clash(clash: int) -> tuple[str, ...]:
    if not clash:
        return ()
    return (f"UID {clash} is another message than on the source, so the target folder gets a UIDVALIDITY of its own",)


def _reasons(look: Look, policy: Policy, *, free: bool) -> tuple[str, ...]:
    """Why this folder can't have the source's UIDs at all."""
    why = _why_mapped(policy)
    if not why and not look.target_uidnext:
        return ("the target does not tell the next UID of a folder (UIDNEXT), so that UIDs can't be chosen",)
    if why or look.same_uidvalidity or free:
        return why
    return ("the target folder already held messages under another UIDVALIDITY",)


def _exceptions(moved: int, foreign: int, late: tuple[int, ...]) -> tuple[str, ...]:
    """What in this folder has not, or will not get, its UID from the source, although all else has."""
    found = []
    if foreign:
        found.append(f"the target folder holds {foreign} message(s) that did not come from the source")
    if moved:
        found.append(f"{moved} message(s) were copied with other UIDs before")
    if late:
        found.append(f"UID {late[0]} can no longer be given out on the target; {len(late)} message(s) get another UID")
    return tuple(found)


def _flag_changes(look: Look, alive: Mapping[int, Pair]) -> tuple[FlagChange, ...]:
    """Flags that differ, grouped by equal change."""
    groups: dict[tuple[tuple[bytes, ...], tuple[bytes, ...]], list[int]] = defaultdict(list)
    for uid, pair in alive.items():
        have, want = look.target[pair.target_uid], look.source[uid]
        if have != want and flag_key(have) != flag_key(want):
            change = difference(have, storable(want))
            if change != ((), ()):
                groups[change].append(pair.target_uid)
    return tuple(FlagChange(tuple(sorted(uids)), *change) for change, uids in sorted(groups.items()))


def _guarded(plan: FolderPlan, brought: int, policy: Policy) -> FolderPlan:
    trouble: MigrationError | None = None
    if plan.renew_uidvalidity and policy.no_faithful:
        trouble = FolderError(f"{plan.reasons[0]}, which can't be set: {policy.no_faithful}")
    elif plan.reasons and policy.fidelity == FAITHFUL:
        trouble = FidelityError("; ".join(plan.reasons))
    elif plan.remove:
        trouble = folder_trouble(len(plan.remove), brought, policy.allowance)
    if trouble is None:
        return plan
    return FolderPlan(plan.fidelity, foreign=plan.foreign, reasons=plan.reasons, trouble=trouble)


def describe(step: Step, plan: FolderPlan) -> str:
    """A folder's line for diff mode; empty when there is nothing to do."""
    name = show(step.target_path)
    if plan.trouble:
        return f"{name}: not done: {plan.trouble.message}"
    parts = [
        (step.create, "create"),
        (plan.replace, "make anew"),
        (plan.copy_count, f"copy {plan.copy_count}"),
        (plan.flag_messages, f"change flags of {plan.flag_messages}"),
        (len(plan.remove), f"remove {len(plan.remove)}"),
        (step.action == GONE, "remove the folder"),
    ]
    what = ", ".join(text for holds, text in parts if holds)
    why = f" ({'; '.join(plan.reasons)})" if plan.reasons else ""
    return f"{name}: {what} [{plan.fidelity}]{why}" if what else ""
