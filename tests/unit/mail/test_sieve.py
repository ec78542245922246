# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sieve leaves out changes nothing in the plan."""

from __future__ import annotations

from ansible_collections.atmail.migration.plugins.module_utils.ledger import MessageRow
from ansible_collections.atmail.migration.plugins.module_utils.mail.attributes import flag_key, is_placeholder
from ansible_collections.atmail.migration.plugins.module_utils.mail.listing import Listing
from ansible_collections.atmail.migration.plugins.module_utils.mail.plan import (
    FolderPlan,
    Look,
    Pair,
    Policy,
    plan_folder,
    unknown,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.sieve import Sieve
from ansible_collections.atmail.migration.plugins.module_utils.mail.survey import FolderState
from hypothesis import given, settings
from hypothesis import strategies as st

FLAGS = st.sampled_from([b"", b"\\Seen", b"\\seen \\Recent", b"\\Flagged junk", b"\\Deleted $AtmailMigrationGap"])
SIDE = st.dictionaries(st.integers(1, 12), FLAGS, max_size=12)
PAIRS = st.dictionaries(st.integers(1, 12), st.tuples(st.integers(1, 12), FLAGS), max_size=12)


def whole(
    source: dict[int, bytes], target: dict[int, bytes], pairs: dict[int, Pair], *, same: bool, uidnext: int
) -> Look:
    """The look without a sieve."""
    return Look(source=source, target=target, pairs=pairs, same_uidvalidity=same, target_uidnext=uidnext)


def told(plan: FolderPlan) -> FolderPlan:
    """A plan as it can be compared: errors are equal when they say the same."""
    assert plan.trouble is None
    return plan


@settings(max_examples=500)
@given(SIDE, SIDE, PAIRS, st.booleans())
def test_the_plan_is_the_same_with_and_without_it(
    source: dict[int, bytes], target: dict[int, bytes], drawn: dict[int, tuple[int, bytes]], same: bool
) -> None:
    used: set[int] = set()
    rows: list[MessageRow] = []
    for uid, (other, flags) in sorted(drawn.items()):
        if other not in used:
            used.add(other)
            rows.append(MessageRow(uid, other, flag_key(flags), None))
    pairs = {row.source_uid: Pair(row.target_uid, row.flags) for row in rows}
    uidnext = max(target, default=0) + 1
    sieve = Sieve(Listing.of(source), Listing.of(target), same_uidvalidity=same)
    sieve.pairs(rows)
    plain, sieved = whole(source, target, pairs, same=same, uidnext=uidnext), sieve.look(target_uidnext=uidnext)
    assert unknown(plain) == unknown(sieved)
    state, policy = FolderState(len(source), max(source, default=0) + 1, 7), Policy(allow_removals=1)
    assert told(plan_folder(plain, state, policy)) == told(plan_folder(sieved, state, policy))
    assert sieved.untouched + len(sieved.target) == len(target)


@given(SIDE, SIDE, PAIRS)
def test_unknown_on_both_sides_is_what_no_pair_holds_of(
    source: dict[int, bytes], target: dict[int, bytes], drawn: dict[int, tuple[int, bytes]]
) -> None:
    rows = [MessageRow(uid, other, flag_key(flags), None) for uid, (other, flags) in drawn.items()]
    sieve = Sieve(Listing.of(source), Listing.of(target), same_uidvalidity=True)
    sieve.pairs(rows)
    here, there = unknown(
        whole(source, target, {row.source_uid: Pair(row.target_uid, row.flags) for row in rows}, same=True, uidnext=99)
    )
    assert list(sieve.unknown_in_both()) == sorted(here & there)
    assert not any(is_placeholder(target[uid]) for uid in sieve.unknown_in_both())
