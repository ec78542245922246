# SPDX-License-Identifier: GPL-3.0-or-later
"""Duels, again and again: what two runs at once leave on the target, whatever the turns."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.integration.checks.picture import look
from tests.lab.maildir import Folder

from .duel import Fate, duel
from .scenarios.mailboxes import folder
from .stage import Scenario, Stage, Verdict, compare
from .theatre import SEED, Theatre

#: How the two runs of a duel go about it; without UIDPLUS only mail that is not marked as deleted can be told apart.
_MAPPED = {"fidelity": "mapped"}
DUELS = {
    "auto": Scenario("duel", lambda _stage: None, faithful=False),
    "mapped": Scenario("duel, mapped", lambda _stage: None, options=_MAPPED, faithful=False),
    "no MULTIAPPEND": Scenario(
        "duel, no MULTIAPPEND", lambda _stage: None, options=_MAPPED, target="no-multiappend", faithful=False
    ),
    "no UIDPLUS": Scenario(
        "duel, no UIDPLUS", lambda _stage: None, target="no-uidplus", hide_appenduid=True, faithful=False
    ),
}


class Duels:
    """Two runs at once on one mailbox, again and again: a mailbox for the source, a fresh account for each duel."""

    def __init__(self, theatre: Theatre, kind: str) -> None:
        self._theatre, self._kind = theatre, kind
        self._source = Stage(theatre.servers, theatre.folder, DUELS[kind])
        self._source.write(*(undeleted if kind == "no UIDPLUS" else usual)())
        self._wanted = look(self._source.place("source"))

    def fight(self, seed: object, *, kill: bool) -> tuple[list[Fate], Verdict]:
        """One duel, and what is on the target when both have run to their end after it, one after the other.

        With `kill` one of the two is stopped at a step, both chosen by the seed.
        """
        stages = [Stage(self._theatre.servers, self._theatre.folder, DUELS[self._kind]) for _player in range(2)]
        for stage in stages:
            stage.source_user, stage.user = self._source.source_user, stages[0].user
        chance = random.Random(f"{SEED} {self._kind} {seed}")
        stop = {chance.randint(0, 1): chance.randint(5, 150)} if kill else {}
        fates = duel(stages, f"{self._kind} {seed}", stop=stop)
        first, second = stages
        ends = [stage.sync().kinds for stage in (first, second, first)]
        verdict = compare(self._wanted, look(first.place("target")), faithful=False)
        verdict.wrong += [f"a run after the duel failed: {sorted(kinds)}" for kinds in ends if kinds]
        if second.sync().changed or first.sync().changed:
            verdict.wrong.append("the runs do not come to rest")
        return fates, verdict


def usual() -> list[Folder]:
    """What is copied in duels."""
    return [folder("", 60, gaps={5: 2, 30: 7, 44: 1}), folder("Sent", 12, gaps={3: 3})]


def undeleted() -> list[Folder]:
    """The same without messages that are marked as deleted."""
    return [
        replace(each, messages=[(uid, replace(mail, flags=("\\Seen",))) for uid, mail in each.messages])
        for each in usual()
    ]
