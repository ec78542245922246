# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where mail goes, and that no circle is left: a table of loops, and any graph at all."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings.routes import (
    ACCOUNTS,
    Hop,
    Routes,
    breaking,
)
from hypothesis import given, settings
from hypothesis import strategies as st

Table = dict[str, list[str]]


def table(**rows: str) -> Table:
    """``a="b c"``: a@x.example goes to b@x.example and c@x.example. ``a_y`` is a@y.example, ``_x`` the whole domain."""
    return {_address(owner): [_address(target) for target in targets.split()] for owner, targets in rows.items()}


def _address(word: str) -> str:
    local, _line, domain = word.partition("_")
    return f"{local}@{domain or 'x'}.example"


@pytest.mark.parametrize(
    ("forwards", "aliases", "refused"),
    [
        (table(a="b", b=""), {}, []),
        (table(a="b", b="a"), {}, ["accounts a@x.example", "accounts b@x.example"]),
        (table(b=""), table(a="b"), []),
        ({}, table(a="b", b="c", c="a"), ["aliases a@x.example", "aliases b@x.example", "aliases c@x.example"]),
        # a list with a member that sends everything back to the list: only that forward goes
        (table(ann="all", bob=""), table(all="ann bob"), ["accounts ann@x.example"]),
        # whole domains
        ({}, table(_x="_y", _y="_x"), ["aliases @x.example", "aliases @y.example"]),
        ({}, table(_x="_x"), ["aliases @x.example"]),
        (table(a="a_y"), table(_y="_x"), ["accounts a@x.example"]),
        (table(a="a_y", b=""), {**table(_y="_x"), **table(a_y="b")}, []),  # the exact name comes first
        # catch-all
        (table(a="nobody"), table(_x="a"), ["accounts a@x.example"]),
        (table(a=""), table(_x="a", b="nobody"), []),
        ({}, table(_x="gone", gone="lost"), ["aliases @x.example", "aliases gone@x.example"]),
        # with tags
        ({"a@x.example": ["b+t@x.example"], "b@x.example": ["a@x.example"]}, {}, ["accounts a", "accounts b"]),
        ({"a@x.example": ["a+t@x.example"]}, {"a+t@x.example": ["o@z.example"]}, []),
        ({"a@x.example": []}, {"a+t@x.example": ["a@x.example"]}, []),
        # what is outside is not followed
        (table(a="r_remote", b="r_remote"), {}, []),
    ],
)
def test_loops(forwards: Table, aliases: Table, refused: list[str]) -> None:
    loops, left = breaking(Routes(forwards, aliases), lambda _hop: True)
    found = sorted({f"{loop.hop.kind} {loop.hop.owner}" for loop in loops})
    assert len(found) == len(refused), found
    assert all(one.startswith(other) for one, other in zip(found, refused, strict=True)), found
    assert not left


def test_an_alias_that_goes_lets_the_catch_all_take_its_mail_and_that_may_be_the_next_loop() -> None:
    aliases = table(a="b", b="a", _x="a")
    loops, left = breaking(Routes({}, aliases), lambda _hop: True)
    assert {loop.hop.owner for loop in loops} == {"a@x.example", "b@x.example", "@x.example"}
    assert not left


def test_the_way_names_every_station() -> None:
    (loop,), _left = breaking(Routes(table(a="l_y", b=""), table(_y="_x", l="a b")), lambda hop: hop.kind == ACCOUNTS)
    assert loop.hop == Hop(ACCOUNTS, "a@x.example", "l@y.example")
    assert loop.way == ("a@x.example", "l@y.example", "l@x.example", "a@x.example")


def test_a_loop_that_somebody_else_made_is_told_and_left() -> None:
    loops, left = breaking(Routes({}, table(a="b", b="a", c="a")), lambda hop: hop.owner.startswith("c"))
    assert not loops
    assert {loop.hop.owner for loop in left} == {"a@x.example", "b@x.example"}


def test_many_hops_do_not_exhaust_the_stack() -> None:
    aliases = {f"a{number}@x.example": [f"a{number + 1}@x.example"] for number in range(20_000)}
    assert breaking(Routes({}, aliases), lambda _hop: True) == ([], [])


NAMES = st.sampled_from([f"{local}@{domain}" for domain in ("x", "y", "z") for local in ("", "a", "b", "c", "a+t")])
TABLES = st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=3, unique=True), max_size=8)


@settings(deadline=None)
@given(forwards=TABLES, aliases=TABLES, others=st.frozensets(NAMES))
def test_after_breaking_no_mail_goes_round_by_us(forwards: Table, aliases: Table, others: frozenset[str]) -> None:
    forwards = {owner: targets for owner, targets in forwards.items() if not owner.startswith("@")}
    routes = Routes(forwards, aliases)
    refused, left = breaking(routes, lambda hop: hop.owner not in others)
    assert all(loop.hop.owner in others for loop in left)
    after = routes.without(loop.hop for loop in refused)
    for start in after.graph:
        _walk(after, start, others, ())


def _walk(routes: Routes, node: str, others: frozenset[str], way: tuple[str, ...]) -> None:
    """Follow every way: coming back to where one was is only for hops of others (an independent look)."""
    if len(way) > 6 or any(hop.owner in others for hop, _to in routes.hops(node)):
        return
    assert node not in way, (*way, node)
    for _hop, target in routes.hops(node):
        _walk(routes, target, others, (*way, node))
