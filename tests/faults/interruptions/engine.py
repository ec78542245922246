# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailbox_sync`'s core called in this process and thread: no module, no worker processes, else all as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

from ansible_collections.atmail.migration.plugins.module_utils.batch import Counter
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError
from ansible_collections.atmail.migration.plugins.module_utils.mail import sync as engine


class Inline:
    """Does what `batch.Run` does, one job after another and here."""

    def __init__(
        self, *, jobs: Sequence[Any], work: Callable[[Any, Counter], Any], governor: Any, **_others: Any
    ) -> None:
        self._jobs, self._work, self._governor = jobs, work, governor

    def run(self) -> list[Any]:
        """The results in the order of the jobs."""
        return [self._work(job, Counter(self._governor, [0] * 8, 0)) for job in self._jobs]


@contextlib.contextmanager
def inline() -> Iterator[None]:
    """Runs are made in the thread that asks for them."""
    with mock.patch.object(engine, "Run", Inline):
        yield


@dataclass(frozen=True)
class Ran:
    """How a run ended: its result, and the kinds of what failed (of the run itself, or in its one mailbox)."""

    result: Mapping[str, Any]
    kinds: frozenset[str]
    message: str = ""
    advice: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether it says that it changed something."""
        return bool(self.result.get("changed"))


def run(options: Mapping[str, Any]) -> Ran:
    """One run of `mailbox_sync` with one mailbox, to its end."""
    try:
        result: Mapping[str, Any] = engine.sync(options, check_mode=False)
    except MigrationError as error:
        done: Any = getattr(error, "done", None) or {}
        failures = [failure for one in done.get("mailboxes", ()) for failure in one["failures"]] or [error.as_dict()]
        return Ran(
            done,
            frozenset(failure["kind"] for failure in failures),
            "; ".join(failure["message"] for failure in failures),
            tuple(failure["safe_next"] for failure in failures),
        )
    return Ran(result, _kinds(result))


def _kinds(result: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(failure["kind"] for one in result.get("mailboxes", ()) for failure in one["failures"])
