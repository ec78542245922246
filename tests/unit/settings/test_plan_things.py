# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The planner on everything that is not an account's own row: aliases, forwards, lists, contacts, and loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Alias,
    AutoReply,
    Customer,
    ExternalAccount,
    Finding,
    Permission,
    SharedContact,
    SiteSenders,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.plan import Plan, Wish, plan
from ansible_collections.atmail.migration.plugins.module_utils.settings.shown import described, summary
from ansible_collections.atmail.migration.plugins.module_utils.settings.target import Capacity, State
from ansible_collections.atmail.migration.plugins.module_utils.settings.things import There

from tests.unit.settings.targets import CAPACITY, NOTHING, carried_out, customer

WISH = Wish("acme")
ANN = Account("ann@a.example", "ann@a.example")
BOB = Account("bob@a.example", "bob@a.example")
OFF = Account("off@a.example", "off@a.example", enabled=False)


def run(whole: Customer, state: State = NOTHING, wish: Wish = WISH) -> tuple[Plan, State]:
    """A run, and that another one finds nothing to do."""
    result = plan(whole, state, CAPACITY, wish)
    after = carried_out(result, state)
    again = plan(whole, after, CAPACITY, wish)
    assert not again.changes, again.changes
    return result, after


def fields(state: State, kind: str, key: str) -> dict[str, Any]:
    return dict(state.kind(kind)[key].fields)


def changed(state: State, kind: str, key: str, **values: Any) -> State:
    """Somebody works on the target."""
    there = state.kind(kind)[key]
    things = {**state.things, kind: {**state.kind(kind), key: replace(there, fields={**there.fields, **values})}}
    return replace(state, things=things)


def found(result: Plan, address: str) -> dict[str, str]:
    """Kind → level of what was found about an address."""
    return {each.kind: each.level for each in result.findings if each.account == address}


@pytest.mark.parametrize(
    ("alias", "findings"),
    [
        (Alias("info@a.example", ("ann@a.example",)), {}),
        (Alias("info+tag@a.example", ("ann+tag@a.example",)), {}),
        (Alias("all@a.example", ("ann@a.example", "bob@a.example")), {}),
        (Alias("out@a.example", ("x@else.example", "ann@a.example")), {"remote_target": "note"}),
        (Alias("@a.example", ("ann@a.example",)), {}),
        (Alias("@b.example", ("@a.example",)), {}),
        (Alias("off-alias@a.example", ("off@a.example",)), {"target_disabled": "warning"}),
        (Alias("dead@a.example", ("nobody@a.example",)), {"target_missing": "warning"}),
        (Alias("postmaster@a.example", ("ann@a.example",)), {}),
        (Alias("info@a.example", ("ann@a.example",), enabled=False), {}),
        (Alias("x@xn--bcher-kva.example", ("ann@a.example",)), {}),
    ],
)
def test_an_alias_of_every_kind_is_made(alias: Alias, findings: dict[str, str]) -> None:
    domains = ("a.example", "b.example", "xn--bcher-kva.example")
    result, after = run(customer(ANN, BOB, OFF, alias, domains=domains))
    assert fields(after, "aliases", alias.address) == {
        "targets": tuple(sorted(alias.targets)),
        "enabled": alias.enabled,
    }
    about = found(result, alias.address)
    assert {kind: level for kind, level in about.items() if kind != "reserved_missing"} == findings
    assert summary(result)["aliases_created"] == 1


@pytest.mark.parametrize(
    ("alias", "kind"),
    [
        (Alias("info@other.example", ("ann@a.example",)), "domain_missing"),
        (Alias("not an alias", ("ann@a.example",)), "address_invalid"),
        (Alias("info@foreign.example", ("ann@a.example",)), "foreign_domain"),
        (Alias("info@a.example", ("not an address",)), "alias_empty"),
        (Alias("ann2@a.example", ("ann@a.example",)), "address_taken"),
        (Alias("self@a.example", ("self@a.example",)), "loop"),
    ],
)
def test_an_alias_that_cannot_be_is_left_out_and_the_rest_applied(alias: Alias, kind: str) -> None:
    taken = There(
        "accounts",
        "ann2@a.example",
        carried_out(plan(customer(ANN), NOTHING, CAPACITY, WISH), NOTHING).kind("accounts")["ann@a.example"].fields,
    )
    state = State({"accounts": {taken.key: taken}}, frozenset({"foreign.example"}))
    result = plan(customer(ANN, alias), state, CAPACITY, WISH)
    assert found(result, alias.address)[kind] == "error"
    assert [change.key for change in result.changes] == ["a.example", "ann@a.example"]


