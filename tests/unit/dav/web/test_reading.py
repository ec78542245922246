# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Objects from servers that answer for many at once, for some of them, or for none."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.web import reading
from ansible_collections.atmail.migration.plugins.module_utils.errors import CollectionError

from tests.unit.transport.http_peer import Reply, Request

from .odd import BOOK, CALENDAR, EVENT, Answer, etag, hrefs, multistatus, odd, response

CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ä & <b>\nEND:VCARD\n"


def data(text: str, tag: str = "C:calendar-data") -> str:
    return f"<{tag}>{escape(text)}</{tag}>"


def stored(request: Request) -> str:
    """A server that has whatever it is asked for."""
    found = (response(href, etag(f'"{href}"') + data(EVENT.decode())) for href in hrefs(request))
    return multistatus(*found)


def test_many_objects_come_in_one_answer() -> None:
    names = [f"{number}.ics" for number in range(600)]
    with odd({"REPORT": stored}) as (side, peer):
        items = list(side.read(CALENDAR, names))
        assert peer.count("REPORT") <= 4
        assert peer.count("GET") == 0
    assert [item.name for item in items] == names
    assert all(item.data == EVENT for item in items)
    assert items[5].version == '"/home/cal/5.ics"'


def test_large_objects_come_fewer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BYTES", 2000)
    monkeypatch.setattr(reading, "_GUESS", 100)
    asked: list[int] = []

    def report(request: Request) -> str:
        asked.append(len(hrefs(request)))
        return multistatus(*(response(href, etag('"1"') + data("x" * 500)) for href in hrefs(request)))

    with odd({"REPORT": report}) as (side, _peer):
        assert len(list(side.read(CALENDAR, [f"{number}.ics" for number in range(40)]))) == 40
    assert asked == [20, 4, 4, 4, 4, 4]


def test_an_answer_that_is_too_long_is_asked_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MAX_ANSWER", 100)
    with odd({"REPORT": stored, "GET": Reply(200, EVENT, (("ETag", '"1"'),))}) as (side, _peer):
        items = list(side.read(CALENDAR, ["a.ics", "b.ics"]))
    assert [(item.name, item.data) for item in items] == [("a.ics", EVENT), ("b.ics", EVENT)]


@pytest.mark.parametrize("status", [400, 403, 405, 501, 500])
def test_a_server_without_the_report_is_asked_one_by_one_from_then_on(status: int) -> None:
    with odd({"REPORT": Reply(status), "GET": Reply(200, EVENT, (("ETag", '"1"'),))}) as (side, peer):
        for _number in range(2):
            assert len(list(side.read(CALENDAR, ["a.ics", "b.ics"]))) == 2
        assert (peer.count("REPORT"), peer.count("GET")) == (1, 4)


@pytest.mark.parametrize("rubbish", ["\x0b", "\x00", "\ufffe"])
def test_characters_that_xml_does_not_have_cost_single_requests(rubbish: str) -> None:
    odd_one = EVENT.replace(b"UID:1", b"UID:" + rubbish.encode())

    def report(request: Request) -> str:
        return multistatus(*(response(href, etag('"1"') + data(odd_one.decode())) for href in hrefs(request)))

    with odd({"REPORT": report, "GET": Reply(200, odd_one, (("ETag", '"1"'),))}) as (side, _peer):
        items = list(side.read(CALENDAR, ["a.ics", "b.ics"]))
    assert {item.data for item in items} in ({odd_one}, {EVENT.replace(b"UID:1", b"UID:" + rubbish.encode())})


def test_what_the_server_does_not_speak_of_is_asked_for_by_itself() -> None:
    def report(_request: Request) -> str:
        return multistatus(
            response("/home/cal/a.ics", etag('"1"') + data(EVENT.decode())),
            response("/home/cal/gone.ics", whole="404 Not Found"),
            response("/home/cal/gone2.ics", "<getetag/><C:calendar-data/>", "404 Not Found"),
            response("/home/cal/bare.ics", etag('"3"')),
        )

    answers: dict[str, Answer] = {
        "REPORT": report,
        "GET /home/cal/silent.ics": Reply(200, EVENT, (("ETag", 'W/"2"'),)),
        "GET /home/cal/bare.ics": Reply(200, EVENT),
    }
    wanted = ["a.ics", "gone.ics", "gone2.ics", "silent.ics", "bare.ics", "gone3.ics"]
    with odd(answers) as (side, _peer):
        items = {item.name: item for item in side.read(CALENDAR, wanted)}
    assert set(items) == {"a.ics", "silent.ics", "bare.ics"}
    assert items["silent.ics"].version == 'W/"2"'


def test_an_object_that_is_kept_back_comes_without_data_and_with_the_reason() -> None:
    answers: dict[str, Answer] = {
        "REPORT": multistatus(response("/home/cal/a.ics", whole="403 Forbidden")),
        "GET /home/cal/a.ics": Reply(403, b"not for you"),
        "GET /home/cal/b.ics": Reply(500, b"oops"),
    }
    with odd(answers) as (side, _peer):
        items = list(side.read(CALENDAR, ["a.ics", "b.ics"]))
    assert [(item.name, item.data, item.findings[0].kind) for item in items] == [
        ("a.ics", b"", "object_unreadable"),
        ("b.ics", b"", "object_unreadable"),
    ]
    assert "not for you" in items[0].findings[0].message


def test_line_ends_that_xml_took_away_are_given_back() -> None:
    def report(request: Request) -> str:
        return multistatus(
            *(response(href, etag('"1"') + data("\n" + CARD, "R:address-data")) for href in hrefs(request))
        )

    with odd({"REPORT": report}) as (side, _peer):
        (item, _other) = side.read(BOOK, ["a.vcf", "b.vcf"])
    assert item.data == CARD.replace("\n", "\r\n").encode()


def test_a_proxy_that_weakens_etags_makes_no_other_version() -> None:
    listing = multistatus(
        response("/home/cal/", "<resourcetype><collection/></resourcetype>"), response("/home/cal/a.ics", etag('"1"'))
    )
    with odd({"PROPFIND /home/cal/": listing, "GET": Reply(200, EVENT, (("ETag", 'W/"1"'),))}) as (side, _peer):
        versions = side.changes(CALENDAR).versions
        (item,) = side.read(CALENDAR, ["a.ics"])
    assert item.version == versions["a.ics"] == '"1"'


def test_a_collection_that_is_gone_is_told() -> None:
    with odd({"REPORT": Reply(404)}) as (side, _peer), pytest.raises(CollectionError):
        list(side.read(CALENDAR, ["a.ics", "b.ics"]))
