# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The address book of an account: its rows of ``Abook`` and its groups.

An account's own entry in the global address book (``Global`` is 1) is no contact of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from ...platforms import atmail_contacts
from ...platforms.rows import as_row
from ...platforms.texts import shown
from ...transport.database import text
from ..model import Collection, Finding, Item, Kind, Properties, Survey
from .cards import Group, Groups, bare_card, contact_card, group_card
from .digests import digest, joined, word
from .groups import StoredGroup, digest_of, read_groups
from .queries import among, digest_of_rows, equals, select
from .shelf import Entry, Listing, Said, chunks, made_id, state_of
from .site import Place, Site

KEY = "contacts"
_NAME = "Contacts"
#: How rows are written is a part of their versions: when that changes, everything is read anew.
_FORM = "1"
_NOT_WRITTEN = ("account", "own", "id", "added")
_VERSION = tuple(key for key in atmail_contacts.COLUMNS if key not in _NOT_WRITTEN)
_WRITTEN = tuple(key for key in _VERSION if key not in ("photo", "uid"))


@dataclass(frozen=True)
class _Contact:
    """Where a contact's row is, and the groups that are written into it."""

    place: Place
    number: int
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Bare:
    """A member of a group who is in no address book, and the groups that are written into it."""

    address: str
    groups: tuple[str, ...] = ()


