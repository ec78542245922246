# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is in a collection, from servers that page, forget tokens, lack ETags, or do not tell all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.listing import digest, version
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    CollectionError,
    ProtocolError,
    ServerFaultError,
)

from tests.unit.transport.http_peer import Reply, Request

from .odd import CALENDAR, EVENT, Answer, etag, folder, multistatus, odd, response

SYNCING = replace(CALENDAR, state="sync:3")
INVALID = Reply(403, b'<error xmlns="DAV:"><valid-sync-token/></error>')


def listing(*names: str, tag: str = "t1") -> str:
    own = response("/home/cal/", folder() + f"<S:getctag>{tag}</S:getctag>")
    return multistatus(own, *(response(f"/home/cal/{name}", etag(f'"{name}"')) for name in names))


def test_changes_are_asked_for_by_token() -> None:
    page = multistatus(
        response("/home/cal/new.ics", etag('"1"')), response("/home/cal/old.ics", whole="404 Not Found"), token="4"
    )
    with odd({"REPORT": page}) as (side, peer):
        found = side.changes(SYNCING, "sync:3")
    assert (dict(found.versions), set(found.removed)) == ({"new.ics": '"1"'}, {"old.ics"})
    assert (found.state, found.whole) == ("sync:4", False)
    assert b"<D:sync-token>3</D:sync-token>" in peer.seen[-1].body
    assert peer.seen[-1].headers["Depth"] == "0"


def test_a_server_that_pages_is_asked_until_it_has_told_all() -> None:
    def pages(request: Request) -> str:
        more = response("/home/cal/", whole="507 Insufficient Storage")
        if b"sync-token>3<" in request.body:
            first = (response("/home/cal/a.ics", etag('"1"')), response("/home/cal/b.ics", whole="404 Not Found"))
            return multistatus(*first, more, token="4")
        if b"sync-token>4<" in request.body:
            return multistatus(
                response("/home/cal/b.ics", etag('"2"')), response("/home/cal/a.ics", whole="404 Gone"), more, token="5"
            )
        return multistatus(token="6")

    with odd({"REPORT": pages}) as (side, peer):
        found = side.changes(SYNCING, "sync:3")
        assert peer.count("REPORT") == 3
    assert (dict(found.versions), set(found.removed), found.state) == ({"b.ics": '"2"'}, {"a.ics"}, "sync:6")


def test_a_server_that_pages_in_circles_is_told() -> None:
    page = multistatus(response("/home/cal/", whole="507 Insufficient Storage"), token="3")
    with odd({"REPORT": page}) as (side, _peer), pytest.raises(CollectionError, match="circles"):
        side.changes(SYNCING, "sync:3")


@pytest.mark.parametrize("refusal", [INVALID, Reply(409), Reply(400), Reply(415), Reply(501), Reply(500)])
def test_a_token_that_is_refused_costs_a_whole_listing(refusal: Reply) -> None:
    def report(request: Request) -> Reply | str:
        if b"<D:sync-token>3<" in request.body:
            return refusal
        return multistatus(response("/home/cal/", folder()), response("/home/cal/a.ics", etag('"1"')), token="9")

    with odd({"REPORT": report}) as (side, _peer):
        found = side.changes(SYNCING, "sync:3")
    assert (dict(found.versions), found.whole, found.state) == ({"a.ics": '"1"'}, True, "sync:9")


def test_a_server_that_lists_no_changes_at_all_is_listed_whole() -> None:
    with odd({"REPORT": Reply(501), "PROPFIND /home/cal/": listing("a.ics", "b.ics")}) as (side, _peer):
        found = side.changes(SYNCING, "sync:3")
    assert (set(found.versions), found.whole, found.state) == ({"a.ics", "b.ics"}, True, "ctag:t1")


def test_a_tag_that_did_not_change_costs_one_question() -> None:
    with odd({"PROPFIND /home/cal/": listing("a.ics")}) as (side, peer):
        found = side.changes(CALENDAR, "ctag:t1")
        assert (dict(found.versions), found.whole, found.state) == ({}, False, "ctag:t1")
        assert peer.count("PROPFIND") == 1
        found = side.changes(CALENDAR, "ctag:t0")
        assert (set(found.versions), found.whole) == ({"a.ics"}, True)


def test_the_state_of_a_listing_is_older_than_the_listing() -> None:
    tags = iter(["t1", "t2", "t3"])
    with odd({"PROPFIND /home/cal/": lambda _request: listing("a.ics", tag=next(tags))}) as (side, _peer):
        assert side.changes(CALENDAR).state == "ctag:t1"