def test_a_mixed_spelling_is_one_address() -> None:
    _result, after = run(customer(ANN, Alias("info@a.example", ("Ann@A.example", "ann@a.example"))))
    assert fields(after, "aliases", "info@a.example")["targets"] == ("ann@a.example",)


@pytest.mark.parametrize(
    ("account", "forwards", "keep_copy"),
    [
        (replace(ANN, forwards=("ann@a.example",), keep_copy=False), (), True),
        (replace(ANN, forwards=("ann@a.example", "x@y.example"), keep_copy=False), ("x@y.example",), True),
        (replace(ANN, forwards=("ann+tag@a.example", "x@y.example"), keep_copy=False), ("x@y.example",), True),
        (replace(ANN, forwards=("x@y.example",), keep_copy=False), ("x@y.example",), False),
        (replace(ANN, forwards=("not an address", "X@Y.example")), ("x@y.example",), True),
        (replace(ANN, forwards=(), keep_copy=False), (), True),
    ],
)
def test_a_forward_to_oneself_keeps_a_copy(account: Account, forwards: tuple[str, ...], keep_copy: bool) -> None:
    _result, after = run(customer(account))
    assert fields(after, "accounts", "ann@a.example")["forwards"] == forwards
    assert fields(after, "accounts", "ann@a.example")["keep_copy"] is keep_copy


def test_an_alias_with_an_accounts_address_becomes_its_forwards() -> None:
    result, after = run(customer(ANN, BOB, Alias("ann@a.example", ("bob@a.example",))))
    assert found(result, "ann@a.example") == {"alias_is_account": "warning"}
    assert fields(after, "accounts", "ann@a.example")["forwards"] == ("bob@a.example",)
    assert fields(after, "accounts", "ann@a.example")["keep_copy"] is True
    assert not after.kind("aliases")


def test_loops_are_left_out_with_the_whole_way_and_the_mail_still_arrives() -> None:
    ann = replace(ANN, forwards=("team@b.example", "x@far.example"), keep_copy=False)
    bob = replace(BOB, forwards=("ann@a.example",), keep_copy=False)
    aliases = (Alias("@b.example", ("@a.example",)), Alias("team@a.example", ("bob@a.example", "off@a.example")))
    result, after = run(customer(ann, bob, OFF, *aliases, domains=("a.example", "b.example")))
    (message,) = [each.message for each in result.findings if each.account == "ann@a.example" and each.kind == "loop"]
    assert "ann@a.example → team@b.example → team@a.example → bob@a.example → ann@a.example" in message
    assert fields(after, "accounts", "ann@a.example")["forwards"] == ("x@far.example",)
    assert fields(after, "accounts", "bob@a.example") | {"forwards": (), "keep_copy": True} == fields(
        after, "accounts", "bob@a.example"
    )
    assert fields(after, "aliases", "team@a.example")["targets"] == ("bob@a.example", "off@a.example")
    assert fields(after, "aliases", "@b.example")["targets"] == ("@a.example",)


def test_a_loop_through_an_alias_that_was_made_on_the_target_takes_our_hop() -> None:
    bob = replace(BOB, forwards=("team@a.example",))
    _result, state = run(customer(ANN, bob, Alias("team@a.example", ("ann@a.example",))))
    state = changed(state, "aliases", "team@a.example", targets=("ann@a.example", "bob@a.example"))
    result, after = run(customer(ANN, bob, Alias("team@a.example", ("ann@a.example",))), state)
    assert found(result, "bob@a.example") == {"loop": "error"}
    assert fields(after, "accounts", "bob@a.example")["forwards"] == ()
    assert fields(after, "aliases", "team@a.example")["targets"] == ("ann@a.example", "bob@a.example")


