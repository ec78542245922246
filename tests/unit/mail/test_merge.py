# SPDX-License-Identifier: GPL-3.0-or-later
"""The three-way merge after the cut-over: single decisions, and random users against a model of what must come out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.attributes import (
    PLACEHOLDER,
    flag_key,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import FolderRules, Path
from ansible_collections.atmail.migration.plugins.module_utils.mail.merge import (
    MergeLook,
    merged_flags,
    plan_mailbox_merge,
    plan_merge,
    take,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.namespaces import Namespace
from ansible_collections.atmail.migration.plugins.module_utils.mail.plan import (
    COMPARE,
    FAITHFUL,
    FRESH,
    MAPPED,
    TROUBLE,
    UNCHANGED,
    Base,
    Pair,
    Policy,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.survey import Folder, FolderState, Side
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

INBOX: Path = (b"INBOX",)
STATE = FolderState(messages=3, uidnext=10, uidvalidity=77, highestmodseq=5)
MORE = replace(STATE, messages=4, uidnext=11, highestmodseq=6)
POLICY = Policy(phase="catch_up")


def folder(path: Path, state: FolderState | None = STATE, *, subscribed: bool = False) -> Folder:
    return Folder(b"/".join(path), path, state is not None, subscribed, state=state)


def side(*folders: Folder) -> Side:
    return Side(Namespace(), {one.path: one for one in folders})


# which folder needs what

KNOWN = Base(STATE, STATE, 77, 77)


@pytest.mark.parametrize(
    ("source", "target", "base", "action"),
    [
        # the source is as it was: whatever the target has become
        (STATE, STATE, KNOWN, UNCHANGED),
        (STATE, MORE, KNOWN, UNCHANGED),
        (STATE, None, KNOWN, UNCHANGED),
        (MORE, STATE, KNOWN, COMPARE),
        # a folder that the user removed is looked at before it is made again
        (MORE, None, KNOWN, COMPARE),
        # one that the source has made since the base
        (STATE, None, None, FRESH),
        (STATE, STATE, None, COMPARE),
        # a run that was killed has left no state
        (STATE, STATE, Base(None, None, 77, 77), COMPARE),
        # without mod-sequences flags must be looked at
        (replace(STATE, highestmodseq=0), STATE, Base(replace(STATE, highestmodseq=0), STATE, 77, 77), COMPARE),
    ],
)
def test_action(source: FolderState, target: FolderState | None, base: Base | None, action: str) -> None:
    other = folder((b"Other",))
    here = side(folder(INBOX, source), other)
    there = side(folder(INBOX, target), other) if target else side(other)
    bases = {(b"Other",): KNOWN} | ({INBOX: base} if base else {})
    mapping = {INBOX: INBOX, (b"Other",): (b"Other",)}
    plan = plan_mailbox_merge(here, there, mapping, bases, None, POLICY)
    assert next(step.action for step in plan.steps if step.path == INBOX) == action
    assert not plan.unsubscribe


def test_without_any_memory_a_missing_folder_may_have_been_renamed_by_its_user() -> None:
    plan = plan_mailbox_merge(side(folder(INBOX)), side(), {INBOX: INBOX}, {}, None, POLICY)
    assert [step.action for step in plan.steps] == [COMPARE]
    empty = FolderState(0, 1, 77, 1)
    plan = plan_mailbox_merge(side(folder(INBOX, empty)), side(), {INBOX: INBOX}, {}, None, POLICY)
    assert [step.action for step in plan.steps] == [FRESH]


def test_a_folder_that_can_not_be_read_is_told_and_folders_made_anew_come_first() -> None:
    a, b = (b"a",), (b"b",)
    here = side(replace(folder(a), state=None, selectable=True), folder(b, replace(MORE, uidvalidity=78)))
    plan = plan_mailbox_merge(here, side(folder(b)), {a: a, b: b}, {b: KNOWN}, None, POLICY)
    assert [(step.path, step.action) for step in plan.steps] == [(b, COMPARE), (a, TROUBLE)]


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (None, {(b"new",)}),
        (set(), {(b"a",), (b"b",), (b"new",)}),
        ({(b"a",)}, {(b"b",), (b"new",)}),
    ],
)
def test_only_what_the_source_has_subscribed_to_since_the_base(before: set[Path] | None, wanted: set[Path]) -> None:
    paths = [(name,) for name in (b"a", b"b", b"new", b"removed")]
    here = side(*(folder(path, subscribed=True) for path in paths))
    there = side(folder((b"a",)), folder((b"b",)))
    bases: dict[Path, Base] = {path: KNOWN for path in paths if path != (b"new",)}
    plan = plan_mailbox_merge(here, there, {path: path for path in paths}, bases, before, POLICY)
    assert set(plan.subscribe) == wanted
    off = Policy(phase="catch_up", rules=FolderRules(subscribe=False))
    assert not plan_mailbox_merge(here, there, {path: path for path in paths}, bases, before, off).subscribe


# one folder


@pytest.mark.parametrize(
    ("base", "source", "target", "change"),
    [
        (b"", b"\\Seen", b"", ((b"\\Seen",), ())),
        (b"", b"\\Seen", b"\\Seen", ((), ())),
        (b"\\seen", b"\\Seen", b"", ((), ())),
        (b"\\seen", b"", b"\\Seen \\Flagged", ((), (b"\\Seen",))),
        (b"\\seen", b"", b"", ((), ())),
        (b"a b", b"b C", b"A b D", ((b"C",), (b"A",))),
        (b"", b"\\Recent \\Deleted \\Answered", b"", ((b"\\Answered",), ())),
        (b"\\deleted", b"", b"\\Deleted", ((), (b"\\Deleted",))),
        (b"", PLACEHOLDER, b"", ((), ())),
    ],
)
def test_flags_flag_by_flag(base: bytes, source: bytes, target: bytes, change: object) -> None:
    assert merged_flags(base, source, target) == change


words = st.frozensets(st.sampled_from(["\\seen", "\\flagged", "\\deleted", "a", "b"]))


@given(words, words, words)
def test_where_both_changed_a_flag_the_target_is_left_as_it_is(
    base: frozenset[str], source: frozenset[str], target: frozenset[str]
) -> None:
    before, here, there = (" ".join(sorted(one)).encode() for one in (base, source, target))
    add, remove = ({one.decode() for one in some} for some in merged_flags(before, here, there))
    after = (target | add) - remove
    for flag in base | source | target:
        if (flag in target) != (flag in base) or (flag in source) == (flag in base):
            assert (flag in after) == (flag in target)
        elif flag != "\\deleted" or flag in base:
            assert (flag in after) == (flag in source)


def look(new: dict[int, bytes], *, uidnext: int = 10, same: bool = True) -> MergeLook:
    return MergeLook(new, {}, same_uidvalidity=same, target_uidnext=uidnext)


@pytest.mark.parametrize(
    ("new", "uidnext", "same", "policy", "keep"),
    [
        ((10, 11), 10, True, POLICY, True),
        ((12, 20), 10, True, POLICY, True),
        ((9,), 10, True, POLICY, False),
        ((10,), 10, False, POLICY, False),
        ((10,), 10, True, replace(POLICY, fidelity="mapped"), False),
        ((10,), 10, True, replace(POLICY, no_faithful="no doveadm"), False),
        (tuple(range(10, 400, 2)), 10, True, POLICY, False),
    ],
)
def test_uids_are_kept_where_that_costs_little(
    new: tuple[int, ...], uidnext: int, same: bool, policy: Policy, keep: bool
) -> None:
    plan = plan_merge(look(dict.fromkeys(new, b""), uidnext=uidnext, same=same), policy)
    assert (plan.copy, plan.keep_uids) == (new, keep)
    assert (plan.fidelity, bool(plan.reasons)) == ((FAITHFUL, False) if keep else (MAPPED, True))
    assert (plan.set_uidvalidity, plan.renew_uidvalidity, plan.remove, plan.trouble) == (None, False, (), None)


def test_faithful_is_not_insisted_on_after_the_cut_over() -> None:
    assert plan_merge(look({9: b""}), replace(POLICY, fidelity="faithful")).trouble is None


def test_what_is_known_elsewhere_is_not_brought_and_placeholders_go() -> None:
    seen = MergeLook(
        {1: b"", 2: b"\\Seen", 3: b"x"},
        {7: b"\\Flagged", 8: b"\\Deleted " + PLACEHOLDER, 9: b""},
        matched={2: 7},
        base_flags={2: b""},
        elsewhere=frozenset({1}),
        gaps=frozenset({9}),
    )
    plan = plan_merge(seen, POLICY)
    assert plan.copy == (3,)
    assert plan.adopt == {1: Pair(0, b""), 2: Pair(7, b"")}
    assert [(change.uids, change.add) for change in plan.flags] == [((7,), (b"\\Seen",))]
    assert plan.placeholders == (8, 9)


def test_things_in_a_pool_are_given_out_once() -> None:
    pool = {"a": [1, 2], "b": [3]}
    assert take(pool, {10: "a", 11: "a", 12: "a", 13: "c"}) == {10: 1, 11: 2}
    assert pool == {"a": [], "b": [3]}


# random users


@dataclass
class Box:
    """One side's folder: UID → content and flags."""

    messages: dict[int, tuple[int, frozenset[str]]] = field(default_factory=dict)
    uidnext: int = 1

    def add(self, content: int, flags: frozenset[str]) -> int:
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.messages[uid] = (content, flags)
        return uid

    def text(self) -> dict[int, bytes]:
        return {uid: " ".join(sorted(flags)).encode() for uid, (_content, flags) in self.messages.items()}


