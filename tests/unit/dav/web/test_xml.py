# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Answers that are read, and bodies that are sent, whatever is in them."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.web import xml
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.names import cal, dav
from ansible_collections.atmail.migration.plugins.module_utils.errors import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

from .odd import EVENT, etag, multistatus, response

PAGE = multistatus(
    response("/home/cal/a.ics", etag('"1"') + f"<C:calendar-data>{EVENT.decode()}</C:calendar-data>"),
    response("/home/cal/gone.ics", whole="404 Not Found"),
    token="7",
).encode()


def test_an_answer_says_what_each_resource_has_and_has_not() -> None:
    answer = """<?xml version="1.0"?>
    <x:multistatus xmlns:x="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
      <x:response><x:href> /a/ </x:href>
        <x:propstat><x:prop><x:getetag>1</x:getetag></x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat>
        <x:propstat><x:prop><x:displayname/></x:prop><x:status>HTTP/1.1 404 Not Found</x:status></x:propstat>
        <x:error><c:valid-calendar-data/></x:error></x:response>
      <x:response><x:href>/b</x:href><x:href>/c</x:href><x:status>HTTP/1.1 423 Locked</x:status></x:response>
      <x:response/>
      <x:sync-token> t </x:sync-token>
    </x:multistatus>"""
    found = xml.multistatus(answer.encode())
    assert [(one.href, one.status) for one in found.responses] == [("/a/", 200), ("/b", 423), ("/c", 423)]
    first = found.responses[0]
    assert (xml.text(first.props[dav("getetag")]), dict(first.refused)) == ("1", {dav("displayname"): 404})
    assert (first.condition, found.sync_token) == ("valid-calendar-data", "t")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no xml",
        b"<a><b></a>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<multistatus/>",
        b"\xff\xfe<\x00",
    ],
)
def test_what_is_no_answer_of_dav_is_told(answer: bytes) -> None:
    with pytest.raises(ProtocolError):
        xml.multistatus(answer)


@given(st.lists(st.tuples(st.integers(0, len(PAGE) - 1), st.binary(max_size=3)), max_size=4), st.integers(0, len(PAGE)))
def test_garbled_answers_are_answers_or_errors_of_ours(changes: list[tuple[int, bytes]], end: int) -> None:
    garbled = bytearray(PAGE)
    for place, byte in changes:
        garbled[place : place + len(byte)] = byte
    with contextlib.suppress(ProtocolError):
        for one in xml.multistatus(bytes(garbled)).responses:
            assert isinstance(one.status, int)
    if end < len(PAGE):
        with pytest.raises(ProtocolError):
            xml.multistatus(PAGE[:end])


@given(st.text())
def test_any_text_can_be_sent(value: str) -> None:
    body = xml.serialised(xml.element(dav("prop"), None, xml.element(cal("calendar-description"), value)))
    (found,) = xml.parse(body)
    sent = (found.text or "").replace("\r\n", "\n").replace("\r", "\n")
    assert sent == xml.legal(value).replace("\r\n", "\n").replace("\r", "\n")


def test_prefixes_are_the_usual_ones() -> None:
    assert b'<D:propfind xmlns:D="DAV:"><D:prop><D:getetag /></D:prop></D:propfind>' in xml.propfind([dav("getetag")])
