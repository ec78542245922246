# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What happened to one mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import MigrationError
from ..ledger import Ledger
from .folders import show, unpacked

#: The fidelity of a mailbox that could not be looked at.
UNKNOWN = "unknown"


@dataclass
class Outcome:
    """What happened to one mailbox: ``plan`` has a line per folder, ``failures`` an entry per thing not done."""

    source_user: str
    target_user: str
    fidelity: str = UNKNOWN
    folders: int = 0
    messages: int = 0
    messages_copied: int = 0
    bytes_copied: int = 0
    flags_changed: int = 0
    messages_removed: int = 0
    folders_created: int = 0
    folders_removed: int = 0
    folders_renamed: int = 0
    subscriptions_changed: int = 0
    seconds: float = 0.0
    unchanged: bool = False
    reasons: dict[str, list[str]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    #: How often something failed: what fails again after a reconnection is one failure, and has failed all the same.
    failed: int = 0
    plan: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was written to the target, or would be in check mode."""
        return bool(
            self.messages_copied
            or self.flags_changed
            or self.messages_removed
            or self.folders_created
            or self.folders_removed
            or self.folders_renamed
            or self.subscriptions_changed
        )

    def fail(self, error: MigrationError) -> None:
        """Note a failure once."""
        self.failed += 1
        entry = error.at(mailbox=self.target_user).as_dict()
        if entry not in self.failures:
            self.failures.append(entry)

    def note(self, lines: Iterable[str]) -> int:
        """Add lines to the plan that are not in it yet; how many they were."""
        known = set(self.plan)
        new = [line for line in lines if line not in known]
        self.plan += new
        return len(new)

    def find(self, text: str) -> None:
        """Note something the operator should know, once."""
        if text not in self.findings:
            self.findings.append(text)

    def tell_refused(self, ledger: Ledger) -> None:
        """Note a line for each message of the mailbox that the target has not taken as it is."""
        self.refused = refused(ledger, self.source_user, self.target_user)


def refused(ledger: Ledger, source_user: str, target_user: str) -> list[dict[str, Any]]:
    """A line for each message of a mailbox that the target has not taken as it is."""
    return [
        {"folder": show(unpacked(path)), "uid": uid, "kind": row.kind, "reason": row.reason, "file": row.file or ""}
        for path, rows in sorted(ledger.refused_in(source_user, target_user).items())
        for uid, row in rows.items()
    ]
