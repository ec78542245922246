# SPDX-License-Identifier: GPL-3.0-or-later
"""Folder names from one server's spelling to the other's."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import (
    FolderRules,
    Namespace,
    map_folders,
    show,
    unshow,
    wire_to_text,
)
from hypothesis import given
from hypothesis import strategies as st

SLASH = Namespace()
DOT = Namespace(separator=b".")
INBOX_DOT = Namespace(prefix=b"INBOX.", separator=b".")
LEVEL = st.text(
    st.characters(exclude_characters="/.", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
).filter(lambda text: text.upper() != "INBOX")


@pytest.mark.parametrize(
    ("source", "target", "name", "becomes"),
    [
        (DOT, SLASH, b"Work.2019.Offers", b"Work/2019/Offers"),
        (INBOX_DOT, SLASH, b"INBOX.Sent", b"Sent"),
        (SLASH, INBOX_DOT, b"Sent", b"INBOX.Sent"),
        (INBOX_DOT, SLASH, b"INBOX", b"INBOX"),
        (SLASH, INBOX_DOT, b"INBOX/Old", b"INBOX.Old"),
        (DOT, SLASH, b"inbox.Old", b"INBOX/Old"),
        (SLASH, DOT, b"v1.2/notes", b"v1_2.notes"),
        (DOT, SLASH, b"Arbeit &- Plan.&APw-ber", b"Arbeit &- Plan/&APw-ber"),
    ],
)
def test_separators_and_prefixes(source: Namespace, target: Namespace, name: bytes, becomes: bytes) -> None:
    """case_51, case_52, case_53."""
    path = source.path(name)
    assert target.name(map_folders([path], target, FolderRules())[path]) == becomes


@pytest.mark.parametrize("name", [b"INBOX", b"inbox", b"Inbox"])
def test_inbox_in_any_case(name: bytes) -> None:
    """case_60."""
    assert DOT.path(name) == (b"INBOX",)


def test_other_users_folders_are_not_ours() -> None:
    space = Namespace(separator=b".", foreign=(b"shared.", b"user."))
    assert space.owns(b"Sharedstuff")
    assert not space.owns(b"shared.team")
    assert not space.owns(b"shared")
    assert not space.owns(b"user.bob.Sent")


def test_two_folders_never_become_one() -> None:
    paths = [(b"a.b",), (b"a_b",)]
    with pytest.raises(InputError, match="both become"):
        map_folders(paths, DOT, FolderRules())
    assert map_folders(paths, DOT, FolderRules(rename={"a_b": "a-b"})) == {(b"a.b",): (b"a_b",), (b"a_b",): (b"a-b",)}


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        ("Trash", {"Trash", "Trash/old"}),
        ("*ash*", {"Trash", "Trash/old"}),
        ("Tr%/old", {"Trash/old"}),
        ("%", {"INBOX", "Trash", "Trash/old", "Über/uns"}),
        ("Über", {"Über/uns"}),
        ("trash", set()),
    ],
)
def test_exclude(pattern: str, left_out: set[str]) -> None:
    paths = [unshow(name) for name in ("INBOX", "Trash", "Trash/old", "Über/uns")]
    kept = {show(path) for path in map_folders(paths, SLASH, FolderRules(exclude=(pattern,)))}
    assert {show(path) for path in paths} - kept == left_out


def test_rename_takes_the_folders_below_along() -> None:
    rules = FolderRules(rename={"Spam": "Junk", "Spam/keep": "Kept"})
    mapping = map_folders([unshow(name) for name in ("Spam", "Spam/a", "Spam/keep", "Spam/keep/x")], SLASH, rules)
    assert {show(old): show(new) for old, new in mapping.items()} == {
        "Spam": "Junk",
        "Spam/a": "Junk/a",
        "Spam/keep": "Kept",
        "Spam/keep/x": "Kept/x",
    }


@given(st.lists(LEVEL, min_size=1, max_size=5))
def test_what_people_see_comes_back(levels: list[str]) -> None:
    """case_55, case_58: any characters."""
    text = "/".join(levels)
    assert show(unshow(text)) == text


@given(st.lists(st.lists(LEVEL, min_size=1, max_size=3), max_size=8), st.sampled_from([SLASH, DOT, INBOX_DOT]))
def test_the_map_is_one_to_one(names: list[list[str]], target: Namespace) -> None:
    paths = {unshow("/".join(levels)) for levels in names}
    mapping = map_folders(paths, target, FolderRules())
    spelled = {target.name(new) for new in mapping.values()}
    assert len(spelled) == len(mapping) == len(paths)
    assert all(target.path(target.name(new)) == new for new in mapping.values())


@pytest.mark.parametrize("name", [b"&", b"a&b", b"&AAk", b"caf\xe9", b"&AGE-"])
def test_illegal_modified_utf7_is_kept_as_it_is(name: bytes) -> None:
    """case_56: not decoded and encoded again into something else."""
    assert wire_to_text(name) is None
    assert DOT.name(DOT.path(name)) == name
