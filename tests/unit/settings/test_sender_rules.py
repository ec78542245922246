# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What rows of white- and blacklists mean."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.addresses import canonical_pattern
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract.sender_rules import (
    Rule,
    Senders,
    sort_rules,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles import source_profile
from hypothesis import given
from hypothesis import strategies as st

ACCOUNTS = ("ann@acme.example", "bob@acme.example")
DOMAINS = ("acme.example",)
WORDS = source_profile("atmail").sender_words
ANN = "ann@acme.example"


def sort(*rules: Rule) -> Senders:
    return sort_rules(rules, WORDS, ACCOUNTS, DOMAINS)


@pytest.mark.parametrize(
    ("value", "patterns"),
    [
        ("Eve@Far.example\r", ["eve@far.example"]),
        ("@far.example", ["*@far.example"]),
        ("far.example", ["*@far.example"]),
        ("*@*.far.example", ["*@*.far.example"]),
        ("a@far.example b@far.example\r\nc@far.example", ["a@far.example", "b@far.example", "c@far.example"]),
        ("<a@far.example>, <b@far.example>", ["a@far.example", "b@far.example"]),
        ("x@bücher.example", ["x@xn--bcher-kva.example"]),
    ],
)
def test_patterns(value: str, patterns: list[str]) -> None:
    found = sort(Rule(ANN, "whitelist_from", value))
    assert list(found.accounts[ANN].allowed) == patterns
    assert not found.findings


@pytest.mark.parametrize("owner", ["GLOBAL", "$GLOBAL", "@GLOBAL", " GLOBAL "])
def test_the_whole_sites(owner: str) -> None:
    assert list(sort(Rule(owner, "blacklist_from", "*@spam.example")).domains[""].blocked) == ["*@spam.example"]


@pytest.mark.parametrize("owner", ["%acme.example", "@Acme.example", "acme.example"])
def test_a_whole_domains(owner: str) -> None:
    found = sort(Rule(owner, "blacklist_from", "*@spam.example"))
    assert list(found.domains["acme.example"].blocked) == ["*@spam.example"]


@pytest.mark.parametrize(
    ("rule", "account", "kind"),
    [
        (Rule(ANN, "whitelist_from", "nonsense"), ANN, "pattern_invalid"),
        (Rule(ANN, "whitelist_from", "x" * 100, cut=True), ANN, "value_cut"),
        (Rule(ANN, "whitelist_from", "\r"), "", "list_empty"),
        (Rule(ANN, "whitelist_to", "list@acme.example"), ANN, "allowed_recipient"),
        (Rule(ANN, "whitelist_only", "1"), ANN, "allowed_only"),
        (Rule(ANN, "whitelist_only", "0"), "", "spam_preference"),
        (Rule(ANN, "required_score", "5"), "", "spam_preference"),
        (Rule("gone@acme.example", "whitelist_from", "x@y.example"), "", "list_orphaned"),
        (Rule("", "report_safe", "x"), "", "list_orphaned"),
    ],
)
def test_what_has_no_place_is_said(rule: Rule, account: str, kind: str) -> None:
    assert (account, kind) in {(finding.account, finding.kind) for finding in sort(rule).findings}


TEXT = st.text(max_size=10) | st.sampled_from(
    ["a@far.example\r", "", " ,;<>", "@far.example", "a@b.example;c@d.example"]
)
RULES = st.builds(
    Rule,
    owner=st.sampled_from([*ACCOUNTS, "GLOBAL", "%acme.example", "gone@acme.example", "ANN@acme.example"]) | TEXT,
    preference=st.sampled_from(["whitelist_from", "blacklist_from", "whitelist_to", "whitelist_only", "use_bayes"])
    | TEXT,
    value=TEXT,
    cut=st.booleans(),
)


@given(rule=RULES)
def test_every_row_is_in_a_list_or_in_a_finding(rule: Rule) -> None:
    found = sort(rule)
    lists = [*found.accounts.values(), *found.domains.values()]
    patterns = [pattern for each in lists for pattern in (*each.allowed, *each.blocked)]
    assert patterns or found.findings
    assert all(canonical_pattern(pattern) == pattern for pattern in patterns)
    assert set(found.accounts) <= set(ACCOUNTS)
    assert set(found.domains) <= {"", *DOMAINS}
