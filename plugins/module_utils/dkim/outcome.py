# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a run of dkim_key found and did, as its result. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .names import record_name
from .options import Request
from .plan import Choice, Key
from .published import Answer, published
from .record import Record

_LEVELS = {"dkim_signs_unpublished": "error"}


@dataclass(frozen=True)
class Outcome:
    """The keys before and after, and the tables likewise; ``loose`` files get their mode back, ``halves`` go."""

    before: Sequence[Key]
    after: Sequence[Key]
    choice: Choice | None = None
    answers: tuple[Answer, ...] = ()
    signing: tuple[str, str] = ("", "")
    keys: tuple[str, str] = ("", "")
    loose: tuple[Path, ...] = ()
    halves: tuple[Path, ...] = ()

    def with_files(
        self,
        *,
        signing: tuple[str, str],
        keys: tuple[str, str],
        loose: tuple[Path, ...],
        halves: tuple[Path, ...],
    ) -> Outcome:
        """The same with what is on the signer's disk."""
        return replace(self, signing=signing, keys=keys, loose=loose, halves=halves)

    @property
    def changed(self) -> bool:
        """Whether anything is, or would be, another than before."""
        tables = self.signing[0] != self.signing[1] or self.keys[0] != self.keys[1]
        return tables or bool(self.loose or self.halves) or _shown(self.before) != _shown(self.after)

    @property
    def chosen(self) -> Key | None:
        """The key that all was about; none when keys were removed."""
        if self.choice is None:
            return None
        return next(key for key in self.after if key.selector == self.choice.selector)


def result(asked: Request, outcome: Outcome, *, diff_mode: bool) -> dict[str, Any]:
    """The module's result."""
    chosen = outcome.chosen
    content: dict[str, Any] = {
        "changed": outcome.changed,
        "domain": asked.domain,
        "selector": chosen.selector if chosen else None,
        "type": chosen.type if chosen else None,
        "bits": chosen.public.bits if chosen and chosen.public else None,
        "stage": chosen.stage if chosen else None,
        "signing": [key.selector for key in outcome.after if key.stage == "signing"],
        "published": published(outcome.answers),
        "record": _record(asked, chosen) if chosen else None,
        "servers": [answer.as_dict() for answer in outcome.answers],
        "keys": [_key(asked, key) for key in outcome.after],
        "remove_records": [record_name(key.selector, asked.domain) for key in _removable(outcome)],
        "findings": _findings(asked, outcome),
    }
    if diff_mode:
        content["diff"] = _diff(asked, outcome)
    return content


def _removable(outcome: Outcome) -> list[Key]:
    """Keys whose records may go: retired ones, and those that were removed."""
    after = {key.selector for key in outcome.after}
    gone = [key for key in outcome.before if key.selector not in after]
    return [*(key for key in outcome.after if key.stage == "retired"), *gone]


def _record(asked: Request, key: Key) -> dict[str, Any] | None:
    """The key's record; in check mode a key that would be made has none yet."""
    if key.public is None:
        return None
    return Record(key.selector, asked.domain, key.public, asked.ttl).as_dict()


def _key(asked: Request, key: Key) -> dict[str, Any]:
    retire_at = 0
    if key.stage == "overlap" and asked.wanted:
        retire_at = key.signed_until + asked.wanted.overlap
    return {
        "selector": key.selector,
        "type": key.type,
        "bits": key.public.bits if key.public else None,
        "stage": key.stage,
        "made_at": key.made_at,
        "signed_from": key.signed_from,
        "signed_until": key.signed_until,
        "retire_at": retire_at,
        "retired_at": key.retired_at,
        "record": _record(asked, key) if key.stage != "retired" else None,
    }


def _findings(asked: Request, outcome: Outcome) -> list[dict[str, str]]:
    """Everything that somebody should do something about."""
    chosen = outcome.chosen
    found = [_finding("dkim_loose", f"{path} was not the signer's user's alone (0600)") for path in outcome.loose]
    found += [_finding("dkim_half_written", f"{path} was left behind by a run that ended") for path in outcome.halves]
    for key in outcome.after:
        if key.stage != "retired" and key.weakness:
            found.append(_finding("dkim_weak", f"{record_name(key.selector, asked.domain)}: {key.weakness}"))
    if chosen is None or published(outcome.answers):
        return found
    signs = chosen.stage == "signing"
    name = record_name(chosen.selector, asked.domain)
    if not outcome.answers:
        said = f"{name} is not published yet: set the record, then run this again"
        return [*found, _finding("dkim_signs_unpublished" if signs else "dkim_not_published", said)]
    for answer in outcome.answers:
        if answer.state != "published":
            kind = "dkim_signs_unpublished" if signs else "dkim_not_published"
            found.append(_finding(kind, f"{name} at {answer.server}: {answer.said}"))
    return found


def _finding(kind: str, message: str) -> dict[str, str]:
    return {"level": _LEVELS.get(kind, "warning"), "kind": kind, "message": message}


def _shown(keys: Sequence[Key]) -> list[dict[str, Any]]:
    """Keys for a diff: public halves only."""
    return [
        {
            "selector": key.selector,
            "type": key.type,
            "bits": key.public.bits if key.public else None,
            "public": key.public.data if key.public else None,
            "stage": key.stage,
        }
        for key in keys
    ]


def _diff(asked: Request, outcome: Outcome) -> dict[str, Any]:
    """Keys and the domain's lines of both tables, before and after."""

    def side(number: int, keys: Sequence[Key]) -> Mapping[str, Any]:
        layout = asked.place.layout
        return {
            "keys": _shown(keys),
            "signing_table": layout.lines(outcome.signing[number], layout.signing_key, asked.domain),
            "key_table": layout.lines(outcome.keys[number], layout.key_key, asked.domain),
        }

    name = f"signing keys of {asked.domain}"
    return {
        "before_header": name,
        "after_header": name,
        "before": side(0, outcome.before),
        "after": side(1, outcome.after),
    }
