# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A random user on either side, runs in between, any of which may be killed at any step: nothing is lost or doubled.

The sides are those of `world.py`; the engine, the ledger and the quarantine are the real ones.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav import compare
from ansible_collections.atmail.migration.plugins.module_utils.dav.identity import IGNORED, uid_of
from ansible_collections.atmail.migration.plugins.module_utils.dav.plan import CATCH_UP, MIRROR, Policy
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from .world import Killed, Side, World, event

ROOMS = ("work", "home")
ROOM = st.sampled_from(ROOMS)
NUMBER = st.integers(0, 50)
#: Everything may go here: what keeps runs from that has tests of its own.
MIRRORING = Policy(MIRROR, used_target="mirror", allow_removals=1.0)
CATCHING_UP = Policy(CATCH_UP, used_target="mirror", allow_removals=1.0)


class Users(RuleBasedStateMachine):
    """Two sides, a user on each, and runs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="dav-users-"))
        self.world = World(self.folder)
        self.number = 0
        #: Objects that the target's user made or changed, as he left them: by collection and name.
        self.own: dict[tuple[str, str], bytes] = {}
        #: UIDs that the target's user removed, or moved, since the cut-over.
        self.away: set[bytes | None] = set()
        #: The same, while nobody knew that a run had brought them.
        self.perhaps: set[bytes | None] = set()
        self.phase = MIRROR
        #: A run was killed, and none has been since: nobody knows all that is on the target.
        self.unsettled = False

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(tokens=st.tuples(st.booleans(), st.booleans()), silent=st.booleans(), altering=st.booleans())
    def begin(self, tokens: tuple[bool, bool], silent: bool, altering: bool) -> None:
        self.world.source, self.world.target = Side(tokens=tokens[0]), Side(tokens=tokens[1], silent=silent)
        self.world.target.altering = altering
        for slug in ROOMS:
            self.world.source.room(slug, name=slug)

    # the user of the source

    def _some(self, side: Side, slug: str, number: int) -> str | None:
        names = sorted(side.room(slug).objects)
        return names[number % len(names)] if names else None

    def _fresh(self, words: str) -> tuple[str, bytes]:
        self.number += 1
        return f"{words}-{self.number}", event(f"{words}-{self.number}", f"{words} {self.number}")

    @rule(slug=ROOM, count=st.integers(1, 4))
    def source_adds(self, slug: str, count: int) -> None:
        for _time in range(count):
            uid, data = self._fresh("old")
            self.world.source.room(slug).set(f"{uid}.ics", data)

    @rule(slug=ROOM, number=NUMBER)
    def source_changes(self, slug: str, number: int) -> None:
        name = self._some(self.world.source, slug, number)
        if name is not None:
            self.number += 1
            uid = uid_of(self.world.source.room(slug).objects[name])
            assert uid is not None
            self.world.source.room(slug).set(name, event(uid.decode(), f"changed {self.number}"))

    @rule(slug=ROOM, number=NUMBER)
    def source_touches(self, slug: str, number: int) -> None:
        """Another version that says the same."""
        name = self._some(self.world.source, slug, number)
        if name is not None:
            data = self.world.source.room(slug).objects[name]
            self.world.source.room(slug).set(name, data.replace(b"\r\nEND:VCAL", b"\r\n\r\nEND:VCAL"))

    @rule(slug=ROOM, number=NUMBER)
    def source_removes(self, slug: str, number: int) -> None:
        name = self._some(self.world.source, slug, number)
        if name is not None:
            self.world.source.room(slug).drop(name)

    @rule(slug=ROOM, number=NUMBER)
    def source_renames(self, slug: str, number: int) -> None:
        name = self._some(self.world.source, slug, number)
        if name is not None:
            self.number += 1
            room = self.world.source.room(slug)
            data = room.objects[name]
            room.drop(name)
            room.set(f"renamed-{self.number}.ics", data)

    @rule(slug=ROOM, number=NUMBER)
    def source_moves(self, slug: str, number: int) -> None:
        name = self._some(self.world.source, slug, number)
        other = next(one for one in ROOMS if one != slug)
        if name is not None and name not in self.world.source.room(other).objects:
            data = self.world.source.room(slug).objects[name]
            self.world.source.room(slug).drop(name)
            self.world.source.room(other).set(name, data)

    # the user of the target

    @rule(slug=ROOM)
    def target_adds(self, slug: str) -> None:
        uid, data = self._fresh("own")
        self.world.target.room(slug, name=slug).set(f"{uid}.ics", data)
        self.own[slug, f"{uid}.ics"] = data

    @rule(slug=ROOM, number=NUMBER)
    def target_changes(self, slug: str, number: int) -> None:
        name = self._some(self.world.target, slug, number)
        if name is not None:
            self.number += 1
            uid = uid_of(self.world.target.room(slug).objects[name])
            assert uid is not None
            data = event(uid.decode(), f"mine {self.number}")
            self.world.target.room(slug).set(name, data)
            if self.phase == CATCH_UP or (slug, name) in self.own:
                self.own[slug, name] = data

    @rule(slug=ROOM, number=NUMBER)
    def target_removes(self, slug: str, number: int) -> None:
        name = self._some(self.world.target, slug, number)
        if name is not None:
            uid = uid_of(self.world.target.room(slug).objects[name])
            if self.phase == CATCH_UP:
                (self.perhaps if self.unsettled else self.away).add(uid)
            self.world.target.room(slug).drop(name)
            self.own.pop((slug, name), None)

    @precondition(lambda self: self.phase == CATCH_UP)
    @rule(slug=ROOM, number=NUMBER)
    def target_moves(self, slug: str, number: int) -> None:
        name = self._some(self.world.target, slug, number)
        other = next(one for one in ROOMS if one != slug)
        if name is not None and name not in self.world.target.room(other, name=other).objects:
            data = self.world.target.room(slug).objects[name]
            self.world.target.room(slug).drop(name)
            self.world.target.room(other).set(name, data)
            self.own.pop((slug, name), None)
            self.own[other, name] = data

    # runs

    @rule(steps=st.integers(0, 60))
    def killed_run(self, steps: int) -> None:
        with suppress(Killed):
            self.world.run(self._policy, kill_after=steps)
        self.unsettled = True

    @rule()
    def looked_at(self) -> None:
        before = self.world.target.everything()
        self.world.run(self._policy, check_mode=True)
        assert self.world.target.everything() == before

    @precondition(lambda self: self.phase == MIRROR)
    @rule()
    def forget(self) -> None:
        """The ledger is lost; what is the same on both sides is recognised."""
        self.mirror_or_catch_up()
        self.world.forget()
        before = self.world.target.everything()
        self.mirror_or_catch_up()
        assert self.world.target.everything() == before or self.world.target.altering

    @rule()
    def mirror_or_catch_up(self) -> None:
        known = self._uids(self.world.target)
        outcome = self.world.run(self._policy)
        self.unsettled = False
        assert outcome.failures == []
        if self.phase == MIRROR:
            self._is_mirrored()
        else:
            self._is_caught_up(known)
        again = self.world.run(self._policy)
        assert (again.failures, self.world.written, again.unchanged) == ([], 0, True)

    @precondition(lambda self: self.phase == MIRROR)
    @rule()
    def cut_over(self) -> None:
        self.mirror_or_catch_up()
        self.phase = CATCH_UP
        self.base = self._uids(self.world.source)

    # what has to hold

    @property
    def _policy(self) -> Policy:
        return MIRRORING if self.phase == MIRROR else CATCHING_UP

    def _said(self, data: bytes) -> bytes:
        return compare.digest(data.replace(b"X-SEEN:1\r\n", b""), IGNORED)

    def _uids(self, side: Side) -> Counter[Any]:
        return Counter(uid_of(data) for objects in side.everything().values() for data in objects.values())

    def _is_mirrored(self) -> None:
        """Each collection holds what the source's holds, once, and what the target's user made, untouched."""
        here, there = self.world.source.everything(), self.world.target.everything()
        for slug in ROOMS:
            wanted = Counter(self._said(data) for data in here[slug].values())
            own = {name: data for (room, name), data in self.own.items() if room == slug}
            for name, data in own.items():
                assert there[slug][name] == data
            brought = Counter(self._said(data) for name, data in there[slug].items() if name not in own)
            assert brought == wanted

    def _is_caught_up(self, known: Counter[Any]) -> None:
        """What the target's user did stands; what is new on the source is there; nothing is there twice."""
        there = self.world.target.everything()
        for (slug, name), data in self.own.items():
            assert there[slug][name] == data
        now = self._uids(self.world.target)
        assert not {uid for uid in self.away if now[uid]}
        assert now - known <= self._uids(self.world.source)
        assert known <= now
        new = set(self._uids(self.world.source)) - set(self.base)
        assert new <= set(now) | self.away | self.perhaps
        assert max(now.values(), default=1) == 1

    @invariant()
    def nothing_of_the_targets_own_is_lost(self) -> None:
        there = self.world.target.everything()
        for (slug, name), data in self.own.items():
            assert there[slug][name] == data


