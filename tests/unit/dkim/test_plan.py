# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which key signs, waits or goes: single decisions, and any sequence of runs, DNS and time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dkim.keys import PublicKey
from ansible_collections.atmail.migration.plugins.module_utils.dkim.plan import (
    Choice,
    Key,
    Stage,
    Wanted,
    choose,
    settled,
)
from ansible_collections.atmail.migration.plugins.module_utils.errors import DkimError, DkimInUseError, DkimKeyError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

NOW = 1_795_430_400  # 2026-11-23
DAY = 86400
GOOD = PublicKey("rsa", 2048, "A")
WEAK = PublicKey("rsa", 1024, "B")
ED = PublicKey("ed25519", 256, "C")
WANTED = Wanted("present", None, "rsa", 2048, "if_weak", "published", 7 * DAY, 180 * DAY)


def key(selector: str, stage: Stage, public: PublicKey | None = GOOD, **times: Any) -> Key:
    made = Key(selector, public.type if public else "rsa", public, "prepared", made_at=NOW - 300 * DAY)
    if public is None:
        times["problem"] = "no key"
    return replace(made, stage=stage, **times)


SIGNING = key("s1", "signing", signed_from=NOW - 10 * DAY)
OLD = key("s1", "signing", signed_from=NOW - 200 * DAY)
PREPARED = key("s2", "prepared")
OVERLAP = key("s0", "overlap", signed_from=NOW - 200 * DAY, signed_until=NOW - 3 * DAY)
RETIRED = key("s9", "retired", retired_at=NOW - DAY)
FRESH = "atmail-rsa-20261123"


@pytest.mark.parametrize(
    ("changes", "keys", "selector", "make", "takes_over"),
    [
        # without a selector
        ({}, [], FRESH, True, True),
        ({}, [SIGNING], "s1", False, True),
        ({}, [PREPARED], "s2", False, True),
        ({}, [SIGNING, PREPARED], "s1", False, True),
        ({}, [OLD], "s1", False, True),
        ({"state": "rotated"}, [SIGNING], "s1", False, True),
        ({"state": "rotated"}, [OLD], FRESH, True, True),
        ({"state": "rotated"}, [OLD, PREPARED], "s2", False, True),
        ({"state": "rotated"}, [], FRESH, True, True),
        ({}, [key("s1", "signing", WEAK)], FRESH, True, True),
        ({}, [key("s1", "signing", WEAK), PREPARED], "s2", False, True),
        ({"regenerate": "never"}, [key("s1", "signing", WEAK)], "s1", False, True),
        ({}, [key("s1", "signing", None)], FRESH, True, True),
        ({}, [key("s2", "prepared", WEAK)], FRESH, True, True),
        ({"regenerate": "never"}, [key("s2", "prepared", WEAK)], "s2", False, True),
        ({"regenerate": "always"}, [SIGNING], FRESH, True, True),
        ({"regenerate": "always"}, [SIGNING, PREPARED], "s2", False, True),
        ({}, [OVERLAP], FRESH, True, True),
        ({}, [key(FRESH, "overlap")], f"{FRESH}-2", True, True),
        ({}, [key(FRESH, "retired")], f"{FRESH}-2", True, True),
        ({}, [key("e1", "signing", ED)], FRESH, True, True),
        ({"type": "ed25519"}, [SIGNING], "atmail-ed25519-20261123", True, True),
        # with one
        ({"selector": "x"}, [], "x", True, True),
        ({"selector": "x"}, [SIGNING], "x", True, False),
        ({"selector": "x", "type": "ed25519"}, [SIGNING], "x", True, True),
        ({"selector": "s2"}, [SIGNING, PREPARED], "s2", False, False),
        ({"selector": "s2", "state": "rotated"}, [SIGNING, PREPARED], "s2", False, True),
        ({"selector": "s1", "state": "rotated"}, [SIGNING], "s1", False, True),
        ({"selector": "s0", "state": "rotated"}, [SIGNING, OVERLAP], "s0", False, True),
        ({"selector": "s2", "regenerate": "always"}, [PREPARED], "s2", True, True),
        ({"selector": "s2"}, [key("s2", "prepared", WEAK)], "s2", True, True),
        ({"selector": "s2"}, [key("s2", "prepared", None)], "s2", True, True),
        ({"selector": "s2"}, [key("s2", "prepared", ED)], "s2", True, True),
        ({"selector": "s2", "regenerate": "never"}, [key("s2", "prepared", WEAK)], "s2", False, True),
    ],
)
def test_which_key(changes: dict[str, Any], keys: list[Key], selector: str, make: bool, takes_over: bool) -> None:
    assert choose(replace(WANTED, **changes), keys, NOW) == Choice(selector, make, takes_over)


