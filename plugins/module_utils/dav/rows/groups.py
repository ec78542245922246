# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Groups of contacts in both of Atmail's layouts.

* 7: ``AbookGroupNames`` has the groups, ``AbookGroup`` says which entry of the address book is in which.
* 6 and before: ``AbookGroup`` has a row for each group and address; which entry that is, only the address says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...transport.database import text
from .digests import joined
from .queries import among, equals, select
from .site import Place, Site


@dataclass(frozen=True)
class StoredGroup:
    """A group as the rows have it: a key of its own, its members as ids of contacts or as addresses."""

    key: str
    name: str
    contacts: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def read_groups(site: Site, account: str) -> tuple[StoredGroup, ...]:
    """The groups of a canonical account, in a stable order; each member once."""
    members = site.tables.get("group_members")
    if members is not None and members.has("group") and "contact_groups" in site.tables:
        return tuple(_by_id(site, account))
    if members is not None and members.has("group_name") and members.has("email"):
        return tuple(_by_address(site, account))
    return ()


def digest_of(groups: tuple[StoredGroup, ...]) -> str:
    """A word that is equal as long as the groups are."""
    return joined("\x1e".join((each.key, each.name, *each.contacts, "", *each.emails)) for each in groups)


def _by_id(site: Site, account: str) -> Iterator[StoredGroup]:
    names: dict[str, str] = {}
    for place in site.places("contact_groups", account):
        table = place.table
        sql = select(table, [table.value("id"), table.value("name")], equals(table, "account"))
        names |= {text(number) or "": text(name) or "" for number, name in site.all(sql, [place.spelling])}
    if not names:
        return
    members: dict[str, dict[str, None]] = {key: {} for key in names}
    table = site.tables["group_members"].only
    ids = [int(key) for key in names]
    for group, contact in site.all(
        select(table, [table.value("group"), table.value("contact")], among(table, "group", ids)), ids
    ):
        members[text(group) or ""][text(contact) or ""] = None
    for key in sorted(names, key=int):
        yield StoredGroup(key, names[key], tuple(sorted(members[key], key=_number)))


def _by_address(site: Site, account: str) -> Iterator[StoredGroup]:
    """Names that differ in case only are one group, as the database's own comparison has it."""
    found: dict[str, tuple[str, dict[str, None]]] = {}
    for place in site.places("group_members", account):
        for name, email in _members(site, place):
            known = found.setdefault(name.strip().casefold(), (name.strip(), {}))
            if email.strip():
                known[1][email.strip()] = None
    for key in sorted(found):
        name, emails = found[key]
        yield StoredGroup(key, name, emails=tuple(sorted(emails)))


def _members(site: Site, place: Place) -> list[tuple[str, str]]:
    table = place.table
    sql = select(table, [table.value("group_name"), table.value("email")], equals(table, "account"))
    return sorted((text(name) or "", text(email) or "") for name, email in site.all(sql, [place.spelling]))


def _number(key: str) -> tuple[int, str]:
    return (int(key), key) if key.isdecimal() else (0, key)
