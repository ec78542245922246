# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Atmail's address book, the same columns in all generations, and what they are in vCard."""

from __future__ import annotations

from .shape import Column, Table

EMAILS = ("email", "email2", "email3", "email4", "email5")
NAMES = ("first_name", "middle_name", "last_name")

# Column key → its name. Names of people may hold HTML entities.
_NAMES = {"first_name": "UserFirstName", "middle_name": "UserMiddleName", "last_name": "UserLastName"}
_OTHERS = {
    "id": "id",
    "own": "Global",
    **{key: f"UserEmail{key.removeprefix('email')}" for key in EMAILS},
    "title": "UserTitle",
    "gender": "UserGender",
    "birthday": "UserDOB",
    "home_address": "UserHomeAddress",
    "home_city": "UserHomeCity",
    "home_state": "UserHomeState",
    "home_zip": "UserHomeZip",
    "home_country": "UserHomeCountry",
    "home_phone": "UserHomePhone",
    "home_mobile": "UserHomeMobile",
    "home_fax": "UserHomeFax",
    "url": "UserURL",
    "company": "UserWorkCompany",
    "job": "UserWorkTitle",
    "department": "UserWorkDept",
    "office": "UserWorkOffice",
    "work_address": "UserWorkAddress",
    "work_city": "UserWorkCity",
    "work_state": "UserWorkState",
    "work_zip": "UserWorkZip",
    "work_country": "UserWorkCountry",
    "work_phone": "UserWorkPhone",
    "work_mobile": "UserWorkMobile",
    "work_fax": "UserWorkFax",
    "category": "UserType",
    "note": "UserInfo",
    "pgp_key": "UserPgpKey",
    "photo": "UserPhoto",
    "file_as": "UserFileAs",
    "uid": "EntryID",
    "added": "DateAdded",
    "modified": "DateModified",
    "company_entry": "isCompany",
}
COLUMNS = {
    "account": Column(("Account",)),
    **{key: Column((name,), required=False, html=True) for key, name in _NAMES.items()},
    **{key: Column((name,), required=False) for key, name in _OTHERS.items()},
}
TABLE = Table(("Abook",), COLUMNS, required=False, sharded=True)
#: vCard property (RFC 6350, 6) → the columns of its parts, in order; an empty key is a part that Atmail does not have.
FIELDS = (
    ("N", ("last_name", "first_name", "middle_name", "title", "")),
    ("GENDER", ("gender",)),
    ("BDAY", ("birthday",)),
    ("ADR;TYPE=home", ("", "", "home_address", "home_city", "home_state", "home_zip", "home_country")),
    ("TEL;TYPE=home", ("home_phone",)),
    ("TEL;TYPE=home,cell", ("home_mobile",)),
    ("TEL;TYPE=home,fax", ("home_fax",)),
    ("URL", ("url",)),
    ("ORG", ("company", "department")),
    ("TITLE", ("job",)),
    ("ADR;TYPE=work", ("", "office", "work_address", "work_city", "work_state", "work_zip", "work_country")),
    ("TEL;TYPE=work", ("work_phone",)),
    ("TEL;TYPE=work,cell", ("work_mobile",)),
    ("TEL;TYPE=work,fax", ("work_fax",)),
    ("CATEGORIES", ("category",)),
    ("NOTE", ("note",)),
    ("KEY", ("pgp_key",)),
    ("X-FILE-AS", ("file_as",)),
)
