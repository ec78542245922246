# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The CalDAV and CardDAV side against Radicale, behind HAProxy with TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection, Kind, Properties
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.server import WebServer
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.side import WebSide, open_web
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    AuthError,
    CertificateUntrustedError,
    CollectionError,
    ObjectChangedError,
    ObjectRefusedError,
)

from tests.lab.radicale import DavCloud

USER, PASSWORD = "ann@acme.example", "ännes:geheim"
ODD = "wörk & 100%+<b> #1?"


@pytest.fixture(scope="module")
def cloud() -> Iterator[DavCloud]:
    with DavCloud.temporary({USER: PASSWORD, "bob@acme.example": "b"}) as made:
        yield made


@pytest.fixture
def side(cloud: DavCloud) -> Iterator[WebSide]:
    with closing(opened(cloud)) as made:
        yield made


def opened(cloud: DavCloud, user: str = USER, password: str | None = PASSWORD, **options: object) -> WebSide:
    given = {"url": cloud.url, "ca_path": str(cloud.ca), **options}
    return open_web(WebServer.from_options("target", given), user, password)


def event(uid: str, summary: str = "Besprechung") -> bytes:
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Acme//Test//DE", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20260101T100000Z", "DTSTART:20260102T100000Z", "DURATION:PT1H", f"SUMMARY:{summary}", "END:VEVENT",
        "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def card(uid: str, name: str = "Ann Ä") -> bytes:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n".encode()


def made(side: WebSide, slug: str, kind: Kind = Kind.CALENDAR) -> Collection:
    return side.make(kind, slug, Properties(name=slug))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_collection_is_made_with_what_it_says_of_itself(side: WebSide, kind: Kind) -> None:
    properties = Properties(name=f"{ODD} {kind}", description="Zeile 1\nZeile 2 & <mehr>")
    if kind is Kind.CALENDAR:
        zone = "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n"
        properties = replace(properties, color="#ff8800ff", order=7, timezone=zone, components=frozenset({"VEVENT"}))
    found = side.make(kind, f"{ODD} {kind}", properties)
    assert found.properties == properties
    assert (found.kind, found.slug, found.writable) == (kind, f"{ODD} {kind}", True)
    assert found in side.survey().collections
    with pytest.raises(CollectionError, match="something of that name already"):
        side.make(kind, found.slug, properties)


def test_properties_are_set_and_those_that_can_not_be_are_named(side: WebSide) -> None:
    found = made(side, "amended")
    refused = side.amend(found, Properties(name="Neu", color="#00ff00", components=frozenset({"VTODO"})))
    assert refused == {"components"}
    now = next(one for one in side.survey().collections if one.key == found.key)
    assert (now.properties.name, now.properties.color) == ("Neu", "#00ff00")


