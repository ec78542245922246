# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The CalDAV and CardDAV side against servers that are as unlike as can be: Cyrus, and SabreDAV over Atmail's tables.

Cyrus schedules, converts vCards and takes plain names only; SabreDAV 1.8 has neither tokens nor .well-known.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Kind, Properties
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.server import WebServer
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.side import WebSide, open_web
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    AuthError,
    DnsError,
    ObjectChangedError,
    ObjectRefusedError,
)

from tests.lab.cyrus_dav import CyrusDav
from tests.lab.knot import Knot, Zone
from tests.lab.objects import Thing
from tests.lab.radicale import DavCloud
from tests.lab.sabre import Sabre

USER, PASSWORD = "ann@acme.example", "geheim"
ZONE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Acme//Test//DE
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
""".replace("\n", "\r\n")
WORK = Properties(
    name="Arbeit & <Büro>", description="Zeile 1\nZeile 2", color="#ff8800ff", order=3, timezone=ZONE,
    components=frozenset({"VEVENT"}), transparent=True,
)  # fmt: skip
GUESTS = ("ORGANIZER;CN=Ann:mailto:ann@acme.example", "ATTENDEE;RSVP=TRUE:mailto:bob@outside.example")


def event(uid: str, *more: str) -> bytes:
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Acme//Test//DE", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20260101T100000Z", "DTSTART:20260102T100000Z", "DURATION:PT1H", *more, "END:VEVENT",
        "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def card(uid: str, version: str, *more: str) -> bytes:
    return "\r\n".join(
        ("BEGIN:VCARD", f"VERSION:{version}", f"UID:{uid}", "FN:Ann Ä", "N:Ä;Ann;;;", *more, "END:VCARD", "")
    ).encode()


def opened(url: str, password: str = PASSWORD, name: str = "target", **options: Any) -> WebSide:
    return open_web(WebServer.from_options(name, {"url": url, "allow_plaintext": True, **options}), USER, password)


@pytest.fixture(scope="module")
def cyrus() -> Iterator[CyrusDav]:
    with CyrusDav.temporary(USER) as server:
        yield server


@pytest.fixture(scope="module")
def sabre() -> Iterator[Sabre]:
    with Sabre.temporary({USER: PASSWORD}) as server:
        yield server


@pytest.fixture(params=["cyrus", "sabre"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param).url)


def test_collections_are_made_found_and_amended(url: str) -> None:
    with closing(opened(url)) as side:
        slug = f"work-{time.monotonic_ns()}"
        calendar = side.make(Kind.CALENDAR, slug, WORK)
        book = side.make(Kind.ADDRESS_BOOK, "bücher", Properties(name="Bücher", description="x"))
        assert calendar.properties == WORK
        assert book.properties == Properties(name="Bücher", description="x")
        found = {one.key: one for one in side.survey().collections}
        assert found[calendar.key].properties == WORK
        assert found[book.key].properties == book.properties
        assert not side.amend(calendar, Properties(name="Neu", color="#00ff00", order=9))
        now = {one.key: one.properties for one in side.survey().collections}[calendar.key]
        assert (now.name, now.color, now.order) == ("Neu", "#00ff00", 9)


def test_objects_live_through_all_that_happens_to_them(url: str) -> None:
    with closing(opened(url)) as side:
        calendar = side.make(Kind.CALENDAR, f"life-{time.monotonic_ns()}", Properties(name="Life"))
        name = "ä b+%41&.ics"
        side.put(calendar, name, event("u1", "SUMMARY:eins"), version=None)
        side.put(calendar, "two.ics", event("u2"), version=None)
        before = side.changes(calendar)
        assert set(before.versions) == {name, "two.ics"}
        items = {item.name: item for item in side.read(calendar, list(before.versions))}
        assert items[name].data == event("u1", "SUMMARY:eins")
        assert items[name].version == before.versions[name]
        side.put(calendar, name, event("u1", "SUMMARY:zwei"), version=before.versions[name])
        with pytest.raises(ObjectChangedError):
            side.put(calendar, name, event("u1"), version=before.versions[name])
        with pytest.raises(ObjectChangedError):
            side.remove(calendar, name, version=before.versions[name])
        side.remove(calendar, "two.ics", version=before.versions["two.ics"])
        side.remove(calendar, "two.ics", version=before.versions["two.ics"])
        after = side.changes(calendar, before.state)
        assert name in after.versions
        assert after.versions[name] != before.versions[name]
        assert "two.ics" not in after.versions if after.whole else "two.ics" in after.removed
        state = next(one.state for one in side.survey().collections if one.key == calendar.key)
        assert state == after.state
        with pytest.raises(ObjectRefusedError) as caught:
            side.put(calendar, "bad.ics", b"This is no calendar\r\n", version=None)
        assert caught.value.where["condition"] == "valid-calendar-data"


def test_cards_come_as_they_are_stored(cyrus: CyrusDav) -> None:
    with closing(opened(cyrus.url)) as side:
        book = side.make(Kind.ADDRESS_BOOK, f"cards-{time.monotonic_ns()}", Properties(name="Cards"))
        cards = {
            "3.vcf": card("c3", "3.0"),
            "4.vcf": card("c4", "4.0", "KIND:group", "MEMBER:urn:uuid:c3"),
            "plain.vcf": card("c5", "4.0", "BDAY:--0415"),
        }
        for name, data in cards.items():
            side.put(book, name, data, version=None)
        assert {item.name: item.data for item in side.read(book, list(cards))} == cards


def test_cyrus_sends_no_invitation_for_what_is_written(cyrus: CyrusDav) -> None:
    with closing(opened(cyrus.url)) as side:
        assert [one.kind for one in side.survey().findings] == ["scheduling_header"]
        calendar = side.make(Kind.CALENDAR, f"guests-{time.monotonic_ns()}", Properties(name="Guests"))
        side.put(calendar, "g.ics", event("guests", *GUESTS), version=None)
        version = side.changes(calendar).versions["g.ics"]
        side.put(calendar, "g.ics", event("guests", "LOCATION:here", *GUESTS), version=version)
        side.remove(calendar, "g.ics", version=side.changes(calendar).versions["g.ics"])
    assert cyrus.trap.caught() == []


@pytest.mark.parametrize("kind", list(Kind))
def test_what_xml_can_not_carry_comes_through_sabre(sabre: Sabre, kind: Kind) -> None:
    odd = (b"one\rtwo", b"bell\x07", b"plain", b"latin \xe9")
    make, end = (event, "ics") if kind is Kind.CALENDAR else (lambda uid: card(uid, "3.0"), "vcf")
    things = [
        Thing(f"{number}.{end}", make(f"odd-{number}").replace(b"UID:", b"NOTE:" + text + b"\r\nUID:"))
        for number, text in enumerate(odd)
    ]
    sabre.write(USER, f"odd-{kind}", things)
    with closing(opened(sabre.url, name="source")) as side:
        collection = next(one for one in side.survey().collections if one.slug == f"odd-{kind}")
        listed = side.changes(collection)
        found = {item.name: item for item in side.read(collection, list(listed.versions))}
    assert {name: item.data for name, item in found.items()} == {thing.name: thing.data for thing in things}
    assert {name: item.version for name, item in found.items()} == dict(listed.versions)


def test_digest_is_spoken_where_it_is_asked_for() -> None:
    with Sabre.temporary({USER: PASSWORD}, digest=True) as server:
        with closing(opened(server.url)) as side:
            calendar = side.make(Kind.CALENDAR, "work", Properties(name="Work"))
            side.put(calendar, "ü?.ics", event("u1"), version=None)
            assert set(side.changes(calendar).versions) == {"ü?.ics"}
        with closing(opened(server.url, "wrong")) as side, pytest.raises(AuthError, match="digest") as caught:
            side.survey()
        assert caught.value.credentials
        with closing(opened(server.url, auth="basic")) as side, pytest.raises(AuthError):
            side.survey()


def test_a_domain_names_its_server_by_srv_and_txt() -> None:
    with DavCloud.temporary({USER: PASSWORD}) as cloud:
        port = cloud.url.rsplit(":", 1)[1].strip("/")
        records = (f"_caldavs._tcp SRV 10 1 {port} localhost.", '_caldavs._tcp TXT "path=/"')
        with Knot.temporary({"acme.example": Zone(records)}) as knot:
            options: dict[str, Any] = {"dns_servers": [f"127.0.0.1:{knot.port}"], "ca_path": str(cloud.ca)}
            with pytest.raises(DnsError, match="localhost, which is not in the domain"):
                opened("acme.example", **options)
            with closing(opened("acme.example", **options, trusted_hosts=["localhost"])) as side:
                assert side.make(Kind.CALENDAR, "work", Properties(name="Work")).slug == "work"
