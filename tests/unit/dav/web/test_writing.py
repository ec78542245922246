# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Objects and collections written to servers that refuse, forget, lose answers or have weak versions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Kind, Properties
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.listing import digest
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    CollectionError,
    MigrationError,
    ObjectChangedError,
    ObjectRefusedError,
    OverQuotaError,
    ServerError,
)

from tests.unit.transport.http_peer import Reply, Request

from .odd import BOOK, CALENDAR, EVENT, Answer, etag, folder, multistatus, odd, response


def error(name: str, space: str = "urn:ietf:params:xml:ns:caldav") -> bytes:
    return f'<?xml version="1.0"?><d:error xmlns:d="DAV:"><x:{name} xmlns:x="{space}"/></d:error>'.encode()


REFUSALS = [
    (Reply(403, error("valid-calendar-data")), ObjectRefusedError, "valid-calendar-data"),
    (Reply(409, error("no-uid-conflict")), ObjectRefusedError, "no-uid-conflict"),
    (Reply(412, error("max-resource-size")), ObjectRefusedError, "max-resource-size"),
    (Reply(400, b"bad"), ObjectRefusedError, "valid-calendar-data"),
    (Reply(415), ObjectRefusedError, "valid-calendar-data"),
    (Reply(422), ObjectRefusedError, "valid-calendar-data"),
    (Reply(413), ObjectRefusedError, "max-resource-size"),
    (Reply(423), ObjectRefusedError, "locked"),
    (Reply(403, b"no"), ObjectRefusedError, "http-403"),
    (Reply(500, b"<html><body>Oops"), ObjectRefusedError, "http-500"),
    (Reply(412), ObjectChangedError, None),
    (Reply(507), OverQuotaError, None),
    (Reply(403, error("quota-not-exceeded", "DAV:")), OverQuotaError, None),
    (Reply(403, error("need-privileges", "DAV:")), CollectionError, None),
    (Reply(404), CollectionError, None),
    (Reply(405), CollectionError, None),
]


@pytest.mark.parametrize(("reply", "kind", "condition"), REFUSALS)
def test_each_refusal_is_what_it_means(reply: Reply, kind: type[MigrationError], condition: str | None) -> None:
    with odd({"PUT": reply}) as (side, _peer), pytest.raises(kind) as caught:
        side.put(CALENDAR, "a.ics", EVENT, version=None)
    assert caught.value.where.get("condition") == condition
    assert caught.value.where["object"] == "a.ics"
    assert caught.type is kind


def test_cards_are_refused_in_their_own_words() -> None:
    with odd({"PUT": Reply(415)}) as (side, peer):
        with pytest.raises(ObjectRefusedError) as caught:
            side.put(BOOK, "a.vcf", b"x", version=None)
        assert caught.value.where["condition"] == "valid-address-data"
        assert peer.seen[-1].headers["Content-Type"].startswith("text/vcard")


def test_a_412_for_an_object_that_is_too_large_is_no_change() -> None:
    small = replace(CALENDAR, max_size=10)
    with odd({"PUT": Reply(412)}) as (side, _peer), pytest.raises(ObjectRefusedError) as caught:
        side.put(small, "a.ics", EVENT, version=None)
    assert caught.value.where["condition"] == "max-resource-size"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [((("ETag", '"1"'),), '"1"'), ((("ETag", 'W/"1"'),), None), ((), None)],
)
def test_the_new_version_is_told_only_if_it_is_that_of_what_was_sent(
    headers: tuple[tuple[str, str], ...], expected: str | None
) -> None:
    with odd({"PUT": Reply(201, headers=headers)}) as (side, peer):
        assert side.put(CALENDAR, "a.ics", EVENT, version=None) == expected
        assert peer.seen[-1].headers["If-None-Match"] == "*"
        side.put(CALENDAR, "a.ics", EVENT, version='"0"')
        assert peer.seen[-1].headers["If-Match"] == '"0"'


