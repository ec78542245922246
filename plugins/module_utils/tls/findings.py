# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is said about a bundle: one finding for each thing, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")
_LONGEST = 300


@dataclass(frozen=True)
class Finding:
    """One thing about a bundle. ``kind`` is stable; ``about`` is a name or a certificate; ``next`` what to do."""

    level: Level
    kind: str
    message: str
    about: str = ""
    next: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding as a plain value."""
        return {
            "level": self.level,
            "kind": self.kind,
            "message": self.message,
            "about": self.about,
            "next": self.next,
        }


def error(kind: str, message: str, *, about: str = "", next_step: str = "") -> Finding:
    """Something that keeps the bundle from being used."""
    return Finding("error", kind, message, about, next_step)


def warning(kind: str, message: str, *, about: str = "", next_step: str = "") -> Finding:
    """Something to know and to act on, now or later."""
    return Finding("warning", kind, message, about, next_step)


def info(kind: str, message: str, *, about: str = "") -> Finding:
    """Something that was put right, or does not matter."""
    return Finding("info", kind, message, about)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first; what is of one level stays as it came, and nothing is said twice."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: LEVELS.index(finding.level)))


def shown(text: str) -> str:
    """A text of somebody else on one line: what can't be printed is escaped, what is very long is cut."""
    safe = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    return safe if len(safe) <= _LONGEST else f"{safe[:_LONGEST]}…"
