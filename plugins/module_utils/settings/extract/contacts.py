# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Shared and global address books, as far as they can be expressed: entries, and who may see them.

What users keep for themselves travels by CardDAV and is not read here. An account's own entry in the global address
book is one of its contacts only when it says more than the account's address and name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ...addresses import address_fault, canonical_address, canonical_domain, domain_of
from ...platforms.rows import Row
from ...platforms.texts import full_name, lines, shown
from ...transport.database import Database
from ..model import Account, Finding, Permission, Rights, SharedContact
from ..profiles.shape import PermissionWords, SourceProfile
from .site import Site

_CHUNK = 500
_BIRTHDAY = "BDAY"
_NO_DATE = "0000"


@dataclass(frozen=True)
class People:
    """Whom a contact and its permissions can be about; ``groups`` are the names of classes of service."""

    accounts: Mapping[str, Account]
    domains: Collection[str]
    groups: Collection[str] = ()


@dataclass
class Contacts:
    """What came of the rows; contacts by their keys."""

    contacts: dict[str, SharedContact] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    orphans: int = 0
    photos: int = 0


def read_contacts(database: Database, site: Site, people: People) -> Contacts:
    """The shared contacts, and what is to be said about them."""
    found = Contacts()
    permissions = _permissions(database, site, people, found)
    for table, rows in _tables(database, site, list(permissions)):
        for row in rows:
            _add(found, site.profile, people, table, row, permissions.get(row["id"], ()))
    if site.has("contacts", "own"):
        for row in site.rows(database, "contacts", where={"own": (1,)}):
            _add_own(found, site.profile, people, row)
    if found.orphans:
        message = f"{found.orphans} entries of the global address book belong to no account of the site"
        found.findings.append(Finding("", "contact_orphaned", message))
    if found.photos:
        message = f"{found.photos} shared contacts have a photo, which has no place on the target"
        found.findings.append(Finding("", "contact_photo", message))
    return found


def permission(subject: str, rights: str, words: PermissionWords, people: People) -> Permission | str:
    """Who may do what, or what is wrong with it. Nothing is granted that is not understood."""
    allowed: Rights | None = "write" if rights.strip() in words.write else None
    allowed = "read" if rights.strip() in words.read else allowed
    if allowed is None:
        return f"{shown(rights.strip()) or 'nothing'} is no known right"
    name = subject.strip()
    if name.lower() in {word.lower() for word in words.everyone}:
        return Permission("everyone", allowed)
    if canonical_address(name) in people.accounts:
        return Permission(f"account:{canonical_address(name)}", allowed)
    if canonical_domain(name) in people.domains:
        return Permission(f"domain:{canonical_domain(name)}", allowed)
    group = next((each for each in people.groups if each.lower() == name.lower()), None)
    if group is not None:
        return Permission(f"group:{group}", allowed)
    return f"{shown(name) or 'nobody'} is no account, domain or group of the site"


def properties(profile: SourceProfile, row: Row) -> Iterator[tuple[str, str]]:
    """The contact's vCard properties but its addresses (RFC 6350, 6); the parts of one stand between semicolons."""
    for name, keys in profile.contact_fields:
        parts = [lines(row[key]).strip() for key in keys]
        if not any(parts):
            continue
        if name == _BIRTHDAY:
            if not parts[0].startswith(_NO_DATE):
                yield name, parts[0][: len("1970-01-01")]
        elif len(parts) == 1:
            yield name, parts[0]
        else:
            yield name, ";".join(map(_escaped, parts))


def _tables(database: Database, site: Site, ids: list[str]) -> Iterator[tuple[str, Iterator[Row]]]:
    """The shared contacts: a table of their own, or those of all contacts that somebody has a right to."""
    if site.has("shared_contacts"):
        yield "shared_contacts", site.rows(database, "shared_contacts")
    elif site.has("contacts", "id"):
        for start in range(0, len(ids), _CHUNK):
            chunk = [int(each) for each in ids[start : start + _CHUNK] if each.isdecimal()]
            if chunk:
                yield "contacts", site.rows(database, "contacts", where={"id": chunk})


def _permissions(database: Database, site: Site, people: People, found: Contacts) -> dict[str, tuple[Permission, ...]]:
    """Permissions by the contact's id."""
    known: dict[str, tuple[Permission, ...]] = {}
    faults: Counter[str] = Counter()
    for row in site.rows(database, "permissions", "contact", "subject", "rights"):
        granted = permission(row["subject"], row["rights"], site.profile.permission_words, people)
        if isinstance(granted, str):
            faults[granted] += 1
        else:
            known[row["contact"]] = (*known.get(row["contact"], ()), granted)
    for fault, number in faults.items():
        message = f"{number} rights to shared contacts are left out: {fault}"
        found.findings.append(Finding("", "permission_unknown", message, "warning"))
    return known


def _add(
    found: Contacts,
    profile: SourceProfile,
    people: People,
    table: str,
    row: Row,
    permissions: tuple[Permission, ...],
) -> None:
    contact = _contact(found, profile, f"{table}/{row['id']}", row)
    owner = contact.owner if contact.owner in people.accounts else ""
    if not contact.name and not contact.emails and not contact.fields:
        message = f"the shared contact {contact.key} is empty and left out"
        found.findings.append(Finding(owner, "contact_empty", message))
        return
    found.contacts[contact.key] = replace(contact, owner=owner, permissions=permissions)


def _add_own(found: Contacts, profile: SourceProfile, people: People, row: Row) -> None:
    """An account's entry in the global address book, which everybody in its domain sees."""
    account = people.accounts.get(canonical_address(row["account"]))
    if account is None:
        found.orphans += 1
        return
    key = f"contacts/{row['id']}"
    contact = found.contacts.get(key) or _contact(found, profile, key, row)
    more = any(each[0] != "N" for each in contact.fields) or set(contact.emails) - {account.address}
    if more or contact.name not in ("", account.display_name):
        seen = Permission(f"domain:{domain_of(account.address)}")
        found.contacts[key] = replace(contact, permissions=(*contact.permissions, seen))


def _contact(found: Contacts, profile: SourceProfile, key: str, row: Row) -> SharedContact:
    owner = canonical_address(row["account"])
    emails: dict[str, None] = {}
    for column in profile.contact_emails:
        address = canonical_address(row[column])
        fault = address_fault(address) if address else None
        if fault is not None:
            message = f"the address {shown(address)} of the shared contact {key} is left out: {fault}"
            found.findings.append(Finding("", "contact_address", message))
        elif address:
            emails[address] = None
    found.photos += bool(row["photo"])
    name = full_name(*(row[column] for column in profile.contact_names))
    return SharedContact(key, name, owner, tuple(emails), tuple(properties(profile, row)))


def _escaped(part: str) -> str:
    """A part of a property (RFC 6350, 3.4)."""
    for character in ("\\", ";", ","):
        part = part.replace(character, "\\" + character)
    return part.replace("\n", "\\n")