class Store:
    """One object of a server with versions of a kind, which may lose answers."""

    def __init__(self, kind: str, *, loses: int = 0, data: bytes | None = EVENT) -> None:
        self.kind, self.loses, self.data = kind, loses, data
        self.number = 1
        self.lost = 0

    def version(self) -> str | None:
        return {"weak": f'W/"{self.number}"', "strong": f'"{self.number}"', "none": None}[self.kind]

    def fits(self, request: Request) -> bool:
        if request.headers.get("If-None-Match") == "*":
            return self.data is None
        wanted = request.headers.get("If-Match")  # a weak one never fits (RFC 9110 section 13.1.1)
        return wanted is None or (self.data is not None and self.kind == "strong" and wanted == self.version())

    def write(self, request: Request) -> Reply:
        if not self.fits(request):
            return Reply(412)
        self.data = request.body if request.method == "PUT" else None
        self.number += 1
        if self.lost < self.loses:
            self.lost += 1
            return Reply(hang_up=True)
        return Reply(204, headers=(("ETag", str(self.version())),) if self.kind != "none" else ())

    def look(self, request: Request) -> Reply | str:
        if self.data is None:
            return Reply(404)
        return multistatus(response(request.path, etag(str(self.version())) if self.kind != "none" else "<x/>"))

    def answers(self) -> dict[str, Answer]:
        path = "/home/cal/a.ics"
        return {
            f"PUT {path}": self.write,
            f"DELETE {path}": self.write,
            f"PROPFIND {path}": self.look,
            f"GET {path}": lambda _request: Reply(404) if self.data is None else Reply(200, self.data),
        }

    def gone(self) -> bool:
        return self.data is None

    def known(self) -> str:
        return self.version() or digest(self.data or b"")


@pytest.mark.parametrize("kind", ["strong", "weak", "none"])
def test_only_the_version_that_is_known_is_written_over_or_removed(kind: str) -> None:
    store = Store(kind)
    newer = EVENT.replace(b"UID:1", b"UID:1\r\nSUMMARY:new")
    with odd(store.answers()) as (side, _peer):
        known = store.known()
        side.put(CALENDAR, "a.ics", newer, version=known)
        assert store.data == newer
        with pytest.raises(ObjectChangedError):
            side.put(CALENDAR, "a.ics", EVENT, version=known)
        with pytest.raises(ObjectChangedError):
            side.remove(CALENDAR, "a.ics", version=known)
        assert store.data == newer
        side.remove(CALENDAR, "a.ics", version=store.known())
        assert store.gone()


def test_an_answer_that_was_lost_is_no_conflict_with_ourselves() -> None:
    store = Store("strong", loses=1)
    newer = EVENT.replace(b"UID:1", b"UID:1\r\nSUMMARY:new")
    with odd(store.answers()) as (side, peer):
        assert side.put(CALENDAR, "a.ics", newer, version='"1"') is None
        assert (store.data, store.number, peer.count("PUT")) == (newer, 2, 2)
    store = Store("strong", loses=1, data=None)
    with odd(store.answers()) as (side, _peer):
        side.put(CALENDAR, "a.ics", newer, version=None)
        assert store.data == newer
    store = Store("strong", loses=1)
    with odd(store.answers()) as (side, _peer):
        side.remove(CALENDAR, "a.ics", version='"1"')
        assert store.gone()


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_already_is_removed(status: int) -> None:
    with odd({"DELETE": Reply(status)}) as (side, _peer):
        side.remove(CALENDAR, "a.ics", version='"1"')


# collections


def taking(*refused: str, atomic: bool = True) -> Answer:
    """A server that takes properties but for these: then none, or all others."""

    def answer(request: Request) -> str:
        tags = {
            "displayname": "displayname",
            "calendar-color": "I:calendar-color",
            "calendar-order": "I:calendar-order",
        }
        given = [tag for tag in tags if tag.encode() in request.body]
        bad = [tag for tag in given if tag in refused]
        stats = [(tag, "403 Forbidden") for tag in bad]
        good = "424 Failed Dependency" if bad and atomic else "200 OK"
        stats += [(tag, good) for tag in given if tag not in bad]
        return multistatus(
            "<response><href>/home/cal/</href>"
            + "".join(
                f"<propstat><prop><{tags[tag]}/></prop><status>HTTP/1.1 {status}</status></propstat>"
                for tag, status in stats
            )
            + "</response>"
        )

    return answer


@pytest.mark.parametrize("atomic", [True, False])
def test_one_property_that_is_refused_does_not_keep_the_others_back(atomic: bool) -> None:
    with odd({"PROPPATCH": taking("calendar-color", atomic=atomic)}) as (side, peer):
        assert side.amend(CALENDAR, Properties(name="x", color="red", order=1)) == {"color"}
        assert b"calendar-color" not in peer.seen[-1].body
        assert b">1<" in peer.seen[-1].body


