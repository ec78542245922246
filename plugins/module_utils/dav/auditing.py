# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`dav_audit` from its options to its result, without Ansible. It only reads, on both sides."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..batch import Counter, Run, twice
from ..errors import AccountsFailedError, InternalError, MigrationError, NotIdenticalError
from ..failed_places import failed_result
from ..ledger_dav import CollectionRow, DavLedger
from ..pace import Governor, Pace
from ..progress import ACCOUNTS, Progress
from ..tasks import Task, tasks
from . import options as given
from .audit import Refused, Verdict, audit_account
from .model import Collection
from .opening import Opening, opening
from .pairing import Pairing, Rules, pair

_COUNTS = ("calendars", "address_books", "events", "contacts", "held_back", "differences_total")


@dataclass
class Proof:
    """What came of one account; without a verdict it could not be compared."""

    task: Task
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0
    failures: list[dict[str, Any]] = field(default_factory=list)

    def holds(self, what: str) -> bool:
        """Whether the account is ``identical``, or ``content_identical``."""
        return not self.failures and bool(getattr(self.verdict, what))


def audit(options: Mapping[str, Any], *, progress: Callable[[Progress], None] | None = None) -> dict[str, Any]:
    """Compare both sides; the module's result.

    :raises MigrationError: an option is wrong, an account could not be compared, or what ``fail_on`` names is not so
        (``done`` is the result).
    """
    pace, todo, rules = given.pace(options), tasks(options, ACCOUNTS), given.rules(options)
    depth = str(options.get("depth") or "full")
    path = str(options.get("ledger") or "")
    with opening(options, todo, pace, Governor(pace)) as way:
        proofs = _run(todo, way, rules, depth, path, progress)
    result = {
        "changed": False,
        "identical": all(proof.holds("identical") for proof in proofs),
        "content_identical": all(proof.holds("content_identical") for proof in proofs),
        "accounts": [_entry(proof) for proof in proofs],
        "differences": [
            {"account": proof.task.name, **asdict(difference)}
            for proof in proofs
            for difference in proof.verdict.differences
        ],
    }
    ignore = bool(options.get("ignore_account_errors"))
    failures = [proof.failures for proof in proofs]
    failed_result(result, failures, AccountsFailedError, ACCOUNTS, _line, ignore=ignore)
    _check(options.get("fail_on") or (), result, proofs)
    return result


def _run(
    todo: Sequence[Task],
    way: Opening,
    rules: Rules,
    depth: str,
    path: str,
    progress: Callable[[Progress], None] | None,
) -> list[Proof]:
    duplicates = twice([task.name for task in todo], ACCOUNTS)

    def work(task: Task, _counter: Counter) -> Proof:
        if task.name in duplicates:
            return _failed(task, duplicates[task.name])
        return _audited(task, way, rules, depth, path)

    return Run(
        jobs=todo,
        work=work,
        lost=lambda task, why: _failed(task, MigrationError(why)),
        failed=lambda proof: bool(proof.failures),
        governor=Governor(Pace()),  # requests are paced where they are made
        slots=way.slots,
        progress=progress,
        courtesies=way.courtesies,
        words=ACCOUNTS,
    ).run()


def _audited(task: Task, way: Opening, rules: Rules, depth: str, path: str) -> Proof:
    """One account; never raises for its sake."""
    proof, began = Proof(task), time.monotonic()
    try:
        rows, refused = _remembered(task, path)

        def pairer(source: Sequence[Collection], target: Sequence[Collection]) -> Pairing:
            return pair(rules, rows, source, target)

        source = way.source(task.source)
        try:
            target = way.target(task.target)
            try:
                proof.verdict = audit_account(source, target, pairer, depth=depth, refused=refused)
            finally:
                target.close()
        finally:
            source.close()
    except MigrationError as error:
        proof.failures.append(error.at(account=task.name).as_dict())
    except Exception as error:  # noqa: BLE001 - one account's trouble must not be the others'
        proof.failures.append(InternalError.of(error).at(account=task.name).as_dict())
    proof.seconds = round(time.monotonic() - began, 3)
    return proof


def _remembered(task: Task, path: str) -> tuple[Sequence[CollectionRow], Refused]:
    """What the ledger knows of an account's collections and of what the target did not take."""
    if not path:
        return (), {}
    with DavLedger(path, read_only=True) as ledger:
        number = ledger.account(task.source.user, task.target.user)
        return ledger.collections(number), ledger.refused(number)


def _failed(task: Task, error: MigrationError) -> Proof:
    return Proof(task, failures=[error.at(account=task.name).as_dict()])


def _entry(proof: Proof) -> dict[str, Any]:
    return {
        "target_user": proof.task.target.user,
        "source_user": proof.task.source.user,
        "identical": proof.holds("identical"),
        "content_identical": proof.holds("content_identical"),
        **{name: getattr(proof.verdict, name) for name in _COUNTS},
        "seconds": proof.seconds,
        "findings": [asdict(finding) for finding in proof.verdict.findings],
        "failures": proof.failures,
    }


def _line(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('account', '?')}: {entry['message']}"


def _check(fail_on: Sequence[str], result: dict[str, Any], proofs: Sequence[Proof]) -> None:
    """Hold the cut-over to what it depends on. Raises NotIdenticalError."""
    verdicts = {"differences": "identical", "content": "content_identical"}
    for what in fail_on:
        bad = [proof.task.name for proof in proofs if not proof.holds(verdicts[what])]
        if bad:
            error = NotIdenticalError(
                f"calendars or contacts of {len(bad)} of {len(proofs)} accounts differ ({what}): {', '.join(bad[:5])}"
            )
            error.done = result
            raise error
