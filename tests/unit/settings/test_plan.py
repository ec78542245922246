# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The planner on accounts, domains and passwords: a table of cases, and what must hold for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings.merge import POLICIES, Policy
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Account, Customer, Password
from ansible_collections.atmail.migration.plugins.module_utils.settings.plan import Plan, Wish, digest, plan
from ansible_collections.atmail.migration.plugins.module_utils.settings.schemes import for_target
from ansible_collections.atmail.migration.plugins.module_utils.settings.shown import described, summary
from ansible_collections.atmail.migration.plugins.module_utils.settings.target import State
from ansible_collections.atmail.migration.plugins.module_utils.settings.things import There
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.settings.targets import CAPACITY, NOTHING, carried_out, customer, state_of, there

WISH = Wish("acme")
DOMAIN = There("domains", "a.example", {"enabled": True}, {"enabled": True})
WANTED = Account("ann@a.example", "ann@a.example", "Ann", True, 100, Password("PLAIN-MD5", "aa"))
STORED = "{PLAIN-MD5}aa"
APPLIED = {"display_name": "Ann", "enabled": True, "quota_bytes": 100, "password": digest(STORED)}
THERE = there(WANTED, APPLIED, password=STORED)


def with_fields(thing: There, **fields: Any) -> There:
    return replace(thing, fields={**thing.fields, **fields})


def planned(wanted: Account, thing: There | None, wish: Wish = WISH) -> Plan:
    state = state_of(DOMAIN, *([thing] if thing else []))
    return plan(customer(wanted), state, CAPACITY, wish)


def kinds(result: Plan) -> list[str]:
    """What was found, but for the notes on reserved names, which no test here is about."""
    return [finding.kind for finding in result.findings if finding.kind != "reserved_missing"]


def levels(result: Plan) -> set[str]:
    return {finding.level for finding in result.findings if finding.kind != "reserved_missing"}


def test_what_is_as_it_should_be_stays() -> None:
    result = planned(WANTED, THERE)
    assert not result.changed
    assert (result.unchanged["accounts"], result.conflicts, kinds(result)) == (1, 0, [])


def test_an_empty_target_gets_everything() -> None:
    result = plan(customer(WANTED), NOTHING, CAPACITY, WISH)
    domain, account = result.changes
    assert (domain.kind, domain.action, account.kind, account.action) == ("domains", "create", "accounts", "create")
    assert account.password == WANTED.password
    assert {**account.applied, **APPLIED} == {**account.applied, "password": digest(STORED)}
    assert summary(result)["accounts_created"] == summary(result)["passwords_set"] == 1


@pytest.mark.parametrize(
    ("field", "value"), [("display_name", "Anna"), ("enabled", False), ("quota_bytes", None), ("quota_bytes", 7)]
)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_change_on_the_source_is_carried_whatever_the_policy(field: str, value: Any, policy: Policy) -> None:
    wanted = replace(WANTED, **{field: value})
    result = planned(wanted, THERE, Wish("acme", policy, policy))
    assert result.changes[0].fields == {field: (THERE.fields[field], value)}
    assert result.changes[0].applied[field] == value
    assert (result.conflicts, kinds(result)) == (0, [])


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
    changed_there = replace(with_fields(THERE, display_name="Somebody's choice"), applied=applied)
    result = planned(WANTED, changed_there, Wish("acme", policy))
    assert result.changed is changed
    assert (kinds(result), levels(result)) == (["changed_on_target"], {level})
    assert result.conflicts == 1
    assert result.unchanged["accounts"] == (1 if policy in ("keep", "keep_and_warn") else 0)
    assert result.refused == ({("accounts", "ann@a.example")} if policy == "keep_and_fail" else set())
    by_kind = planned(WANTED, changed_there, Wish("acme", "keep_and_fail", on_conflicts={"accounts": policy}))
    assert by_kind.changed is changed


NEW = replace(WANTED, password=Password("PLAIN", "new"))


