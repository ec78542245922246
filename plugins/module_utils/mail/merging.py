# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One folder after the cut-over: look, merge, remember message by message. Nothing of the target is ever removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import FolderError
from ..ledger import FolderRow, Merged, MessageRow
from .attributes import flag_key
from .copying import FolderCopy, Part, delete, last_uid
from .elsewhere import Elsewhere
from .folders import packed, show
from .ladder import Ladder
from .look import examine_source
from .merge import plan_merge
from .merge_look import MergeSeen, look_after
from .plan import FRESH, FolderPlan, Step
from .session import Selected
from .storing import store_flags

if TYPE_CHECKING:
    from .folder import SharedState
    from .outcome import Outcome


class FolderMerge:
    """The steps on one folder. ``make`` creates the folder of a step on the target and tells whether it is there."""

    def __init__(
        self,
        step: Step,
        shared: SharedState,
        row: FolderRow | None,
        outcome: Outcome,
        memory: Elsewhere,
        make: Callable[[Step], bool],
    ) -> None:
        self.step = step
        self._shared, self._row, self._outcome, self._memory, self._make = shared, row, outcome, memory, make
        self._seen: MergeSeen

    def decide(self) -> FolderPlan:
        """Look at both sides and plan; writes nothing. ``step`` tells then whether the folder has to be made."""
        self._seen = look_after(self._shared, self.step, self._row, self._memory)
        plan = plan_merge(self._seen.look(), self._shared.policy.of(self.step.target_path))
        if self.step.target is None and plan.copy:
            self.step = replace(self.step, action=FRESH)
        return plan

    def work(self) -> FolderPlan:
        """Plan and do."""
        plan = self.decide()
        self._shared.meter.expect(plan.copy_count)
        if self.step.create and not self._make(self.step):
            raise FolderError("the folder can't be made on the target")
        target = self._open_target()
        folder = self._begin(plan, target)
        if target is not None:
            delete(self._shared.target, plan.placeholders)
            changed, lost = store_flags(self._shared.target, target, plan.flags)
            self._outcome.flags_changed += changed
            self._lost(lost)
        self._advance(plan, folder)
        if target is not None and plan.copy:
            self._copy(plan, target, folder)
        return plan

    def _target_name(self) -> bytes:
        return self.step.target.name if self.step.target else self._shared.namespace.name(self.step.target_path)

    def _open_target(self) -> Selected | None:
        """Open the target folder for writing; None where there is none, and none is needed."""
        before = self._seen.target
        if before is None and not self.step.create:
            return None
        target = self._shared.target.select(self._target_name(), read_only=False)
        if before and target.uidvalidity != before.uidvalidity:
            raise FolderError("the target folder was made anew while it was looked at")
        return target

    def _begin(self, plan: FolderPlan, target: Selected | None) -> int:
        """Note in the ledger, all at once, that work on the folder begins and what was recognised."""
        seen, row = self._seen, self._row
        known = list(seen.rows.values()) if seen.target_renewed else []
        for uid, pair in plan.adopt.items():
            trace = seen.used.get(uid)
            known.append(
                MessageRow(uid, pair.target_uid, pair.flags, trace.row.digest if trace else seen.digests.get(uid))
            )
        there = target.uidvalidity if target else (row.target_uidvalidity if row else 0)
        merged = Merged(
            departed=[one.source_uid for one in seen.departed],
            source_renewed=seen.source_renewed,
            target_renewed=bool(row and (self.step.create or seen.target_renewed)),
            used=[(trace.folder, trace.row) for trace in seen.used.values()],
            known=known,
        )
        return self._shared.ledger.begin_folder(
            self._shared.mailbox,
            packed(self.step.path),
            (seen.source.uidvalidity, there),
            plan.fidelity,
            target_path=packed(self.step.target_path),
            reasons=plan.reasons,
            merged=merged,
        )

    def _advance(self, plan: FolderPlan, folder: int) -> None:
        """What has been merged is the base from now on: the source's flags as they are."""
        here = self._seen.here
        before = {uid: row.flags for uid, row in self._seen.rows.items()}
        before |= {uid: pair.flags for uid, pair in plan.adopt.items()}
        now = {uid: flag_key(here[uid]) for uid in before}
        self._shared.ledger.set_flags(folder, [(uid, key) for uid, key in now.items() if key != before[uid]])

    def _lost(self, flags: Iterable[bytes]) -> None:
        shown = ", ".join(sorted(one.decode("ascii", "replace") for one in flags))
        if shown:
            self._outcome.find(f"{show(self.step.target_path)}: the target can't store the flags {shown}")

    def _copy(self, plan: FolderPlan, target: Selected, folder: int) -> None:
        shared, source, uids = self._shared, self._seen.source, plan.copy or ()

        def reopen() -> Selected:
            return examine_source(shared, self.step)

        ladder = Ladder(shared, self.step.path, folder, source.uidvalidity, self._outcome, reopen)
        name = self._target_name()
        copy = FolderCopy(shared, self.step.path, name, folder, self._outcome, reopen, ladder, alone=False)
        before = shared.ledger.message_count(folder)
        keep = plan.keep_uids and target.uidvalidity == source.uidvalidity
        try:
            copy.run(Part(uids, last_uid(source), keep), target)
        finally:
            self._lost(copy.lost_flags)
            ladder.close()
        copy.account(plan.copy_count, before, last_uid(source), uids)
