# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One mailbox after the cut-over: what came to the source since the base is brought, and nothing is taken away."""

from __future__ import annotations

from collections.abc import Mapping

from ..ledger import FolderRow
from .elsewhere import Elsewhere
from .folder import SharedState
from .folders import Path, unpacked
from .mailbox import MailboxRun
from .merge import plan_mailbox_merge
from .merging import FolderMerge
from .plan import Base, MailboxPlan, Policy, Step
from .survey import Folder, FolderState, Side


class CatchUpRun(MailboxRun):
    """The steps on one mailbox, as a merge of what both sides did since the base."""

    plans_ahead = False
    renames_folders = False  # what users call their folders by now is their affair
    _sides: tuple[Side, Side, Mapping[Path, Path]]
    _memory: Elsewhere | None = None

    def _plan_steps(
        self,
        source: Side,
        target: Side,
        mapping: Mapping[Path, Path],
        bases: Mapping[Path, Base],
        policy: Policy,
    ) -> MailboxPlan:
        self._sides, self._memory = (source, target, mapping), None
        known = self._ledger.subscriptions(self._mailbox)
        before = None if known is None else {unpacked(path) for path in known}
        return plan_mailbox_merge(source, target, mapping, bases, before, policy)

    def _settled(self, source: Side, plan: MailboxPlan) -> None:
        super()._settled(source, plan)
        # a subscription taken away on the source and given back later counts as a new one
        before = self._ledger.subscriptions(self._mailbox)
        if plan.unchanged and not self._setting.check_mode and before != frozenset(self._subscribed):
            self._ledger.set_subscriptions(self._mailbox, self._subscribed)

    def _folder_run(self, step: Step, shared: SharedState, row: FolderRow | None) -> FolderMerge:
        if self._memory is None:
            self._memory = Elsewhere(shared, *self._sides)

        def make(one: Step) -> bool:
            made = self._make_folders(MailboxPlan((one,)), shared, self._sides[1])
            return one.path in made

        return FolderMerge(step, shared, row, self.outcome, self._memory, make)

    def _state_after(self, there: Folder | None) -> FolderState | None:
        """A folder that its user has removed is done with all the same, until there is new mail for it."""
        return there.state if there and there.selectable else FolderState()
