# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What PostfixAdmin's columns can hold, and what is said of the rest."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import BoundTable
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Account, Alias, AutoReply
from ansible_collections.atmail.migration.plugins.module_utils.settings.targets.postfixadmin_fit import Fitting
from ansible_collections.atmail.migration.plugins.module_utils.settings.things import ACCOUNTS, Thing, things_of
from hypothesis import given, settings

from .customers import ACCOUNTS as RANDOM_ACCOUNTS
from .targets import customer


def columns(**charsets: str) -> BoundTable:
    return BoundTable("table", {name: name for name in charsets}, charsets)


#: As version 2.3 has it: addresses in latin1, texts in three-byte UTF-8.
OLD = Fitting(
    {
        "ways": columns(address="latin1", goto="latin1"),
        "mailboxes": columns(name="utf8mb3"),
        "vacations": columns(subject="utf8mb3", body="utf8mb3"),
    }
)


def thing(wanted: Account | Alias) -> Thing:
    (made,) = things_of(customer(wanted, domains=()))
    return made


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", (True, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")),
        ("1999-01-01T00:00:00Z", "2040-01-01T00:00:00Z", (True, None, None)),
        ("2040-01-01T00:00:00Z", None, (False, None, None)),
        (None, "1999-01-01T00:00:00Z", (False, None, None)),
        ("2000-01-01T00:00:00Z", "2038-01-18T00:00:00Z", (True, None, None)),
    ],
)
def test_dates(starts: str | None, ends: str | None, expected: tuple[bool, str | None, str | None]) -> None:
    account = Account("ann@a.example", "ann", auto_reply=AutoReply("text", starts=starts, ends=ends))
    fitting, findings = OLD.fit(thing(account))
    assert fitting is not None
    reply = fitting.fields["auto_reply"]
    assert (reply.enabled, reply.starts, reply.ends) == expected
    assert bool(findings) == (not reply.enabled)


def test_letters_that_a_text_can_not_hold_are_question_marks() -> None:
    account = Account("ann@a.example", "ann", display_name="\u00c4\u6f22\U0001f600", auto_reply=AutoReply("\U0001f600"))
    fitting, findings = OLD.fit(thing(account))
    assert fitting is not None
    assert fitting.fields["display_name"] == "\u00c4\u6f22?"
    assert fitting.fields["auto_reply"].text == "?"
    assert [(finding.kind, finding.level) for finding in findings] == [("value_unfit", "warning")] * 2


def test_addresses_that_a_row_can_not_hold_are_left_out() -> None:
    account = Account("ann@a.example", "ann", forwards=("\u6f22@b.example",), keep_copy=False)
    fitting, findings = OLD.fit(thing(account))
    assert fitting is not None
    assert (fitting.fields["forwards"], fitting.fields["keep_copy"]) == ((), True)
    assert [finding.level for finding in findings] == ["warning"]
    for refused in (
        Account("\u6f22@a.example", "x"),
        Alias("list@a.example", ("\u6f22@b.example",)),
        Alias("list@a.example", tuple(f"{number:060}@a.example" for number in range(1000))),
    ):
        fitting, findings = OLD.fit(thing(refused))
        assert fitting is None
        assert [(finding.kind, finding.level) for finding in findings] == [("value_unfit", "error")]


@settings(deadline=None)
@given(RANDOM_ACCOUNTS)
def test_what_fits_once_fits_again_as_it_is(account: Account) -> None:
    fitting, _findings = OLD.fit(thing(account))
    if fitting is not None:
        assert fitting.kind == ACCOUNTS
        assert OLD.fit(fitting) == (fitting, ())
