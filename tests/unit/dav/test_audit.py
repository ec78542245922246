# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the proof of calendars and contacts finds, and what it lets pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.audit import Difference, Verdict, audit_account
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection, Kind, Properties
from ansible_collections.atmail.migration.plugins.module_utils.dav.pairing import Pairing, Rules, pair
from ansible_collections.atmail.migration.plugins.module_utils.ledger_dav import CollectionRow, RefusedRow

from .memory import Memory, Shelf

NAMED = Properties(name="Work", color="#ff0000", order=2, timezone="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")


def event(uid: str, summary: str = "x") -> bytes:
    return f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{uid}\nSUMMARY:{summary}\nEND:VEVENT\nEND:VCALENDAR\n".encode()


def side(objects: dict[str, bytes], properties: Properties = NAMED) -> Memory:
    card = b"BEGIN:VCARD\nUID:c\nFN:Ann\nEND:VCARD\n"
    return Memory.of(
        Shelf(Kind.CALENDAR, "work", properties, objects), Shelf(Kind.ADDRESS_BOOK, "people", Properties(), {"c": card})
    )


def pairer(source: Sequence[Collection], target: Sequence[Collection]) -> Pairing:
    return pair(Rules(), (), source, target)


def audited(source: Memory, target: Memory, depth: str = "full") -> Verdict:
    return audit_account(source, target, pairer, depth=depth)


ONE = {"a.ics": event("a"), "b.ics": event("b")}


@pytest.mark.parametrize("depth", ["counts", "full"])
def test_two_equal_sides(depth: str) -> None:
    same = {name: data.replace(b"\n", b"\r\n") for name, data in ONE.items()}
    verdict = audited(side(ONE), side(same, Properties("Work", None, "#FF0000FF", 2, NAMED.timezone)), depth)
    assert (verdict.identical, verdict.content_identical, verdict.differences) == (True, True, [])
    assert (verdict.calendars, verdict.events, verdict.address_books, verdict.contacts) == (1, 2, 1, 1)


@pytest.mark.parametrize(
    ("there", "what", "name", "detail", "content"),
    [
        ({"a.ics": event("a")}, "object_missing", "b.ics", "", False),
        ({**ONE, "c.ics": event("c")}, "object_extra", "c.ics", "", False),
        ({**ONE, "b.ics": event("b", "y")}, "content", "b.ics", "VCALENDAR, VEVENT, SUMMARY: another value", False),
        ({"a.ics": event("a"), "z.ics": event("b")}, "name", "b.ics", "is z.ics on the target", True),
        (
            {"a.ics": event("a"), "z.ics": event("b", "y")},
            "content",
            "b.ics",
            "VCALENDAR, VEVENT, SUMMARY: another value",
            False,
        ),
    ],
)
def test_a_difference_is_named(there: dict[str, bytes], what: str, name: str, detail: str, content: bool) -> None:
    verdict = audited(side(ONE), side(there))
    assert verdict.differences == [Difference("calendar", "work", what, name, detail)]
    assert (verdict.identical, verdict.content_identical) == (False, content)


def test_the_same_object_twice_is_paired_once() -> None:
    verdict = audited(side({"a": event("a"), "b": event("a")}), side({"x": event("a")}))
    assert sorted((one.what, one.name) for one in verdict.differences) == [("name", "a"), ("object_missing", "b")]


def test_counts_see_only_how_many_there_are() -> None:
    verdict = audited(side(ONE), side({"a.ics": event("z")}), "counts")
    assert verdict.differences == [Difference("calendar", "work", "count", "", "source 2, target 1")]


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        (Properties("Other", None, "#ff0000", 2, NAMED.timezone), ["name"]),
        (Properties("Work", None, "#ff0000", 3, "BEGIN:VCALENDAR\nX:1\nEND:VCALENDAR\n"), ["order", "timezone"]),
        (Properties("Work", "more than the source says", "#FF0000", 2, NAMED.timezone, transparent=True), []),
        (Properties("Work", None, "#FF0000", None, NAMED.timezone), ["order"]),
    ],
)
def test_what_a_collection_says_of_itself(properties: Properties, named: list[str]) -> None:
    verdict = audited(side(ONE), side(ONE, properties))
    assert [one.detail for one in verdict.differences] == named
    assert verdict.content_identical


@pytest.mark.parametrize(
    ("wanted", "seen", "named"), [(False, None, []), (True, None, ["transparent"]), (True, True, [])]
)
def test_a_calendar_is_opaque_unless_it_says_otherwise(wanted: bool, seen: bool | None, named: list[str]) -> None:
    verdict = audited(side(ONE, Properties(transparent=wanted)), side(ONE, Properties(transparent=seen)))
    assert [one.detail for one in verdict.differences] == named


def test_collections_that_only_one_side_has() -> None:
    source, target = side(ONE), side(ONE)
    del target.shelves["address_book/people"]
    target.make(Kind.CALENDAR, "empty", Properties())
    target.shelves["calendar/full"] = Shelf(Kind.CALENDAR, "full", Properties(), {"a": event("a")})
    found = {(one.collection, one.what) for one in audited(source, target).differences}
    assert found == {
        ("people", "collection_missing"),
        ("empty", "collection_extra_empty"),
        ("full", "collection_extra"),
    }


def test_invitations_that_were_held_back_are_counted_and_no_difference() -> None:
    invited = event("a").replace(b"SUMMARY", b"ATTENDEE:mailto:b@x.example\nSUMMARY")
    held = invited.replace(b"ATTENDEE:", b"ATTENDEE;SCHEDULE-AGENT=CLIENT:")
    verdict = audited(side({"a": invited}), side({"a": held}))
    assert (verdict.identical, verdict.held_back) == (True, 1)


@pytest.mark.parametrize(
    ("kind", "there", "detail", "content"),
    [
        ("repaired", {"a": event("a", "mended")}, "it was mended; VCALENDAR, VEVENT, SUMMARY: another value", True),
        ("unsupported", {}, "it was mended", True),
        ("refused", {}, "it was mended", False),
    ],
)
def test_what_the_target_did_not_take_as_it_is(kind: str, there: dict[str, bytes], detail: str, content: bool) -> None:
    def known(source: Sequence[Collection], target: Sequence[Collection]) -> Pairing:
        found = pairer(source, target)
        row = CollectionRow(7, Kind.CALENDAR, None, None)
        return Pairing(
            tuple(replace(one, row=row) if "calendar" in one.source.key else one for one in found.pairs if one.source),
            (),
        )

    refused = {7: {"a": RefusedRow("a", "1", kind, "it was mended", "/kept/a.ics")}}
    verdict = audit_account(side({"a": event("a")}), side(there), known, refused=refused)
    assert verdict.differences == [Difference("calendar", "work", kind, "a", detail, "/kept/a.ics")]
    assert (verdict.identical, verdict.content_identical) == (False, content)


def test_no_value_of_an_object_is_told() -> None:
    verdict = audited(side({"a": event("a", "secret-1")}), side({"a": event("a", "secret-2")}))
    assert "secret" not in repr(verdict)