def test_only_objects_right_in_the_collection_count() -> None:
    others = multistatus(
        response("/home/cal/", folder()),
        response("/home/cal/a.ics", etag('"1"')),
        response("/home/cal/deeper/", folder()),
        response("/home/cal/deeper", "<resourcetype><collection/></resourcetype>" + etag('"2"')),
        response("/home/cal/deeper/b.ics", etag('"3"')),
        response("/home/other/c.ics", etag('"4"')),
        response("http://127.0.0.1:8080/home/cal/d.ics", etag('"5"')),
        response("https://evil.example/home/cal/e.ics", etag('"6"')),
    )
    with odd({"PROPFIND /home/cal/": others}) as (side, _peer):
        assert set(side.changes(CALENDAR).versions) == {"a.ics", "d.ics"}


def test_hrefs_in_any_encoding_are_names() -> None:
    odd_ones = multistatus(
        response("/home/cal", folder()),
        response("/home/cal/a b&c.ics", etag('"1"')),
        response("/home/c%61l/%C3%A4%2B.ics", etag('"2"')),
        response("/home/cal/100%.ics", etag('"3"')),
    )
    with odd({"PROPFIND /home/cal/": odd_ones, "GET": Reply(200, EVENT), "PUT": Reply(204)}) as (side, peer):
        assert set(side.changes(CALENDAR).versions) == {"a b&c.ics", "ä+.ics", "100%.ics"}
        list(side.read(CALENDAR, ["ä+.ics"]))
        side.put(CALENDAR, "100%.ics", EVENT, version='"3"')
        assert [one.path for one in peer.seen if one.method in ("GET", "PUT")] == [
            "/home/c%61l/%C3%A4%2B.ics",
            "/home/cal/100%25.ics",
        ]


@pytest.mark.parametrize(
    "answer",
    [
        multistatus(response("/home/cal/a.ics", etag('"1"'))),
        multistatus(response("/home/cal/", whole="507 Insufficient Storage"), response("/home/cal/a.ics", etag('"1"'))),
        multistatus(),
    ],
)
def test_a_listing_that_is_not_whole_is_none(answer: str) -> None:
    def propfind(request: Request) -> str:
        return answer if request.headers["Depth"] == "1" else listing()

    with odd({"PROPFIND /home/cal/": propfind}) as (side, _peer), pytest.raises(CollectionError):
        side.changes(CALENDAR)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(404), CollectionError),
        (Reply(403), CollectionError),
        (Reply(500), ServerFaultError),
        (Reply(207, b"<multistatus"), ProtocolError),
        (Reply(207, b"<html></html>"), ProtocolError),
        (Reply(207, b'<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>'), ProtocolError),
        (Reply(200, b"It works!"), CollectionError),
    ],
)
def test_what_is_no_listing_is_told(answer: Reply, error: type[Exception]) -> None:
    with odd({"PROPFIND /home/cal/": answer}) as (side, _peer), pytest.raises(error) as caught:
        side.changes(CALENDAR)
    assert caught.value.where["collection"] == "/home/cal/"  # type: ignore[attr-defined]  # all of them are ours


def test_an_object_that_is_kept_back_is_neither_gone_nor_forgotten() -> None:
    answer = multistatus(
        response("/home/cal/", folder()),
        response("/home/cal/a.ics", whole="403 Forbidden"),
        response("/home/cal/b.ics", whole="404 Not Found"),
    )
    with odd({"PROPFIND /home/cal/": answer}) as (side, _peer):
        found = side.changes(CALENDAR)
    assert set(found.versions) == {"a.ics"}
    assert [(one.kind, one.level, one.name) for one in found.findings] == [("object_unreadable", "error", "a.ics")]


def test_without_etags_the_text_itself_is_the_version() -> None:
    texts = {"/home/cal/a.ics": EVENT, "/home/cal/b.ics": EVENT.replace(b"UID:1", b"UID:2")}
    answers: dict[str, Answer] = {
        "PROPFIND /home/cal/": multistatus(response("/home/cal/", folder()), *(response(one) for one in texts)),
        "REPORT": Reply(405),
        "GET": lambda request: Reply(200, texts[request.path]),
    }
    with odd(answers) as (side, _peer):
        found = side.changes(CALENDAR)
        assert dict(found.versions) == {"a.ics": digest(EVENT), "b.ics": digest(texts["/home/cal/b.ics"])}
        assert {item.name: item.version for item in side.read(CALENDAR, ["a.ics"])} == {"a.ics": digest(EVENT)}


@pytest.mark.parametrize(
    ("etag_", "expected"),
    [
        ('"abc"', '"abc"'),
        (' "abc" ', '"abc"'),
        ("abc", '"abc"'),
        ('W/"abc"', 'W/"abc"'),
        ("w/ abc", 'W/"abc"'),
        ('""', None),
        ("", None),
        (None, None),
    ],
)
def test_etags_are_the_same_however_they_are_written(etag_: str | None, expected: str | None) -> None:
    assert version(etag_) == expected


def test_line_ends_do_not_make_another_text() -> None:
    assert digest(b"a\r\nb\r\n") == digest(b"a\nb\n") != digest(b"a\nc\n")
