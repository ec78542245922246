# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a run does in cases that random users seldom make: the sides are those of `world.py`, the engine is real."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.identity import uid_of
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection, Finding, Item, Kind
from ansible_collections.atmail.migration.plugins.module_utils.dav.pairing import Rules
from ansible_collections.atmail.migration.plugins.module_utils.dav.plan import CATCH_UP, Policy
from ansible_collections.atmail.migration.plugins.module_utils.errors import ObjectRefusedError
from ansible_collections.atmail.migration.plugins.module_utils.ledger_dav import DavLedger

from .world import USER, Side, World, event

SERIES = ("DTEND:20260102T110000Z", "RRULE:FREQ=DAILY;COUNT=9")
EXCEPTION = ("DTEND:20260103T120000Z", "RECURRENCE-ID:20260103T100000Z")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.source.room("work", name="Work")
    return made


def put(world: World, *names: str, **more: bytes) -> None:
    """Events on the source."""
    room = world.source.room("work")
    for name in names:
        room.set(f"{name}.ics", event(name))
    for name, data in more.items():
        room.set(f"{name}.ics", data)


def there(world: World) -> dict[str, bytes]:
    """What the target's calendar holds."""
    return world.target.room("work").objects


def test_nothing_is_asked_for_what_did_not_change(world: World) -> None:
    put(world, *(str(number) for number in range(300)))
    world.run()
    assert world.source.asked["items"] == 300
    put(world, "7", new=event("new"))
    world.source.room("home").set("h.ics", event("h"))
    world.run()
    assert (world.source.asked["items"], world.target.asked["put"]) == (2 + 1 - 1, 2)
    world.run()
    assert (dict(world.source.asked), dict(world.target.asked)) == ({"survey": 1}, {"survey": 1})


