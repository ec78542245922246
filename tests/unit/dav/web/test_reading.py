# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Objects from servers that answer for many at once, for some of them, or for none."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection
from ansible_collections.atmail.migration.plugins.module_utils.dav.web import reading
from ansible_collections.atmail.migration.plugins.module_utils.errors import CollectionError, ConnectionLostError

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


@pytest.mark.parametrize("names", [["3.vcf", "4.vcf", "odd.vcf"], ["4.vcf"]])
def test_cards_that_a_server_makes_older_are_asked_for_as_they_are(names: list[str]) -> None:
    stored = {
        "3.vcf": CARD,
        "4.vcf": CARD.replace("3.0", "4.0").replace("FN", "KIND:group\nFN"),
        "odd.vcf": CARD.replace("3.0", "2.1").replace("FN", "AGENT:x\nFN"),
    }

    def given(text: str, version: str) -> str:
        """As the server gives it out: all in one version."""
        old = text.replace("KIND:", "X-ADDRESSBOOKSERVER-KIND:") if version == "3.0" else text.replace("AGENT:x\n", "")
        return old.replace("VERSION:4.0", f"VERSION:{version}").replace("VERSION:3.0", f"VERSION:{version}")

    def report(request: Request) -> str:
        version = "4.0" if b'version="4.0"' in request.body else "3.0"
        found = []
        for href in hrefs(request):
            text = stored[href.rpartition("/")[2]]
            length = f"<getcontentlength>{len(text.replace(chr(10), chr(13) + chr(10)).encode())}</getcontentlength>"
            found.append(response(href, etag('"1"') + length + data(given(text, version), "R:address-data")))
        return multistatus(*found)

    with odd({"REPORT": report}) as (side, peer):
        items = {item.name: item.data.decode().replace("\r\n", "\n") for item in side.read(BOOK, names)}
        assert peer.count("REPORT") == 2
        assert peer.count("GET") == 0
    assert items == {name: stored[name] for name in names if name != "odd.vcf"} | (
        {"odd.vcf": given(stored["odd.vcf"], "3.0")} if "odd.vcf" in names else {}
    )


@pytest.mark.parametrize("honest", [True, False])
def test_cards_that_are_as_long_in_both_versions_are_searched_for(honest: bool) -> None:
    stored = {"3.vcf": CARD, "4.vcf": CARD.replace("3.0", "4.0")}

    def report(request: Request) -> str:
        if b"addressbook-query" in request.body:
            return multistatus(
                *(response(f"/home/book/{name}") for name, text in stored.items()
                  if not honest or (b">4.0<" in request.body and "4.0" in text))
            )  # fmt: skip
        version = "4.0" if b'version="4.0"' in request.body else "3.0"
        text = CARD.replace("3.0", version)
        length = f"<getcontentlength>{len(text.encode())}</getcontentlength>"
        return multistatus(
            *(response(href, etag('"1"') + length + data(text, "R:address-data")) for href in hrefs(request))
        )

    types = '<R:supported-address-data><R:address-data-type version="4.0"/></R:supported-address-data>'
    with odd({"REPORT": report, "PROPFIND /home/book/": multistatus(response("/home/book/", types))}) as (side, _peer):
        items = {item.name: item.data.decode().replace("\r\n", "\n") for item in side.read(BOOK, list(stored))}
    assert items == (stored if honest else dict.fromkeys(stored, CARD))


def test_a_carriage_return_alone_comes_through() -> None:
    odd_one = EVENT.replace(b"UID:1", b"UID:1\r\nSUMMARY:one\rtwo")

    def report(request: Request) -> str:
        length = f"<getcontentlength>{len(odd_one)}</getcontentlength>"
        return multistatus(*(response(href, etag('"1"') + length + data(odd_one.decode())) for href in hrefs(request)))

    with odd({"REPORT": report, "GET": Reply(200, odd_one, (("ETag", '"1"'),))}) as (side, _peer):
        items = list(side.read(CALENDAR, ["a.ics", "b.ics"]))
    assert [item.data for item in items] == [odd_one, odd_one]


@pytest.mark.parametrize(("collection", "tag"), [(CALENDAR, "C:calendar-data"), (BOOK, "R:address-data")])
def test_lengths_that_mean_something_else_are_soon_passed_over(collection: Collection, tag: str) -> None:
    def report(request: Request) -> str:
        length = "<getcontentlength>4711</getcontentlength>"
        return multistatus(
            *(response(href, etag('"1"') + length + data(EVENT.decode(), tag)) for href in hrefs(request))
        )

    with odd({"REPORT": report, "GET": Reply(200, EVENT, (("ETag", '"1"'),))}) as (side, peer):
        names = [f"{number}.ics" for number in range(300)]
        assert {item.data for item in side.read(collection, names)} == {EVENT}
        assert peer.count("GET") == 8
        assert peer.count("REPORT") <= 3


def test_what_comes_without_a_length_is_whole() -> None:
    """Servers that say no length: where a connection breaks, the object seems to end."""
    parts = [EVENT[:30], EVENT[:50], EVENT, EVENT[:30], EVENT[:30]]

    def cut(_request: Request) -> Reply:
        return Reply(200, parts.pop(0), endless=True)

    with odd({"REPORT": Reply(405), "GET": cut}) as (side, _peer):
        assert [item.data for item in side.read(CALENDAR, ["a.ics"])] == [EVENT]
        assert [item.data for item in side.read(CALENDAR, ["no-end.ics"])] == [EVENT[:30]]
        parts.extend(EVENT[:number] for number in range(20, 30))
        with pytest.raises(ConnectionLostError):
            list(side.read(CALENDAR, ["a.ics"]))


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