@pytest.mark.parametrize(
    ("changes", "keys", "error", "said"),
    [
        ({"selector": "s1"}, [key("s1", "signing", WEAK)], DkimInUseError, "1024 bits is weak"),
        ({"selector": "s1"}, [key("s1", "signing", None)], DkimInUseError, "no key"),
        ({"selector": "s1"}, [key("s1", "signing", ED)], DkimInUseError, "of type ed25519, not rsa"),
        ({"selector": "s1", "regenerate": "always"}, [SIGNING], DkimInUseError, "on its way"),
        ({"selector": "s0", "regenerate": "always"}, [OVERLAP], DkimInUseError, "on its way"),
        ({"selector": "s9"}, [RETIRED], DkimInUseError, "was retired"),
        ({"selector": "s9", "regenerate": "always"}, [RETIRED], DkimInUseError, "was retired"),
        ({"selector": "s2", "regenerate": "never"}, [key("s2", "prepared", None)], DkimKeyError, "no key"),
        ({"selector": "s2", "regenerate": "never"}, [key("s2", "prepared", ED)], DkimInUseError, "to be kept"),
        ({"regenerate": "never"}, [key("s2", "prepared", None)], DkimKeyError, "no key"),
    ],
)
def test_no_key_that_signed_is_replaced_under_its_name(
    changes: dict[str, Any], keys: list[Key], error: type[DkimError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        choose(replace(WANTED, **changes), keys, NOW)
    assert caught.value.where == {"selector": keys[0].selector}


def stages(keys: list[Key]) -> dict[str, str]:
    return {each.selector: each.stage for each in keys}


def test_a_key_waits_for_its_record_unless_told_otherwise() -> None:
    choice = Choice("s2", make=False, takes_over=True)
    for wanted, published, stage in (
        (WANTED, False, "prepared"),
        (WANTED, True, "signing"),
        (replace(WANTED, sign="always"), False, "signing"),
        (replace(WANTED, sign="never"), True, "prepared"),
    ):
        after = settled(wanted, choice, [SIGNING, PREPARED], published=published, now=NOW)
        assert stages(after) == {"s1": "overlap" if stage == "signing" else "signing", "s2": stage}


def test_another_type_signs_on() -> None:
    keys = [SIGNING, key("e1", "signing", ED), PREPARED]
    after = settled(WANTED, Choice("s2", make=False, takes_over=True), keys, published=True, now=NOW)
    assert stages(after) == {"s1": "overlap", "s2": "signing", "e1": "signing"}


def test_the_overlap_ends_to_the_second() -> None:
    choice = Choice("s1", make=False, takes_over=True)
    for overlap, stage in ((3 * DAY + 1, "overlap"), (3 * DAY, "retired"), (0, "retired")):
        wanted = replace(WANTED, overlap=overlap)
        after = settled(wanted, choice, [SIGNING, OVERLAP], published=False, now=NOW)
        assert stages(after) == {"s1": "signing", "s0": stage}


def test_a_key_that_lost_its_record_signs_on() -> None:
    after = settled(WANTED, Choice("s1", make=False, takes_over=True), [SIGNING], published=False, now=NOW)
    assert after == [SIGNING]


class Runs(RuleBasedStateMachine):
    """Any runs, in any order, while records come and go and time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[Key] = []
        self.now = NOW
        self.published: set[str] = set()
        self.made: dict[str, list[str]] = {}
        self.signed: dict[str, str] = {}
        self.count = 0

    @rule(
        state=st.sampled_from(["present", "rotated"]),
        selector=st.sampled_from([None, "a", "b", "c"]),
        key_type=st.sampled_from(["rsa", "ed25519"]),
        regenerate=st.sampled_from(["never", "if_weak", "always"]),
        sign=st.sampled_from(["published", "published", "never"]),
    )
    def run(self, state: Any, selector: str | None, key_type: Any, regenerate: Any, sign: Any) -> None:
        wanted = replace(WANTED, state=state, selector=selector, type=key_type, regenerate=regenerate, sign=sign)
        try:
            choice = choose(wanted, self.keys, self.now)
        except DkimError:
            return
        before = {each.selector: each for each in self.keys}
        keys = self.keys
        if choice.make:
            old = before.get(choice.selector)
            assert old is None or old.stage == "prepared"
            self.count += 1
            public = PublicKey(key_type, 2048, f"key {self.count}")
            self.published.discard(choice.selector)
            keys = [each for each in keys if each.selector != choice.selector]
            keys.append(Key(choice.selector, key_type, public, "prepared", made_at=self.now))
        published = choice.selector in self.published and not choice.make
        self.keys = settled(wanted, choice, keys, published=published, now=self.now)
        for each in self.keys:
            old = before.get(each.selector)
            if each.stage == "signing" and (old is None or old.stage != "signing"):
                assert each.selector in self.published
            if each.stage == "retired" and old is not None and old.stage != "retired":
                assert self.now - old.signed_until >= wanted.overlap
            if old is not None and old.stage == "signing":
                assert each.stage in ("signing", "overlap")

    @rule(share=st.floats(0, 1))
    def publish(self, share: float) -> None:
        alive = [each.selector for each in self.keys if each.stage != "retired"]
        self.published |= set(alive[: round(share * len(alive))])

    @rule(hours=st.integers(1, 24 * 200))
    def wait(self, hours: int) -> None:
        self.now += hours * 3600

    @invariant()
    def one_key_of_a_type_signs_at_most(self) -> None:
        signing = [each.type for each in self.keys if each.stage == "signing"]
        assert len(signing) == len(set(signing))

    @invariant()
    def a_selector_that_signed_keeps_its_key(self) -> None:
        for each in self.keys:
            if each.stage != "prepared" and each.public:
                assert self.signed.setdefault(each.selector, each.public.data) == each.public.data

    @invariant()
    def whoever_runs_the_same_again_changes_nothing(self) -> None:
        for key_type in ("rsa", "ed25519"):
            wanted = replace(WANTED, type=key_type)
            choice = choose(wanted, self.keys, self.now)
            if choice.make:
                continue
            published = choice.selector in self.published
            once = settled(wanted, choice, self.keys, published=published, now=self.now)
            assert choose(wanted, once, self.now).selector == choice.selector
            assert settled(wanted, choice, once, published=published, now=self.now) == once


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