def test_what_is_refused_is_kept_named_and_tried_again(world: World) -> None:
    put(world, "good", bad=event("bad", "poison"))
    world.target.refuses = lambda data: "valid-calendar-data" if b"poison" in data else None
    file = world.quarantine / USER / "work" / "bad.source.ics"
    for _run in range(2):
        outcome = world.run()
        assert [(one["kind"], one["object"]) for one in outcome.failures] == [("object_refused", "bad.ics")]
        assert [(one["kind"], one["name"]) for one in outcome.quarantined] == [("refused", "bad.ics")]
        assert Path(outcome.quarantined[0]["file"]) == file
        assert file.read_bytes() == world.source.room("work").objects["bad.ics"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    world.target.refuses = lambda _data: None
    outcome = world.run()
    assert (outcome.failures, outcome.quarantined, outcome.objects_copied) == ([], [], 1)
    assert not file.exists()


def test_a_refused_change_leaves_what_is_there(world: World) -> None:
    put(world, "a")
    world.run()
    before = dict(there(world))
    put(world, a=event("a", "poison"))
    world.target.refuses = lambda data: "valid-calendar-data" if b"poison" in data else None
    assert len(world.run().failures) == 1
    assert there(world) == before
    world.target.refuses = lambda _data: None
    assert world.run().objects_changed == 1


@pytest.mark.parametrize("repair", [True, False])
def test_a_missing_uid(world: World, repair: bool) -> None:
    put(world, a=event(None))
    world.repair = repair
    world.target.refuses = lambda data: None if uid_of(data) else "valid-calendar-data"
    outcome = world.run()
    assert bool(outcome.failures) is not repair
    assert [one["kind"] for one in outcome.quarantined] == ["repaired" if repair else "refused"]
    if repair:
        first = uid_of(there(world)["a.ics"])
        assert world.run().unchanged
        put(world, a=event(None, "changed"))
        assert world.run().objects_changed == 1
        assert uid_of(there(world)["a.ics"]) == first


def test_an_exception_without_its_series_is_joined_to_it_whenever_that_changes(world: World) -> None:
    world.target.unique = True
    put(world, series=event("1", "every day", *SERIES), exception=event("1", "but then", *EXCEPTION))
    outcome = world.run()
    assert (outcome.failures, len(there(world))) == ([], 1)
    assert [one["kind"] for one in outcome.quarantined] == ["repaired"]
    assert world.run().unchanged
    put(world, series=event("1", "each day", *SERIES))
    assert world.run().failures == []
    (whole,) = there(world).values()
    assert (whole.count(b"BEGIN:VEVENT"), b"each day" in whole, b"but then" in whole) == (2, True, True)
    world.source.room("work").drop("exception.ics")
    assert world.run().failures == []
    (whole,) = there(world).values()
    assert (whole.count(b"BEGIN:VEVENT"), b"but then" in whole) == (1, False)
    assert world.run().unchanged


def test_a_second_object_with_the_same_uid_gets_one_of_its_own(world: World) -> None:
    world.target.unique = True
    put(world, one=event("1", "one"), two=event("1", "two"))
    assert world.run().failures == []
    assert len({uid_of(data) for data in there(world).values()}) == 2
    assert world.run().unchanged


def test_a_place_that_is_taken(world: World) -> None:
    put(world, "a", "b")
    world.target.room("work").set("b.ics", event("b", "the user's"))
    world.target.room("work").set("a.ics", event("something else"))
    outcome = world.run()
    assert [one["kind"] for one in outcome.failures] == ["target_in_use"]
    assert world.written == 0
    outcome = world.run(Policy(used_target="mirror"))
    assert outcome.failures == []
    assert sorted(uid_of(data) or b"" for data in there(world).values()) == [b"a", b"b", b"something else"]
    assert uid_of(there(world)["a.ics"]) == b"something else"


@dataclass
class Keeping(Side):
    """A side that lists objects and keeps one back."""

    kept: str = ""

    def read(self, collection: Collection, names: Sequence[str]) -> Iterator[Item]:
        for item in super().read(collection, names):
            if item.name == self.kept:
                words = Finding("object_unreadable", "500", "error", "", item.name)
                yield replace(item, data=b"", findings=(words,))
            else:
                yield item


@pytest.mark.parametrize("again", [True, False])
def test_what_the_source_keeps_back_is_not_taken_for_gone(tmp_path: Path, again: bool) -> None:
    world = World(tmp_path, source=Keeping())
    world.source.room("work", name="Work")
    put(world, "a", "b")
    if again:
        world.run()
        put(world, a=event("a", "changed"))
    assert isinstance(world.source, Keeping)
    world.source.kept = "a.ics"
    outcome = world.run()
    assert [(one["kind"], one["object"]) for one in outcome.failures] == [("object_unreadable", "a.ics")]
    assert sorted(there(world)) == (["a.ics", "b.ics"] if again else ["b.ics"])
    world.source.kept = ""
    assert world.run().failures == []
    assert b"changed" in there(world)["a.ics"] or not again
    assert world.run().unchanged


@dataclass
class Restless(Side):
    """A target whose user changes an object whenever it is about to be written."""

    often: int = 0

    def put(self, collection: Collection, name: str, data: bytes, *, version: str | None) -> str | None:
        if version is not None and name == "a.ics" and self.often > 0:
            self.often -= 1
            self.rooms[collection.key].set(name, event("a", f"mine {self.often}"))
        return super().put(collection, name, data, version=version)


@pytest.mark.parametrize(("often", "kinds"), [(2, []), (100, ["object_changed"])])
def test_somebody_else_writes_at_the_same_time(tmp_path: Path, often: int, kinds: list[str]) -> None:
    world = World(tmp_path, target=Restless())
    put(world, "a", "b")
    world.run()
    put(world, a=event("a", "changed"), b=event("b", "changed"))
    assert isinstance(world.target, Restless)
    world.target.often = often
    assert [one["kind"] for one in world.run().failures] == kinds
    assert b"changed" in there(world)["b.ics"]
    assert (b"changed" in there(world)["a.ics"]) is (kinds == [])
    world.target.often = 0
    assert world.run().failures == []
    assert b"changed" in there(world)["a.ics"]


def test_what_the_target_has_no_room_for_is_a_finding(world: World) -> None:
    put(world, "a", task=event("t").replace(b"VEVENT", b"VTODO"))
    world.target.refuses = lambda data: "supported-calendar-component" if b"VTODO" in data else None
    for copied in (1, 0):
        outcome = world.run()
        assert (outcome.failures, outcome.objects_copied, outcome.quarantined) == ([], copied, [])
        assert [(one["kind"], one["name"]) for one in outcome.told()] == [("component_not_supported", "task.ics")]
    assert world.target.asked["put"] == 0


def test_properties_follow_the_source(world: World) -> None:
    put(world, "a")
    world.run()
    room = world.source.room("work")
    room.properties = replace(room.properties, name="Arbeit", color="#112233")
    outcome = world.run()
    assert (outcome.collections_changed, world.written) == (1, 1)
    assert world.target.room("work").properties.name == "Arbeit"
    assert world.run().unchanged


def test_rules_for_collections(tmp_path: Path) -> None:
    world = World(tmp_path, rules=Rules(("Birthdays",), {"Work": "Arbeit"}))
    world.source.room("work", name="Work").set("a.ics", event("a"))
    world.source.room("birthdays", name="Birthdays").set("b.ics", event("b"))
    assert world.run().failures == []
    assert [room.properties.name for room in world.target.rooms.values()] == ["Arbeit"]
    assert world.run().unchanged


def test_a_collection_that_is_gone_leaves_an_empty_one_behind(world: World) -> None:
    put(world, "a")
    world.source.room("home", name="Home").set("b.ics", event("b"))
    world.run()
    del world.source.rooms["/calendar/home/"]
    outcome = world.run()
    assert (outcome.failures, outcome.objects_removed) == ([], 1)
    assert "collection_left" in {one["kind"] for one in outcome.told()}
    assert world.target.room("home").objects == {}
    assert world.run().unchanged


def test_a_calendar_that_the_user_removed_is_made_again_for_what_is_new_alone(world: World) -> None:
    put(world, "a", "b")
    world.run()
    del world.target.rooms["/calendar/work/"]
    policy = Policy(CATCH_UP)
    assert world.run(policy).failures == []
    assert world.target.rooms == {}
    put(world, "new")
    assert world.run(policy).failures == []
    assert list(there(world)) == ["new.ics"]
    assert world.run(policy).unchanged


def test_names_that_no_server_takes(world: World) -> None:
    room = world.source.room("work")
    for number, name in enumerate(["a/b.ics", "..", "x" * 300, "ä {{ 7*7 }}.ics"]):
        room.set(name, event(str(number)))
    assert world.run().failures == []
    assert len(there(world)) == 4
    assert not {"..", "a/b.ics"} & set(there(world))
    assert world.run().unchanged


def test_what_the_ledger_remembers_is_no_text(world: World) -> None:
    secret = "Kündigung von Frau Müller"
    put(world, a=event("a", secret))
    world.source.room("book", Kind.ADDRESS_BOOK).set(
        "1.vcf", b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:X\r\nEND:VCARD\r\n"
    )
    world.run()
    for file in world.folder.glob("ledger*"):
        assert secret.encode() not in file.read_bytes()
    with DavLedger(str(world.folder / "ledger"), read_only=True) as ledger:
        rows: list[Any] = ledger.collections(ledger.account(USER, USER))
        assert [row.kind for row in rows] == [Kind.ADDRESS_BOOK, Kind.CALENDAR]


@dataclass
class Crowded(Side):
    """A target whose user makes an object in the very moment in which it is about to be brought."""

    often: int = 1

    def put(self, collection: Collection, name: str, data: bytes, *, version: str | None) -> str | None:
        if name == "a.ics" and self.often > 0:
            self.often -= 1
            self.rooms[collection.key].set(name, event("a", "mine"))
        return super().put(collection, name, data, version=version)


def test_an_object_made_on_the_target_meanwhile_is_not_passed_over(tmp_path: Path) -> None:
    world = World(tmp_path, target=Crowded())
    put(world, "a", "b")
    for _run in range(2):
        assert [one["kind"] for one in world.run().failures] == ["target_in_use"]
        assert sorted(there(world)) == ["a.ics", "b.ics"]
        assert b"mine" in there(world)["a.ics"]
    assert world.run(Policy(used_target="mirror")).failures == []
    assert b"mine" not in there(world)["a.ics"]


@dataclass
class Clinging(Side):
    """A target that does not let an object be removed."""

    clings: bool = True

    def remove(self, collection: Collection, name: str, *, version: str) -> None:
        if self.clings:
            raise ObjectRefusedError("not now", condition="scheduling")
        super().remove(collection, name, version=version)


@pytest.mark.parametrize("tokens", [True, False])
def test_what_could_not_be_removed_is_tried_again(tmp_path: Path, tokens: bool) -> None:
    world = World(tmp_path, source=Side(tokens=tokens), target=Clinging())
    put(world, "a", "b")
    world.run()
    world.source.room("work").drop("a.ics")
    for _run in range(2):
        assert [one["kind"] for one in world.run().failures] == ["object_refused"]
    assert isinstance(world.target, Clinging)
    world.target.clings = False
    assert world.run().objects_removed == 1
    assert world.run().unchanged
