# SPDX-License-Identifier: GPL-3.0-or-later
"""Every scenario is stopped at some of its steps, and resumed; `make interrupt` stops it at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail import copying, look

from tests.integration.checks.picture import PLACEHOLDER, FolderPicture, Message, Picture

from .interruptions.scenarios import SCENARIOS, ledgers
from .interruptions.stage import Scenario, compare
from .interruptions.theatre import COUNTS, Theatre

pytestmark = pytest.mark.long

#: Steps of each scenario, chosen by a fixed seed; a scenario has between 40 and 700.
SAMPLE = 2


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with Theatre.opened() as opened:
        yield opened


def _cases(scenario: Scenario) -> pytest.MarkDecorator:
    return pytest.mark.case(*sorted({75, 78, *scenario.cases}))


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name, marks=_cases(one)) for one in SCENARIOS])
def test_stopped_and_resumed(
    theatre: Theatre, record_property: Callable[[str, object], None], scenario: Scenario
) -> None:
    """Nothing lost, doubled or altered, no placeholder left, and a further run changes nothing."""
    tally = theatre.play(scenario, sample=SAMPLE, twice=1)
    record_property(COUNTS, tally.counts())
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.stopped >= 1


def test_there_are_scenarios_enough() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 40


# the harness itself


def _picture(*messages: Message) -> Picture:
    return Picture({"INBOX": FolderPicture(1, 10, 1, dict(enumerate(messages, 1)))}, frozenset(), ())


ONE = Message("a", 3, frozenset({"\\seen"}), 1)
OTHER = Message("b", 3, frozenset(), 2)


def test_what_is_lost_doubled_altered_or_left_behind_is_seen() -> None:
    wanted = _picture(ONE, OTHER)
    assert compare(wanted, wanted, faithful=True).good
    found = compare(wanted, _picture(ONE), faithful=False)
    assert (found.lost, found.doubled, found.altered) == (1, 0, 0)
    found = compare(wanted, _picture(ONE, OTHER, OTHER), faithful=False)
    assert (found.lost, found.doubled, found.altered) == (0, 1, 0)
    found = compare(wanted, _picture(ONE, replace(OTHER, received=3)), faithful=False)
    assert (found.lost, found.doubled, found.altered) == (0, 0, 1)
    left = Message("c", 50, frozenset({"\\deleted", PLACEHOLDER}), 3)
    found = compare(wanted, _picture(ONE, OTHER, left), faithful=False)
    assert (found.lost, found.doubled, found.altered) == (0, 0, 0)
    assert "placeholders left" in str(found.wrong)
    assert compare(wanted, _picture(OTHER, ONE), faithful=False).good
    assert not compare(wanted, _picture(OTHER, ONE), faithful=True).good


def test_an_engine_that_recognises_nothing_is_found_out(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (look, copying):
        monkeypatch.setattr(module, "match", lambda _source, _target: {})
    blind = Scenario("mapped", ledgers.stopped_in_the_copying, options=ledgers.MAPPED, faithful=False)
    tally = theatre.play(blind, every=20)
    assert tally.doubled
    assert tally.wrong
