# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder's listing: a dictionary in order, whatever order it was told in, of few bytes a message."""

from __future__ import annotations

import tracemalloc

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import ProtocolError
from ansible_collections.atmail.migration.plugins.module_utils.mail.listing import Listing
from hypothesis import given
from hypothesis import strategies as st

TOLD = st.lists(st.tuples(st.integers(1, 40), st.sampled_from([b"", b"\\Seen", b"\\Seen junk"])), max_size=60)


@given(TOLD)
def test_it_is_a_dictionary_in_order(told: list[tuple[int, bytes]]) -> None:
    """case_87: answers out of order, and told twice: the last word counts."""
    listing = Listing()
    for uid, flags in told:
        listing.add(uid, flags)
    expected = dict(sorted(dict(told).items()))
    assert list(listing.items()) == list(expected.items())
    assert dict(Listing.of(expected)) == expected
    assert [listing.at(listing.index(uid)) for uid in expected] == list(expected.items())
    assert listing.index(41) == -1
    assert 41 not in listing


@pytest.mark.parametrize("uid", [0, 2**32])
def test_a_number_that_is_no_uid_is_refused(uid: int) -> None:
    with pytest.raises(ProtocolError):
        Listing().add(uid, b"")


@pytest.mark.case(70)
def test_the_largest_uid_is_one() -> None:
    listing = Listing()
    listing.add(2**32 - 1, b"\\Seen")
    assert listing[2**32 - 1] == b"\\Seen"


@pytest.mark.case(32)
def test_a_message_takes_few_bytes() -> None:
    listing = Listing()
    tracemalloc.start()
    for uid in range(1, 100_001):
        listing.add(uid, b"\\Seen" if uid % 3 else b"\\Seen \\Answered")
    size, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 1_500_000
