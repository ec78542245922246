# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Connections to a CalDAV server that end at any byte: what is told is whole, what is written is there once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection, Kind, Properties
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.server import WebServer
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.side import WebSide, open_web
from ansible_collections.atmail.migration.plugins.module_utils.errors import ConnectionLostError, ObjectChangedError

from tests.lab.objects import Thing
from tests.lab.radicale import DavCloud

from .proxy import Cut, cutting

USER, PASSWORD = "ann@acme.example", "geheim"
#: Bytes of one direction: within the first headers, between requests, within a listing, within a report.
PLACES = (0, 1, 40, 200, 700, 1500, 2500, 4000, 6000, 9000)
COUNT = 12


def event(uid: str) -> bytes:
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Acme//Test//DE", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20260101T100000Z", "DTSTART:20260102T100000Z", "DURATION:PT1H", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


@pytest.fixture(scope="module")
def cloud() -> Iterator[DavCloud]:
    with DavCloud.temporary({USER: PASSWORD}) as made:
        things = [Thing(f"{number}.ics", event(f"uid-{number}")) for number in range(COUNT)]
        made.radicale.write(USER, "full", things, D__displayname="full")
        yield made


@contextmanager
def cut_off(cloud: DavCloud, cut: Cut) -> Iterator[tuple[WebSide, int]]:
    """Ann's side behind a proxy that cuts, and the proxy's port."""
    with cutting(cloud.radicale.setup.port, cut) as proxy:
        options = {"url": f"http://127.0.0.1:{proxy.port}/", "allow_plaintext": True, "timeout": 10.0}
        with closing(open_web(WebServer.from_options("target", options), USER, PASSWORD)) as side:
            yield side, proxy.port


def whole(side: WebSide) -> tuple[set[str], set[bytes]]:
    """Names and texts of all that is in the calendar that is full."""
    collection = next(one for one in side.survey().collections if one.slug == "full")
    listed = side.changes(collection)
    assert listed.whole
    return set(listed.versions), {item.data for item in side.read(collection, list(listed.versions))}


@pytest.mark.parametrize("towards", ["client", "server"])
@pytest.mark.parametrize("after", PLACES)
def test_a_connection_that_is_cut_once_costs_nothing(cloud: DavCloud, towards: str, after: int) -> None:
    with cut_off(cloud, Cut(after, towards, hard=after % 2 == 0)) as (side, _port):
        names, texts = whole(side)
    assert names == {f"{number}.ics" for number in range(COUNT)}
    assert len(texts) == COUNT


@pytest.mark.parametrize("towards", ["client", "server"])
@pytest.mark.parametrize("after", [0, 60, 300])
def test_connections_that_are_always_cut_are_told(cloud: DavCloud, towards: str, after: int) -> None:
    with cut_off(cloud, Cut(after, towards, times=1000)) as (side, _port), pytest.raises(ConnectionLostError):
        whole(side)


@pytest.mark.parametrize("towards", ["client", "server"])
@pytest.mark.parametrize("after", [0, 60, 300, 600, 900, 1200])
def test_what_is_written_while_a_connection_is_cut_is_there_once(cloud: DavCloud, towards: str, after: int) -> None:
    slug = f"cut-{towards}-{after}"
    with closing(
        open_web(WebServer.from_options("target", {"url": cloud.plain_url, "allow_plaintext": True}), USER, PASSWORD)
    ) as sound:
        collection: Collection = sound.make(Kind.CALENDAR, slug, Properties(name=slug))
        with cut_off(cloud, Cut(after, towards)) as (side, _port):
            for number in range(4):
                try:
                    side.put(collection, f"{number}.ics", event(f"{slug}-{number}"), version=None)
                except ObjectChangedError:
                    pytest.fail("our own object was taken for somebody else's")
        found = sound.changes(collection)
        assert set(found.versions) == {f"{number}.ics" for number in range(4)}
        with cut_off(cloud, Cut(after, towards)) as (side, _port):
            for name, version in found.versions.items():
                side.remove(collection, name, version=version)
        assert not sound.changes(collection).versions
