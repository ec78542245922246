# SPDX-License-Identifier: GPL-3.0-or-later
"""What mail clients would download again: nothing when nothing is different, and everything that is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    DownloadsError,
    InputError,
    NotIdenticalError,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.downloads import (
    Download,
    Listed,
    Tally,
    by_imap,
    compare_counts,
    compare_maildrops,
    doubtful,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.gates import GATES, check_gates, gate, passed
from ansible_collections.atmail.migration.plugins.module_utils.mail.uidl import DEFAULT, FORMATS
from hypothesis import given
from hypothesis import strategies as st

V = 1_600_000_000
FORMAT = {one.template: one for one in FORMATS}


def drop(*messages: tuple[int, int], template: str = DEFAULT, uidvalidity: int = V) -> list[Listed]:
    """A list of (UID, size)."""
    return [Listed(FORMAT[template].write(uid, uidvalidity), size) for uid, size in messages]


def kinds(source: list[Listed], target: list[Listed]) -> tuple[list[str], list[tuple[str, int, int]]]:
    differences, downloads = compare_maildrops("INBOX", source, target)
    return sorted(one.what for one in differences), [(one.cause, one.messages, one.bytes) for one in downloads]


SOURCE = drop((1, 10), (2, 20), (5, 50))


@pytest.mark.case(103)
@pytest.mark.parametrize(
    ("source", "target", "differences", "downloads"),
    [
        (SOURCE, SOURCE, [], []),
        ([], [], [], []),
        # the same numbers in another format: setting that format helps
        (drop((1, 10), (2, 20), template="UID%u-%v"), drop((1, 10), (2, 20)), ["uidl"] * 2, [("uidl_format", 2, 30)]),
        # another format, and other numbers: it does not
        (drop((1, 10), (2, 20), template="UID%u-%v"), drop((3, 10), (4, 20)), ["uidl"] * 2, [("uidl", 2, 30)]),
        (SOURCE, drop((1, 10), (2, 20), (5, 50), uidvalidity=V + 1), ["uidl"] * 3, [("uidvalidity", 3, 80)]),
        (SOURCE, drop((1, 10), (2, 20), (6, 50)), ["uidl"], [("uid", 1, 50)]),
        # a message is missing; new mail on the target is new to everybody
        (SOURCE, drop((1, 10), (2, 20)), ["uidl"], []),
        (SOURCE, drop((1, 10), (2, 20), (5, 50), (6, 60)), ["uidl"], []),
        # the same UIDLs in another order
        (SOURCE, [SOURCE[1], SOURCE[0], SOURCE[2]], ["uidl_order"], [("uidl_order", 2, 30)]),
        # a UIDL that names another message: a client would never fetch it
        (SOURCE, drop((1, 10), (2, 50), (5, 20)), ["uidl_content"] * 2, []),
        # sizes of one side count line ends otherwise: the headers tell
        ([Listed(b"a", 10, b"1")], [Listed(b"a", 12, b"1")], [], []),
        ([Listed(b"a", 10, b"1")], [Listed(b"a", 10, b"2")], ["uidl_content"], []),
        # duplicates on both sides are no difference, more of them are
        ([Listed(b"a", 1), Listed(b"a", 2)], [Listed(b"a", 1), Listed(b"a", 2)], [], []),
        (
            [Listed(b"a", 1), Listed(b"b", 2)],
            [Listed(b"a", 1), Listed(b"a", 2)],
            ["uidl", "uidl_duplicate"],
            [("uidl", 1, 2)],
        ),
        # whose sizes fit are paired first; the others, to be on the safe side, as many as there are
        (
            [Listed(b"a", 1), Listed(b"b", 2)],
            [Listed(b"x", 2), Listed(b"y", 9), Listed(b"z", 8)],
            ["uidl"] * 3,
            [("uidl", 2, 11)],
        ),
    ],
)
def test_maildrops(
    source: list[Listed], target: list[Listed], differences: list[str], downloads: list[tuple[str, int, int]]
) -> None:
    assert kinds(source, target) == (differences, downloads)


def test_the_format_to_set_is_named() -> None:
    source, target = drop((1, 10), (2, 20), template="%v.%u"), drop((1, 10), (2, 20), (3, 30))
    (download,) = compare_maildrops("INBOX", source, target)[1]
    assert download.advice == "set pop3_uidl_format to %v.%u for this user or tenant on the target"


LISTS = st.lists(st.builds(Listed, st.sampled_from([b"a", b"b", b"c", b"d"]), st.integers(0, 3)), max_size=6)


@given(LISTS, LISTS)
@pytest.mark.case(103)
def test_no_difference_means_the_same_list(source: list[Listed], target: list[Listed]) -> None:
    differences, downloads = compare_maildrops("INBOX", source, target)
    assert (not differences) == (source == target)
    assert differences or not downloads
    assert sum(one.messages for one in downloads if one.cause != "uidl_order") <= min(len(source), len(target))


@pytest.mark.case(103)
def test_what_sizes_do_not_tell_is_looked_at_more_closely() -> None:
    """Neighbours of one size, on either side, and messages of which the sides tell different sizes."""
    mine = [Listed(b"a", 1), Listed(b"b", 2), Listed(b"c", 2), Listed(b"d", 3), Listed(b"e", 4), Listed(b"f", 5)]
    theirs = [Listed(b"a", 1), Listed(b"c", 2), Listed(b"d", 3), Listed(b"x", 3), Listed(b"e", 9), Listed(b"b", 2)]
    assert doubtful(mine, theirs) == ([2, 3, 4, 5], [2, 3, 4, 5, 6])
    assert doubtful([], []) == ([], [])


@pytest.mark.case(103)
@pytest.mark.parametrize(
    ("pop", "imap", "found"), [((5, 5), (5, 5), 0), ((6, 6), (5, 5), 0), ((6, 5), (5, 5), 1), ((4, 5), (5, 5), 1)]
)
def test_messages_that_only_one_protocol_shows(pop: tuple[int, int], imap: tuple[int, int], found: int) -> None:
    assert len(list(compare_counts("INBOX", pop, imap))) == found


@pytest.mark.parametrize(
    ("renamed", "same", "extra", "moved", "downloads"),
    [
        (False, True, (0, 0), (0, 0), []),
        (False, True, (2, 5), (0, 0), []),
        (False, True, (2, 5), (1, 4), [Download("F", "imap", "uid", 1, 4)]),
        (False, False, (2, 5), (0, 0), [Download("F", "imap", "uidvalidity", 8, 95)]),
        (True, True, (0, 0), (1, 4), [Download("F", "imap", "folder", 10, 100)]),
    ],
)
def test_imap(
    renamed: bool, same: bool, extra: tuple[int, int], moved: tuple[int, int], downloads: list[Download]
) -> None:
    tallies = {"there": Tally(10, 100), "extra": Tally(*extra), "moved": Tally(*moved)}
    assert list(by_imap("F", renamed=renamed, same_uidvalidity=same, **tallies)) == downloads


def result(*clients: str, identical: bool = True, content: bool = True) -> dict[str, Any]:
    downloads = [
        {"mailbox": "a", "folder": "INBOX", "client": one, "cause": "uid", "messages": 3, "bytes": 9} for one in clients
    ]
    return {
        "identical": identical,
        "content_identical": content,
        "mailboxes": [{"target_user": "a", "identical": identical}],
        "downloads": downloads,
    }


def test_gates() -> None:
    assert passed(result(), failed=False, with_pop=True) == list(GATES)
    assert passed(result(), failed=False, with_pop=False) == ["differences", "content", "imap_downloads"]
    assert passed(result("pop", identical=False), failed=False, with_pop=True) == ["content", "imap_downloads"]
    assert passed(result("imap", identical=False), failed=False, with_pop=True) == ["content", "pop_downloads"]
    assert passed(result(identical=False, content=False), failed=True, with_pop=True) == []


def test_a_closed_gate_says_why() -> None:
    judged = result("pop", identical=False)
    judged["passed"] = passed(judged, failed=False, with_pop=True)
    gate(judged, ["content", "imap_downloads"])
    with pytest.raises(DownloadsError, match=r"3 messages \(9 bytes\) again: a, folder INBOX \(pop, uid\)") as caught:
        gate(judged, ["pop_downloads"])
    assert caught.value.done is judged
    with pytest.raises(NotIdenticalError, match="not the same on both sides: a"):
        gate(judged, ["pop_downloads", "differences"])


def test_a_gate_that_nobody_could_pass_is_refused() -> None:
    assert check_gates(["pop_downloads"], with_pop=True) == ("pop_downloads",)
    with pytest.raises(InputError, match="pop3_port"):
        check_gates(["pop_downloads"], with_pop=False)
