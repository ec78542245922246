# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of the intake check: none is lost, whatever happens; and pages that take every text as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import AuthError, InputError
from ansible_collections.atmail.migration.plugins.module_utils.intake.items import (
    NEEDS,
    Answer,
    Terms,
    asked,
    judged,
    missing,
    ok,
    summary,
)
from ansible_collections.atmail.migration.plugins.module_utils.intake.pages import (
    headline,
    html_page,
    markdown,
    open_items,
    table,
)
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANSWERS = st.builds(
    Answer,
    item=st.sampled_from(sorted(NEEDS)),
    state=st.sampled_from(["ok", "missing", "invalid", "unchecked"]),
    reason=st.text(),
    next=st.text(),
    about=st.text(),
)


@given(st.lists(ANSWERS, max_size=40))
def test_every_answer_becomes_an_item_and_every_need_has_one(answers: list[Answer]) -> None:
    items = judged(answers, Terms(), TODAY)
    assert {item.item for item in items} == set(NEEDS)
    told = [(item.item, item.state, item.reason, item.about) for item in items]
    assert all((each.item, each.state, each.reason, each.about) in told for each in answers)
    counted = summary(items)
    assert sum(counted[state] for state in ("ok", "missing", "invalid", "unchecked")) == len(items)
    assert counted["stopping"] == sum(counted["stopping_by_owner"].values())


@given(st.lists(ANSWERS, max_size=5), st.text(), st.text())
def test_pages_take_any_text(answers: list[Answer], customer: str, ticket: str) -> None:
    items = judged(answers, Terms(people={"customer": customer}), TODAY)
    for line in (*table(customer, items), *open_items(customer, items)):
        assert "\n" not in line
        assert "\x1b" not in line
    rows = [line for line in markdown(customer, ticket, items, NOW).split("\n") if line.startswith("| ")]
    assert len(rows) == len(items) + 1
    assert all(row.replace("\\\\", "").replace("\\|", "").count("|") == 7 for row in rows)
    assert html_page(customer, ticket, items, NOW).count("<tr") == len(items) + 1


def test_what_others_wrote_is_no_markup() -> None:
    items = judged([missing("ticket", "<script>alert(1)</script> [x](http://y) | `z`", "")], Terms(), TODAY)
    page = html_page("<b>acme</b>", "'\"", items, NOW)
    assert "<script" not in page
    assert "<b>" not in page
    text = markdown("acme", "1", items, NOW)
    assert r"\<script\>alert\(1\)\</script\> \[x\]\(http://y\) \| \`z\`" in text


def test_owners_dates_and_what_is_not_insisted_on() -> None:
    terms = Terms(
        people={"customer": "Jane"}, due="2026-11-22", due_dates={"ssh_login": "2026-11-23"}, optional=["certificate"]
    )
    every = [Answer(name, "missing", "it is not there") for name in NEEDS]
    found = {item.item: item for item in judged(every, terms, TODAY)}
    assert (found["ssh_login"].person, found["ssh_login"].due, found["ssh_login"].overdue) == (
        "Jane",
        "2026-11-23",
        False,
    )
    assert (found["contact"].overdue, found["contact"].stops) == (True, True)
    assert (found["certificate"].required, found["certificate"].overdue) == (False, False)
    assert not found["off_peak"].stops


def test_the_headline_counts_by_owner() -> None:
    every = [ok(name, "") for name in NEEDS if name not in ("ticket", "off_peak")]
    one = judged([*every, missing("ticket", "", ""), missing("off_peak", "", "")], Terms(), TODAY)
    assert headline("acme", one) == "acme: the migration can't start yet, 1 item is open (1 of the support engineer)"
    none = judged([*every, ok("ticket", ""), missing("off_peak", "", "")], Terms(), TODAY)
    assert headline("acme", none) == "acme: the migration can start"


@pytest.mark.parametrize(
    "terms", [Terms(optional=["certificates"]), Terms(due_dates={"x": "2026-01-01"}), Terms(due="soon")]
)
def test_terms_about_nothing_are_refused(terms: Terms) -> None:
    with pytest.raises(InputError):
        judged([], terms, TODAY)


def test_an_error_in_the_middle_leaves_no_item_out() -> None:
    def question() -> Iterator[Answer]:
        yield ok("ssh_reachable", "here")
        raise AuthError("refused")

    answers = {one.item: one for one in asked(("ssh_reachable", "ssh_host_key", "ssh_login"), question)}
    assert [answers[name].state for name in ("ssh_reachable", "ssh_host_key", "ssh_login")] == [
        "ok",
        "invalid",
        "unchecked",
    ]
    assert answers["ssh_host_key"].kind == "auth_failed"

    def broken() -> Iterator[Answer]:
        raise ZeroDivisionError("secret")

    (answer,) = asked(("clock",), broken)
    assert (answer.state, "secret" in answer.reason, "ZeroDivisionError" in answer.reason) == ("unchecked", False, True)
