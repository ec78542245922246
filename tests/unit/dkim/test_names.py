# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
from __future__ import annotations

from datetime import date

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dkim.names import (
    fresh_selector,
    record_name,
    selector_name,
    signing_domain,
)
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("acme.example", "acme.example"),
        ("ACME.Example.", "acme.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("a.b-c.d2.example", "a.b-c.d2.example"),
    ],
)
def test_domains(given_name: str, name: str) -> None:
    assert signing_domain(given_name) == name


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "example",
            "a b.example",
            "../etc.example",
            "a/b.example",
            "a\nb.example",
            "a:b.example",
            "-a.example",
            "a..b",
        ],
        *[
            "*.example",
            "a_b.example",
            "{{ x }}.example",
            "'.example",
            "\0.example",
            "x" * 64 + ".example",
            "😀.example",
        ],
    ],
)
def test_what_is_no_domain_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError) as caught:
        signing_domain(text)
    assert caught.value.where == {"option": "domain"}


@given(st.text(max_size=40))
def test_whatever_is_given_nothing_dangerous_comes_out(text: str) -> None:
    for call in (signing_domain, lambda name: selector_name(name, "acme.example")):
        try:
            name = call(text)
        except InputError:
            continue
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert not name.startswith(".")
        assert ".." not in name


@pytest.mark.parametrize("text", ["s1", "2026-11", "a.b", "S1"])
def test_selectors(text: str) -> None:
    assert selector_name(text, "acme.example") == text.lower()


@pytest.mark.parametrize("text", ["", ".", "a.", "a/b", "..", "a b", "s_1", "ü", "-a", "a-", "a\n", "$x", "x" * 64])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no selector"):
        selector_name(text, "acme.example")


def test_a_record_has_a_name_that_dns_can_hold() -> None:
    domain = ".".join(["x" * 60] * 3) + ".example"
    selector_name("s" * 40, domain)
    with pytest.raises(InputError, match="longer than 253"):
        selector_name("s" * 63, domain)
    assert record_name("s1", "acme.example") == "s1._domainkey.acme.example"


def test_a_fresh_selector_was_never_there() -> None:
    day = date(2026, 11, 23)
    assert fresh_selector("atmail", "rsa", day, frozenset()) == "atmail-rsa-20261123"
    taken = frozenset({"atmail-rsa-20261123", "atmail-rsa-20261123-2"})
    assert fresh_selector("atmail", "rsa", day, taken) == "atmail-rsa-20261123-3"
