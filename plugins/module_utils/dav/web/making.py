# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Collections made and amended: MKCALENDAR (RFC 4791 section 5.3.1), extended MKCOL (RFC 5689), PROPPATCH."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ...errors import CollectionError, MigrationError
from ...transport.http import Answer
from ..model import Collection, Kind, Properties
from . import names, refusals, survey, urls
from .account import Account
from .discovery import Homes
from .names import apple, cal, card, dav
from .xml import element, serialised

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: The properties that can be set, by the name that they have in the model.
_CALENDAR = {
    "name": names.DISPLAY_NAME,
    "description": cal("calendar-description"),
    "color": apple("calendar-color"),
    "order": apple("calendar-order"),
    "timezone": cal("calendar-timezone"),
    "components": cal("supported-calendar-component-set"),
    "transparent": cal("schedule-calendar-transp"),
}
_BOOK = {"name": names.DISPLAY_NAME, "description": card("addressbook-description")}
_MADE = (200, 201, 204, 207)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
#: The status of a property that was fine but for another one (RFC 4918 section 11.4).
_DEPENDENT = 424


def make(account: Account, homes: Homes, kind: Kind, slug: str, properties: Properties) -> Collection:
    """Make a collection; see :meth:`..sides.Target.make`."""
    home = next(iter(homes.calendars if kind is Kind.CALENDAR else homes.books), None)
    place = {**account.place, "collection": slug}
    if home is None:
        raise CollectionError(f"the server has no place for {kind.value.replace('_', ' ')}s of this account", **place)
    if homes.missing:
        _make_home(account, home)
    last: Answer | None = None
    for name in _names(slug):
        url = urls.folder(home) + urls.segment(name) + "/"
        for body_of in (properties, Properties(components=properties.components), None):
            last = _made(account, url, kind, body_of)
            if last.status in _MADE:
                return _completed(account, _place(account, url, last), properties, place)
            if _there_already(account, url, last):
                if last.repeated:  # the first of two requests has made it
                    return _completed(account, url, properties, place)
                raise CollectionError("there is something of that name already", **place)
    raise refusals.refused(last, "the target does not make it", **place) if last else CollectionError(slug, **place)


def amend(account: Account, collection: Collection, properties: Properties) -> frozenset[str]:
    """Set properties; the names of those that the server refused, see :meth:`..sides.Target.amend`."""
    known = _CALENDAR if collection.kind is Kind.CALENDAR else _BOOK
    wanted = {one.name: getattr(properties, one.name) for one in fields(properties)}
    given = {name: value for name, value in wanted.items() if value is not None}
    refused = {name for name in given if name not in known}
    components = given.pop("components", None)  # protected once it is made (RFC 4791 section 5.2.3)
    if components is not None and components != collection.properties.components:
        refused.add("components")
    left = {name: value for name, value in given.items() if name in known}
    while left:
        failed = _patched(account, collection, left, known)
        if not failed:
            break
        refused |= failed
        left = {name: value for name, value in left.items() if name not in failed}
    return frozenset(refused)


def _patched(
    account: Account, collection: Collection, values: Mapping[str, object], known: Mapping[str, str]
) -> set[str]:
    """Which of them the server refused; it sets all or none (RFC 4918 section 9.2)."""
    prop = element(dav("prop"), None, *_elements(values, known))
    body = serialised(element(dav("propertyupdate"), None, element(dav("set"), None, prop)))
    answer = account.xml("PROPPATCH", account.url(collection.key), body)
    if answer.status in (404, 410):
        raise CollectionError("the collection is not there any more", **account.where(collection))
    if answer.status != 207:
        if answer.status >= 500 and answer.status != 501 and len(values) == 1:
            return set(values)
        return _singly(account, collection, values, known) if len(values) > 1 else set(values)
    tags = {tag: name for name, tag in known.items()}
    statuses: dict[str, int] = {}
    for response in account.understood(answer, "it can't be changed", **account.where(collection)).responses:
        statuses |= {tags[tag]: status for tag, status in response.refused.items() if tag in tags}
        if response.status >= 300:
            return set(values)
    failed = {name for name, status in statuses.items() if status != _DEPENDENT}
    return (failed or set(statuses)) & set(values)


def _singly(
    account: Account, collection: Collection, values: Mapping[str, object], known: Mapping[str, str]
) -> set[str]:
    """Property by property, at a server that refuses a request as a whole."""
    return {name for name, value in values.items() if _patched(account, collection, {name: value}, known)}


def _elements(values: Mapping[str, object], known: Mapping[str, str]) -> Iterable[Element]:
    for name, value in values.items():
        if name == "components" and isinstance(value, frozenset):
            found = element(known[name])
            for component in sorted(value):
                element_ = element(cal("comp"))
                element_.set("name", component)
                found.append(element_)
            yield found
        elif name == "transparent":
            yield element(known[name], None, element(cal("transparent" if value else "opaque")))
        else:
            yield element(known[name], str(value))


def _made(account: Account, url: str, kind: Kind, properties: Properties | None) -> Answer:
    known = _CALENDAR if kind is Kind.CALENDAR else _BOOK
    values = {} if properties is None else {name: getattr(properties, name) for name in known}
    props = list(_elements({name: value for name, value in values.items() if value is not None}, known))
    if kind is Kind.CALENDAR:
        root = element(cal("mkcalendar"))
        if props:
            root.append(element(dav("set"), None, element(dav("prop"), None, *props)))
        answer = account.xml("MKCALENDAR", url, serialised(root))
        if answer.status not in (405, 501) or _there_already(account, url, answer):
            return answer
    types = element(
        names.RESOURCE_TYPE,
        None,
        element(dav("collection")),
        element(cal("calendar") if kind is Kind.CALENDAR else card("addressbook")),
    )
    root = element(dav("mkcol"), None, element(dav("set"), None, element(dav("prop"), None, types, *props)))
    return account.xml("MKCOL", url, serialised(root))


def _make_home(account: Account, home: str) -> None:
    """Make an account's home where nobody has logged in yet; a server that refuses says so with the collection."""
    account.ask("MKCOL", home)


def _names(slug: str) -> list[str]:
    """How the collection may be called in its address: as it was, or plainly where a server takes no other letters."""
    plain = _UNSAFE.sub("-", slug).strip(".-")[:60]
    safe = f"{plain}-{hashlib.sha256(slug.encode()).hexdigest()[:8]}".lstrip("-")
    return [slug, safe] if urls.usable(slug) and safe != slug else [safe]


def _there_already(account: Account, url: str, answer: Answer) -> bool:
    if refusals.condition(answer) == "resource-must-be-null":
        return True
    return answer.status in (403, 405, 409) and account.propfind(url, (names.RESOURCE_TYPE,), 0).status == 207


def _place(account: Account, url: str, answer: Answer) -> str:
    """Where the new collection is: servers may call it otherwise than they were told."""
    location = answer.headers.get("Location")
    return urls.folder(account.resolve(url, urljoin(url, location))) if location else url


def _completed(account: Account, url: str, properties: Properties, place: Mapping[str, str]) -> Collection:
    """The new collection as it is, with what was left out when it was made."""
    found = survey.one(account, url)
    if found is None:
        raise CollectionError("the target says that it made it, but it is not there", **place)
    missing = {
        one.name: getattr(properties, one.name)
        for one in fields(properties)
        if one.name != "components" and getattr(properties, one.name) not in (None, getattr(found.properties, one.name))
    }
    if not missing:
        return found
    try:
        amend(account, found, Properties(**missing))
    except MigrationError:
        return found  # what it has not is seen in the survey
    return survey.one(account, url) or replace(found)
