# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way changes are asked for, and when an answer adds up."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.deltas import (
    CONDSTORE,
    LISTING,
    QRESYNC,
    Changes,
    adds_up,
    best_way,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.listing import Listing
from ansible_collections.atmail.migration.plugins.module_utils.mail.server import Server
from ansible_collections.atmail.migration.plugins.module_utils.mail.session import Selected, Session
from ansible_collections.atmail.migration.plugins.module_utils.mail.survey import FolderState
from ansible_collections.atmail.migration.plugins.module_utils.mail.uidset import outside, ranges
from ansible_collections.atmail.migration.plugins.module_utils.transport.wire import Wire
from hypothesis import given
from hypothesis import strategies as st

ALL = (b"ENABLE", b"CONDSTORE", b"QRESYNC")


@pytest.mark.parametrize(
    ("capabilities", "wanted", "distrusted", "way"),
    [
        (ALL, "auto", set(), QRESYNC),
        (ALL, "condstore", set(), CONDSTORE),
        (ALL, "listing", set(), LISTING),
        (ALL, "auto", {QRESYNC}, CONDSTORE),
        (ALL, "auto", {QRESYNC, CONDSTORE}, LISTING),
        (ALL, "qresync", {QRESYNC}, LISTING),
        ((b"CONDSTORE", b"QRESYNC"), "auto", set(), CONDSTORE),
        ((b"QRESYNC",), "auto", set(), CONDSTORE),
        ((b"CONDSTORE",), "auto", set(), CONDSTORE),
        ((b"CONDSTORE",), "qresync", set(), LISTING),
        ((), "auto", set(), LISTING),
    ],
)
def test_the_best_way_that_is_there(
    capabilities: tuple[bytes, ...], wanted: str, distrusted: set[str], way: str
) -> None:
    import socket

    one, other = socket.socketpair()
    with one, other:
        session = Session(Server("source", "mail.example"), Wire(one), capabilities)
        session.distrusted = distrusted
        assert best_way(session, wanted) == way


SINCE = FolderState(messages=10, uidnext=21, uidvalidity=7, highestmodseq=100)


@pytest.mark.parametrize(
    ("exists", "modseq", "told", "gone", "adds"),
    [
        (10, 100, [], 0, True),
        (10, 120, [3, 4], 0, True),
        (12, 120, [3, 21, 22], 0, True),
        (9, 120, [21], 2, True),
        (11, 120, [], 0, False),
        (9, 120, [], 0, False),
        (10, 99, [], 0, False),
    ],
)
def test_an_answer_must_explain_the_count(exists: int, modseq: int, told: list[int], gone: int, adds: bool) -> None:
    selected = Selected(exists, 7, 30, modseq, frozenset(), any_keyword=True)
    changes = Changes(QRESYNC, Listing.of(dict.fromkeys(told, b"")), ())
    assert adds_up(SINCE, selected, changes, gone) is adds


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)))
def test_what_is_missing(known: set[int], there: set[int]) -> None:
    assert set(outside(sorted(known), ranges(sorted(there)))) == known - there
