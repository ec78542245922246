# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Random customers, random work on the target, and runs between: what must hold whatever happens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.addresses import without_tag
from ansible_collections.atmail.migration.plugins.module_utils.settings.merge import POLICIES, Policy
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Alias,
    AutoReply,
    Customer,
    SiteSenders,
    Source,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.plan import Wish, plan
from ansible_collections.atmail.migration.plugins.module_utils.settings.routes import Hop, Routes
from ansible_collections.atmail.migration.plugins.module_utils.settings.target import State
from ansible_collections.atmail.migration.plugins.module_utils.settings.things import KINDS, customer_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.settings.customers import CUSTOMERS
from tests.unit.settings.targets import CAPACITY, NOTHING, carried_out, customer

DOMAINS = ("a.example", "b.example")
ADDRESSES = [f"{local}@{domain}" for local in ("ann", "bob", "ann+t") for domain in DOMAINS]
WHOLE = [f"@{domain}" for domain in DOMAINS]
ELSEWHERE = ["x@far.example"]
PATTERNS = st.frozensets(st.sampled_from(["*@spam.example", "a@x.example"])).map(lambda found: tuple(sorted(found)))
TARGETS = st.frozensets(st.sampled_from(ADDRESSES + ELSEWHERE), max_size=3).map(lambda found: tuple(sorted(found)))
ACCOUNTS = st.builds(
    Account,
    address=st.sampled_from(ADDRESSES[:4]),
    source_user=st.just("x"),
    display_name=st.sampled_from(["", "Ann", "Bob"]),
    forwards=TARGETS,
    keep_copy=st.booleans(),
    auto_reply=st.none() | st.builds(AutoReply, st.sampled_from(["away", "gone"])),
    allowed=PATTERNS,
)
ALIASES = st.builds(Alias, st.sampled_from(ADDRESSES), TARGETS.filter(bool), st.booleans()) | st.builds(
    Alias, st.sampled_from(WHOLE), st.sampled_from([*WHOLE, *ADDRESSES]).map(lambda target: (target,))
)


@st.composite
def worlds(draw: st.DrawFn) -> Customer:
    """A customer whose addresses meet each other often."""
    accounts = draw(st.lists(ACCOUNTS, max_size=3, unique_by=lambda each: each.address))
    aliases = draw(st.lists(ALIASES, max_size=4, unique_by=lambda each: each.address))
    senders = draw(st.lists(st.builds(SiteSenders, st.sampled_from(["", "a.example"]), PATTERNS), max_size=1))
    return customer(*accounts, *aliases, domains=DOMAINS, senders=tuple(senders))


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["accounts", "aliases"]), st.integers(0, 5), TARGETS, st.sampled_from(["set", "remove", "name"])
    ),
    max_size=2,
)


def edited(state: State, edits: list[tuple[str, int, tuple[str, ...], str]]) -> State:
    """What the target's people do: other targets and names, and aliases that go."""
    things = {kind: dict(found) for kind, found in state.things.items()}
    notes: dict[str, dict[str, Any]] = {kind: dict(found) for kind, found in state.notes.items()}
    for kind, number, targets, how in edits:
        found = things.get(kind, {})
        if not found:
            continue
        key = sorted(found)[number % len(found)]
        there = found[key]
        if kind == "aliases" and (how == "remove" or not targets):
            notes.setdefault(kind, {})[key] = there.applied
            del found[key]
        elif how == "name" and kind == "accounts":
            found[key] = replace(there, fields={**there.fields, "display_name": "theirs"})
        else:
            name = "targets" if kind == "aliases" else "forwards"
            found[key] = replace(there, fields={**there.fields, name: targets})
    return State(things, notes=notes)


def words(state: State) -> set[tuple[str, str, str, str]]:
    """Every word of every set on the target."""
    return {
        (there.kind, there.key, each.name, word)
        for there in state
        for each in KINDS[there.kind]
        if each.shape == "set"
        for word in there.fields[each.name]
    }


def written(state: State) -> set[tuple[str, str, str, str]]:
    """Every word that migrations noted as theirs."""
    notes = [(there.kind, there.key, there.applied) for there in state]
    notes += [(kind, key, note) for kind, found in state.notes.items() for key, note in found.items()]
    return {
        (kind, key, each.name, word)
        for kind, key, note in notes
        for each in KINDS[kind]
        if each.shape == "set"
        for word in note.get(each.name, ())
    }


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.tuples(worlds(), EDITS), min_size=1, max_size=4),
    policy=st.sampled_from(POLICIES),
)
def test_whatever_happens_no_loop_is_written_nothing_of_others_goes_and_a_rerun_is_empty(
    steps: list[tuple[Customer, list[tuple[str, int, tuple[str, ...], str]]]], policy: Policy
) -> None:
    wish = Wish("acme", policy, allow_removals=1.0)
    state = NOTHING
    for wanted, edits in steps:
        state = edited(state, edits)
        result = plan(wanted, state, CAPACITY, wish)
        after = carried_out(result, state)
        assert not plan(wanted, after, CAPACITY, wish).changes
        theirs = words(state) - written(state)
        assert theirs <= words(after)
        if policy != "replace":
            gone = written(state) - words(state)
            assert not {word for word in gone if word in written(after)} & words(after)
        _no_loop_of_ours(after, wanted, wish, state)
        state = after


def _no_loop_of_ours(after: State, wanted: Customer, wish: Wish, before: State) -> None:
    """A loop that is left goes only by what others wrote, or by things that a policy let nobody change."""
    routes = Routes(
        {key: there.fields["forwards"] for key, there in after.kind("accounts").items()},
        {key: there.fields["targets"] for key, there in after.kind("aliases").items()},
    )
    # Accounts that the source has no more are not touched.
    known = {("accounts", each.address) for each in wanted.accounts}
    known |= {("aliases", each.address) for each in wanted.aliases}
    ours = {each for each in written(after) if each[:2] in known}
    for loop in routes.loops():
        hop = loop.hop
        name = "forwards" if hop.kind == "accounts" else "targets"
        if wish.policy("aliases") == "keep_and_fail" and _has(before, hop, name):
            continue
        assert (hop.kind, hop.owner, name, hop.target) not in ours, loop


def _has(state: State, hop: Hop, name: str) -> bool:
    there = state.kind(hop.kind).get(hop.owner)
    return there is not None and hop.target in there.fields[name]


@settings(deadline=None)
@given(CUSTOMERS)
def test_what_an_empty_target_gets_reads_back_as_what_was_wanted(whole: Customer) -> None:
    """Whatever a source holds: what is not the same afterwards has been told."""
    result = plan(whole, NOTHING, CAPACITY, Wish("acme"))
    after = carried_out(result, NOTHING)
    assert not plan(whole, after, CAPACITY, Wish("acme")).changes
    read = customer_of("acme", Source("cloud"), after)
    told = {finding.account for finding in result.findings}
    for wanted in whole.sorted().aliases:
        found = next((alias for alias in read.aliases if alias.address == wanted.address), None)
        assert found == wanted or wanted.address in told, wanted
    for account in whole.sorted().accounts:
        back = next((each for each in read.accounts if each.address == account.address), None)
        if back is not None:
            same = replace(back, source_user=account.source_user, password=account.password)
            selfish = {target for target in account.forwards if without_tag(target) == account.address}
            forwards = tuple(sorted(set(account.forwards) - selfish))
            keeps = account.keep_copy or bool(selfish) or not forwards
            meant = replace(account, forwards=forwards, keep_copy=keeps)
            assert same == meant or account.address in told
        else:
            assert account.address in told
