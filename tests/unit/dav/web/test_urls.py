# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Addresses in every encoding that servers write."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.web import urls
from ansible_collections.atmail.migration.plugins.module_utils.errors import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

BASE = "https://dav.example:8443/dav/"
NAMES = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=20).filter(
    lambda name: urls.usable(name) and name == name.strip()
)


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("/user@x/cal/a b.ics", "/user@x/cal/a%20b.ics"),
        ("/user%40x/cal/a%20b.ics", "/user%40x/cal/a%20b.ics"),
        ("/cal/ä€.ics", "/cal/%C3%A4%E2%82%AC.ics"),
        ("/cal/100%.ics", "/cal/100%25.ics"),
        ("cal/x.ics", "/dav/cal/x.ics"),
        ("http://dav.example/cal/x.ics", "/cal/x.ics"),
        ("https://dav.example:8443/cal/x.ics#part", "/cal/x.ics"),
        ("  /cal/\n", "/cal/"),
    ],
)
def test_whatever_a_server_writes_is_an_address_of_it(href: str, path: str) -> None:
    found = urls.resolve(BASE, href)
    assert found == f"https://dav.example:8443{path}"
    assert urls.key_of(BASE, found) == path.replace("%40", "@")


def test_a_collection_is_called_the_same_in_every_encoding() -> None:
    written = ("/ann%40x/c%C3%A4l%2Fx/", "/ann@x/c%c3%a4l%2fx/", "/%61nn@x/cäl%2Fx/")
    assert {urls.key_of(BASE, urls.resolve(BASE, one)) for one in written} == {"/ann@x/c%C3%A4l%2Fx/"}


def test_another_host_stays_another_host() -> None:
    found = urls.resolve(BASE, "https://p01.example/cal/")
    assert urls.key_of(BASE, found) == found == "https://p01.example/cal/"


@pytest.mark.parametrize("href", ["http://[x/", "https://other.example:port/"])
def test_what_is_no_address_is_told(href: str) -> None:
    with pytest.raises(ProtocolError):
        urls.resolve(BASE, href)


@given(NAMES)
def test_a_name_comes_back_from_its_segment(name: str) -> None:
    url = urls.folder(BASE) + urls.segment(name)
    assert urls.name_of(url) == name
    assert urls.resolve(BASE, urlsplit(url).path) == url
    assert urls.inside(BASE, url)


@given(st.text(max_size=40))
def test_no_text_of_a_server_makes_more_than_an_error_of_ours(href: str) -> None:
    try:
        found = urls.resolve(BASE, href)
    except ProtocolError:
        return
    assert isinstance(urls.name_of(found), str)
    assert found.isascii() or urlsplit(found).hostname != "dav.example"


def test_what_is_no_utf_8_stays_encoded() -> None:
    assert urls.name_of("/cal/%E9t%E9.ics") == "%E9t%E9.ics"


def test_the_same_path_is_known_in_every_encoding() -> None:
    assert urls.decoded("https://x/user%40x/c%C3%A4l/") == urls.decoded("/user@x/cäl")
    assert urls.inside("/user@x/cal/", "/user%40x/cal/x.ics")
    assert not urls.inside("/user@x/cal/", "/user%40x/cal/deeper/x.ics")
    assert not urls.inside("/user@x/cal/", "/user%40x/calendar.ics")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0", "a\nb", "a\u202eb"])
def test_names_that_nothing_can_have(name: str) -> None:
    assert not urls.usable(name)


def test_a_user_stays_one_segment_of_a_template() -> None:
    assert urls.filled("/principals/{user}/", "a/../b@x") == "/principals/a%2F..%2Fb@x/"