def test_a_loop_that_is_the_targets_own_is_told() -> None:
    state = NOTHING
    _result, state = run(customer(ANN, BOB), state)
    state = changed(state, "accounts", "ann@a.example", forwards=("bob@a.example",))
    state = changed(state, "accounts", "bob@a.example", forwards=("ann@a.example",))
    result, after = run(customer(ANN, BOB), state)
    assert found(result, "ann@a.example") == {"loop": "warning"}
    assert after == state


def test_targets_of_an_alias_follow_the_source_and_the_targets_own_stay() -> None:
    first = Alias("all@a.example", ("ann@a.example", "bob@a.example"))
    _result, state = run(customer(ANN, BOB, OFF, first))
    state = changed(state, "aliases", "all@a.example", targets=("ann@a.example", "bob@a.example", "off@a.example"))
    second = replace(first, targets=("ann@a.example",))
    _result, state = run(customer(ANN, BOB, OFF, second), state)
    assert fields(state, "aliases", "all@a.example")["targets"] == ("ann@a.example", "off@a.example")
    result, state = run(customer(ANN, BOB, OFF), state)
    assert fields(state, "aliases", "all@a.example")["targets"] == ("off@a.example",)
    assert summary(result)["aliases_changed"] == 1
    state = changed(state, "aliases", "all@a.example", targets=("bob@a.example",))
    _result, after = run(customer(ANN, BOB, OFF), state)
    assert after == state


def test_an_alias_that_the_source_dropped_goes_only_where_a_migration_made_it() -> None:
    info = Alias("info@a.example", ("ann@a.example",))
    _result, state = run(customer(ANN, info))
    theirs = There("aliases", "theirs@a.example", {"targets": ("ann@a.example",), "enabled": True})
    state = replace(state, things={**state.things, "aliases": {**state.kind("aliases"), theirs.key: theirs}})
    result, after = run(customer(ANN), state)
    assert set(after.kind("aliases")) == {"theirs@a.example"}
    assert summary(result)["aliases_removed"] == 1
    unread = replace(customer(ANN), findings=(Finding("info@a.example", "alias_invalid", "x", "error"),))
    assert not plan(unread, state, CAPACITY, WISH).changed
    assert not plan(customer(ANN, replace(info, targets=("bad",))), state, CAPACITY, WISH).changed
    elsewhere = plan(customer(domains=("b.example",)), state, CAPACITY, WISH)
    assert [change.key for change in elsewhere.changes] == ["b.example"]


@pytest.mark.parametrize(("policy", "back"), [("replace", True), ("keep", False), ("keep_and_warn", False)])
def test_an_alias_that_was_removed_on_the_target_comes_back_by_the_policy(policy: Any, back: bool) -> None:
    info = Alias("info@a.example", ("ann@a.example",))
    _result, state = run(customer(ANN, info))
    note = {"aliases": {"info@a.example": state.kind("aliases")["info@a.example"].applied}}
    state = replace(state, things={**state.things, "aliases": {}}, notes=note)
    wish = Wish("acme", on_conflicts={"aliases": policy})
    result, after = run(customer(ANN, info), state, wish)
    assert bool(after.kind("aliases")) is back
    assert found(result, "info@a.example") == {"changed_on_target": "note" if policy == "keep" else "warning"}
    _result, after = run(customer(ANN), after, wish)
    assert not after.kind("aliases")
    assert not after.notes.get("aliases")


def test_more_removals_than_allowed_remove_nothing_of_that_kind() -> None:
    aliases = [Alias(f"a{number}@a.example", ("ann@a.example",)) for number in range(30)]
    _result, state = run(customer(ANN, *aliases))
    result, after = run(customer(ANN), state)
    assert len(after.kind("aliases")) == 30
    assert found(result, "")["too_many_removals"] == "error"
    _result, after = run(customer(ANN, *aliases[:25]), state)
    assert len(after.kind("aliases")) == 25
    _result, after = run(customer(ANN), state, Wish("acme", allow_removals=1.0))
    assert not after.kind("aliases")


