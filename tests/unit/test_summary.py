# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.summary import FAILED_ROWS, LARGEST_ROWS, table
from hypothesis import given
from hypothesis import strategies as st


def mailbox(name: str, copied: int = 0, failures: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"target_user": name, "fidelity": "faithful", "messages_copied": copied, "failures": failures or [], **more}


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"mailboxes": None},
        {"failed": True, "msg": "wrong option"},
        {"mailboxes": [mailbox("ann@acme.example"), mailbox("bob@acme.example")]},
    ],
)
def test_nothing_to_tell_is_not_told(result: dict[str, Any]) -> None:
    assert table("acme", result) == []


def test_the_table() -> None:
    result = {
        "summary": {"bytes_copied": 23_100_000},
        "mailboxes": [
            mailbox("ann@acme.example", 1200, seconds=3.14159, flags_changed=7),
            mailbox("bob@acme.example", 0, [{"kind": "auth_failed", "message": "the server said no"}], fidelity=None),
            mailbox("cy@acme.example", 0),
            mailbox("dee@acme.example", 3400, seconds=9, messages_removed=2),
        ],
    }
    assert table("acme", result) == [
        "acme (not shown: 1 unchanged)",
        "  mailbox           fidelity  copied  flags  removed  seconds  failures",
        "  bob@acme.example  -              0      0        0      0.0         1",
        "  dee@acme.example  faithful   3,400      0        2      9.0         0",
        "  ann@acme.example  faithful   1,200      7        0      3.1         0",
        "  ---------------------------------------------------------------------",
        "  4 mailboxes       23.1 MB    4,600      7        2                  1",
        "  bob@acme.example: auth_failed: the server said no",
    ]


def test_ten_thousand_mailboxes_are_no_flood() -> None:
    failure = [{"kind": "timeout", "message": "x" * 5000, "folder": "INBOX"}]
    failed = [mailbox(f"f{number}@acme.example", 0, failure) for number in range(5000)]
    good = [mailbox(f"g{number}@acme.example", number + 1) for number in range(5000)]
    lines = table("acme", {"mailboxes": failed + good})
    assert lines[0] == "acme (not shown: 4,980 more failed, 4,990 smaller ones)"
    assert len(lines) == 1 + 1 + FAILED_ROWS + LARGEST_ROWS + 2 + FAILED_ROWS
    assert all(len(line) < 200 for line in lines)
    assert lines[2 + FAILED_ROWS].split()[0] == "g4999@acme.example"


@given(st.text(), st.text(), st.text())
def test_names_and_answers_from_servers_cannot_steer_a_terminal(customer: str, name: str, message: str) -> None:
    result = {"mailboxes": [mailbox(name, 1, [{"kind": message, "message": message, "folder": message}])]}
    assert all(line.isprintable() for line in table(customer, result))
