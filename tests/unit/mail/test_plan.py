# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning: what each folder needs, and that carrying a plan out gives the promised mailbox whatever came before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import FolderError
from ansible_collections.atmail.migration.plugins.module_utils.mail.attributes import (
    PLACEHOLDER,
    PLACEHOLDER_BODY,
    flag_key,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import FolderRules, Path
from ansible_collections.atmail.migration.plugins.module_utils.mail.listing import Fingerprint, is_gap
from ansible_collections.atmail.migration.plugins.module_utils.mail.namespaces import Namespace
from ansible_collections.atmail.migration.plugins.module_utils.mail.plan import (
    COMPARE,
    FAITHFUL,
    FRESH,
    GONE,
    MAPPED,
    TROUBLE,
    UNCHANGED,
    Base,
    FolderPlan,
    Look,
    Pair,
    Policy,
    match,
    plan_folder,
    plan_fresh,
    plan_mailbox,
    unknown,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.survey import (
    Folder,
    FolderState,
    Side,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

INBOX: Path = (b"INBOX",)
STATE = FolderState(messages=3, uidnext=10, uidvalidity=77, highestmodseq=5)
ANY = Policy(allow_removals=1.0)


def folder(
    path: Path, state: FolderState | None = STATE, *, subscribed: bool = False, selectable: bool = True
) -> Folder:
    return Folder(b"/".join(path), path, selectable, subscribed, state=state)


def side(*folders: Folder) -> Side:
    return Side(Namespace(), {one.path: one for one in folders})


# which folder needs what


@pytest.mark.parametrize(
    ("source", "target", "base", "action"),
    [
        (STATE, None, None, FRESH),
        (STATE, FolderState(0, 1, 1, 1), None, FRESH),
        (STATE, FolderState(0, 2, 1, 1), None, COMPARE),
        (STATE, STATE, None, COMPARE),
        (STATE, STATE, Base(STATE, STATE), UNCHANGED),
        (replace(STATE, highestmodseq=6), STATE, Base(STATE, STATE), COMPARE),
        (STATE, replace(STATE, uidnext=11), Base(STATE, STATE), COMPARE),
        (STATE, STATE, Base(None, None), COMPARE),
        # without mod-sequences nobody can tell whether flags have changed
        (replace(STATE, highestmodseq=0), STATE, Base(replace(STATE, highestmodseq=0), STATE), COMPARE),
        (None, None, None, TROUBLE),
    ],
)
def test_action(source: FolderState | None, target: FolderState | None, base: Base | None, action: str) -> None:
    trouble = FolderError("can't be opened") if source is None else None
    here = side(replace(folder(INBOX, source), trouble=trouble))
    there = side(folder(INBOX, target)) if target else side()
    plan = plan_mailbox(here, there, {INBOX: INBOX}, {INBOX: base} if base else {}, ANY)
    assert [step.action for step in plan.steps] == [action]


def test_subscriptions_follow_the_source_but_only_of_its_own_folders() -> None:
    here = side(folder((b"a",), subscribed=True), folder((b"b",)))
    there = side(folder((b"b",), subscribed=True), folder((b"Junk",), subscribed=True))
    plan = plan_mailbox(here, there, {(b"a",): (b"a",), (b"b",): (b"b",)}, {}, ANY)
    assert (plan.subscribe, plan.unsubscribe) == (((b"a",),), ((b"b",),))
    left = plan_mailbox(here, there, {(b"a",): (b"a",)}, {}, Policy(rules=FolderRules(subscribe=False)))
    assert (left.subscribe, left.unsubscribe) == ((), ())


def test_a_folder_that_a_run_brought_and_the_source_lost_is_gone() -> None:
    there = side(folder((b"old",)), folder((b"theirs",)))
    plan = plan_mailbox(side(), there, {}, {(b"old",): Base(STATE, STATE)}, ANY)
    assert [(step.path, step.action) for step in plan.steps] == [((b"old",), GONE)]
    excluded = Policy(rules=FolderRules(exclude=("old",)))
    assert not plan_mailbox(side(), there, {}, {(b"old",): Base(STATE, STATE)}, excluded).steps


@pytest.mark.parametrize(
    ("policy", "fidelity", "refused"),
    [
        (Policy(), FAITHFUL, False),
        (Policy(fidelity="mapped"), MAPPED, False),
        (Policy(no_faithful="no doveadm"), MAPPED, False),
        (Policy(fidelity="faithful", no_faithful="no doveadm"), MAPPED, True),
        (Policy(fidelity="faithful"), FAITHFUL, False),
    ],
)
def test_fresh(policy: Policy, fidelity: str, refused: bool) -> None:
    plan = plan_fresh(STATE, policy)
    assert (plan.fidelity, plan.trouble is not None) == (fidelity, refused)
    assert bool(plan.reasons) == (fidelity == MAPPED)
    if fidelity == FAITHFUL:
        assert plan.set_uidvalidity == STATE.uidvalidity


@pytest.mark.parametrize(
    ("gone", "share", "refused"),
    [(2, 0.2, False), (3, 0.2, True), (10, 0.9, True), (10, 1.0, False), (1, 0.0, True), (0, 0.0, False)],
)
def test_removals_guard(gone: int, share: float, refused: bool) -> None:
    pairs = {uid: Pair(uid, b"") for uid in range(1, 11)}
    source = {uid: b"" for uid in pairs if uid > gone}
    look = Look(source, dict.fromkeys(pairs, b""), pairs, same_uidvalidity=True, target_uidnext=11)
    plan = plan_folder(look, STATE, Policy(allow_removals=share))
    assert (plan.trouble is not None) == refused
    if refused:
        assert plan.trouble
        assert plan.trouble.kind == "too_many_removals"
        assert not plan.remove
        assert not plan.copy


def test_copies_are_matched_as_a_multiset() -> None:
    """case_7: three copies here and two there are two pairs, never one."""
    same = Fingerprint(1, 2, b"x")
    found = match(
        {1: same, 2: same, 3: same, 9: Fingerprint(1, 2, b"y")}, {2: same, 7: same, 8: Fingerprint(1, 3, b"x")}
    )
    assert found == {2: 2, 1: 7}


def test_a_placeholder_without_its_flags_is_known_by_its_content() -> None:
    """A crash of the target may lose flags: nobody's mail must not be taken for somebody's."""
    header = hashlib.blake2b(PLACEHOLDER_BODY.replace(b"\r", b"").rstrip(b"\n"), digest_size=16).digest()
    assert is_gap(Fingerprint(5, len(PLACEHOLDER_BODY), header))
    assert not is_gap(Fingerprint(5, len(PLACEHOLDER_BODY) + 1, header))
    assert not is_gap(Fingerprint(5, len(PLACEHOLDER_BODY), b"another"))
    look = Look(
        {1: b"", 4: b""},
        {1: b"", 2: b"", 3: b""},
        {1: Pair(1, b"")},
        gaps=frozenset({2, 3}),
        same_uidvalidity=True,
        target_uidnext=4,
    )
    plan = plan_folder(look, FolderState(2, 5, 77, 1), ANY)
    assert (plan.placeholders, plan.copy, plan.foreign, plan.fidelity) == ((2, 3), (4,), 0, FAITHFUL)


# whatever happened before, carrying a plan out gives the promised mailbox


@dataclass
class Model:
    """A folder on both sides as plain values: UID → (content, flags); ``pairs`` is the ledger."""

    source: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    target: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    pairs: dict[int, Pair] = field(default_factory=dict)
    foreign: dict[int, int] = field(default_factory=dict)
    source_next: int = 1
    target_next: int = 1
    same_uidvalidity: bool = False

    def brought(self) -> list[int]:
        """The target's UIDs of messages that a run brought and the source still has."""
        there = (pair.target_uid for uid, pair in self.pairs.items() if uid in self.source)
        return sorted(uid for uid in there if uid in self.target)

    def look(self) -> Look:
        """What a run sees, with what it recognises by fingerprints."""
        look = Look(
            {uid: flags for uid, (_content, flags) in self.source.items()},
            {uid: flags for uid, (_content, flags) in self.target.items()},
            dict(self.pairs),
            same_uidvalidity=self.same_uidvalidity,
            target_uidnext=self.target_next,
        )
        here, there = unknown(look)
        prints = [
            {uid: Fingerprint(0, content, b"") for uid, (content, _flags) in messages.items() if uid in uids}
            for messages, uids in ((self.source, here), (self.target, there))
        ]
        return replace(look, matched=match(*prints))

    def apply(self, plan: FolderPlan, upto: int | None = None) -> None:
        """Carry a plan out as the engine does; ``upto`` stops in the middle of copying, as a crash would."""
        self.pairs.update(plan.adopt)
        for uid in (*plan.placeholders, *plan.remove):
            del self.target[uid]
        for uid in plan.forget:
            self.pairs.pop(uid, None)
        for change in plan.flags:
            for uid in change.uids:
                content, flags = self.target[uid]
                lowered = {one.lower() for one in change.remove}
                kept = [one for one in flags.split() if one.lower() not in lowered]
                self.target[uid] = (content, b" ".join([*kept, *change.add]))
        if plan.set_uidvalidity:
            self.same_uidvalidity = True
        if plan.renew_uidvalidity:
            self.same_uidvalidity = False
        self.copy(plan, upto)

    def copy(self, plan: FolderPlan, upto: int | None) -> None:
        """Copy what the plan says, as far as ``upto``."""
        todo = [*(sorted(self.source) if plan.copy is None else plan.copy), *plan.late]
        for number, uid in enumerate(todo):
            if number == upto:
                return
            if uid in plan.late:
                self.target_next = max(self.target_next, self.source_next)
            elif plan.keep_uids:
                assert uid >= self.target_next
                self.target_next = uid
            self.target[self.target_next] = self.source[uid]
            self.pairs[uid] = Pair(self.target_next, flag_key(self.source[uid][1]))
            self.target_next += 1
        if plan.keep_uids:
            self.target_next = max(self.target_next, self.source_next)


FLAG_SETS = st.sampled_from([b"", b"\\Seen", b"\\Seen \\Deleted", b"$Work", b"\\Answered $Work"])
CONTENTS = st.integers(min_value=1, max_value=5)


class Mirroring(RuleBasedStateMachine):
    """A source user, mail that comes to the target by itself, lost ledgers, crashes, and mirror runs in between."""

    @initialize(faithful=st.booleans())
    def begin(self, faithful: bool) -> None:
        self.model = Model()
        self.history: dict[int, int] = {}
        self.policy = Policy(allow_removals=1.0, no_faithful="" if faithful else "no doveadm")

    @rule(content=CONTENTS, flags=FLAG_SETS, hole=st.integers(min_value=0, max_value=3))
    def mail_arrives(self, content: int, flags: bytes, hole: int) -> None:
        self.model.source_next += hole
        self.model.source[self.model.source_next] = (content, flags)
        self.history[self.model.source_next] = content
        self.model.source_next += 1

    @precondition(lambda self: self.model.source)
    @rule(data=st.data(), flags=FLAG_SETS)
    def source_flags_change(self, data: st.DataObject, flags: bytes) -> None:
        uid = data.draw(st.sampled_from(sorted(self.model.source)))
        self.model.source[uid] = (self.model.source[uid][0], flags)

    @precondition(lambda self: self.model.source)
    @rule(data=st.data())
    def source_user_deletes(self, data: st.DataObject) -> None:
        del self.model.source[data.draw(st.sampled_from(sorted(self.model.source)))]

    @rule(content=st.integers(min_value=100, max_value=104))
    def foreign_mail_arrives(self, content: int) -> None:
        self.model.target[self.model.target_next] = (content, b"")
        self.model.foreign[self.model.target_next] = content
        self.model.target_next += 1

    @rule()
    def placeholder_was_left(self) -> None:
        """By a run that was killed before it could expunge it."""
        self.model.target[self.model.target_next] = (0, b"\\Deleted " + PLACEHOLDER)
        self.model.target_next += 1
        self.run()

    @precondition(lambda self: bool(set(self.model.target) - set(self.model.foreign)))
    @rule(data=st.data(), flags=FLAG_SETS)
    def target_flags_change(self, data: st.DataObject, flags: bytes) -> None:
        uid = data.draw(st.sampled_from(sorted(set(self.model.target) - set(self.model.foreign))))
        self.model.target[uid] = (self.model.target[uid][0], flags)

    @precondition(lambda self: bool(self.model.brought()))
    @rule(data=st.data())
    def other_run_brings_it_again(self, data: st.DataObject) -> None:
        """With a ledger of its own, under another UID: it is known by nothing but what it is."""
        uid = data.draw(st.sampled_from(self.model.brought()))
        self.model.target[self.model.target_next] = self.model.target.pop(uid)
        self.model.target_next += 1
        self.run()

    @precondition(lambda self: self.model.target)
    @rule(data=st.data())
    def target_loses_a_message(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.model.target)))
        del self.model.target[uid]
        self.model.foreign.pop(uid, None)

    @precondition(lambda self: not set(self.model.pairs) - set(self.model.source))
    @rule()
    def ledger_is_lost(self) -> None:
        """While nothing waits for removal, and found again by the next run; else a removed message would just stay."""
        self.model.pairs.clear()
        self.run()

    @rule(upto=st.integers(min_value=0, max_value=3))
    def run_is_killed(self, upto: int) -> None:
        self.model.apply(self.plan(), upto)

    @rule()
    def run(self) -> None:
        plan = self.plan()
        self.model.apply(plan)
        self.check(plan)
        again = self.plan()
        assert again.copy_count == 0
        assert not again.flags
        assert not again.remove
        assert not again.adopt

    def plan(self) -> FolderPlan:
        state = FolderState(len(self.model.source), self.model.source_next, 77, 1)
        if not self.model.target and self.model.target_next == 1 and not self.model.same_uidvalidity:
            return plan_fresh(state, self.policy)
        return plan_folder(self.model.look(), state, self.policy)

    def check(self, plan: FolderPlan) -> None:
        model = self.model
        mine = {uid: message for uid, message in model.target.items() if uid not in model.foreign}
        assert sorted((content, flag_key(flags)) for content, flags in mine.values()) == sorted(
            (content, flag_key(flags)) for content, flags in model.source.values()
        )
        if plan.fidelity == FAITHFUL:
            assert model.same_uidvalidity
            assert set(mine) == set(model.source)
        if model.same_uidvalidity:
            # a mail client that knows the source is never shown another message under a UID
            known = {uid: content for uid, (content, _flags) in model.target.items() if uid in self.history}
            assert all(self.history[uid] == content for uid, content in known.items())

    @invariant()
    def foreign_mail_is_untouched(self) -> None:
        assert all(self.model.target[uid] == (content, b"") for uid, content in self.model.foreign.items())


Mirroring.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
test_mirroring = Mirroring.TestCase


@given(st.dictionaries(st.integers(min_value=1, max_value=30), CONTENTS), st.integers(min_value=0, max_value=30))
def test_a_crash_at_any_message_is_carried_on_faithfully(contents: dict[int, int], upto: int) -> None:
    """case_75: what a killed run left is recognised without the ledger, and the next run goes on with the same UIDs."""
    model = Model(source={uid: (content, b"\\Seen") for uid, content in contents.items()}, source_next=31)
    policy = Policy()
    model.apply(plan_fresh(FolderState(len(contents), 31, 77, 1), policy), upto)
    model.pairs.clear()
    plan = plan_folder(model.look(), FolderState(len(contents), 31, 77, 1), policy)
    assert plan.fidelity == FAITHFUL
    model.apply(plan)
    assert model.target == model.source


@pytest.mark.case(72)
@pytest.mark.parametrize(
    ("target", "matched", "ours", "replaced", "set_to"),
    [
        # the same messages under the same UIDs: only the number is new
        ({1: b"", 2: b""}, {1: 1, 2: 2}, {1, 2}, False, 78),
        # the same messages under other UIDs, or others altogether: made anew
        ({2: b"", 3: b""}, {1: 2, 2: 3}, {2, 3}, True, 78),
        ({1: b"", 2: b""}, {}, {1, 2}, True, 78),
        # foreign mail is never touched
        ({2: b"", 3: b"", 4: b""}, {1: 2, 2: 3}, {2, 3}, False, None),
    ],
)
def test_a_source_folder_with_another_uidvalidity(
    target: dict[int, bytes], matched: dict[int, int], ours: set[int], *, replaced: bool, set_to: int | None
) -> None:
    look = Look({1: b"", 2: b""}, target, ours=frozenset(ours), matched=matched, target_uidnext=max(target) + 1)
    plan = plan_folder(look, FolderState(2, 3, 78, 9), Policy(allow_removals=1), replaceable=True)
    assert (plan.trouble, plan.replace, plan.set_uidvalidity) == (None, replaced, set_to)
    assert plan.fidelity == (FAITHFUL if set_to else MAPPED)
    in_place = plan_folder(look, FolderState(2, 3, 78, 9), Policy(allow_removals=1))
    assert not in_place.replace
    no_doveadm = Policy(allow_removals=1, no_faithful="there is no doveadm")
    assert not plan_folder(look, FolderState(2, 3, 78, 9), no_doveadm, replaceable=True).replace


@pytest.mark.case(38, 39)
def test_what_has_no_date_that_a_copy_keeps_is_matched_by_the_rest() -> None:
    """A date to come, or none: the copy has the time of the copy. What has a date is never matched without it."""
    here = {5: Fingerprint(None, 9, b"a"), 6: Fingerprint(None, 9, b"a"), 7: Fingerprint(3, 9, b"a")}
    there = {1: Fingerprint(100, 9, b"a"), 6: Fingerprint(101, 9, b"a"), 8: Fingerprint(3, 9, b"a")}
    assert match(here, there) == {5: 1, 6: 6, 7: 8}
    assert match({7: Fingerprint(3, 9, b"a")}, {7: Fingerprint(4, 9, b"a")}) == {}
