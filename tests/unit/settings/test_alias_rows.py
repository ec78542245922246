# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What rows of aliases mean."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.addresses import alias_fault
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract.alias_rows import (
    Aliases,
    AliasRow,
    Known,
    resolve,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Alias
from hypothesis import given
from hypothesis import strategies as st

KNOWN = Known(
    domains=("acme.example", "shop.example"),
    accounts=("ann@acme.example", "john.smith@acme.example"),
    folders={"/mail/a/n/ann@acme.example": "ann@acme.example"},
)


def kinds(found: Aliases) -> set[str]:
    return {finding.kind for finding in found.findings}


@pytest.mark.parametrize(
    ("row", "alias"),
    [
        (AliasRow("Sales@Acme.example", "ann@acme.example"), ("sales@acme.example", "ann@acme.example")),
        (AliasRow("sales", "ann", "acme.example"), ("sales@acme.example", "ann@acme.example")),
        (AliasRow("sales", "ann", "@Acme.example"), ("sales@acme.example", "ann@acme.example")),
        (AliasRow("sales@acme.example", "ann"), ("sales@acme.example", "ann@acme.example")),
        (AliasRow("sales@acme.example", "<Eve@Far.example>"), ("sales@acme.example", "eve@far.example")),
        (AliasRow("sales@acme.example", '"Far, Eve" <eve@far.example>'), ("sales@acme.example", "eve@far.example")),
        (
            AliasRow("sales@acme.example", "mailto:eve@bücher.example"),
            ("sales@acme.example", "eve@xn--bcher-kva.example"),
        ),
        (AliasRow("sales@acme.example", "\\eve@far.example\r\n"), ("sales@acme.example", "eve@far.example")),
        (AliasRow("@shop.example", "ann@acme.example"), ("@shop.example", "ann@acme.example")),
        (AliasRow("*@shop.example", "ann@acme.example"), ("@shop.example", "ann@acme.example")),
        (AliasRow("*", "ann", "shop.example"), ("@shop.example", "ann@shop.example")),
        (AliasRow("shop.example", "ann@acme.example", "shop.example"), ("@shop.example", "ann@acme.example")),
        (AliasRow("shop.example", "ann@acme.example"), ("@shop.example", "ann@acme.example")),
        (AliasRow("shop.example", "acme.example", "shop.example"), ("@shop.example", "@acme.example")),
        (AliasRow("@shop.example", "*@acme.example"), ("@shop.example", "@acme.example")),
        (AliasRow("@shop.example", "@far.example"), ("@shop.example", "@far.example")),
        (AliasRow("@acme.example", "john.smith"), ("@acme.example", "john.smith@acme.example")),
        (AliasRow("dotted.name", "ann", "acme.example"), ("dotted.name@acme.example", "ann@acme.example")),
        (
            AliasRow("box@acme.example", "", folder="/mail/a/n/ann@acme.example/"),
            ("box@acme.example", "ann@acme.example"),
        ),
    ],
)
def test_one_row(row: AliasRow, alias: tuple[str, str]) -> None:
    found = resolve([row], KNOWN)
    assert found.aliases == [Alias(alias[0], (alias[1],))]
    assert not found.findings


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (AliasRow("", "ann@acme.example", "acme.example"), "alias_invalid"),
        (AliasRow("sales", "ann@acme.example"), "alias_invalid"),
        (AliasRow("a b@acme.example", "ann@acme.example"), "alias_invalid"),
        (AliasRow("@", "ann@acme.example"), "alias_invalid"),
        (AliasRow("x@acme.example", ""), "alias_empty"),
        (AliasRow("x@acme.example", " \r"), "alias_empty"),
        (AliasRow("x@acme.example", "|/usr/bin/vacation ann, x"), "alias_target_invalid"),
        (AliasRow("x@acme.example", ":blackhole:"), "alias_target_invalid"),
        (AliasRow("x@acme.example", "@far.example"), "alias_target_invalid"),
        (AliasRow("x@acme.example", "X@Acme.example"), "alias_loop"),
        (AliasRow("@shop.example", "@shop.example"), "alias_loop"),
        (AliasRow("ann@acme.example", "ann@acme.example"), "alias_loop"),
        (AliasRow("@shop.example", "@acme.example, ann@acme.example"), "alias_ambiguous"),
        (AliasRow("x@unknown.example", "ann@acme.example"), "domain_missing"),
        (AliasRow("x@acme.example", "", folder="/mail/a/n/ann@acme.example/.Lists"), "alias_folder"),
    ],
)
def test_what_is_no_alias_is_said(row: AliasRow, kind: str) -> None:
    found = resolve([row], KNOWN)
    assert found.aliases == []
    assert not found.forwards
    assert kind in kinds(found)


def test_rows_of_one_name_are_one_alias() -> None:
    rows = [
        AliasRow("list@acme.example", "ann@acme.example, eve@far.example"),
        AliasRow("LIST@acme.example", "eve@far.example"),
        AliasRow("list", "bob@far.example;nobody", "acme.example"),
    ]
    found = resolve(rows, KNOWN)
    assert found.aliases == [
        Alias("list@acme.example", ("ann@acme.example", "eve@far.example", "bob@far.example", "nobody@acme.example"))
    ]
    assert found.aliases[0].kind == "list"


def test_an_alias_of_an_accounts_own_address_is_a_forward() -> None:
    found = resolve([AliasRow("ann@acme.example", "ann@acme.example, eve@far.example")], KNOWN)
    assert found.forwards == {"ann@acme.example": ("eve@far.example",)}
    assert kinds(found) == {"alias_is_account"}


def test_a_domain_that_only_an_alias_names_is_one_of_the_sites() -> None:
    found = resolve([AliasRow("brand.example", "acme.example")], KNOWN)
    assert found.aliases == [Alias("@brand.example", ("@acme.example",))]
    assert found.domains == {"brand.example"}
    assert kinds(found) == {"domain_added"}


TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "ann@acme.example",
        "@shop.example",
        "*@acme.example",
        "acme.example",
        "x",
        "a@far.example, b",
        "|run",
        "ann@acme.example\r",
    ]
)
ROWS = st.lists(
    st.builds(AliasRow, name=TEXT, target=TEXT, domain=st.just("acme.example") | TEXT, folder=st.just("") | TEXT),
    max_size=6,
)


@given(rows=ROWS)
def test_whatever_the_rows_hold_every_one_is_accounted_for(rows: list[AliasRow]) -> None:
    found = resolve(rows, KNOWN)
    addresses = [alias.address for alias in found.aliases]
    assert len(addresses) == len(set(addresses))
    assert not set(addresses) & set(KNOWN.accounts)
    for alias in found.aliases:
        assert alias_fault(alias.address) is None
        assert alias.targets
        assert alias.address not in alias.targets
        assert all(alias_fault(target) is None for target in alias.targets)
    assert len(found.aliases) + len(found.forwards) + len(found.findings) >= bool(rows)
    for row in rows:
        alone = resolve([row], KNOWN)
        assert alone.aliases or alone.forwards or alone.findings


@given(rows=ROWS, seed=st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: list[AliasRow], seed: object) -> None:
    shuffled = list(rows)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = resolve(rows, KNOWN), resolve(shuffled, KNOWN)
    assert {(each.address, frozenset(each.targets)) for each in one.aliases} == {
        (each.address, frozenset(each.targets)) for each in other.aliases
    }
    assert set(one.findings) == set(other.findings)
