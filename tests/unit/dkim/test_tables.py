# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
from __future__ import annotations

import functools

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dkim.tables import (
    LAYOUTS,
    Backend,
    signing_selectors,
    with_keys,
    with_signing,
)
from ansible_collections.atmail.migration.plugins.module_utils.errors import DkimTableError
from hypothesis import given
from hypothesis import strategies as st

BACKENDS: list[Backend] = ["exim", "opendkim", "rspamd"]
DOMAIN = "acme.example"


@pytest.mark.parametrize(
    ("backend", "signing", "keys"),
    [
        (
            "exim",
            "acme.example: s1 : s2\n",
            "s1._domainkey.acme.example: /keys/s1.key\ns2._domainkey.acme.example: /keys/s2.key\n",
        ),
        (
            "opendkim",
            "*@acme.example s1._domainkey.acme.example\n*@acme.example s2._domainkey.acme.example\n",
            (
                "s1._domainkey.acme.example acme.example:s1:/keys/s1.key\n"
                "s2._domainkey.acme.example acme.example:s2:/keys/s2.key\n"
            ),
        ),
    ],
)
def test_tables_from_nothing(backend: Backend, signing: str, keys: str) -> None:
    layout = LAYOUTS[backend]
    assert with_signing("", layout, DOMAIN, ["s1", "s2"]) == signing
    assert with_keys("", layout, DOMAIN, ["s1", "s2"], "/keys") == keys
    assert signing_selectors(signing, layout, DOMAIN) == ["s1", "s2"]
    assert with_signing(signing, layout, DOMAIN, []) == ""
    assert with_keys(keys, layout, DOMAIN, [], "/keys") == ""


def test_rspamd_finds_the_file_by_the_selector() -> None:
    layout = LAYOUTS["rspamd"]
    assert with_signing("", layout, DOMAIN, ["s1"]) == "acme.example s1\n"
    assert with_keys("", layout, DOMAIN, ["s1", "s2"], "/keys") == "acme.example /keys/$selector.key\n"
    with pytest.raises(DkimTableError, match="with 1 key, not with 2"):
        with_signing("", layout, DOMAIN, ["s1", "s2"])


BY_HAND = """\
# acme.example: not this one
acme.example.org: a
  # a comment inside
other.example:  x :  y
\tz

Acme.Example: old
  : older
*@acme.example old._domainkey.acme.example
sub.acme.example b"""


def test_lines_of_others_stay_byte_by_byte() -> None:
    layout = LAYOUTS["exim"]
    assert signing_selectors(BY_HAND, layout, DOMAIN) == ["old", "older"]
    changed = with_signing(BY_HAND, layout, DOMAIN, ["new"])
    assert changed == BY_HAND.replace("Acme.Example: old\n  : older\n", "acme.example: new\n")
    assert with_signing(BY_HAND + "\r\n", layout, "a.example", ["s"]) == BY_HAND + "\r\na.example: s\n"
    assert with_signing(BY_HAND, layout, "a.example", ["s"]) == BY_HAND + "\na.example: s\n"
    assert with_signing(BY_HAND, layout, "a.example", []) == BY_HAND


def test_a_name_of_somebody_elses_key_is_seen() -> None:
    assert signing_selectors("*@acme.example theirs\n", LAYOUTS["opendkim"], DOMAIN) == ["theirs"]
    assert signing_selectors("acme.example theirs\n", LAYOUTS["rspamd"], DOMAIN) == ["theirs"]


names = st.lists(st.sampled_from(["s1", "s2", "a.b", "x-9"]), unique=True, max_size=3)
lines = st.lists(
    st.one_of(
        st.sampled_from(
            ["# c", "", "  more", "other.example: a : b", "*@other.example k", "s1._domainkey.b.example x"]
        ),
        st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20),
    ),
    max_size=8,
)


@given(lines, names, st.sampled_from(["exim", "opendkim"]), st.booleans())
def test_a_domain_comes_and_goes_and_nothing_else_is_touched(
    before: list[str], selectors: list[str], backend: Backend, ended: bool
) -> None:
    layout = LAYOUTS[backend]
    text = "\n".join(before) + ("\n" if ended and before else "")
    domain = "zz.acme.example"
    for make in (with_signing, functools.partial(with_keys, folder="/k")):
        made = make(text, layout, domain, selectors)
        assert made.startswith(text)
        assert make(made, layout, domain, selectors) == made
        gone = make(made, layout, domain, [])
        assert gone in (text, text + "\n")
    signing = with_signing(text, layout, domain, selectors)
    assert signing_selectors(signing, layout, domain) == selectors