class RandomUsers(RuleBasedStateMachine):
    """A folder on both sides after the cut-over; plans are carried out on values, and may be cut short."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = Box(), Box()
        self.ledger: dict[int, tuple[int, frozenset[str]]] = {}
        self.contents = 0
        self.ever: set[int] = set()
        self.removed: set[int] = set()

    @rule(flags=words)
    def mail_to_the_source(self, flags: frozenset[str]) -> None:
        self.contents += 1
        self.source.add(self.contents, flags)

    @rule(flags=words)
    def mail_to_the_target(self, flags: frozenset[str]) -> None:
        self.contents += 1
        self.target.add(self.contents, flags)

    @rule(on_source=st.booleans(), pick=st.integers(0, 99), flags=words)
    def flags_change(self, on_source: bool, pick: int, flags: frozenset[str]) -> None:
        box = self.source if on_source else self.target
        if box.messages:
            uid = sorted(box.messages)[pick % len(box.messages)]
            box.messages[uid] = (box.messages[uid][0], flags)

    @rule(on_source=st.booleans(), pick=st.integers(0, 99))
    def a_message_goes(self, on_source: bool, pick: int) -> None:
        box = self.source if on_source else self.target
        if box.messages:
            content, _flags = box.messages.pop(sorted(box.messages)[pick % len(box.messages)])
            if not on_source:
                self.removed.add(content)

    @rule(killed_after=st.none() | st.integers(0, 4))
    def run(self, killed_after: int | None) -> None:
        for budget in (10_000,) if killed_after is None else (killed_after, 10_000):
            before, known = dict(self.target.messages), dict(self.ledger)
            self._carry_out(budget)
            for uid, (content, flags) in before.items():
                assert self.target.messages[uid] == (content, self._expected(uid, flags, known))

    def _expected(self, uid: int, was: frozenset[str], known: dict[int, tuple[int, frozenset[str]]]) -> frozenset[str]:
        mine = next((one for one, (there, _flags) in known.items() if there == uid), 0)
        if mine not in self.source.messages:
            return was
        here, base = self.source.messages[mine][1], known[mine][1]
        return (was | (here - base - {"\\deleted"})) - (base - here)

    def _carry_out(self, budget: int) -> None:
        """What a run does, in its order: flags, then the base, then message by message what is new."""
        plan = plan_merge(
            MergeLook(
                self.source.text(),
                self.target.text(),
                pairs={uid: Pair(there, _key(flags)) for uid, (there, flags) in self.ledger.items()},
                target_uidnext=self.target.uidnext,
            ),
            POLICY,
        )
        for change in plan.flags:
            for uid in change.uids:
                content, flags = self.target.messages[uid]
                add, remove = ({one.decode() for one in some} for some in (change.add, change.remove))
                self.target.messages[uid] = (content, (flags | add) - remove)
        for uid in self.ledger:
            if uid in self.source.messages:
                self.ledger[uid] = (self.ledger[uid][0], self.source.messages[uid][1])
        for uid in (plan.copy or ())[:budget]:
            content, flags = self.source.messages[uid]
            self.ledger[uid] = (self.target.add(content, flags), flags)
            self.ever.add(content)

    @invariant()
    def nothing_is_doubled_and_nothing_comes_back(self) -> None:
        there = Counter(content for content, _flags in self.target.messages.values())
        assert max(there.values(), default=1) == 1
        assert not self.removed & set(there)

    @invariant()
    def nothing_that_was_brought_is_lost(self) -> None:
        there = {content for content, _flags in self.target.messages.values()}
        assert self.ever - self.removed <= there


def _key(flags: frozenset[str]) -> bytes:
    return flag_key(" ".join(flags).encode())


RandomUsers.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
test_random_users = RandomUsers.TestCase
