# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Lists of addresses as users typed them, and texts with HTML entities."""

from __future__ import annotations

import html

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.addresses import address_fault
from ansible_collections.atmail.migration.plugins.module_utils.platforms.rows import Row
from ansible_collections.atmail.migration.plugins.module_utils.platforms.texts import lines, unescaped
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract.contacts import People, permission
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract.external import polled
from ansible_collections.atmail.migration.plugins.module_utils.settings.extract.lists import addresses, entries
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    ExternalAccount,
    Permission,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.profiles import source_profile
from hypothesis import given
from hypothesis import strategies as st

WORDS = source_profile("atmail").permission_words
PEOPLE = People({"ann@a.example": Account("ann@a.example", "ann@a.example")}, ("a.example",), ("Premium",))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", []),
        ("a@x.example", ["a@x.example"]),
        ("a@x.example,b@x.example; c@x.example\r\nd@x.example", [f"{each}@x.example" for each in "abcd"]),
        ('"Bolt, Ann" <a@x.example>, Bob <b@x.example>', ["a@x.example", "b@x.example"]),
        ("|/usr/bin/procmail -f x, a@x.example", ["|/usr/bin/procmail -f x", "a@x.example"]),
        ("/var/mail/x y", ["/var/mail/x y"]),
        ("<>", []),
    ],
)
def test_entries(value: str, found: list[str]) -> None:
    assert list(entries(value)) == found


def test_addresses_and_what_is_none() -> None:
    found = addresses("Ann@X.example, ann@x.example, nobody, \\eve@x.example, mailto:Zoe@x.example")
    assert found.valid == ("ann@x.example", "eve@x.example", "zoe@x.example")
    assert [what for what, _why in found.faults] == ["nobody"]


NAMES = st.lists(st.from_regex(r"[a-z0-9.+_-]{1,10}@[a-z]{1,8}\.example", fullmatch=True), max_size=5, unique=True)


@given(names=NAMES, between=st.sampled_from([", ", ";", "\r\n", " ", ",,; "]))
def test_what_was_put_together_comes_apart(names: list[str], between: str) -> None:
    assert addresses(between.join(names)).valid == tuple(names)


@given(value=st.text())
def test_any_text_is_taken_apart(value: str) -> None:
    found = addresses(value)
    assert all(address_fault(address) is None for address in found.valid)
    assert all(what.isprintable() and why for what, why in found.faults)


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("&lt;b&gt; &amp; &eacute;", "<b> & é"),
        ("J&Atilde;&frac14;rgen", "Jürgen"),
        ("&acirc;\u201a\u00ac 5", "€ 5"),
        ("Ã¼", "Ã¼"),
        ("AT&T &copy", "AT&T &copy"),
        ("&#38;lt;", "&lt;"),
        ("{{ &quot;x&quot; }}", '{{ "x" }}'),
    ],
)
def test_entities(stored: str, text: str) -> None:
    assert unescaped(stored) == text


@given(text=st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_what_was_escaped_comes_back(text: str) -> None:
    assert unescaped(html.escape(text)) == text


@given(text=st.text())
def test_lines_end_in_one_way(text: str) -> None:
    assert "\r" not in lines(text)


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("All Users", Permission("everyone")),
        ("all users", Permission("everyone")),
        ("Ann@A.example", Permission("account:ann@a.example")),
        ("A.example", Permission("domain:a.example")),
        ("premium", Permission("group:Premium")),
        ("gone@a.example", None),
        ("", None),
    ],
)
def test_permissions(subject: str, found: Permission | None) -> None:
    granted = permission(subject, "1", WORDS, PEOPLE)
    assert granted == found if found else isinstance(granted, str)
    assert isinstance(permission(subject, "4", WORDS, PEOPLE), str)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (("POP3", "Pop.Far.example ", "eve", "0"), ExternalAccount("pop3", "pop.far.example", "eve", tls=False)),
        (("imap", "far.example", " eve", "1"), ExternalAccount("imap", "far.example", "eve")),
        (("imaps", "far.example", "eve", None), ExternalAccount("imap", "far.example", "eve")),
        (("nntp", "far.example", "eve", "1"), None),
        (("imap", "", "eve", "1"), None),
        (("imap", "far example", "eve", "1"), None),
        (("imap", "far.example", " ", "1"), None),
    ],
)
def test_polled_mailboxes(values: tuple[str | None, ...], found: ExternalAccount | None) -> None:
    external = polled(Row(dict(zip(("protocol", "host", "user", "tls"), values, strict=True))))
    assert external == found if found else isinstance(external, str)
