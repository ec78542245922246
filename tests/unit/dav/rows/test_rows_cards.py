# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Rows of an address book as vCards: everything that a row says comes back out of its card."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.libraries import vobject
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.cards import (
    Group,
    Groups,
    bare_card,
    contact_card,
    group_card,
)
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.shelf import Said
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.texts import writable
from ansible_collections.atmail.migration.plugins.module_utils.platforms.atmail_contacts import COLUMNS
from ansible_collections.atmail.migration.plugins.module_utils.platforms.rows import Row
from hypothesis import given
from hypothesis import strategies as st

UID = "7c8d7d64-2f43-4cd4-9d1f-5a3a0a4d8e10"
HOSTILE = "O'Brien & \"Söhne\"; a,b\\n {{ lookup('pipe', 'id') }} 😀 <b>"


def card(row: Mapping[str, str | None], **how: object) -> tuple[bytes, list[str]]:
    said = Said("contacts")
    data = contact_card(Row(row), UID, f"{UID}.vcf", said, **how)  # type: ignore[arg-type] # as the test says
    return data, [each.kind for each in said.findings]


def lines(data: bytes) -> list[str]:
    return data.decode().replace("\r\n ", "").split("\r\n")[:-1]


def test_a_whole_contact() -> None:
    row = {
        "title": "Dr",
        "first_name": "Ann",
        "middle_name": "M",
        "last_name": "Lee",
        "email": "a@b",
        "email5": "c@d",
        "home_phone": "1",
        "home_mobile": "2",
        "home_fax": "3",
        "work_phone": "4",
        "work_mobile": "5",
        "work_fax": "6",
        "home_address": "Street 1\r\nback",
        "home_city": "C",
        "home_state": "S",
        "home_zip": "9",
        "home_country": "AU",
        "work_city": "W",
        "office": "Room 4",
        "company": "Acme",
        "department": "R&D",
        "job": "Boss",
        "gender": "F",
        "url": "http://a.example/?b=1;c,d",
        "birthday": "1970-01-02 00:00:00",
        "category": "Friends",
        "note": "one\rtwo",
        "file_as": "Lee, Ann",
        "pgp_key": "-----BEGIN",
        "modified": "1400000000",
        "company_entry": "1",
        "account": "x",
    }
    data, said = card(row)
    assert said == []
    assert lines(data) == [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:{UID}",
        "ADR;TYPE=HOME:;;Street 1\\nback;C;S;9;AU",
        "ADR;TYPE=WORK:;Room 4;;W;;;",
        "BDAY:1970-01-02",
        "CATEGORIES:Friends",
        "EMAIL;TYPE=INTERNET:a@b",
        "EMAIL;TYPE=INTERNET:c@d",
        "FN:Dr Ann M Lee",
        "KEY;TYPE=PGP:-----BEGIN",
        "N:Lee;Ann;M;Dr;",
        "NOTE:one\\ntwo",
        "ORG:Acme;R&D",
        "REV:20140513T165320Z",
        "TEL;TYPE=HOME,VOICE:1",
        "TEL;TYPE=CELL:2",
        "TEL;TYPE=HOME,FAX:3",
        "TEL;TYPE=WORK,VOICE:4",
        "TEL;TYPE=WORK,CELL:5",
        "TEL;TYPE=WORK,FAX:6",
        "TITLE:Boss",
        "URL:http://a.example/?b=1;c,d",
        "X-ABSHOWAS:COMPANY",
        "X-FILE-AS:Lee\\, Ann",
        "X-GENDER:Female",
        "END:VCARD",
    ]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"company": "Acme"}, "Acme"),
        ({"email3": "a@b"}, "a@b"),
        ({"home_fax": "123"}, "123"),
        ({"file_as": "Lee", "company": "Acme"}, "Lee"),
        ({"first_name": "Ann\nMarie"}, "Ann Marie"),
        ({}, "?"),
    ],
)
def test_every_card_has_a_name(row: dict[str, str | None], name: str) -> None:
    assert f"FN:{name}" in lines(card(row)[0])


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("0000-00-00 00:00:00", None, []),
        ("0000-05-17 00:00:00", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-05-17", []),
        ("1970-02-30", None, ["birthday_unknown"]),
        ("soon", None, []),
    ],
)
def test_birthdays(written: str, line: str | None, said: list[str]) -> None:
    data, found = card({"birthday": written})
    assert [each for each in lines(data) if each.startswith("BDAY")] == ([line] if line else [])
    assert found == said


