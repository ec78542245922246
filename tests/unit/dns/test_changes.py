# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning changes of a zone: as wanted afterwards, nothing more the second time, and all of it can be put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.atmail.migration.plugins.module_utils.dns.changes import (
    Kept,
    Key,
    Wanted,
    kept_after,
    plan,
    put_back,
    text_of,
)
from ansible_collections.atmail.migration.plugins.module_utils.dns.lines import quoted
from ansible_collections.atmail.migration.plugins.module_utils.transport.nameupdate import RrSet, Swap, canonical
from hypothesis import given
from hypothesis import strategies as st

ZONE = "acme.example"
_TTLS = st.integers(1, 100_000)
_TEXTS = st.sampled_from(["v=spf1 -all", "v=spf1 mx -all", "V=SPF1 a", "google-site-verification=x", "other", 'a"b\\c'])
_VALUES = st.lists(_TEXTS.map(quoted), max_size=4, unique=True).map(lambda found: tuple(sorted(found)))
_SETS = st.builds(lambda ttl, values: RrSet(ttl, values) if values else RrSet(), _TTLS, _VALUES)
_NAMES = ("acme.example", "a.acme.example")
_STATES = st.fixed_dictionaries({(name, "TXT"): _SETS for name in _NAMES})
_WANTED = st.builds(
    Wanted,
    zone=st.just(ZONE),
    name=st.sampled_from(_NAMES),
    kind=st.just("TXT"),
    ttl=_TTLS,
    values=st.none() | _VALUES,
    replaces=st.sampled_from(["", "v=spf1"]),
)


def _done(state: Mapping[Key, RrSet], swaps: Sequence[Swap]) -> dict[Key, RrSet]:
    assert all(state[swap.name, swap.kind] == swap.before != swap.after for swap in swaps)
    return {**state, **{(swap.name, swap.kind): swap.after for swap in swaps}}


@given(_STATES, st.lists(_WANTED, max_size=4, unique_by=lambda one: one.key))
def test_a_second_run_has_nothing_to_do_and_other_records_stay(state: dict[Key, RrSet], wanted: list[Wanted]) -> None:
    after = _done(state, plan(wanted, state))
    assert plan(wanted, after) == []
    for one in wanted:
        before, now = state[one.key], after[one.key]
        if one.values is None:
            assert now.values == before.values
        elif not one.replaces:
            assert now == (RrSet(one.ttl, one.values) if one.values else RrSet())
        else:
            others = {value for value in before.values if not text_of(value).lower().startswith("v=spf1")}
            assert set(now.values) == others | set(one.values)


@given(_STATES, st.lists(st.lists(_WANTED, max_size=3, unique_by=lambda one: one.key), max_size=4))
def test_whatever_was_changed_is_put_back(state: dict[Key, RrSet], rounds: list[list[Wanted]]) -> None:
    now = dict(state)
    kept: list[Kept] = []
    for wanted in rounds:
        swaps = plan(wanted, now)
        kept = kept_after(kept, wanted, swaps, ZONE)
        now = _done(now, swaps)
    swaps, conflicts = put_back(kept, now, None)
    assert conflicts == []
    assert _done(now, swaps) == state


@given(_STATES, st.lists(_WANTED, min_size=1, max_size=2, unique_by=lambda one: one.key), _TTLS)
def test_what_others_have_added_stays_and_ttls_are_no_higher_than_asked(
    state: dict[Key, RrSet], wanted: list[Wanted], most: int
) -> None:
    swaps = plan(wanted, state)
    kept = kept_after([], wanted, swaps, ZONE)
    now = _done(state, swaps)
    theirs = '"added by somebody else"'
    now = {key: RrSet(rrset.ttl, tuple(sorted({*rrset.values, theirs}))) for key, rrset in now.items()}
    swaps, conflicts = put_back(kept, now, most)
    assert conflicts == []
    after = _done(now, swaps)
    for one in kept:
        assert theirs in after[one.key].values
        assert set(state[one.key].values) <= set(after[one.key].values)
        assert after[one.key].ttl <= most or not one.before.values or after[one.key] == now[one.key]


def test_what_somebody_else_has_changed_is_not_touched() -> None:
    key = ("acme.example", "MX")
    kept = [Kept(ZONE, *key, RrSet(300, ("10 old.",)), RrSet(300, ("10 new.",)))]
    swaps, conflicts = put_back(kept, {key: RrSet(300, ("10 third.",))}, None)
    assert (swaps, conflicts) == ([], kept)


@given(st.text(max_size=600))
def test_a_text_survives_the_form_of_a_zone_file(text: str) -> None:
    value = quoted(text)
    assert text_of(value) == text.encode().decode("latin-1")
    assert canonical("TXT", value) == canonical("TXT", canonical("TXT", value))
    assert text_of(canonical("TXT", value)) == text.encode().decode("latin-1")
