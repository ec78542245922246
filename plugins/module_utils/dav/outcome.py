# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What happened to one account."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..errors import MigrationError
from .model import Finding

#: So many findings of one kind about one collection are told; of the rest only how many they are.
_SHOWN = 20
COUNTS = ("objects_copied", "objects_changed", "objects_removed", "bytes_copied")


@dataclass
class Outcome:
    """What happened to one account: ``plan`` has a line per collection, ``failures`` an entry per thing not done.

    Several threads work on an account: they count by :meth:`count`.
    """

    source_user: str
    target_user: str
    calendars: int = 0
    address_books: int = 0
    objects: int = 0
    objects_copied: int = 0
    objects_changed: int = 0
    objects_removed: int = 0
    bytes_copied: int = 0
    collections_created: int = 0
    collections_changed: int = 0
    seconds: float = 0.0
    unchanged: bool = False
    findings: list[Finding] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    plan: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    @property
    def changed(self) -> bool:
        """Whether anything was written to the target, or would be in check mode."""
        return bool(self.written or self.collections_created or self.collections_changed)

    @property
    def written(self) -> int:
        """Objects that were written or removed."""
        return self.objects_copied + self.objects_changed + self.objects_removed

    def count(self, **numbers: int) -> None:
        """Add to the counts of these names."""
        with self._lock:
            for name, number in numbers.items():
                setattr(self, name, getattr(self, name) + number)

    def fail(self, error: MigrationError) -> None:
        """Note a failure once."""
        entry = error.at(account=self.target_user).as_dict()
        with self._lock:
            if entry not in self.failures:
                self.failures.append(entry)

    def find(self, findings: Iterable[Finding]) -> None:
        """Note what an operator should know, each once."""
        with self._lock:
            known = set(self.findings)
            for finding in findings:
                if finding not in known:
                    known.add(finding)
                    self.findings.append(finding)

    def told(self) -> list[dict[str, Any]]:
        """The findings as plain values, in a stable order; no flood of the same kind."""
        shown: list[Finding] = []
        more: dict[tuple[str, str], list[Finding]] = {}
        for finding in sorted(self.findings, key=lambda one: (one.collection, one.kind, one.name, one.message)):
            same = more.setdefault((finding.collection, finding.kind), [])
            same.append(finding)
            if len(same) <= _SHOWN:
                shown.append(finding)
        shown += [
            replace(same[-1], name="", message=f"{len(same) - _SHOWN} more objects, as those that are named")
            for same in more.values()
            if len(same) > _SHOWN
        ]
        return [asdict(finding) for finding in shown]
