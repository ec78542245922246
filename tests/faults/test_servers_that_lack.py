# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers without an extension, and servers that announce one and answer BAD: the copy is right all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from .scripted import Behaviour
from .scripted.behaviour import EXTENSIONS
from .scripted.trials import change, trial

SIDES = ("source", "target")
CASES = {"UIDPLUS": 71, "LIST-EXTENDED": 86, "SPECIAL-USE": 86, "LIST-STATUS": 86, "CREATE-SPECIAL-USE": 86}
#: What a server may lack without anybody noticing before the log-in.
LACKING = [
    *(pytest.param(frozenset({one}), id=one, marks=pytest.mark.case(CASES.get(one, 84))) for one in EXTENSIONS),
    pytest.param(frozenset({"LITERAL+", "MULTIAPPEND"}), id="LITERAL+ MULTIAPPEND", marks=pytest.mark.case(84)),
    pytest.param(frozenset({"UIDPLUS", "MULTIAPPEND"}), id="UIDPLUS MULTIAPPEND", marks=pytest.mark.case(71)),
    pytest.param(frozenset(EXTENSIONS), id="everything", marks=pytest.mark.case(84)),
]
#: A server that does not take literals that do not wait can't tell so in time: it hangs up.
DENIED = [one for one in EXTENSIONS if one not in ("LITERAL+", "SASL-IR", "AUTH=PLAIN")]


@pytest.mark.parametrize("faithful", [True, False], ids=["faithful", "mapped"])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("lacks", LACKING)
def test_without_an_extension(tmp_path: Path, lacks: frozenset[str], side: str, faithful: bool) -> None:
    with trial(tmp_path, faithful=faithful, **{side: Behaviour(lacks=lacks)}) as one:  # type: ignore[arg-type]
        outcome = one.run()
        assert outcome.failures == []
        mapped = not faithful or (side == "target" and "UIDPLUS" in lacks)
        assert outcome.fidelity == ("mapped" if mapped else "faithful")
        one.faithful = not mapped
        assert one.differences() == []
        one.faithful = faithful
        second = one.run()
        assert (second.failures, second.changed) == ([], False)
        change(one.here)
        third = one.run()
        assert third.failures == []
        assert (third.messages_copied, third.flags_changed, third.messages_removed) == (4, 2, 3)
        one.faithful = not mapped
        assert one.differences() == []
        assert one.source.complaints == one.target.complaints == []


@pytest.mark.case(84, 86)
@pytest.mark.parametrize("faithful", [True, False], ids=["faithful", "mapped"])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("denies", DENIED)
def test_an_extension_that_is_announced_and_not_there(tmp_path: Path, denies: str, side: str, faithful: bool) -> None:
    """Vandelay's LIST-EXTENDED answered BAD; others may do so for anything."""
    behaviour = Behaviour(denies=frozenset({denies}))
    with trial(tmp_path, faithful=faithful, **{side: behaviour}) as one:  # type: ignore[arg-type]
        outcome = one.run()
        if side == "target" and denies == "UIDPLUS" and faithful:
            # it is noticed only when messages are there whose UIDs nobody knows: the next run finds them
            assert {failure["kind"] for failure in outcome.failures} == {"protocol_error"}
            outcome = one.run()
        assert outcome.failures == []
        assert one.differences() == []
        second = one.run()
        assert (second.failures, second.changed) == ([], False)
        change(one.here)
        third = one.run()
        if side == "target" and denies in ("UIDPLUS", "MULTIAPPEND"):
            third = one.run()
        assert third.failures == []
        assert one.differences() == []
        assert one.source.complaints == one.target.complaints == []


@pytest.mark.case(84)
def test_literals_that_do_not_wait_are_announced_and_not_taken(tmp_path: Path) -> None:
    """Nothing is written, and the error is one."""
    with trial(tmp_path, target=Behaviour(denies=frozenset({"LITERAL+"}))) as one:
        outcome = one.run()
        assert [failure["kind"] for failure in outcome.failures] == ["connection_lost"]
        assert one.there.count() == 0
        one.target.behaviour = Behaviour()
        assert one.run().failures == []
        assert one.differences() == []
