# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The collections in an account's homes: its own, and those that it only sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import CollectionError
from ..model import Collection, Finding, Kind, Properties
from . import names, urls
from .account import Account
from .discovery import Homes
from .names import apple, cal, card, cs, dav
from .xml import Response, hrefs, kinds, text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: What is asked of each collection.
WANTED = (
    names.RESOURCE_TYPE,
    names.DISPLAY_NAME,
    names.OWNER,
    names.PRIVILEGES,
    names.SYNC_TOKEN,
    names.CTAG,
    dav("supported-report-set"),
    dav("share-access"),
    dav("invite"),
    cs("invite"),
    cs("source"),
    cal("calendar-description"),
    cal("calendar-timezone"),
    cal("supported-calendar-component-set"),
    cal("max-resource-size"),
    cal("schedule-calendar-transp"),
    card("addressbook-description"),
    card("max-resource-size"),
    apple("calendar-color"),
    apple("calendar-order"),
)
#: Rights with which objects can be written (RFC 3744 section 3).
_WRITING = frozenset({dav("all"), dav("write"), dav("write-content"), dav("bind")})
#: Calendars that servers make of address books: there is nothing of the user's own in them.
_GENERATED = re.compile(
    r"contact_birthdays|(?:^|[-_.])birthdays?(?:$|[-_.@])|#contacts@group\.v\.calendar", re.IGNORECASE
)


@dataclass(frozen=True)
class Own:
    """By what an owner is known to be the account itself: paths of principals, and names at their ends."""

    paths: frozenset[str]
    called: frozenset[str]

    @classmethod
    def of(cls, account: Account, homes: Homes) -> Own:
        """The account's own."""
        called = {account.user.lower(), urls.name_of(homes.principal).lower()}
        return cls(frozenset({urls.decoded(homes.principal)}), frozenset(called))

    def __contains__(self, owner: str) -> bool:
        return urls.decoded(owner) in self.paths or urls.name_of(owner).lower() in self.called


def collections(account: Account, homes: Homes) -> tuple[list[Collection], list[Finding]]:
    """The account's own collections, in a stable order, and what is to be said of others.

    :raises CollectionError: a home can't be listed.
    """
    found: dict[str, Collection] = {}
    findings: list[Finding] = []
    own = Own.of(account, homes)
    for home in homes.all:
        for url, response in _listed(account, home, homes):
            seen = _collection(account, url, response)
            if seen is None or seen.key in found:
                continue
            left_out, said = _judged(seen, response, own)
            findings.extend(said)
            if not left_out:
                found[seen.key] = seen
    return sorted(found.values(), key=lambda one: (one.kind, one.key)), findings


def _listed(account: Account, home: str, homes: Homes) -> Iterator[tuple[str, Response]]:
    """A home and what is in it."""
    answer = account.propfind(home, WANTED, 1)
    if answer.status in (404, 410) and (homes.missing or account.server.principal):
        return
    where = {"collection": account.key(home)}
    listed = account.understood(answer, "the account's calendars and address books can't be listed", **where)
    for response in listed.responses:
        url = urls.resolve(answer.url, response.href)
        if response.status == 507:
            raise CollectionError("the server lists only a part of what there is", **account.place, **where)
        if response.status < 300 and account.http.allowed(url):
            yield url, response


def one(account: Account, url: str) -> Collection | None:
    """The collection at an address; None when there is none."""
    response = account.properties(url, WANTED, "the collection can't be looked at", collection=account.key(url))
    return _collection(account, url, response) if response else None


def state_of(response: Response) -> str | None:
    """The word that is equal as long as nothing in the collection changed; None when the server has none."""
    token, tag = text(response.props.get(names.SYNC_TOKEN)), text(response.props.get(names.CTAG))
    if token and _can_sync(response):
        return f"sync:{token}"
    return f"ctag:{tag}" if tag else None


def _can_sync(response: Response) -> bool:
    reports = response.props.get(dav("supported-report-set"))
    return reports is None or next(reports.iter(dav("sync-collection")), None) is not None


def _collection(account: Account, url: str, response: Response) -> Collection | None:
    types = kinds(response.props.get(names.RESOURCE_TYPE))
    if cal("calendar") in types or (cs("subscribed") in types and cs("source") in response.props):
        kind = Kind.CALENDAR
    elif card("addressbook") in types:
        kind = Kind.ADDRESS_BOOK
    else:
        return None  # inbox, outbox, notifications, dropbox, trash: nothing to copy, or the home itself
    url = urls.folder(url)
    return Collection(
        kind=kind,
        key=account.key(url),
        slug=urls.name_of(url).replace("/", "_"),
        properties=_properties(kind, response),
        state=state_of(response),
        writable=_writable(response),
        max_size=_number(text(response.props.get((cal if kind is Kind.CALENDAR else card)("max-resource-size")))),
    )


