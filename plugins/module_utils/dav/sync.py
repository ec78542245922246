# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`dav_sync` from its options to its result, without Ansible."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..batch import Counter, Run, twice
from ..errors import AccountsFailedError, InputError, MigrationError
from ..failed_places import failed_result
from ..ledger_dav import DavLedger
from ..pace import Governor, Pace
from ..progress import ACCOUNTS, Progress
from ..tasks import Task, tasks
from . import options as given
from .account import sync_account
from .opening import Opening, opening
from .outcome import COUNTS, Outcome
from .plan import CLOSED, MIRROR, STOP, Policy
from .quarantine import Quarantine
from .task import Setting

_SUMMED = ("calendars", "address_books", *COUNTS)
_ENTRY = (
    "target_user", "source_user", "calendars", "address_books", "objects", *COUNTS, "collections_created",
    "collections_changed", "seconds", "unchanged", "quarantined", "failures",
)  # fmt: skip


def sync(
    options: Mapping[str, Any], *, check_mode: bool, progress: Callable[[Progress], None] | None = None
) -> dict[str, Any]:
    """Make the target's calendars and address books the same as their sources; the module's result.

    :raises MigrationError: an option is wrong, the ledger can't be used, or an account failed (``done`` is the result).
    """
    pace, todo, policy = given.pace(options), tasks(options, ACCOUNTS), _policy(options)
    rules = given.rules(options)
    path = str(options["ledger"])
    governor = Governor(pace)
    with opening(options, todo, pace, governor) as way:
        with DavLedger(path, read_only=check_mode) as ledger:
            phases = ledger.enter(policy.phase, None if check_mode else int(time.time()))
            sizes = ledger.sizes()
        if policy.phase == CLOSED:
            outcomes = [Outcome(task.source.user, task.target.user, unchanged=True) for task in todo]
            return _result(outcomes, phases, ignore=True)
        setting = Setting(
            open_source=way.source,
            open_target=way.target,
            policy=policy,
            quarantine=Quarantine(Path(options.get("quarantine") or f"{path}.quarantine").absolute()),
            rules=rules,
            repair=options.get("repair") != "never",
            connections=way.connections,
            check_mode=check_mode,
        )
        outcomes = _run(todo, setting, path, way, sizes, progress)
    return _result(outcomes, phases, ignore=bool(options.get("ignore_account_errors")))


def _run(
    todo: Sequence[Task],
    setting: Setting,
    path: str,
    way: Opening,
    sizes: Mapping[tuple[str, str], int],
    progress: Callable[[Progress], None] | None,
) -> list[Outcome]:
    """Work on all accounts, those that were the largest last time first; the outcomes in the order of the accounts."""
    duplicates = twice([task.name for task in todo], ACCOUNTS)

    def work(task: Task, counter: Counter) -> Outcome:
        if task.name in duplicates:
            return _failed(task, duplicates[task.name])
        try:
            with DavLedger(path, read_only=setting.check_mode) as own:
                return sync_account(task, setting, own, counter)
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
        governor=Governor(Pace()),  # requests are paced where they are made
        slots=way.slots,
        progress=progress,
        courtesies=way.courtesies,
        words=ACCOUNTS,
    ).run()
    return [outcome for _number, outcome in sorted(zip(ordered, outcomes, strict=True), key=lambda one: one[0])]


def _policy(options: Mapping[str, Any]) -> Policy:
    allow = float(options.get("allow_removals", 0.2))
    if not 0 <= allow <= 1:
        raise InputError("allow_removals is a share between 0 and 1", option="allow_removals")
    below = int(options.get("allow_removals_below", 10))
    if below < 0:
        raise InputError("a number of objects can't be negative", option="allow_removals_below")
    return Policy(
        phase=str(options.get("phase") or MIRROR),
        used_target=str(options.get("used_target") or STOP),
        allow_removals=allow,
        allow_removals_below=below,
    )


def _failed(task: Task, error: MigrationError) -> Outcome:
    outcome = Outcome(task.source.user, task.target.user)
    outcome.fail(error)
    return outcome


def _result(outcomes: Sequence[Outcome], phases: tuple[str, str], *, ignore: bool) -> dict[str, Any]:
    before, after = phases
    summary: dict[str, Any] = {
        "accounts": len(outcomes),
        **{name: sum(getattr(outcome, name) for outcome in outcomes) for name in _SUMMED},
        "accounts_unchanged": sum(outcome.unchanged for outcome in outcomes),
        "accounts_failed": sum(bool(outcome.failures) for outcome in outcomes),
    }
    result = {
        "changed": before != after or any(outcome.changed for outcome in outcomes),
        "phase": {"before": before, "after": after},
        "summary": summary,
        "accounts": [_entry(outcome) for outcome in outcomes],
        "diff": {"prepared": (f"phase: {before} -> {after}\n" if before != after else "") + _diff(outcomes)},
    }
    failures = [outcome.failures for outcome in outcomes]
    return failed_result(result, failures, AccountsFailedError, ACCOUNTS, _line, ignore=ignore)


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {**{name: getattr(outcome, name) for name in _ENTRY}, "findings": outcome.told()}


def _line(entry: Mapping[str, Any]) -> str:
    place = "".join(f"{entry[name]}, " for name in ("collection", "object") if name in entry)
    return f"{entry.get('account', '?')}: {place}{entry['message']}"


def _diff(outcomes: Sequence[Outcome]) -> str:
    lines: list[str] = []
    for outcome in outcomes:
        if outcome.plan:
            lines.append(outcome.target_user)
            lines += [f"  {line}" for line in outcome.plan]
    return "\n".join(lines) + "\n" if lines else ""
