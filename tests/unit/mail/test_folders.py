# SPDX-License-Identifier: GPL-3.0-or-later
"""Folder names as people see and write them, and the operator's rules."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import (
    FolderRules,
    Path,
    as_text,
    show,
    unshow,
    wire_to_text,
)
from hypothesis import given
from hypothesis import strategies as st

#: What servers may send as one level: any bytes but those that end a line.
RAW = st.binary(min_size=1, max_size=12).map(lambda level: level.replace(b"\n", b"").replace(b"\r", b"") or b"x")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((b"INBOX",), "INBOX"),
        ((b"Arbeit &- Plan", b"&APw-ber"), "Arbeit & Plan/über"),
        pytest.param((b"a/b", b"c"), "a\\/b/c", marks=pytest.mark.case(53)),
        pytest.param((b"back\\slash",), "back\\slash", marks=pytest.mark.case(55)),
        ((b"end\\",), "end\\\\"),
        ((b"end\\", b"x"), "end\\\\/x"),
        ((b"a\\\\b",), "a\\\\\\b"),
        ((b"\\x41",), "\\\\x41"),
        pytest.param((b"a&b",), "a\\x26b", marks=pytest.mark.case(56)),
        pytest.param((b"caf\xe9",), "caf\\xe9", marks=pytest.mark.case(56)),
        ((b"a&b\\x/",), "a\\x26b\\x5cx\\/"),
        ((b" lead", b"trail ", b"  "), " lead/trail /  "),
        pytest.param((b"&2DzfiQ-",), "🎉", marks=pytest.mark.case(58)),
        ((b"",), ""),
        ((b"a", b"", b"b"), "a//b"),
    ],
)
def test_a_path_and_what_people_see_of_it(path: Path, text: str) -> None:
    assert show(path) == text
    assert unshow(text) == path


@pytest.mark.case(56)
def test_raw_utf8_is_shown_as_what_it_means() -> None:
    assert show(("Größe & Co".encode(), "日本".encode())) == "Größe & Co/日本"
    assert as_text(b"caf\xe9") is None


@given(st.lists(RAW, min_size=1, max_size=4))
def test_every_path_has_a_text_of_its_own(levels: list[bytes]) -> None:
    path = tuple(levels)
    if path[0].upper() == b"INBOX" or any(wire_to_text(level) is None and as_text(level) is not None for level in path):
        return  # INBOX is told from no other spelling; raw UTF-8 is shown like its encoded form
    assert unshow(show(path)) == path


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_what_people_write_means_one_path(text: str) -> None:
    """case_55, case_58: any characters. Written again as it is shown, it means the same."""
    assert unshow(show(unshow(text))) == unshow(text)


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        ("Trash", {"Trash", "Trash/old"}),
        ("/Trash/", {"Trash", "Trash/old"}),
        ("*ash*", {"Trash", "Trash/old"}),
        ("Tr%/old", {"Trash/old"}),
        ("%", {"INBOX", "Trash", "Trash/old", "Über/uns", "a\\/b", "all*stars"}),
        ("a%", {"a\\/b", "all*stars"}),
        ("a\\/b", {"a\\/b"}),
        ("a/b", set()),
        ("Über", {"Über/uns"}),
        ("trash", set()),
        ("inbox", {"INBOX"}),
        ("all*stars", {"all*stars"}),
    ],
)
def test_exclude(pattern: str, left_out: set[str]) -> None:
    paths = [unshow(name) for name in ("INBOX", "Trash", "Trash/old", "Über/uns", "a\\/b", "all*stars")]
    rules = FolderRules.from_options({"exclude": [pattern]})
    assert {show(path) for path in paths if rules.excludes(path)} == left_out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Spam", "Junk"),
        ("Spam/a", "Junk/a"),
        ("Spam/keep", "Kept"),
        ("Spam/keep/x", "Kept/x"),
        ("Spammer", "Spammer"),
        ("x\\/y", "one"),
        ("x\\/y/z", "one/z"),
        ("x/y", "x/y"),
        ("caf\\xe9", "café"),
        ("INBOX/Sent", "Sent"),
    ],
)
def test_rename_takes_the_folders_below_along(old: str, new: str) -> None:
    rename = {"Spam": "Junk", "Spam/keep": "Kept", "x\\/y": "/one/", "caf\\xe9": "café", "inbox/Sent": "Sent"}
    rules = FolderRules.from_options({"rename": rename})
    assert show(rules.renamed(unshow(old))) == new
    assert (rules.rule(unshow(old)) is not None) == (old != new)


@pytest.mark.parametrize(
    "options",
    [
        {"rename": {"a": ""}},
        {"rename": {"a": "b//c"}},
        {"rename": {"a": "\ud83c"}},
        {"rename": ["a"]},
        {"exclude": 5},
        {"namespaces": 5},
    ],
)
def test_options_that_mean_nothing(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        FolderRules.from_options(options)
