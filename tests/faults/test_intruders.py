# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else is at work: at a step of a run mail goes, comes or changes on either side, without any pause.

The run copes or says that it was disturbed; the next one makes it right. Nothing is lost or doubled.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from tests.integration.checks.picture import Picture
from tests.integration.checks.world import plain

from .interruptions.scenarios import changes
from .interruptions.scenarios.mailboxes import usual
from .interruptions.stage import Play, Scenario, Stage
from .interruptions.theatre import SEED, Theatre

#: What a run may say when it was disturbed; mostly it says nothing.
DISTURBED = {"target_moved", "folder_failed", "message_unreadable"}
STEPS = 6


def expunged_on_the_source(stage: Stage) -> None:
    """The first, some in the middle and the last: all sequence numbers shift."""
    with stage.at_source() as source:
        uids = source.uids("INBOX")
        source.expunge("INBOX", [uids[0], *uids[4:7], uids[-1]])


def come_to_the_source(stage: Stage) -> None:
    with stage.at_source() as source:
        source.append("INBOX", plain("just come"))
        source.append("Sent", plain("just sent"), "\\Seen")


def flagged_on_the_source(stage: Stage) -> None:
    with stage.at_source() as source:
        source.store("INBOX", source.uids("INBOX")[::2], "+FLAGS", "\\Flagged Meanwhile")
        source.store("INBOX", source.uids("INBOX")[1::2], "-FLAGS", "\\Seen")


def delivered_to_the_target(stage: Stage) -> None:
    with stage.at_target() as target:
        target.append("INBOX", plain("just delivered"), "Stranger")


def expunged_on_the_target(stage: Stage) -> None:
    with stage.at_target() as target:
        uids = target.uids("INBOX")[2:4]
        if uids:
            target.expunge("INBOX", uids)


ACTS: Mapping[Callable[[Stage], None], tuple[int, ...]] = MappingProxyType(
    {
        expunged_on_the_source: (80, 81),
        come_to_the_source: (80,),
        flagged_on_the_source: (48,),
        delivered_to_the_target: (77, 83),
        expunged_on_the_target: (79,),
    }
)


def _with_stranger(source: Picture, there: Picture) -> Picture:
    """The source's mail, and once what was delivered to the target."""
    inbox = source.folders["INBOX"]
    strangers = {one for one in there.folders["INBOX"].messages.values() if "stranger" in one.flags}
    messages = dict(enumerate([*inbox.messages.values(), *strangers], 1))
    return replace(source, folders={**source.folders, "INBOX": replace(inbox, messages=messages)})


ALL_MAY_GO = {"allow_removals": 1.0}
SCENARIOS = {
    "first copy": Scenario("intruders", usual, options=ALL_MAY_GO, expected=_with_stranger),
    "changes": Scenario("intruders, changes", changes.everything, options=ALL_MAY_GO, expected=_with_stranger),
    "mapped": Scenario(
        "intruders, mapped",
        usual,
        options={**ALL_MAY_GO, "fidelity": "mapped"},
        expected=_with_stranger,
        faithful=False,
    ),
}


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with Theatre.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def plays(theatre: Theatre) -> Iterator[dict[str, tuple[Play, int]]]:
    """The scenarios, each with the number of its steps."""
    made = {}
    for name, scenario in SCENARIOS.items():
        plain_scenario = replace(scenario, expected=None)
        play = Play(theatre.servers, theatre.folder, plain_scenario)
        names, verdict = play.count()
        assert verdict.good, verdict
        play.scenario = scenario
        made[name] = (play, len(names))
    yield made
    for play, _steps in made.values():
        play.close()


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize(
    "act", [pytest.param(act, id=act.__name__, marks=pytest.mark.case(*cases)) for act, cases in ACTS.items()]
)
def test_whenever_it_happens(plays: dict[str, tuple[Play, int]], name: str, act: Callable[[Stage], None]) -> None:
    play, steps = plays[name]
    chance = random.Random(f"{SEED} {name} {act.__name__}")
    for step in sorted(chance.sample(range(1, steps + 1), STEPS)):
        ran, verdict = play.intruded(step, act)
        assert ran.kinds <= DISTURBED, (step, ran)
        assert verdict.good, (step, verdict)
