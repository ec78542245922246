# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A folder of files as a source: its files and folders are collections, their objects have names that stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.files.side import open_files
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Changes, Collection, Kind
from ansible_collections.atmail.migration.plugins.module_utils.dav.sides import Source
from ansible_collections.atmail.migration.plugins.module_utils.errors import CollectionError, InputError

ANN = "ann@acme.example"


def ics(*uids: str, more: str = "") -> bytes:
    events = "".join(f"BEGIN:VEVENT\r\nUID:{uid}\r\n{more}END:VEVENT\r\n" for uid in uids)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n".encode()


def vcf(*names: str) -> bytes:
    return "".join(f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nEND:VCARD\r\n" for name in names).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = tmp_path / ANN
    own.mkdir()
    return own


def source(folder: Path, account: str = ANN) -> Source:
    return open_files(folder.parent, account)


def collections(side: Source) -> dict[str, Collection]:
    return {each.key: each for each in side.survey().collections}


def test_files_and_folders_are_collections(folder: Path) -> None:
    (folder / "Work.ICS").write_bytes(ics("one", "a/b", "two"))
    (folder / "friends.vcf").write_bytes(vcf("Ann", "Bob"))
    inner = folder / "personal"
    inner.mkdir()
    (inner / "abc.ics").write_bytes(ics("three"))
    (inner / "two of them.ics").write_bytes(ics("four", "five"))
    (inner / "displayname").write_text("Persönlich\n", encoding="utf-8")
    (inner / "color").write_text("#112233")
    (folder / "readme.txt").write_text("hello")
    (folder / ".hidden.ics").write_bytes(ics("six"))
    side = source(folder)
    survey = side.survey()
    assert [(each.kind, each.key, each.slug, each.properties.name) for each in survey.collections] == [
        (Kind.CALENDAR, "Work.ICS", "Work", "Work"),
        (Kind.ADDRESS_BOOK, "friends.vcf", "friends", "friends"),
        (Kind.CALENDAR, "personal", "personal", "Persönlich"),
    ]
    assert [each.kind for each in survey.findings] == ["file_ignored"]
    work, friends, personal = survey.collections
    assert personal.properties.color == "#112233"
    names = set(side.changes(work).versions)
    assert {"one.ics", "two.ics"} < names
    assert all("/" not in name for name in names)
    assert len(side.changes(friends).versions) == 2
    assert set(side.changes(personal).versions) == {"abc.ics", "four.ics", "five.ics"}
    assert [item.data for item in side.read(personal, ["abc.ics", "gone.ics"])] == [ics("three")]


def test_what_has_not_changed_is_not_read_again(folder: Path) -> None:
    file = folder / "work.ics"
    file.write_bytes(ics("one", "two"))
    before = source(folder)
    collection = collections(before)["work.ics"]
    known = before.changes(collection)
    assert known.state == collection.state
    assert before.changes(collection, known.state) == Changes({}, whole=False, state=known.state)
    file.write_bytes(ics("one") + ics("two", more="SUMMARY:new\r\n"))
    after = source(folder)
    changed = after.changes(collections(after)["work.ics"], known.state)
    assert changed.whole
    assert changed.versions["one.ics"] == known.versions["one.ics"]
    assert changed.versions["two.ics"] != known.versions["two.ics"]


def test_names_stay_whatever_else_is_in_the_file(folder: Path) -> None:
    (folder / "a.vcf").write_bytes(vcf("Ann", "Bob"))
    side = source(folder)
    before = set(side.changes(collections(side)["a.vcf"]).versions)
    (folder / "a.vcf").write_bytes(vcf("New", "Bob", "Ann"))
    side = source(folder)
    assert before < set(side.changes(collections(side)["a.vcf"]).versions)


def test_the_same_uid_with_other_words_is_an_object_of_its_own(folder: Path) -> None:
    (folder / "a.ics").write_bytes(ics("one") + ics("one", more="SUMMARY:other\r\n"))
    side = source(folder)
    changes = side.changes(collections(side)["a.ics"])
    assert len(changes.versions) == 2
    assert [(each.kind, each.name in changes.versions) for each in changes.findings] == [("uid_twice", True)]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01", ics("one")[:-30], vcf("Ann"), b"<html></html>", ics("one").replace(b"END:VEVENT\r\n", b"")],
)
def test_a_file_that_is_none_is_an_error_and_not_an_empty_calendar(folder: Path, content: bytes) -> None:
    (folder / "a.ics").write_bytes(content)
    side = source(folder)
    with pytest.raises(CollectionError) as caught:
        side.changes(collections(side)["a.ics"])
    assert caught.value.where["file"] == str(folder / "a.ics")


def test_a_file_that_went_away_is_an_error(folder: Path) -> None:
    (folder / "a.ics").write_bytes(ics("one"))
    side = source(folder)
    collection = collections(side)["a.ics"]
    (folder / "a.ics").unlink()
    with pytest.raises(CollectionError):
        side.changes(collection)


def test_whose_folder_it_is(folder: Path) -> None:
    (folder / "a.ics").write_bytes(ics("one"))
    assert collections(source(folder, "Ann@ACME.example"))
    survey = source(folder, "bob@acme.example").survey()
    assert survey.collections == ()
    assert [each.kind for each in survey.findings] == ["account_without_files"]
    (folder.parent / "ANN@acme.example").mkdir()
    assert collections(source(folder))
    with pytest.raises(InputError):
        source(folder, "Ann@acme.Example").survey()


@pytest.mark.parametrize("account", ["", "..", "../other", "a/b", "a\0b"])
def test_an_account_is_no_path(folder: Path, account: str) -> None:
    with pytest.raises(InputError):
        open_files(folder.parent, account)


def test_a_path_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        open_files(tmp_path / "nothing", ANN)


def test_a_folder_has_one_kind(folder: Path) -> None:
    inner = folder / "mixed"
    inner.mkdir()
    (inner / "a.ics").write_bytes(ics("one"))
    (inner / "b.vcf").write_bytes(vcf("Ann"))
    (folder / "empty").mkdir()
    survey = source(folder).survey()
    assert survey.collections == ()
    assert [each.kind for each in survey.findings] == ["file_ignored", "file_ignored"]
