# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A row of an address book as a vCard (3.0, RFC 2426, which every CardDAV server takes), and groups as cards.

The same row is the same bytes, always.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...platforms.rows import Row
from ...platforms.texts import full_name, is_on, shown
from ..content_lines import folded
from ..libraries import vobject
from .photos import photo
from .shelf import Said
from .texts import moment, stamp, unwritable, writable

#: How groups are written: as cards of RFC 6350, as cards of Apple's, or as categories of their members.
Groups = Literal["vcard", "apple", "categories"]

EMAILS = ("email", "email2", "email3", "email4", "email5")
PHONES = (
    ("home_phone", ("HOME", "VOICE")),
    ("home_mobile", ("CELL",)),
    ("home_fax", ("HOME", "FAX")),
    ("work_phone", ("WORK", "VOICE")),
    ("work_mobile", ("WORK", "CELL")),
    ("work_fax", ("WORK", "FAX")),
)
_TEXTS = (("job", "title"), ("note", "note"), ("file_as", "x-file-as"), ("gender", "x-gender"))
_BIRTHDAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
#: The year that Apple's programs write for a birthday without one (``X-APPLE-OMIT-YEAR``).
_NO_YEAR = "1604"
_GENDERS = {"m": "Male", "f": "Female"}


@dataclass(frozen=True)
class Group:
    """A group of contacts: its UID, its name, its members as URIs."""

    uid: str
    name: str
    members: tuple[str, ...]


def contact_card(
    row: Row, uid: str, name: str, said: Said, *, groups: Iterable[str] = (), picture: bytes = b""
) -> bytes:
    """The contact as a vCard. ``name`` is the object's, for what ``said`` hears; ``groups`` are categories.

    ``picture`` is what its column of photos holds.
    """
    values = _values(row, name, said)
    card = vobject().vCard()
    card.add("uid").value = uid
    _names(card, values)
    for key in (key for key in EMAILS if key in values):
        _add(card, "email", values[key], ("INTERNET",))
    for key, kinds in PHONES:
        if key in values:
            _add(card, "tel", values[key], kinds)
    for where in ("home", "work"):
        _address(card, values, where)
    for key, what in _TEXTS:
        if key in values:
            card.add(what).value = _GENDERS.get(values[key].lower(), values[key]) if key == "gender" else values[key]
    _others(card, values, groups)
    _birthday(card, values.get("birthday", ""), name, said)
    _photo(card, picture, name, said)
    return _written(card)


def bare_card(uid: str, address: str, groups: Iterable[str] = ()) -> bytes:
    """A contact of whom only an address is known; ``groups`` are categories."""
    card = vobject().vCard()
    card.add("uid").value = uid
    card.add("n").value = vobject().vcard.Name(family=address)
    card.add("fn").value = address
    _add(card, "email", address, ("INTERNET",))
    if groups:
        card.add("categories").value = list(dict.fromkeys(map(writable, groups)))
    return _written(card)


def group_card(group: Group, groups: Groups) -> bytes:
    """The group as a card: RFC 6350, section 6.1.4, or as Apple's address books have it."""
    card = vobject().vCard()
    card.add("uid").value = group.uid
    name = writable(group.name).replace("\n", " ").strip() or "?"
    card.add("fn").value = name
    if groups == "vcard":
        card.add("version").value = "4.0"
        kind, member = "kind", "member"
    else:
        card.add("n").value = vobject().vcard.Name(family=name)
        kind, member = "x-addressbookserver-kind", "x-addressbookserver-member"
    card.add(kind).value = "group"
    for each in group.members:
        card.add(member).value = each
    return _written(card)


def display_name(values: dict[str, str]) -> str:
    """FN (RFC 2426, section 3.1.1), which has to be there: the person, what it is filed as, the company, an address."""
    person = full_name(*(values.get(key, "") for key in ("title", "first_name", "middle_name", "last_name")))
    others = ("file_as", "company", *EMAILS, *(key for key, _kinds in PHONES))
    return person or next((values[key] for key in others if values.get(key)), "") or "?"