def test_after_the_cut_over_nothing_is_replaced_that_was_changed_there() -> None:
    ann = replace(ANN, display_name="Ann", forwards=("x@far.example",), auto_reply=AutoReply("away"))
    _result, state = run(customer(ann))
    state = changed(state, "accounts", "ann@a.example", display_name="Anna", forwards=(), auto_reply=None)
    result, after = run(customer(ann), state, Wish("acme", "replace", "replace", phase="catch_up"))
    assert after == state
    assert result.conflicts == 3
    _result, after = run(customer(ann), state, Wish("acme", "replace"))
    assert fields(after, "accounts", "ann@a.example")["display_name"] == "Ann"


def test_a_polled_mailbox_shows_no_password_and_keeps_the_one_that_is_not_told() -> None:
    polled = ExternalAccount("imap", "mail.far.example", "ann", password="geheim")
    result, state = run(customer(replace(ANN, external=(polled,))))
    before, after = described(result, "SSHA512")
    assert "geheim" not in f"{before}{after}{result}"
    assert after["accounts"]["ann@a.example"]["external"] == {
        polled.key: {"port": None, "tls": True, "password": "(set)"}
    }
    untold = replace(polled, password=None, port=143)
    _result, state = run(customer(replace(ANN, external=(untold,))), state)
    assert fields(state, "accounts", "ann@a.example")["external"][polled.key] == replace(polled, port=143)
    _result, state = run(customer(ANN), state)
    assert fields(state, "accounts", "ann@a.example")["external"] == {}


def test_lists_of_domains_and_of_the_site_follow_entry_by_entry() -> None:
    lists = (SiteSenders("", ("a@x.example",), ("*@spam.example",)), SiteSenders("a.example", ("b@x.example",)))
    _result, state = run(customer(ANN, senders=lists))
    state = changed(state, "senders", "", blocked=("*@more.example", "*@spam.example"))
    result, state = run(customer(ANN, senders=(replace(lists[0], blocked=()), lists[1])), state)
    assert fields(state, "senders", "")["blocked"] == ("*@more.example",)
    assert summary(result)["senders_changed"] == 1
    result, state = run(customer(ANN), state)
    assert set(state.kind("senders")) == {""}
    assert summary(result)["senders_removed"] == 1


def test_shared_contacts_come_follow_and_go() -> None:
    contact = SharedContact("17", "Zoe", "", ("z@x.example",), (("TEL", "1"),), (Permission("everyone"),))
    _result, state = run(customer(ANN, contacts=(contact,)))
    _result, state = run(customer(ANN, contacts=(replace(contact, name="Zoë"),)), state)
    assert fields(state, "contacts", "17")["name"] == "Zoë"
    result, gone = run(customer(ANN), state)
    assert not gone.kind("contacts")
    assert summary(result)["contacts_removed"] == 1
    state = changed(state, "contacts", "17", name="Z.")
    kept = plan(customer(ANN), state, CAPACITY, Wish("acme", "keep_and_warn"))
    assert not kept.changed
    assert found(kept, "")["changed_on_target"] == "warning"


def test_what_the_target_has_no_place_for_is_said_and_the_rest_applied() -> None:
    small = Capacity({"domains": frozenset({"enabled"}), "accounts": frozenset({"enabled", "forwards"})})
    ann = replace(ANN, signature="<b>x</b>", forwards=("x@far.example",), keep_copy=False)
    whole = customer(ann, Alias("i@a.example", ("ann@a.example",)), senders=(SiteSenders("", ("a@x.example",)),))
    result = plan(whole, NOTHING, small, WISH)
    assert found(result, "ann@a.example") == {"no_place": "warning", "remote_target": "note"}
    assert found(result, "i@a.example") == {"no_place": "warning"}
    assert found(result, "") == {"no_place": "warning"}
    message = next(each.message for each in result.findings if each.account == "ann@a.example")
    assert message.endswith("signature, keeping a copy")
    assert result.of("accounts")[0].fields == {"enabled": (None, True), "forwards": (None, ("x@far.example",))}


def test_reserved_names_are_asked_for() -> None:
    result, _after = run(customer(ANN, Alias("postmaster@a.example", ("ann@a.example",))))
    (message,) = [each.message for each in result.findings if each.kind == "reserved_missing"]
    assert "abuse@a.example" in message
    assert "postmaster@" not in message
    result, _after = run(customer(ANN, Alias("@a.example", ("ann@a.example",))))
    assert not [each for each in result.findings if each.kind == "reserved_missing"]
