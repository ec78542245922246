# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""One mailbox: survey both sides, plan, carry the plan out, remember.

A folder's failure stays that folder's; what concerns the account or a server ends the mailbox; nothing here ends the
run. A broken connection is made anew, and the mailbox planned anew from what both sides hold then.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..errors import (
    AccountMissingError,
    AuthError,
    ConnectionLostError,
    FidelityError,
    FolderGoneError,
    InternalError,
    MailboxMissingError,
    MigrationError,
    RemovalsError,
    RenumberedError,
    ServerFaultError,
    ThrottledError,
    TimedOutError,
)
from ..ledger import FolderRow, Ledger
from ..tasks import Task
from ..transport.wire import quoted
from .doveadm import Doveadm
from .findings import about_grants, about_groupware, about_names
from .folder import FolderRun, SharedState
from .folders import FolderRules, Path, packed, show, unpacked
from .guarding import base_of, guarded
from .ladder import Refusals
from .making import make_folders, tell_special_use
from .mapping import FolderMap, map_sides
from .merging import FolderMerge
from .moves import Move, as_if_done
from .moving import carry_out, find_moves
from .outcome import Outcome
from .plan import (
    COMPARE,
    FAITHFUL,
    FRESH,
    GONE,
    MAPPED,
    TROUBLE,
    UNCHANGED,
    Base,
    FolderPlan,
    MailboxPlan,
    Policy,
    Step,
    describe,
    plan_mailbox,
)
from .polite import Patience, connect, keep_each_other_alive, persist
from .session import Session
from .soundness import PROBE
from .source import Source, open_source
from .subscribing import Subscriptions
from .survey import Folder, FolderState, Side, survey
from .task import Meter, Setting
from .transfer import HOPELESS
from .used_target import refuse_used_target

#: So many folders that are gone all at once are worth looking at everything again.
_VANISHING = 2


def sync_mailbox(
    task: Task, setting: Setting, ledger: Ledger, meter: Meter, kind: type[MailboxRun] | None = None
) -> Outcome:
    """Make the target mailbox the same as its source, or plan it in check mode; never raises for the mailbox's sake.

    ``kind`` is how: a mirror by default.
    """
    outcome = Outcome(task.source.user, task.target.user)
    began = time.monotonic()
    try:
        mailbox = ledger.mailbox(task.source.user, task.target.user)
        with ledger.claimed(mailbox):
            ledger.check_phase(setting.policy.phase)  # another run may have gone on to the next one meanwhile
            try:
                run = (kind or MailboxRun)(task, setting, ledger, mailbox, meter, outcome)
                _with_reconnects(run, setting)
            finally:
                outcome.tell_refused(ledger)
    except MigrationError as error:
        outcome.fail(error)
    except Exception as error:  # noqa: BLE001 - one mailbox's trouble must not be the others'
        outcome.fail(InternalError.of(error))
    outcome.seconds = round(time.monotonic() - began, 3)
    return outcome


def _with_reconnects(run: MailboxRun, setting: Setting) -> None:
    def attempt() -> None:
        with run.connected():
            run.work()

    persist(
        attempt,
        Patience((setting.source, setting.target), run.outcome.find),
        connected=lambda: run.was_connected,
        done=lambda: run.outcome.messages_copied,
    )