def _names(card: Any, values: dict[str, str]) -> None:
    card.add("fn").value = _one_line(display_name(values))
    card.add("n").value = vobject().vcard.Name(
        family=_one_line(values.get("last_name", "")),
        given=_one_line(values.get("first_name", "")),
        additional=_one_line(values.get("middle_name", "")),
        prefix=_one_line(values.get("title", "")),
    )


def _values(row: Row, name: str, said: Said) -> dict[str, str]:
    """What the row says, by its keys; what vCard can't express of it is told."""
    for key in sorted(key for key, value in row.values.items() if value and unwritable(value)):
        said.warn("control_characters", f"control characters in {key} are left out: vCard has no place for them", name)
    for key in sorted(row.full):
        said.warn("value_cut", f"{key} fills its column: its end may be missing", name)
    written = {key: writable(value).strip() for key, value in row.values.items() if value}
    return {key: value for key, value in written.items() if value}


def _others(card: Any, values: dict[str, str], groups: Iterable[str]) -> None:
    if "company" in values or "department" in values:
        company, department = values.get("company", ""), values.get("department", "")
        card.add("org").value = [company, department] if department else [company]
    if "url" in values:
        _as_uri(card.add("url"), values["url"])
    categories = [each for each in (values.get("category", ""), *map(writable, groups)) if each]
    if categories:
        card.add("categories").value = list(dict.fromkeys(categories))
    if "pgp_key" in values:
        _add(card, "key", values["pgp_key"], ("PGP",))
    if is_on(values.get("company_entry")):
        card.add("x-abshowas").value = "COMPANY"
    changed = stamp(values.get("modified", ""))
    if changed is not None:
        card.add("rev").value = changed.strftime("%Y%m%dT%H%M%SZ")


def _address(card: Any, values: dict[str, str], where: str) -> None:
    parts = {part: values.get(f"{where}_{part}", "") for part in ("address", "city", "state", "zip", "country")}
    office = values.get("office", "") if where == "work" else ""
    if not office and not any(parts.values()):
        return
    line = card.add("adr")
    line.value = vobject().vcard.Address(
        extended=office,
        street=parts["address"],
        city=parts["city"],
        region=parts["state"],
        code=parts["zip"],
        country=parts["country"],
    )
    line.type_param = where.upper()


def _birthday(card: Any, written: str, name: str, said: Said) -> None:
    match = _BIRTHDAY.match(written)
    if match is None or match[0] == "0000-00-00":
        return
    year, month, day = match.groups()
    if moment(f"{_NO_YEAR if year == '0000' else year}-{month}-{day}") is None:
        said.left_out("birthday_unknown", f"the birthday {shown(written)} is no date", name)
        return
    line = card.add("bday")
    if year == "0000":
        line.value = f"{_NO_YEAR}-{month}-{day}"
        line.x_apple_omit_year_param = _NO_YEAR
    else:
        line.value = match[0]


def _photo(card: Any, value: bytes, name: str, said: Said) -> None:
    if not value.strip(b" \t\r\n\0"):
        return
    found = photo(value)
    if found is None:
        said.left_out("photo_unknown", f"its photo ({len(value)} bytes) is no picture of a known kind", name)
        return
    line = card.add("photo")
    if found.url:
        _as_uri(line, found.url)
        line.value_param = "URI"
    else:
        line.value = found.data
        line.encoding_param = "b"
        line.type_param = found.kind


def _as_uri(line: Any, value: str) -> None:
    """A value of this type is written as it is (RFC 2426, section 4), without backslashes."""
    line.behavior = vobject().behavior.Behavior
    line.value = "".join(value.split())


def _add(card: Any, what: str, value: str, kinds: Sequence[str]) -> None:
    line = card.add(what)
    line.value = value
    line.type_param = list(kinds)


def _one_line(value: str) -> str:
    return " ".join(value.split("\n"))


def _written(card: Any) -> bytes:
    # what vobject would check (an N in every card) is not so in every version of vCard
    text = str(card.serialize(validate=False, lineLength=1 << 30))
    return folded(line.encode() for line in text.split("\r\n") if line)
