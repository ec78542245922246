# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Holding a mailbox against what the ledger remembers of it, before anything is removed (:mod:`guards` decides)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..ledger import FolderRow, Ledger
from .folders import Path, unpacked
from .guards import Drops, mailbox_trouble, take_census
from .plan import Base, Policy
from .survey import FolderState, Side


def guarded(
    policy: Policy, source: Side, rows: Mapping[Path, FolderRow], ledger: Ledger, mailbox: int, drops: Drops | None
) -> Policy:
    """The policy for this mailbox: with how many messages were moved within it since the last run.

    :raises RemovalsError: so much is gone from the source that nothing is to be removed anywhere in the mailbox.
    """
    if policy.phase != "mirror":
        return policy  # nothing is removed any more
    counts = ledger.message_counts(mailbox)
    known = {path: counts.get(row.id, 0) for path, row in rows.items() if not policy.rules.excludes(path)}
    bases = {path: base_of(row) for path, row in rows.items()}
    census = take_census(source, bases, known, complete=ledger.messages_before(mailbox) > 0)
    trouble = mailbox_trouble(census, policy.allowance)
    if drops:
        trouble = drops.trouble(census, policy.allowance) or trouble
    if trouble:
        raise trouble
    return replace(policy, moved=census.moved)


def base_of(row: FolderRow) -> Base:
    """What the ledger remembers of a folder, as planning wants it."""
    return Base(
        source=FolderState(*row.source_state) if row.source_state else None,
        target=FolderState(*row.target_state) if row.target_state else None,
        source_uidvalidity=row.source_uidvalidity,
        target_uidvalidity=row.target_uidvalidity,
        fidelity=row.fidelity,
        reasons=row.reasons,
        target_path=unpacked(row.target_path) if row.target_path else None,
    )