def test_random_users() -> None:
    run_state_machine_as_test(
        Users,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
            report_multiple_bugs=False,
            derandomize=True,
        ),
    )


@pytest.mark.parametrize("altering", [False, True])
def test_killed_at_every_step_and_resumed(tmp_path: Path, altering: bool) -> None:
    """A mirror of changes of all kinds is killed at each of its steps in turn."""
    for steps in range(1000):
        folder = tmp_path / str(steps)
        folder.mkdir()
        world = World(folder, target=Side(altering=altering))
        room = world.source.room("work", name="Work")
        for number in range(8):
            room.set(f"{number}.ics", event(str(number)))
        assert world.run(MIRRORING).failures == []
        room.set("0.ics", event("0", "changed"))
        room.drop("1.ics")
        room.set("new.ics", event("new"))
        world.source.room("home").set("h.ics", event("h"))
        world.target.room("work").set("2.ics", event("2", "by the user"))
        world.target.room("work").set("own.ics", event("own"))
        try:
            world.run(MIRRORING, kill_after=steps)
            break
        except Killed:
            pass
        assert world.run(MIRRORING).failures == []
        there = world.target.everything()
        assert sorted(there["work"]) == [*sorted([f"{n}.ics" for n in (0, 2, 3, 4, 5, 6, 7)]), "new.ics", "own.ics"]
        assert list(there["home"]) == ["h.ics"]
        assert b"changed" in there["work"]["0.ics"]
        assert b"by the user" not in there["work"]["2.ics"]
        assert any(b"by the user" in file.read_bytes() for file in world.quarantine.rglob("*.ics"))
        assert world.run(MIRRORING).unchanged
        assert world.written == 0
    assert steps > 10