def _properties(kind: Kind, response: Response) -> Properties:
    props = response.props
    name = _said(props, names.DISPLAY_NAME)
    if kind is Kind.ADDRESS_BOOK:
        return Properties(name=name, description=_said(props, card("addressbook-description")))
    return Properties(
        name=name,
        description=_said(props, cal("calendar-description")),
        color=_said(props, apple("calendar-color")),
        order=_number(text(props.get(apple("calendar-order")))),
        timezone=_lines(_said(props, cal("calendar-timezone"))),
        components=_components(props.get(cal("supported-calendar-component-set"))),
        transparent=_transparent(props.get(cal("schedule-calendar-transp"))),
    )


def _said(props: Mapping[str, Element], name: str) -> str | None:
    """A property's text; None when it has none: a server that knows it not and one where it is empty are the same."""
    return text(props.get(name)) or None


def _lines(value: str | None) -> str | None:
    """An iCalendar text with its own line ends, of which XML makes others (XML 1.0 section 2.11)."""
    return None if value is None else re.sub(r"\r?\n", "\r\n", value) + "\r\n"


def _number(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?\d{1,18}", value) else None


def _components(element: Element | None) -> frozenset[str] | None:
    if element is None:
        return None
    return frozenset(one.get("name", "").upper() for one in element.iter(cal("comp"))) - {""} or None


def _transparent(element: Element | None) -> bool | None:
    types = kinds(element)
    return True if cal("transparent") in types else False if cal("opaque") in types else None


def _writable(response: Response) -> bool:
    privileges = response.props.get(names.PRIVILEGES)
    if privileges is None:
        return True
    return any(one.tag in _WRITING for privilege in privileges.iter(dav("privilege")) for one in privilege)


# what is not the account's own


def _judged(seen: Collection, response: Response, own: Own) -> tuple[bool, list[Finding]]:
    """Whether a collection is left out, and what is to be said of it."""
    what = f'{_NOUNS[seen.kind]} "{seen.properties.name or seen.slug}"'
    types = kinds(response.props.get(names.RESOURCE_TYPE))

    def finding(kind: str, message: str, level: str) -> list[Finding]:
        return [Finding(kind, message, "note" if level == "note" else "warning", collection=seen.key)]

    if cs("subscribed") in types:
        source = ", ".join(hrefs(response.props.get(cs("source")))) or "an address that the server does not say"
        text_ = f"The {what} is a subscription of {source}: it is not copied. Have the user subscribe to it again."
        return True, finding("collection_subscribed", text_, "warning")
    owner = next(iter(hrefs(response.props.get(names.OWNER))), None)
    if _lent(types, response) or (owner is not None and owner not in own):
        whose = urls.name_of(owner) if owner is not None and owner not in own else "somebody else"
        right = "change" if seen.writable else "read"
        text_ = (
            f"The {what} belongs to {whose}, and the account may {right} it: it is copied with its owner's. "
            f"Share it with this account on the target when both are there."
        )
        return True, finding("collection_delegated", text_, "warning")
    if not seen.writable and _GENERATED.search(seen.slug):
        text_ = f"The {what} is made by the server of other data, so it is not copied."
        return True, finding("collection_generated", text_, "note")
    said = []
    if not seen.writable:
        said += finding("collection_read_only", f"The {what} can't be written to by this log-in.", "note")
    sharees = _sharees(response)
    if sharees or cs("shared-owner") in types:
        text_ = f"The {what} is shared with {', '.join(sharees) or 'others'}: share it with them on the target, too."
        said += finding("collection_shared", text_, "warning")
    return False, said


_NOUNS = {Kind.CALENDAR: "calendar", Kind.ADDRESS_BOOK: "address book"}


def _lent(types: frozenset[str], response: Response) -> bool:
    """Whether a collection is one that somebody else shares with the account."""
    access = kinds(response.props.get(dav("share-access")))
    return cs("shared") in types or bool(access & {dav("read"), dav("read-write")})


def _sharees(response: Response) -> list[str]:
    """Whom a collection is shared with, and with what right (Apple's way, and draft-pot-webdav-resource-sharing)."""
    found = []
    for invite in (response.props.get(cs("invite")), response.props.get(dav("invite"))):
        if invite is None:
            continue
        for user in (*invite.iter(cs("user")), *invite.iter(dav("sharee"))):
            who = next(iter(hrefs(user)), "")
            writes = any(next(user.iter(tag), None) is not None for tag in (cs("read-write"), dav("read-write")))
            if who:
                found.append(f"{who.removeprefix('mailto:')} ({'change' if writes else 'read'})")
    return sorted(set(found))
