# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whose change is it? Three values decide: what is there, what the snapshot wants, what a migration wrote last.

A value that is what a migration wrote last follows the source. A value that differs from both was changed on the
target: a policy decides. Of a set every element is judged alone: what the target's people added is never removed, what
a migration wrote and the source dropped goes, and what they removed comes back by the policy only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Policy = Literal["replace", "keep", "keep_and_warn", "keep_and_fail"]
POLICIES: tuple[Policy, ...] = ("replace", "keep", "keep_and_warn", "keep_and_fail")

Applied = Mapping[str, Any]
_LONGEST_NOTED = 255
_DIGEST = "sha256:"


@dataclass(frozen=True)
class Merged:
    """What an attribute becomes; ``conflict`` says that the target's people changed it."""

    value: Any
    conflict: bool = False


def noted(value: Any) -> Any:
    """What is written down of a value to know it again: itself when it is short and plain, else a digest."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_NOTED else _digest(value)
    return _digest(json.dumps(value, ensure_ascii=False, sort_keys=True))


def merge_value(key: str, now: Any, wanted: Any, applied: Applied, policy: Policy) -> Merged:
    """One value: a name, a status, a text."""
    if now == wanted or (key in applied and applied[key] == noted(now)):
        return Merged(wanted)
    return Merged(wanted if policy == "replace" else now, conflict=True)


def merge_set(key: str, now: Iterable[str], wanted: Iterable[str], applied: Applied, policy: Policy) -> Merged:
    """A set of words: targets, patterns; gives a sorted tuple."""
    there, wish = frozenset(now), frozenset(wanted)
    note = applied.get(key)
    ours = frozenset(each for each in note if isinstance(each, str)) if isinstance(note, list) else frozenset[str]()
    taken_away = (wish & ours) - there
    after = (there - (ours - wish)) | wish
    if taken_away and policy != "replace":
        after -= taken_away
    return Merged(tuple(sorted(after)), conflict=bool(taken_away))


def _digest(value: str) -> str:
    return _DIGEST + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
