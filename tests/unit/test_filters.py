# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.filter.briefly import briefly
from ansible_collections.atmail.migration.plugins.filter.counts import counts


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ([], []),
        (["b", "a", "b"], [("b", 2), ("a", 1)]),
        (["b", "a"], [("a", 1), ("b", 1)]),
    ],
)
def test_counts(values: list[str], counted: list[tuple[str, int]]) -> None:
    assert list(counts(values).items()) == counted


FINDINGS: list[dict[str, Any]] = [
    {"account": "ann@acme.example", "kind": "duplicate", "message": "the address appears twice"},
    {"mailbox": "bob@acme.example", "folder": "INBOX", "kind": "timeout"},
    {"account": "", "message": "a \x1b[2J {{ 7 * 7 }}"},
]


@pytest.mark.parametrize(
    ("entries", "limit", "said"),
    [
        ([], 5, ""),
        (FINDINGS[:1], 5, "ann@acme.example: the address appears twice"),
        (FINDINGS[1:2], 5, "bob@acme.example, folder INBOX: timeout"),
        (FINDINGS[2:], 5, "a \\u001b[2J {{ 7 * 7 }}"),
        (FINDINGS, 1, "ann@acme.example: the address appears twice; and 2 more"),
    ],
)
def test_briefly(entries: list[dict[str, Any]], limit: int, said: str) -> None:
    assert briefly(entries, limit) == said
