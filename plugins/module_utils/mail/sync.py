# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`mailbox_sync` from its options to its result, without Ansible."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..batch import Counter, Run, twice
from ..errors import InputError, MigrationError
from ..ledger import Ledger
from ..ledger_file import PHASES
from ..pace import Governor, Pace, pace_from_options
from ..progress import MAILBOXES, Progress
from ..tasks import Task, tasks
from .batch import connections, courtesies
from .catch_up import CatchUpRun
from .daily import metered, tell_left
from .deltas import AUTO
from .folders import FolderRules
from .guards import ALLOW_BELOW, Drops
from .ladder import Refusals
from .mailbox import MailboxRun, sync_mailbox
from .options import check_preauth
from .outcome import Outcome
from .plan import Policy
from .polite import courteous
from .report import failed_result
from .server import Server
from .task import Setting
from .used_target import STOP

MIRROR, CATCH_UP, CLOSED = PHASES
_RUNS: Mapping[str, type[MailboxRun]] = {MIRROR: MailboxRun, CATCH_UP: CatchUpRun}
_COUNTS = ("messages_copied", "bytes_copied", "flags_changed", "messages_removed")


def sync(
    options: Mapping[str, Any], *, check_mode: bool, progress: Callable[[Progress], None] | None = None
) -> dict[str, Any]:
    """Make the target mailboxes the same as their sources; the module's result.

    :raises MigrationError: an option is wrong, the ledger can't be used, or a mailbox failed (``done`` is the result).
    """
    pace = pace_from_options(options.get("pace"))
    todo = tasks(options, MAILBOXES)
    setting = _setting(options, check_mode, todo, pace)
    check_preauth(todo, setting.source, setting.target)
    duplicates = twice([task.name for task in todo])
    path = str(options["ledger"])
    with Ledger(path, read_only=check_mode) as ledger:
        phases = ledger.enter(setting.policy.phase, None if check_mode else int(time.time()))
        sizes = ledger.sizes()
    if setting.policy.phase == CLOSED:
        return _result([_left_as_it_is(task) for task in todo], phases, ignore=True)

    def work(task: Task, counter: Counter) -> Outcome:
        if task.name in duplicates:
            return _failed(task, duplicates[task.name])
        try:
            with Ledger(path, read_only=check_mode) as own:
                with metered(counter, pace, own, task.source.user) as meter:
                    outcome = sync_mailbox(task, setting, own, meter, _RUNS[setting.policy.phase])
                tell_left(outcome, own)
                return outcome
        except MigrationError as error:
            return _failed(task, error)

    ordered = sorted(
        range(len(todo)), key=lambda number: -sizes.get((todo[number].source.user, todo[number].target.user), 0)
    )
    outcomes = Run(
        jobs=[todo[number] for number in ordered],
        work=work,
        lost=lambda task, why: _failed(task, MigrationError(why)),
        failed=lambda outcome: bool(outcome.failures),
        governor=Governor(pace),
        slots=connections(pace, setting.source, setting.target),
        progress=progress,
        courtesies=courtesies(setting.source, setting.target),
    ).run()
    in_order = [outcome for _number, outcome in sorted(zip(ordered, outcomes, strict=True), key=lambda one: one[0])]
    return _result(in_order, phases, ignore=bool(options.get("ignore_mailbox_errors")))


def _setting(options: Mapping[str, Any], check_mode: bool, todo: Sequence[Task], pace: Pace) -> Setting:
    allow = float(options.get("allow_removals", 0.2))
    if not 0 <= allow <= 1:
        raise InputError("allow_removals is a share between 0 and 1", option="allow_removals")
    below = int(options.get("allow_removals_below", ALLOW_BELOW))
    if below < 0:
        raise InputError("a number of messages can't be negative", option="allow_removals_below")
    return Setting(
        source=courteous(Server.from_options("source", options["source"]), [task.source.user for task in todo], pace),
        target=courteous(Server.from_options("target", options["target"]), [task.target.user for task in todo], pace),
        policy=Policy(
            fidelity=str(options.get("fidelity") or "auto"),
            allow_removals=allow,
            allow_removals_below=below,
            rules=FolderRules.from_options(options.get("folders")),
            delta=str(options.get("delta") or AUTO),
            phase=str(options.get("phase") or PHASES[0]),
            used_target=str(options.get("used_target") or STOP),
        ),
        refusals=Refusals.beside(
            str(options["ledger"]),
            quarantine=options.get("quarantine"),
            repair=options.get("repair") == "documented",
        ),
        check_mode=check_mode,
        drops=Drops(),
    )


def _failed(task: Task, error: MigrationError) -> Outcome:
    outcome = Outcome(task.source.user, task.target.user)
    outcome.fail(error)
    return outcome


def _left_as_it_is(task: Task) -> Outcome:
    return Outcome(task.source.user, task.target.user, unchanged=True)


def _result(outcomes: Sequence[Outcome], phases: tuple[str, str], *, ignore: bool) -> dict[str, Any]:
    before, after = phases
    summary: dict[str, Any] = {
        "mailboxes": len(outcomes),
        "folders": sum(outcome.folders for outcome in outcomes),
        **{name: sum(getattr(outcome, name) for outcome in outcomes) for name in _COUNTS},
        "mailboxes_unchanged": sum(outcome.unchanged for outcome in outcomes),
        "mailboxes_failed": sum(bool(outcome.failures) for outcome in outcomes),
    }
    result = {
        "changed": before != after or any(outcome.changed for outcome in outcomes),
        "phase": {"before": before, "after": after},
        "summary": summary,
        "mailboxes": [_entry(outcome) for outcome in outcomes],
        "diff": {"prepared": (f"phase: {before} -> {after}\n" if before != after else "") + _diff(outcomes)},
    }
    return failed_result(result, [outcome.failures for outcome in outcomes], ignore=ignore)


def _entry(outcome: Outcome) -> dict[str, Any]:
    names = (
        "target_user", "source_user", "fidelity", "folders", "messages", *_COUNTS, "folders_created",
        "folders_removed", "folders_renamed", "subscriptions_changed", "seconds", "unchanged", "reasons", "findings",
        "refused", "failures",
    )  # fmt: skip
    return {name: getattr(outcome, name) for name in names}


def _diff(outcomes: Sequence[Outcome]) -> str:
    lines: list[str] = []
    for outcome in outcomes:
        if outcome.plan:
            lines.append(outcome.target_user)
            lines += [f"  {line}" for line in outcome.plan]
    return "\n".join(lines) + "\n" if lines else ""