@pytest.mark.parametrize(("kind", "text"), [(Kind.CALENDAR, event), (Kind.ADDRESS_BOOK, card)])
def test_objects_are_written_listed_read_changed_and_removed(
    side: WebSide, kind: Kind, text: Callable[..., bytes]
) -> None:
    collection = made(side, f"objects {kind}", kind)
    names = [f"{ODD} {number}.ics" for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        written = pool.map(lambda name: side.put(collection, name, text(f"uid-{name}"), version=None), names)
        versions = dict(zip(names, written, strict=True))
    listed = side.changes(collection)
    assert listed.whole
    assert dict(listed.versions) == versions
    items = {item.name: item for item in side.read(collection, [*names, "gone.ics"])}
    assert set(items) == set(names)
    assert all(items[name].version == versions[name] for name in names)
    assert b"\r\nFN:" in items[names[0]].data if kind is Kind.ADDRESS_BOOK else b"\r\nUID:" in items[names[0]].data

    new = side.put(collection, names[0], text(f"uid-{names[0]}", "neu"), version=versions[names[0]])
    side.remove(collection, names[1], version=str(versions[names[1]]))
    side.remove(collection, names[1], version=str(versions[names[1]]))  # that it is gone is no error
    delta = side.changes(collection, listed.state)
    assert not delta.whole
    assert dict(delta.versions) == {names[0]: new}
    assert delta.removed == {names[1]}
    seen = next(one for one in side.survey().collections if one.key == collection.key)
    assert seen.state == delta.state


def test_a_token_that_the_server_does_not_know_any_more_costs_a_whole_listing(side: WebSide) -> None:
    collection = made(side, "tokens")
    side.put(collection, "one.ics", event("one"), version=None)
    found = side.changes(collection, "sync:http://radicale.org/ns/sync/" + "0" * 64)
    assert found.whole
    assert set(found.versions) == {"one.ics"}


def test_nothing_is_written_over_what_somebody_else_wrote(side: WebSide) -> None:
    collection = made(side, "conflicts")
    version = side.put(collection, "one.ics", event("one"), version=None)
    with pytest.raises(ObjectChangedError):
        side.put(collection, "one.ics", event("one", "mine"), version=None)
    other = side.put(collection, "one.ics", event("one", "theirs"), version=version)
    with pytest.raises(ObjectChangedError):
        side.put(collection, "one.ics", event("one", "mine"), version=version)
    with pytest.raises(ObjectChangedError):
        side.remove(collection, "one.ics", version=str(version))
    assert dict(side.changes(collection).versions) == {"one.ics": other}
    assert [b"SUMMARY:theirs" in item.data for item in side.read(collection, ["one.ics"])] == [True]


@pytest.mark.parametrize(
    ("name", "data", "condition"),
    [
        ("two.ics", event("one"), "no-uid-conflict"),
        ("two.ics", b"This is no calendar\r\n", "valid-calendar-data"),
        ("a/b.ics", event("slash"), "name"),
        ("..", event("up"), "name"),
        ("a\x00b", event("nul"), "name"),
    ],
)
def test_what_the_target_does_not_take_is_named(side: WebSide, name: str, data: bytes, condition: str) -> None:
    kept = [one for one in side.survey().collections if one.slug == "refused"]
    collection = kept[0] if kept else made(side, "refused")
    if not kept:
        side.put(collection, "one.ics", event("one"), version=None)
    with pytest.raises(ObjectRefusedError) as caught:
        side.put(collection, name, data, version=None)
    assert caught.value.where["condition"] == condition
    assert caught.value.where["collection"] == collection.key
    assert set(side.changes(collection).versions) == {"one.ics"}


def test_a_collection_that_is_gone_is_named(side: WebSide) -> None:
    gone = Collection(Kind.CALENDAR, "/ann%40acme.example/never/", "never", state="sync:x")
    with pytest.raises(CollectionError):
        side.changes(gone)
    with pytest.raises(CollectionError):
        list(side.read(gone, ["a.ics", "b.ics"]))
    with pytest.raises(CollectionError):
        side.amend(gone, Properties(name="x"))


def test_the_administrator_reaches_accounts_in_every_way(cloud: DavCloud, side: WebSide) -> None:
    collection = made(side, "seen by the administrator")
    ways = (
        cloud.options(),
        cloud.options(admin_method="direct", principal="/{user}/", auth="basic"),
    )
    for options in ways:
        server = WebServer.from_options("source", options)
        with closing(open_web(server, USER, None)) as other:
            assert collection.key in {one.key for one in other.survey().collections}


def test_a_wrong_password_is_tried_once(cloud: DavCloud) -> None:
    before = cloud.radicale.log_size()
    with closing(opened(cloud, password="wrong")) as side:
        for _number in range(3):
            with pytest.raises(AuthError) as caught:
                side.survey()
            assert caught.value.credentials
    # one request shows how to log in, the other one tries it
    assert len(cloud.radicale.requests(before)) == 2


def test_a_certificate_that_is_not_to_be_trusted_gets_no_password(cloud: DavCloud) -> None:
    before = cloud.radicale.log_size()
    with closing(opened(cloud, ca_path=None)) as side, pytest.raises(CertificateUntrustedError):
        side.survey()
    assert cloud.radicale.requests(before) == []
    with closing(opened(cloud, ca_path=None, validate_certs=False)) as side:
        side.survey()