class MailboxRun:
    """The steps on one mailbox, with its connections."""

    #: Whether it is known before a folder is looked at that it has to be made, and how much will be copied to it.
    plans_ahead = True
    #: Whether folders of the target follow when they are called something else now.
    renames_folders = True

    def __init__(
        self, task: Task, setting: Setting, ledger: Ledger, mailbox: int, meter: Meter, outcome: Outcome
    ) -> None:
        self._task, self._setting, self._ledger, self._mailbox = task, setting, ledger, mailbox
        self._meter = meter
        self._doveadm = Doveadm(setting.target) if setting.target.doveadm_url else None
        self.outcome = outcome
        self.was_connected = False
        self._untouched: set[Path] = set()
        #: How many messages that no run brought each folder held when it was planned.
        self._foreign: dict[Path, int] = {}
        self._gone: set[Path] = set()
        self._unsettled = False
        self._subscribed: set[bytes] = set()
        self._subscriptions_failed = False
        self._planned_moves: tuple[Move, ...] = ()
        self._told: set[Path] = set()
        self._source: Source
        self._target: Session

    # connections

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Both sides logged in; closed in any case."""
        self._source = open_source(self._setting.source, self._task.source, self._ledger, self._mailbox)
        try:
            self._target = self._connect_target()
            self.was_connected = True
            self._target.dated = self._source.tells_dates
            keep_each_other_alive(self._source, self._target)
            for finding in (*self._source.findings, *self._target.findings):
                self.outcome.find(finding)
            try:
                yield
            except BaseException:
                # an APPEND may be half sent: nothing must come after it, not even a good-bye
                self._target.wire.close()
                raise
            self._target.logout()
        finally:
            self._source.logout()
            if self._doveadm:
                self._doveadm.close()

    def _connect_target(self) -> Session:
        try:
            return connect(self._setting.target, self._task.target, meanwhile=self._source.keep_alive)
        except AuthError as error:
            if self._doveadm and not self._doveadm.user_exists(self._task.target.user):
                raise AccountMissingError(
                    "there is no such account on the target",
                    account=self._task.target.user,
                    server=error.where.get("server"),
                    safe_next="Provision the account, then run again; nothing has been changed.",
                ) from error
            raise

    # the run

    def work(self) -> None:
        """Survey, plan, apply and remember."""
        if self._unsettled:
            self._source.settle()
            self._unsettled = False
        policy = self._policy()
        known = bool(self._ledger.folders(self._mailbox))
        source, target, plan, bases = self._surveyed(policy, absent=not known)
        if known and not plan.unchanged:
            source, target, plan, bases = self._surveyed(policy, absent=True)
        if not known:
            refuse_used_target(self._source, self._target, plan.steps, policy)
        self._settled(source, plan)
        if plan.unchanged:
            self.outcome.unchanged = not self.outcome.changed and not self.outcome.failures
            return
        policy = guarded(policy, source, bases, self._ledger, self._mailbox, self._setting.drops)
        for step in plan.steps:
            if step.action == TROUBLE and step.trouble:
                self._leave_alone(step, step.trouble)
        shared = SharedState(
            source=self._source,
            target=self._target,
            doveadm=self._doveadm,
            ledger=self._ledger,
            mailbox=self._mailbox,
            task=self._task,
            policy=policy,
            meter=self._meter,
            namespace=target.namespace,
            refusals=self._setting.refusals or Refusals.beside(self._ledger.path),
        )
        if self._setting.check_mode:
            self._show(plan, shared, bases)
            return
        try:
            self._apply(plan, shared, bases, target)
        finally:
            self._source, self._target = shared.source, shared.target

    def _surveyed(self, policy: Policy, *, absent: bool) -> tuple[Side, Side, MailboxPlan, dict[Path, FolderRow]]:
        source = self._source.survey(absent=absent, kinds=policy.rules.namespaces)
        target = survey(self._target, absent=absent)
        if PROBE in target.existing() and PROBE not in source.folders and not self._setting.check_mode:
            self._target.must("remove the folder", b"DELETE ", quoted(target.folders[PROBE].name))
            target = survey(self._target, absent=absent)
        self._check_source(source)
        for finding in self._source.findings:
            self.outcome.find(finding)
        if self.renames_folders and self._rename_folders(source, target, policy.rules):
            target = survey(self._target, absent=absent)
        return source, target, *self._plan(source, as_if_done(target, self._planned_moves), policy)

    def _rename_folders(self, source: Side, target: Side, rules: FolderRules) -> bool:
        """Rename folders on the target that have another name now; whether any was. Check mode only plans it."""
        self._planned_moves = ()
        known = {path: (row, base_of(row)) for path, row in self._rows().items()}
        order = find_moves((self._source, self._target), (source, target), rules, known, self._ledger)
        self.outcome.folders_renamed += self.outcome.note(move.line for move in order.moves if move.old != move.new)
        if self._setting.check_mode:
            self._planned_moves = order.moves
            return False
        leaving = {move.old for move in order.moves if move.old != move.new} if rules.subscribe else set()
        if leaving:
            asked = self._source.survey(absent=True, kinds=rules.namespaces)
            leaving -= {rules.renamed(path) for path, folder in asked.folders.items() if folder.subscribed}
        carry_out(order, self._target, target, self._ledger, self._mailbox, unsubscribe=leaving)
        return bool(order.commands)

    def _rows(self) -> dict[Path, FolderRow]:
        """What the ledger remembers, by the folders' source paths; in check mode as if they were renamed."""
        rows = {unpacked(row.source_path): row for row in self._ledger.folders(self._mailbox)}
        for move in self._planned_moves:
            row = rows.pop(move.before, None)
            if row is not None:
                rows[move.path] = replace(row, source_path=packed(move.path), target_path=packed(move.new))
        return rows

    def _leave_alone(self, step: Step, error: MigrationError) -> None:
        """Note that a folder failed; one that nothing is written to gets no subscription either."""
        if step.action == TROUBLE or isinstance(error, FidelityError):
            self._untouched.add(step.target_path)
        self.outcome.fail(error.at(folder=show(step.path)))

    def _check_source(self, source: Side) -> None:
        if not source.existing():
            raise MailboxMissingError(
                "the account has no folder on the source, not even INBOX",
                account=self._task.source.user,
                **self._source.place(),
            )

    def _policy(self) -> Policy:
        policy = self._setting.policy
        why = ""
        if not self._doveadm:
            why = "the target has no doveadm_url, so that UIDVALIDITY can't be set"
        elif not self._target.has(b"UIDPLUS"):
            why = "the target has no UIDPLUS, so that UIDs can't be verified"
        return replace(policy, no_faithful=why, flags=self._source.tells_flags)

    def _plan(self, source: Side, target: Side, policy: Policy) -> tuple[MailboxPlan, dict[Path, FolderRow]]:
        self._subscribed = {packed(path) for path, folder in source.existing().items() if folder.subscribed}
        rows = self._rows()
        bases = {path: base_of(row) for path, row in rows.items()}
        pins = {path: base.target_path for path, base in bases.items() if base.target_path}
        folder_map = map_sides(source, target, policy.rules, pins, moving=self.renames_folders)
        plan = self._plan_steps(source, target, folder_map.paths, bases, policy)
        self._tell(source, folder_map, bases, policy.rules)
        if not plan.unchanged:
            self.outcome.note(folder_map.lines())
        if plan.absent and not self._doveadm:
            names = ", ".join(show(path) for path in plan.absent)
            self.outcome.find(
                f"subscribed on the source without being there, which needs doveadm on the target: {names}"
            )
            plan = replace(plan, absent=())
        return plan, rows

    def _tell(self, source: Side, folder_map: FolderMap, bases: Mapping[Path, Base], rules: FolderRules) -> None:
        """Note what the operator should know of the folders; what costs a command, of new ones and once."""
        new = [path for path in folder_map.paths if path not in bases and path in source.existing()]
        names = {source.folders[path].name: path for path in new if path not in self._told}
        grants = self._source.grants(sorted(names)) if names else {}
        self._told.update(new)
        found = (
            about_names(folder_map, rules),
            about_groupware(source, folder_map, bases),
            about_grants(grants, names),
        )
        for text in itertools.chain(*found):
            self.outcome.find(text)

    def _plan_steps(
        self,
        source: Side,
        target: Side,
        mapping: Mapping[Path, Path],
        bases: Mapping[Path, Base],
        policy: Policy,
    ) -> MailboxPlan:
        return plan_mailbox(source, target, mapping, bases, policy)

    def _settled(self, source: Side, plan: MailboxPlan) -> None:
        """What is known without looking into any folder."""
        states = [folder.state for folder in source.existing().values() if folder.state]
        self.outcome.folders = len(source.existing())
        self.outcome.messages = sum(state.messages for state in states)
        self.outcome.fidelity = FAITHFUL
        for step in plan.steps:
            if step.action == UNCHANGED and step.base and step.base.fidelity == MAPPED:
                self._mapped(step, step.base.reasons)

    # check mode

    def _show(self, plan: MailboxPlan, shared: SharedState, rows: dict[Path, FolderRow]) -> None:
        """Plan every folder without writing anything; the plan's numbers are the outcome's."""
        for step in plan.steps:
            step, decided = self._decide(step, shared, rows)  # noqa: PLW2901 - what it takes is known only now
            if decided is None:
                continue
            self._line(step, decided)
            self._fidelity(step, decided)
            if decided.trouble:
                self._leave_alone(step, decided.trouble)
                continue
            self.outcome.messages_copied += decided.copy_count
            self.outcome.flags_changed += decided.flag_messages
            self.outcome.messages_removed += len(decided.remove)
            self.outcome.folders_created += step.create
            self.outcome.folders_removed += step.action == GONE
        subscriptions = Subscriptions(plan, shared.namespace, self.outcome, self._untouched)
        self.outcome.subscriptions_changed = subscriptions.count()
        self.outcome.unchanged = not self.outcome.changed and not self.outcome.failures

    def _decide(self, step: Step, shared: SharedState, rows: dict[Path, FolderRow]) -> tuple[Step, FolderPlan | None]:
        if step.action in (UNCHANGED, TROUBLE):
            return step, None
        run = self._folder_run(step, shared, rows.get(step.path))
        try:
            decided = run.decide()
        except (ConnectionLostError, TimedOutError, ThrottledError):
            raise
        except MigrationError as error:
            self.outcome.fail(error.at(folder=show(step.path)))
            return step, None
        return run.step, decided

    def _folder_run(self, step: Step, shared: SharedState, row: FolderRow | None) -> FolderRun | FolderMerge:
        return FolderRun(step, shared, row, self.outcome)

    def _line(self, step: Step, plan: FolderPlan) -> None:
        line = describe(step, plan)
        if line:
            self.outcome.plan.append(line)

    def _fidelity(self, step: Step, plan: FolderPlan) -> None:
        if plan.fidelity == MAPPED:
            self._mapped(step, plan.reasons)

    def _mapped(self, step: Step, reasons: Sequence[str]) -> None:
        self.outcome.fidelity = MAPPED
        self.outcome.reasons[show(step.target_path)] = list(reasons)

    # the real run

    def _apply(self, plan: MailboxPlan, shared: SharedState, rows: dict[Path, FolderRow], target: Side) -> None:
        self._meter.expect(sum(self._to_copy(step) for step in plan.steps))
        ready = self._make_folders(plan, shared, target) if self.plans_ahead else _fresh(plan)
        # before folders go: once one is gone on both sides, no later run knows that its subscription was ours
        subscriptions = Subscriptions(plan, target.namespace, self.outcome, self._untouched)
        subscriptions.take_away(shared.target)
        done: list[Step] = []
        try:
            for step in plan.steps:
                if step.action in (COMPARE, GONE) or step.path in ready:
                    done += self._one_folder(step, shared, rows)
        finally:
            with contextlib.suppress(ConnectionLostError, TimedOutError):
                shared.raise_numbers()
        subscriptions.add(shared.target, self._doveadm, self._task.target.user)
        self._subscriptions_failed = subscriptions.failed
        self._remember(done, shared)

    def _one_folder(self, step: Step, shared: SharedState, rows: dict[Path, FolderRow]) -> list[Step]:
        """Work on one folder; gives it back when it is now the same. An error that is only its own is noted."""
        run = self._folder_run(step, shared, rows.get(step.path))
        failed = self.outcome.failed
        try:
            decided = run.work()
            self._line(run.step, decided)
            self._fidelity(step, decided)
            self._foreign[step.path] = decided.foreign
        except (ConnectionLostError, TimedOutError, ServerFaultError, RenumberedError, *HOPELESS) as error:
            error.at(folder=show(step.path))
            if not isinstance(error, FolderGoneError | RenumberedError) or self._is_new(step.path):
                self._unsettled = isinstance(error, RenumberedError)
                raise
            self._leave_alone(step, error)
            self._untouched.add(step.target_path)
            shared.renew()
            return []
        except MigrationError as error:
            self._leave_alone(step, error)
            if not isinstance(error, (FidelityError, RemovalsError)):
                shared.renew()
            return []
        return [step] if self.outcome.failed == failed else []

    def _is_new(self, path: Path) -> bool:
        """Whether a folder that is gone is worth another look at everything: each once, and not for many of them."""
        if path in self._gone or len(self._gone) >= _VANISHING:
            return False
        self._gone.add(path)
        return True

    def _make_folders(self, plan: MailboxPlan, shared: SharedState, target: Side) -> set[Path]:
        return make_folders(plan, shared, target, self.outcome)

    def _remember(self, done: list[Step], shared: SharedState) -> None:
        """Note the states both sides were seen in, for folders that are now the same."""
        shared.target.unselect()
        after, left = survey(shared.target), self._left()
        states: list[tuple[bytes, tuple[int, ...], tuple[int, ...]]] = []
        for step in done:
            there = after.folders.get(step.target_path)
            state = self._state_after(there)
            if step.source and step.source.state and state and left.get(step.path, state.messages) == state.messages:
                states.append((packed(step.path), _four(step.source.state), _four(state)))
            if step.source and there:
                tell_special_use(step.source, there, self.outcome)
        if not self._subscriptions_failed:
            self._ledger.set_subscriptions(self._mailbox, self._subscribed)
        self._ledger.complete(self._mailbox, states, self.outcome.messages)
        self.outcome.unchanged = not self.outcome.changed and not self.outcome.failures

    def _left(self) -> dict[Path, int]:
        """How many messages this run has left in each target folder; what others did meanwhile the next run sees to."""
        counts = self._ledger.message_counts(self._mailbox) if self.plans_ahead else {}
        return {
            path: counts.get(row.id, 0) + self._foreign[path]
            for path, row in self._rows().items()
            if path in self._foreign and self.plans_ahead
        }

    def _state_after(self, there: Folder | None) -> FolderState | None:
        return there.state if there else None

    def _to_copy(self, step: Step) -> int:
        """How many messages a step will copy, as far as can be told from both states."""
        if step.source is None or step.source.state is None or step.action not in (FRESH, COMPARE):
            return 0
        if not self.plans_ahead:
            return 0
        there = step.target.state.messages if step.target and step.target.state and step.action == COMPARE else 0
        return max(0, step.source.state.messages - there)


def _fresh(plan: MailboxPlan) -> set[Path]:
    return {step.path for step in plan.steps if step.action == FRESH}


def _four(state: FolderState) -> tuple[int, int, int, int]:
    return state.messages, state.uidnext, state.uidvalidity, state.highestmodseq
