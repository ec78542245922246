# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's comparison: nothing that differs is passed over, nothing that is the same is reported."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.compare import (
    NUMBERING,
    compare_messages,
    compare_states,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.listing import Attributes
from ansible_collections.atmail.migration.plugins.module_utils.mail.pile import Entry
from ansible_collections.atmail.migration.plugins.module_utils.mail.survey import FolderState
from hypothesis import given
from hypothesis import strategies as st


def entry(content: int = 1, flags: bytes = b"", received: int = 0) -> Entry:
    return Entry(Attributes(flags, received, 10), bytes([content]))


def found(
    source: dict[int, Entry], target: dict[int, Entry], *, same_uids: bool = True
) -> list[tuple[str, int | None]]:
    return [(one.what, one.uid) for one in compare_messages("F", source.items(), target.items(), same_uids=same_uids)]


@pytest.mark.parametrize(
    ("source", "target", "differences"),
    [
        ({1: entry(), 2: entry()}, {1: entry(), 2: entry()}, []),
        ({1: entry()}, {}, [("message_missing", 1)]),
        ({}, {4: entry()}, [("message_extra", 4)]),
        ({1: entry(flags=b"\\seen")}, {1: entry()}, [("flags", 1)]),
        ({1: entry(received=5)}, {1: entry()}, [("internaldate", 1)]),
        ({1: entry(1)}, {1: entry(2)}, [("content", 1)]),
        ({1: entry()}, {9: entry()}, [("uid", 1)]),
        ({1: entry(flags=b"a")}, {9: entry()}, [("uid", 1), ("flags", 1)]),
        # two messages that changed places are two wrong UIDs, not four wrong contents
        ({1: entry(1), 2: entry(2)}, {1: entry(2), 2: entry(1)}, [("uid", 1), ("uid", 2)]),
    ],
)
def test_messages(source: dict[int, Entry], target: dict[int, Entry], differences: list[tuple[str, int]]) -> None:
    assert found(source, target) == differences


def test_other_uidvalidity_compares_as_a_multiset() -> None:
    source = {1: entry(1), 2: entry(1), 3: entry(2)}
    assert found(source, {7: entry(2), 8: entry(1), 9: entry(1)}, same_uids=False) == []
    assert found(source, {7: entry(2), 8: entry(1)}, same_uids=False) == [("message_missing", 2)]


@pytest.mark.parametrize(
    ("source", "target", "what"),
    [
        (FolderState(1, 5, 7, 1), FolderState(1, 5, 7, 9), []),
        (FolderState(1, 5, 7, 1), FolderState(1, 6, 7, 1), []),
        (FolderState(1, 5, 7, 1), FolderState(1, 4, 7, 1), ["uidnext"]),
        (FolderState(1, 5, 7, 1), FolderState(1, 5, 8, 1), ["uidvalidity"]),
    ],
)
def test_states(source: FolderState, target: FolderState, what: list[str]) -> None:
    assert [one.what for one in compare_states("F", source, target)] == what


ENTRIES = st.builds(
    entry,
    st.integers(min_value=1, max_value=4),
    st.sampled_from([b"", b"\\seen"]),
    st.integers(min_value=0, max_value=2),
)
SIDES = st.dictionaries(st.integers(min_value=1, max_value=8), ENTRIES, max_size=6)


@given(SIDES, SIDES, st.booleans())
def test_no_difference_means_the_same(source: dict[int, Entry], target: dict[int, Entry], same_uids: bool) -> None:
    differences = found(source, target, same_uids=same_uids)
    if same_uids:
        assert (not differences) == (source == target)
    key = [
        sorted((one.digest, one.attributes.flags, one.attributes.received) for one in s.values())
        for s in (source, target)
    ]
    only_numbers = all(what in NUMBERING for what, _uid in differences)
    # under equal UIDVALIDITYs a message is compared with the one of its own UID, even if another one is more alike
    assert only_numbers <= (key[0] == key[1]) if same_uids else only_numbers == (key[0] == key[1])