@pytest.mark.parametrize("status", [403, 405, 501, 400])
def test_a_server_that_changes_no_properties_is_told_of_all(status: int) -> None:
    with odd({"PROPPATCH": Reply(status)}) as (side, _peer):
        assert side.amend(CALENDAR, Properties(name="x", color="red")) == {"name", "color"}


def test_address_books_have_no_color() -> None:
    with odd({"PROPPATCH": taking()}) as (side, peer):
        assert side.amend(BOOK, Properties(color="red")) == {"color"}
        assert peer.count("PROPPATCH") == 0


def test_a_name_with_control_characters_is_written_without_them() -> None:
    with odd({"PROPPATCH": taking()}) as (side, peer):
        side.amend(CALENDAR, Properties(name="a\x00b\x1bc & <d>\ud800"))
        assert b">abc &amp; &lt;d&gt;<" in peer.seen[-1].body


class Maker:
    """A server on which collections are made, each kind of request refused as the test says."""

    def __init__(self, refused: dict[str, Reply], *, only_plain: bool = False, loses: bool = False) -> None:
        self.refused, self.only_plain, self.loses = refused, only_plain, loses
        self.made: dict[str, bytes] = {}

    def make(self, request: Request) -> Reply:
        if request.method in self.refused:
            return self.refused[request.method]
        if request.path in self.made:
            return Reply(405)
        if self.only_plain and (b"displayname" in request.body or "%" in request.path):
            return Reply(403)
        self.made[request.path] = request.body
        return Reply(hang_up=True) if self.loses else Reply(201)

    def look(self, request: Request) -> Reply | str:
        if request.path not in self.made:
            return Reply(404)
        kind = "R:addressbook" if b"addressbook" in self.made[request.path] else "C:calendar"
        return multistatus(response(request.path, folder(kind)))

    def answers(self) -> dict[str, Answer]:
        return {"MKCALENDAR": self.make, "MKCOL": self.make, "PROPFIND": self.look, "PROPPATCH": taking("displayname")}


def test_collections_are_made_by_their_own_request() -> None:
    server = Maker({})
    with odd(server.answers()) as (side, peer):
        side.make(Kind.CALENDAR, "work", Properties(name="Work", components=frozenset({"VEVENT"})))
        side.make(Kind.ADDRESS_BOOK, "friends", Properties(name="Friends"))
        assert [one.method for one in peer.seen if one.method.startswith("MK")] == ["MKCALENDAR", "MKCOL"]
    assert b'comp name="VEVENT"' in server.made["/home/work/"]
    assert b"addressbook" in server.made["/home/friends/"]


def test_a_server_without_mkcalendar_is_asked_by_mkcol() -> None:
    server = Maker({"MKCALENDAR": Reply(501)})
    with odd(server.answers()) as (side, _peer):
        assert side.make(Kind.CALENDAR, "work", Properties(name="Work")).key == "/home/work/"
    assert b"mkcol" in server.made["/home/work/"]


def test_a_server_that_takes_plain_names_only_gets_one() -> None:
    server = Maker({}, only_plain=True)
    with odd(server.answers()) as (side, _peer):
        found = side.make(Kind.CALENDAR, "wörk 1", Properties(name="Wörk"))
        again = side.make(Kind.CALENDAR, "wörk 2", Properties(name="Wörk"))
    assert found.slug.startswith("w-rk-1-")
    assert found.slug != again.slug


def test_a_collection_whose_answer_was_lost_is_the_one_that_was_made() -> None:
    server = Maker({}, loses=True)
    with odd(server.answers()) as (side, _peer):
        assert side.make(Kind.CALENDAR, "work", Properties()).slug == "work"
        with pytest.raises(CollectionError, match="already"):
            side.make(Kind.CALENDAR, "work", Properties())


def test_a_server_that_makes_nothing_is_told() -> None:
    refused = {"MKCALENDAR": Reply(403, b"not here"), "MKCOL": Reply(403, b"not here")}
    with odd(Maker(refused).answers()) as (side, _peer), pytest.raises(ServerError, match="not here") as caught:
        side.make(Kind.CALENDAR, "work", Properties())
    assert isinstance(caught.value, CollectionError)
    assert caught.value.where["collection"] == "work"


def test_a_full_account_is_no_bad_collection() -> None:
    with odd(Maker({"MKCALENDAR": Reply(507)}).answers()) as (side, _peer), pytest.raises(OverQuotaError):
        side.make(Kind.CALENDAR, "work", Properties())