def test_photos() -> None:
    data, said = card({}, picture=b"\xff\xd8\xff" + b"x" * 100)
    assert vobject().readOne(data.decode()).photo.value == b"\xff\xd8\xff" + b"x" * 100
    assert said == []
    assert "PHOTO;VALUE=URI:http://a.example/b;c,d.png" in lines(card({}, picture=b"http://a.example/b;c,d.png")[0])
    assert card({}, picture=b"ann.jpg")[1] == ["photo_unknown"]
    assert card({}, picture=b" \0")[1] == []


def test_what_a_card_can_not_say_is_told() -> None:
    data, said = card({"note": "a\0b\x07c", "first_name": "Ann"})
    assert "NOTE:abc" in lines(data)
    assert said == ["control_characters"]
    cut = Said("contacts")
    contact_card(Row({"note": "x"}, frozenset({"note"})), UID, "n", cut)
    assert [each.kind for each in cut.findings] == ["value_cut"]


def test_groups_are_categories_of_a_contact() -> None:
    assert "CATEGORIES:Friends,a\\,b" in lines(card({"category": "Friends"}, groups=["a,b", "Friends"])[0])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("vcard", ["VERSION:4.0", "UID:g", "FN:Team\\; A", "KIND:group", "MEMBER:urn:uuid:1", "MEMBER:mailto:a@b"]),
        (
            "apple",
            [
                *("VERSION:3.0", "UID:g", "FN:Team\\; A", "N:Team\\; A;;;;", "X-ADDRESSBOOKSERVER-KIND:group"),
                *("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1", "X-ADDRESSBOOKSERVER-MEMBER:mailto:a@b"),
            ],
        ),
    ],
)
def test_groups_as_cards(how: Groups, expected: list[str]) -> None:
    data = group_card(Group("g", "Team; A", ("urn:uuid:1", "mailto:a@b")), how)
    assert lines(data)[1:-1] == expected


def test_somebody_of_whom_only_the_address_is_known() -> None:
    assert lines(bare_card("u", "a@b"))[2:-1] == ["UID:u", "EMAIL;TYPE=INTERNET:a@b", "FN:a@b", "N:a@b;;;;"]


KEYS = sorted(COLUMNS.keys() - {"account", "id", "own", "added", "photo", "uid", "birthday", "modified", "gender"})
ROWS = st.dictionaries(st.sampled_from(KEYS), st.text(st.characters(exclude_categories=["Cs"]), max_size=120))


@given(ROWS)
def test_any_row_comes_back_out_of_its_card(row: dict[str, str]) -> None:
    data, _said = card(dict(row))
    assert data == card(dict(row))[0]
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert not [byte for byte in data if byte < 0x20 and byte not in b"\r\n\t"]
    # vobject takes other characters for line ends, too, when it reads
    if any(character in value for value in row.values() for character in "\x85\u2028\u2029"):
        return
    read = vobject().readOne(data.decode())
    for key, what in (("note", "note"), ("job", "title")):
        value = writable(row.get(key, "")).strip()
        assert (getattr(read, what).value if value else "") == value
    emails = [writable(row.get(f"email{number}", "")).strip() for number in ("", 2, 3, 4, 5)]
    assert [each.value for each in read.contents.get("email", [])] == [each for each in emails if each]


def test_hostile_values_come_through() -> None:
    data, _said = card({"note": HOSTILE, "last_name": HOSTILE, "company": HOSTILE, "category": HOSTILE})
    read = vobject().readOne(data.decode())
    assert (read.note.value, read.n.value.family, read.org.value) == (HOSTILE, HOSTILE, [HOSTILE])
    assert read.categories.value == [HOSTILE]
