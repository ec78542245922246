# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The planner: a table of cases, and what must hold for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Customer,
    Domain,
    Password,
    Source,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.plan import (
    POLICIES,
    AccountChange,
    Plan,
    Policy,
    Wish,
    described,
    digest,
    plan,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles.cloud import CLOUD
from ansible_collections.atmail.migration.plugins.module_utils.settings.schemes import for_target
from ansible_collections.atmail.migration.plugins.module_utils.settings.target import (
    TargetAccount,
    TargetDomain,
    TargetState,
)
from hypothesis import given
from hypothesis import strategies as st

WISH = Wish("acme")
DOMAIN = TargetDomain("a.example", "acme", True, {"enabled": True})
WANTED = Account("ann@a.example", "ann@a.example", "Ann", True, 100, Password("PLAIN-MD5", "aa"))
STORED = "{PLAIN-MD5}aa"
APPLIED = {"display_name": "Ann", "enabled": True, "quota_bytes": 100, "password": digest(STORED)}
THERE = TargetAccount(
    "ann@a.example", "a.example", "Ann", True, 100, STORED, "migrated", "provisioned", applied=APPLIED
)


def customer(*accounts: Account) -> Customer:
    return Customer("acme", Source("atmail"), (Domain("a.example"),), accounts)


def planned(wanted: Account, there: TargetAccount | None, wish: Wish = WISH) -> Plan:
    known = {there.address: there} if there else {}
    return plan(customer(wanted), TargetState({DOMAIN.name: DOMAIN}, known), CLOUD, wish)


def test_what_is_as_it_should_be_stays() -> None:
    result = planned(WANTED, THERE)
    assert not result.changed
    assert (result.unchanged, result.conflicts, result.findings) == (1, 0, ())


def test_an_empty_target_gets_everything() -> None:
    result = plan(customer(WANTED), TargetState({}, {}), CLOUD, WISH)
    assert result.domains[0].create
    change = result.accounts[0]
    assert change.create
    assert change.password == WANTED.password
    assert change.applied == {"display_name": "Ann", "enabled": True, "quota_bytes": 100}


@pytest.mark.parametrize(
    ("field", "value"), [("display_name", "Anna"), ("enabled", False), ("quota_bytes", None), ("quota_bytes", 7)]
)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_change_on_the_source_is_carried_whatever_the_policy(field: str, value: Any, policy: Policy) -> None:
    wanted = replace(WANTED, **{field: value})
    result = planned(wanted, THERE, Wish("acme", policy, policy))
    assert result.accounts[0].fields == {field: (getattr(THERE, field), value)}
    assert result.accounts[0].applied[field] == value
    assert (result.conflicts, result.findings) == (0, ())


@pytest.mark.parametrize(
    ("policy", "changed", "level"),
    [
        ("replace", True, "warning"),
        ("keep", False, "note"),
        ("keep_and_warn", False, "warning"),
        ("keep_and_fail", False, "error"),
    ],
)
@pytest.mark.parametrize("applied", [APPLIED, {}])
def test_a_change_on_the_target_goes_by_the_policy(
    policy: Policy, changed: bool, level: str, applied: dict[str, Any]
) -> None:
    there = replace(THERE, display_name="Somebody's choice", applied=applied)
    result = planned(WANTED, there, Wish("acme", policy))
    assert result.changed is changed
    assert [(finding.kind, finding.level) for finding in result.findings] == [("changed_on_target", level)]
    assert result.conflicts == 1
    assert result.unchanged == (1 if policy in ("keep", "keep_and_warn") else 0)


NEW = replace(WANTED, password=Password("PLAIN", "new"))


@pytest.mark.parametrize(
    ("there", "sets", "conflict"),
    [
        (THERE, True, False),
        (replace(THERE, password="{SSHA512}x"), False, True),
        (replace(THERE, password_status="changed"), False, True),
        (replace(THERE, applied={}), False, True),
        (replace(THERE, password=None), False, True),  # somebody took it away
        (replace(THERE, password=None, applied={}), True, False),
        (replace(THERE, password="{PLAIN}new"), False, False),
        (replace(THERE, password=for_target(Password("PLAIN", "new"), "SSHA512", bytes)), False, False),
    ],
)
def test_a_password_is_set_only_over_our_own(there: TargetAccount, sets: bool, conflict: bool) -> None:
    result = planned(NEW, there)
    assert bool(result.accounts and result.accounts[0].password) is sets
    assert [finding.kind for finding in result.findings] == (["password_changed_on_target"] if conflict else [])


def test_an_account_without_a_password_in_the_snapshot_keeps_the_one_it_has() -> None:
    assert not planned(replace(WANTED, password=None), THERE).changed


def test_keep_and_fail_changes_nothing_of_the_account_but_goes_on_with_others() -> None:
    other = replace(WANTED, address="bob@a.example")
    there = replace(THERE, password="{SSHA512}x", display_name="x")
    state = TargetState({DOMAIN.name: DOMAIN}, {there.address: there})
    result = plan(customer(WANTED, other), state, CLOUD, Wish("acme", "replace", "keep_and_fail"))
    assert [change.address for change in result.accounts] == ["bob@a.example"]
    assert {finding.level for finding in result.findings} == {"warning", "error"}
    assert result.unchanged == 0


def test_an_account_that_was_there_before_is_adopted_without_its_password() -> None:
    there = replace(THERE, applied={}, migrate_status="none", password="{SSHA512}x", password_status="changed")
    result = planned(WANTED, there)
    assert result.accounts[0].fields == {"migrate_status": ("none", "provisioned")}
    assert result.accounts[0].password is None


def test_a_foreign_domain_refuses_its_accounts() -> None:
    foreign = replace(DOMAIN, subscription="globex")
    result = plan(customer(WANTED), TargetState({DOMAIN.name: foreign}, {THERE.address: THERE}), CLOUD, WISH)
    assert not result.changed
    assert [finding.kind for finding in result.findings] == ["foreign_domain"]


def test_values_too_long_for_the_target() -> None:
    result = planned(replace(WANTED, display_name="x" * 300), None)
    assert result.accounts[0].fields["display_name"] == (None, "x" * 255)
    assert [finding.kind for finding in result.findings] == ["value_shortened"]
    refused = planned(replace(WANTED, password=Password("ARGON2ID", "x" * 300)), None)
    assert not refused.accounts
    assert [finding.kind for finding in refused.findings] == ["value_too_long"]
    assert planned(replace(WANTED, password=Password("PLAIN", "x" * 300)), None).accounts[0].password


def test_the_description_shows_schemes_only() -> None:
    before, after = described(planned(replace(WANTED, password=Password("PLAIN", "geheim")), THERE), "SSHA512")
    assert before["accounts"] == {"ann@a.example": {"password": "{PLAIN-MD5}"}}
    assert after["accounts"] == {"ann@a.example": {"password": "{SSHA512} (changed)"}}
    assert "geheim" not in repr(planned(replace(WANTED, password=Password("PLAIN", "geheim")), THERE))


VALUES = st.sampled_from(["Ann", "Anna", "Annabel"])
PASSWORDS = st.sampled_from([Password("PLAIN", "one"), Password("PLAIN", "two"), Password("PLAIN-MD5", "aa"), None])


def carried_out(change: AccountChange, there: TargetAccount | None) -> TargetAccount:
    """What the target holds after the change, as the writing step does it."""
    base = there or TargetAccount(change.address, "a.example", "", True, None, None, "none", "provisioned")
    base = replace(base, applied=change.applied, **{key: new for key, (_old, new) in change.fields.items()})
    if change.password is None:
        return base
    stored = for_target(change.password, "SSHA512", bytes)
    return replace(
        base, password=stored, password_status="migrated", applied={**change.applied, "password": digest(stored)}
    )


@given(
    steps=st.lists(
        st.tuples(
            st.builds(
                Account,
                address=st.just("ann@a.example"),
                source_user=st.just("ann@a.example"),
                display_name=VALUES,
                enabled=st.booleans(),
                quota_bytes=st.none() | st.integers(1, 3),
                password=PASSWORDS,
            ),
            st.none() | st.sampled_from(["{SSHA512}users", "{PLAIN}one"]),
        ),
        min_size=1,
        max_size=6,
    ),
    policy=st.sampled_from(POLICIES),
    password_policy=st.sampled_from([policy for policy in POLICIES if policy != "replace"]),
)
def test_whatever_happens_a_rerun_changes_nothing_and_a_users_password_survives(
    steps: list[tuple[Account, str | None]], policy: Policy, password_policy: Policy
) -> None:
    """Runs, with changes on the source and password changes on the target between them."""
    wish = Wish("acme", policy, password_policy)
    there: TargetAccount | None = None
    users: str | None = None
    for wanted, choice in steps:
        if choice and there:
            there = replace(there, password=choice, password_status="changed")
            users = choice
        for change in planned(wanted, there, wish).accounts:
            there = carried_out(change, there)
        assert not planned(wanted, there, wish).changed
        if users and there:
            assert there.password == users