@pytest.mark.parametrize(
    ("thing", "sets", "conflict"),
    [
        (THERE, True, False),
        (replace(THERE, password="{SSHA512}x"), False, True),
        (replace(THERE, password_changed=True), False, True),
        (replace(THERE, applied={}), False, True),
        (replace(THERE, password=None), False, True),  # somebody took it away
        (replace(THERE, password=None, applied={}), True, False),
        (replace(THERE, password="{PLAIN}new"), False, False),
        (replace(THERE, password=for_target(Password("PLAIN", "new"), "SSHA512", bytes)), False, False),
    ],
)
def test_a_password_is_set_only_over_our_own(thing: There, sets: bool, conflict: bool) -> None:
    result = planned(NEW, thing)
    assert any(change.password for change in result.changes) is sets
    assert kinds(result) == (["password_changed_on_target"] if conflict else [])


def test_an_account_without_a_password_in_the_snapshot_keeps_the_one_it_has() -> None:
    assert not planned(replace(WANTED, password=None), THERE).changed


def test_keep_and_fail_changes_nothing_of_the_account_but_goes_on_with_others() -> None:
    other = replace(WANTED, address="bob@a.example")
    changed = replace(with_fields(THERE, display_name="x"), password="{SSHA512}x")
    result = plan(
        customer(WANTED, other), state_of(DOMAIN, changed), CAPACITY, Wish("acme", "replace", "keep_and_fail")
    )
    assert [change.key for change in result.changes] == ["bob@a.example"]
    assert levels(result) == {"warning", "error"}
    assert result.unchanged["accounts"] == 0


def test_an_account_that_was_there_before_is_adopted_without_its_password() -> None:
    due = {"migrate_status": ("none", "provisioned")}
    result = planned(WANTED, replace(THERE, applied={}, due=due, password="{SSHA512}x", password_changed=True))
    assert result.changes[0].fields == due
    assert result.changes[0].password is None


def test_a_foreign_domain_refuses_its_accounts() -> None:
    result = plan(customer(WANTED), State({}, frozenset({"a.example"})), CAPACITY, WISH)
    assert not result.changed
    assert kinds(result) == ["foreign_domain"]


def test_a_text_that_the_target_has_only_goes_where_a_migration_wrote_it() -> None:
    theirs = with_fields(THERE, signature="their own", reply_to="them@a.example")
    assert not planned(WANTED, theirs).changed
    ours = replace(theirs, applied={**APPLIED, "signature": "their own"})
    assert planned(WANTED, ours).changes[0].fields == {"signature": ("their own", "")}


def test_values_too_long_for_the_target() -> None:
    result = planned(replace(WANTED, display_name="x" * 300, time_zone="y" * 65), None)
    account = result.of("accounts")[0]
    assert account.fields["display_name"] == (None, "x" * 255)
    assert account.fields["time_zone"] == (None, "")
    assert kinds(result) == ["value_shortened", "value_too_long"]
    refused = planned(replace(WANTED, password=Password("ARGON2ID", "x" * 300)), None)
    assert not refused.of("accounts")
    assert kinds(refused) == ["value_too_long"]
    assert planned(replace(WANTED, password=Password("PLAIN", "x" * 300)), None).of("accounts")[0].password


def test_the_description_shows_schemes_only() -> None:
    before, after = described(planned(replace(WANTED, password=Password("PLAIN", "geheim")), THERE), "SSHA512")
    assert before["accounts"] == {"ann@a.example": {"password": "{PLAIN-MD5}"}}
    assert after["accounts"] == {"ann@a.example": {"password": "{SSHA512} (changed)"}}
    assert "geheim" not in repr(planned(replace(WANTED, password=Password("PLAIN", "geheim")), THERE))


VALUES = st.sampled_from(["Ann", "Anna", "Annabel"])
PASSWORDS = st.sampled_from([Password("PLAIN", "one"), Password("PLAIN", "two"), Password("PLAIN-MD5", "aa"), None])


@settings(deadline=None)
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
    state = NOTHING
    users: str | None = None
    for wanted, choice in steps:
        account = state.kind("accounts").get("ann@a.example")
        if choice and account:
            state = state_of(*state.kind("domains").values(), replace(account, password=choice, password_changed=True))
            users = choice
        whole: Customer = customer(wanted)
        state = carried_out(plan(whole, state, CAPACITY, wish), state)
        assert not plan(whole, state, CAPACITY, wish).changes
        if users and account:
            assert state.kind("accounts")["ann@a.example"].password == users