@dataclass
class _Found:
    """What a listing is made of, as it comes."""

    said: Said
    entries: dict[str, Entry] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)
    by_email: dict[str, str] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ContactShelf:
    """The one address book of an account; ``groups`` says how its groups are written."""

    site: Site
    account: str
    groups: Groups

    def survey(self) -> Survey:
        """The address book, also when it is empty; what is shared of it is a finding."""
        if "contacts" not in self.site.tables:
            return Survey(())
        places = self.site.places("contacts", self.account)
        words = [self._state(place) for place in places]
        state = self._whole_state(words, read_groups(self.site, self.account))
        book = Collection(Kind.ADDRESS_BOOK, KEY, KEY, Properties(name=_NAME), state)
        return Survey((book,), tuple(self._shared(places)))

    def listing(self, collection: Collection) -> Listing:
        """The contacts and the cards of groups."""
        found = _Found(Said(collection.key))
        groups = read_groups(self.site, self.account)
        for place in self.site.places("contacts", self.account):
            self._list(place, found, by_address=any(group.emails for group in groups))
        if self.groups == "categories":
            self._as_categories(groups, found)
        else:
            self._as_cards(groups, found)
        return Listing(found.entries, self._whole_state(found.states, groups), tuple(found.said.findings))

    def read(self, collection: Collection, entries: Mapping[str, Entry]) -> Iterator[Item]:
        """The cards."""
        rows: dict[Place, list[tuple[str, Entry]]] = {}
        for name, entry in entries.items():
            if isinstance(entry.id, _Contact):
                rows.setdefault(entry.id.place, []).append((name, entry))
            elif isinstance(entry.id, _Bare):
                yield Item(name, entry.version, bare_card(entry.uid, entry.id.address, entry.id.groups))
            else:
                yield Item(name, entry.version, group_card(entry.id, self.groups))
        for place, each in rows.items():
            for piece in chunks(each):
                yield from self._cards(collection, place, piece)

    def _state(self, place: Place) -> str:
        sql = digest_of_rows(place.table, digest(place.table, _VERSION), _own(place))
        rows = self.site.all(sql, [place.spelling])
        return word(rows[0][1:]) if rows else state_of(())

    def _whole_state(self, words: Sequence[str], groups: tuple[StoredGroup, ...]) -> str:
        return joined((_FORM, self.groups, *words, digest_of(groups)))

    def _list(self, place: Place, found: _Found, *, by_address: bool) -> None:
        table = place.table
        emails = [key for key in atmail_contacts.EMAILS if by_address and table.has(key)]
        size = f"COALESCE(LENGTH({table.column('photo')}), 0)" if table.has("photo") else "0"
        values = [table.column("id"), digest(table, _VERSION), size, table.value("uid"), *map(table.value, emails)]
        sql = select(table, values, _own(place), "id")
        uids = {entry.uid for entry in found.entries.values()}
        digests = []
        for number, version, length, given, *addresses in self.site.all(sql, [place.spelling]):
            digests.append(text(version) or "")
            key = place.key(number)
            if key in found.by_key:
                continue
            uid = _uuid(text(given)) or made_id(self.account, "contact", key)
            if uid in uids:
                uid = made_id(self.account, "contact", key)
            uids.add(uid)
            found.by_key[key] = uid
            contact = _Contact(place, int(text(number) or 0))
            found.entries[f"{uid}.vcf"] = Entry(joined((_FORM, digests[-1])), contact, int(length), uid)
            for address in addresses:
                found.by_email.setdefault((text(address) or "").strip().casefold(), uid)
        found.states.append(state_of(digests))

    def _as_cards(self, groups: Sequence[StoredGroup], found: _Found) -> None:
        for group in groups:
            members = [f"urn:uuid:{uid}" for uid in self._known(group, found)]
            for address in self._unknown(group, found):
                if self.groups == "vcard":
                    members.append(f"mailto:{address}")
                else:
                    members.append(f"urn:uuid:{self._add_bare(address, found)}")
            uid = made_id(self.account, "group", group.key)
            card = Group(uid, group.name, tuple(members))
            found.entries[f"{uid}.vcf"] = Entry(joined((_FORM, self.groups, group.name, *members)), card, uid=uid)

    def _as_categories(self, groups: Sequence[StoredGroup], found: _Found) -> None:
        names: dict[str, list[str]] = {}
        for group in groups:
            unknown = [self._add_bare(address, found) for address in self._unknown(group, found)]
            members = [*self._known(group, found), *unknown]
            if not members:
                found.said.left_out("group_empty", f"the group {shown(group.name)} has no member to be a category of")
            for uid in members:
                names.setdefault(uid, []).append(group.name)
        for uid, categories in names.items():
            entry = found.entries[f"{uid}.vcf"]
            member = replace(entry.id, groups=tuple(categories))
            found.entries[f"{uid}.vcf"] = Entry(_version(entry.version, member), member, entry.size, uid)

    def _known(self, group: StoredGroup, found: _Found) -> list[str]:
        """UIDs of the members that are contacts."""
        gone = [key for key in group.contacts if key not in found.by_key]
        if gone:
            message = f"the group {shown(group.name)} has {len(gone)} members that are no contacts any more"
            found.said.warn("group_member_gone", message)
        uids = [found.by_key[key] for key in group.contacts if key in found.by_key]
        return [*uids, *(found.by_email[each.casefold()] for each in group.emails if each.casefold() in found.by_email)]

    def _unknown(self, group: StoredGroup, found: _Found) -> list[str]:
        return [each for each in group.emails if each.casefold() not in found.by_email]

    def _add_bare(self, address: str, found: _Found) -> str:
        uid = made_id(self.account, "member", address.casefold())
        if f"{uid}.vcf" not in found.entries:
            message = f"{shown(address)} is in a group, but in no contact: a contact is made of the address"
            found.said.note("group_member_added", message, f"{uid}.vcf")
            found.entries[f"{uid}.vcf"] = Entry(joined((_FORM, address)), _Bare(address), uid=uid)
        return uid

    def _cards(self, collection: Collection, place: Place, piece: Sequence[tuple[str, Entry]]) -> Iterator[Item]:
        table = place.table
        keys = tuple(key for key in _WRITTEN if table.has(key))
        photo = f"CAST({table.column('photo')} AS BINARY)" if table.has("photo") else "NULL"
        names = {entry.id.number: (name, entry) for name, entry in piece}
        values = [table.column("id"), digest(table, _VERSION), photo, *map(table.value, keys)]
        sql = select(table, values, f"{_own(place)} AND {among(table, 'id', piece)}")
        html = self.site.tables["contacts"].html
        for number, version, picture, *row in self.site.all(sql, [place.spelling, *names]):
            name, entry = names[int(text(number) or 0)]
            said = Said(collection.key)
            card = contact_card(
                as_row(table, html, keys, row), entry.uid, name, said, groups=entry.id.groups, picture=picture or b""
            )
            now = _version(joined((_FORM, text(version) or "")), entry.id)
            yield Item(name, now, card, tuple(said.findings))

    def _shared(self, places: Sequence[Place]) -> Iterator[Finding]:
        number = sum(self._shared_rows(place) for place in places)
        if number:
            message = f"{number} of its contacts are shared with others, too: see the shared contacts of the settings"
            yield Finding("contacts_shared", message, "note", KEY)

    def _shared_rows(self, place: Place) -> int:
        rights = self.site.table("contact_rights")
        if rights is None or place.prefix:  # where there are shards, shared contacts have a table of their own
            return 0
        shared = self.site.once(
            "contact rights", lambda: frozenset(text(each) for (each,) in self.site.all(rights.select("contact")))
        )
        table = place.table
        if not shared:
            return 0
        sql = select(table, [table.column("id")], _own(place))
        return sum(text(number) in shared for (number,) in self.site.all(sql, [place.spelling]))


def _own(place: Place) -> str:
    table = place.table
    ours = equals(table, "account")
    if not table.has("own"):
        return ours
    return f"{ours} AND ({table.column('own')} IS NULL OR {table.column('own')} <> 1)"


def _version(plain: str, member: _Contact | _Bare) -> str:
    return joined((plain, *member.groups)) if member.groups else plain


def _uuid(written: str | None) -> str | None:
    try:
        return str(UUID((written or "").strip()))
    except ValueError:
        return None
