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
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Literal

Policy = Literal["replace", "keep", "keep_and_warn", "keep_and_fail"]
POLICIES: tuple[Policy, ...] = ("replace", "keep", "keep_and_warn", "keep_and_fail")

Applied = Mapping[str, Any]
_LONGEST_NOTED = 255
_DIGEST = "sha256:"


@dataclass(frozen=True)
class Merged:
    """What an attribute becomes, what is noted of it, and what of it was changed on the target."""

    value: Any
    note: Any
    conflict: str = ""


def noted(value: Any) -> Any:
    """What is written down of a value to know it again: itself when it is short and plain, else a digest."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_NOTED:
        return value
    if not isinstance(value, str):
        value = json.dumps(value, default=_plain, ensure_ascii=False, sort_keys=True)
    return _DIGEST + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def merge_value(key: str, now: Any, wanted: Any, applied: Applied, policy: Policy, *, silent: Any = ...) -> Merged:
    """One value: a name, a status, a text. A wish for ``silent`` (nothing) takes away only what a migration wrote."""
    if now == wanted:
        return Merged(now, applied.get(key, noted(now)))
    ours = key in applied and applied[key] == noted(now)
    if not ours and wanted == silent:
        return Merged(now, applied.get(key))
    if ours or policy == "replace":
        return Merged(wanted, noted(wanted), "" if ours else key)
    return Merged(now, applied.get(key), key)


def merge_set(
    key: str, now: Iterable[str], wanted: Iterable[str], applied: Applied, policy: Policy, *, removing: bool = True
) -> Merged:
    """A set of words: targets, patterns; gives a sorted tuple. Without ``removing`` nothing goes."""
    merged = merge_map(
        key, dict.fromkeys(now), dict.fromkeys(wanted), applied, policy, removing=removing, noted_as=lambda _each: None
    )
    return Merged(tuple(sorted(merged.value)), sorted(merged.note), merged.conflict)


def merge_map(
    key: str,
    now: Mapping[str, Any],
    wanted: Mapping[str, Any],
    applied: Applied,
    policy: Policy,
    *,
    removing: bool = True,
    noted_as: Any = noted,
) -> Merged:
    """Named values, each judged alone; gives a mapping sorted by name."""
    ours = _noted_names(applied.get(key))
    after: dict[str, Any] = dict(now)
    note: dict[str, Any] = {}
    changed: list[str] = []
    for name in sorted(ours.keys() - wanted.keys()):
        if name not in now:
            continue
        if not removing:
            note[name] = ours[name]
        elif ours[name] == noted_as(now[name]):
            del after[name]
    for name, value in wanted.items():
        taken_away = name in ours and name not in now
        other = name in now and now[name] != value
        foreign = other and (name not in ours or ours[name] != noted_as(now[name]))
        if taken_away or foreign:
            changed.append(name)
        if (
            (name not in now and not taken_away)
            or (other and not foreign)
            or ((taken_away or foreign) and policy == "replace")
        ):
            after[name] = value
            note[name] = noted_as(value)
        elif name in ours:
            note[name] = ours[name]
    conflict = f"{key} ({', '.join(sorted(changed))})" if changed else ""
    return Merged(dict(sorted(after.items())), dict(sorted(note.items())), conflict)


def _noted_names(note: Any) -> dict[str, Any]:
    """The names that a migration wrote, from a note; a note that is not ours counts as none."""
    if isinstance(note, list):
        return {each: None for each in note if isinstance(each, str)}
    return dict(note) if isinstance(note, dict) else {}


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else list(value)
