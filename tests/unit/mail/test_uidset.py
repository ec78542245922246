# SPDX-License-Identifier: GPL-3.0-or-later
"""UID sets: compressing, cutting into commands, and reading a server's answer."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import ProtocolError
from ansible_collections.atmail.migration.plugins.module_utils.mail.uidset import MAX_UID, chunks, expand
from hypothesis import given
from hypothesis import strategies as st

UIDS = st.sets(st.integers(min_value=1, max_value=MAX_UID), max_size=200)
CLOSE_UIDS = st.sets(st.integers(min_value=1, max_value=300), max_size=200)


@pytest.mark.parametrize(
    ("uids", "text"),
    [([], b""), ([7], b"7"), ([1, 2, 3], b"1:3"), ([1, 3, 4, 9], b"1,3:4,9"), ([MAX_UID], b"4294967295")],
)
def test_runs_are_written_short(uids: list[int], text: bytes) -> None:
    assert b",".join(chunks(uids)) == text


@given(UIDS | CLOSE_UIDS, st.integers(min_value=1, max_value=40))
def test_chunks_hold_everything_once_and_stay_short(uids: set[int], size: int) -> None:
    sets = list(chunks(sorted(uids), size))
    assert [uid for text in sets for uid in expand(text, 1000)] == sorted(uids)
    assert all(len(text) <= max(size, 21) for text in sets)


@pytest.mark.parametrize("text", [b"", b"a", b"1:", b":1", b"1,,2", b"0", b"1:*", b"4294967296", b"1:1001"])
def test_expand_refuses_nonsense_and_floods(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        expand(text, 1000)
