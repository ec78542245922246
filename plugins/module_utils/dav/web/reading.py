# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Objects, many in one answer (RFC 4791 section 7.9, RFC 6352 section 8.7); one by one where a server can't."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ...errors import CollectionError, ConnectionLostError, ProtocolError
from ...transport.http import Answer
from ..model import Collection, Finding, Item, Kind
from . import names, refusals, urls
from .account import Account
from .listing import DIGEST, digest, version
from .names import cal, card, dav
from .vcards import fourths
from .xml import Response, element, serialised, text

#: Objects in one answer at most, and the bytes that an answer should have about.
_AT_ONCE, _BYTES = 250, 8 * 1024 * 1024
#: What an object is taken for in bytes while none has been seen.
_GUESS = 16 * 1024
#: An object is read up to this many bytes, an answer with many up to a few times what it should have.
MAX_OBJECT = 256 * 1024 * 1024
_MAX_ANSWER = 64 * 1024 * 1024
_LINE_END = re.compile(r"\r?\n")
_LAST = (b"END:VCALENDAR", b"END:VCARD")
_LENGTH = dav("getcontentlength")
#: After so many objects that were looked at again in vain, lengths are not looked at any more.
_IN_VAIN = 8


@dataclass
class _Batch:
    """How much is asked for at once: so that an answer has about _BYTES, judged by what came so far."""

    objects: int = 0
    size: int = 0

    def count(self) -> int:
        """How many objects to ask for next."""
        mean = self.size / self.objects if self.objects else _GUESS
        return max(1, min(_AT_ONCE, int(_BYTES / max(mean, 1))))

    def saw(self, items: Sequence[Item]) -> None:
        """Take note of what came."""
        self.objects += len(items)
        self.size += sum(len(one.data) for one in items)


def read(account: Account, collection: Collection, wanted: Sequence[str]) -> Iterator[Item]:
    """The objects of these names as they come; those that are gone meanwhile are left out.

    One that the server lists but does not give out comes without data, and with a finding that says why.

    :raises CollectionError: the collection is gone, or does not let itself be read.
    """
    batch, left = _Batch(), list(dict.fromkeys(wanted))
    one_by_one = False
    while left:
        some, left = left[: batch.count()], left[batch.count() :]
        alone = one_by_one or (len(some) == 1 and collection.kind is Kind.CALENDAR)
        items = None if alone else _many(account, collection, some)
        if items is None:
            one_by_one = one_by_one or (len(some) > 1 and not _reports(account, collection))
            items = [item for name in some for item in _one(account, collection, name)]
        batch.saw(items)
        yield from items


def _reports(account: Account, collection: Collection) -> bool:
    """Whether the server has not refused the report for this collection yet."""
    return collection.key not in account.without_multiget


def _many(account: Account, collection: Collection, some: Sequence[str]) -> list[Item] | None:
    """The objects by one report; None where they must be asked for one by one.

    An object that is longer or shorter than the server says that it has it is looked at again: as a vCard of the other
    version (see ``vcards``), and by itself, as what is no text for XML is changed by it (a CR alone is an LF then, XML
    1.0 section 2.11).
    """
    if collection.kind is Kind.CALENDAR:
        found = _report(account, collection, some, "")
        return None if found is None else [_as_it_is(account, collection, one, found[1]) for one in found[0]]
    new = fourths(account, collection)
    items: dict[str, Item] = {}
    for version_, other in (("", "4.0"), ("4.0", "")):
        wanted = [name for name in some if (name in new) is bool(version_)]
        found = _report(account, collection, wanted, version_) if wanted else ([], {})
        if found is None:
            return None
        items |= {item.name: item for item in found[0]}
        again = _report(account, collection, list(found[1]), other) if found[1] else None
        items |= {item.name: item for item in again[0] if item.name not in again[1]} if again is not None else {}
        still = {name: length for name, length in found[1].items() if again is None or name in again[1]}
        items |= {name: _as_it_is(account, collection, items[name], still) for name in still}
    return [items[name] for name in some if name in items]


def _as_it_is(account: Account, collection: Collection, item: Item, doubtful: Mapping[str, str]) -> Item:
    """An object as GET gives it, if it is doubtful and that is nearer to what the server has.

    A server whose lengths mean something else is not asked for one object after the other because of them.
    """
    length = doubtful.get(item.name)
    if length is None or collection.key in account.odd_lengths:
        return item
    for alone in _one(account, collection, item.name):
        nearer = bool(alone.data) and (collection.kind is Kind.CALENDAR or str(len(alone.data)) == length)
        useful = nearer and digest(alone.data) != digest(item.data)
        in_vain = 0 if useful else account.in_vain.get(collection.key, 0) + 1
        account.in_vain[collection.key] = in_vain
        if in_vain >= _IN_VAIN:
            account.odd_lengths.add(collection.key)
        return alone if nearer else item
    return item


def _report(
    account: Account, collection: Collection, some: Sequence[str], vcard: str
) -> tuple[list[Item], dict[str, str]] | None:
    """What a report gives, and the lengths of objects that are not as the server has them."""
    if not _reports(account, collection):
        return None
    body = _body(account, collection, some, vcard)
    answer = account.xml("REPORT", account.url(collection.key), body, depth=1, limit=_MAX_ANSWER)
    if answer.status in (404, 410):
        raise CollectionError("the collection is not there any more", **account.where(collection))
    if answer.status != 207:
        account.without_multiget.add(collection.key)
        return None
    if answer.cut:
        return None
    return _understood(account, collection, some, answer)


def _body(account: Account, collection: Collection, some: Sequence[str], vcard: str) -> bytes:
    hrefs = (element(dav("href"), account.href(collection, name)) for name in some)
    if collection.kind is Kind.CALENDAR:
        prop = element(dav("prop"), None, element(names.ETAG), element(_LENGTH), element(names.CALENDAR_DATA))
        return serialised(element(cal("calendar-multiget"), None, prop, *hrefs))
    data = element(names.ADDRESS_DATA)
    if vcard:
        data.attrib.update({"content-type": "text/vcard", "version": vcard})
    prop = element(dav("prop"), None, element(names.ETAG), element(_LENGTH), data)
    return serialised(element(card("addressbook-multiget"), None, prop, *hrefs))


def _understood(
    account: Account, collection: Collection, some: Sequence[str], answer: Answer
) -> tuple[list[Item], dict[str, str]] | None:
    """What the report says; objects that it does not speak of are asked for by themselves.

    None when it can't be read: servers put characters into XML that may not be there.
    """
    try:
        responses = account.understood(answer, "objects can't be read", **account.where(collection)).responses
    except ProtocolError:
        return None
    said: dict[str, Response] = {}
    for one in responses:
        said[urls.name_of(urls.resolve(answer.url, one.href))] = one
    items: list[Item] = []
    doubtful: dict[str, str] = {}
    for name in some:
        response = said.get(name)
        if response is not None and (response.status in (404, 410) or _gone(response)):
            continue
        item = _item(collection, name, response) if response is not None else None
        items += [item] if item is not None else _one(account, collection, name)
        trusted = collection.key not in account.odd_lengths
        if trusted and response is not None and item is not None and (length := _another_length(response, item)):
            doubtful[name] = length
    return items, doubtful


def _another_length(response: Response, item: Item) -> str:
    """The length in which a server says that it has an object, if it is not that of what it gives out.

    Whatever the line ends, and whether there is none, one or two at the end.
    """
    length, data = text(response.props.get(_LENGTH)), item.data.rstrip(b"\r\n")
    if not length.isascii() or not length.isdigit():
        return ""
    shorter, there = data.replace(b"\r\n", b"\n"), int(length[:12])
    fits = there - len(data) in (0, 2, 4) or there - len(shorter) in (0, 1, 2)
    return "" if fits else length


def _gone(response: Response) -> bool:
    """Whether all that was asked for is not there (some servers say it of each property)."""
    return not response.props and set(response.refused.values()) == {404} and len(response.refused) > 1


def _data(collection: Collection, response: Response) -> Element | None:
    return response.props.get(names.CALENDAR_DATA if collection.kind is Kind.CALENDAR else names.ADDRESS_DATA)


def _item(collection: Collection, name: str, response: Response) -> Item | None:
    found = _data(collection, response)
    if found is None or not found.text or len(found):
        return None
    # XML makes one LF of every line end (XML 1.0 section 2.11); those of iCalendar and vCard are CRLF.
    data = _LINE_END.sub("\r\n", found.text.lstrip("\r\n")).encode()
    return Item(name, version(text(response.props.get(names.ETAG))) or digest(data), data)


def _one(account: Account, collection: Collection, name: str) -> list[Item]:
    """An object by itself; nothing if it is gone. Without data, and with a finding, if the server keeps it back."""
    accept = "text/calendar" if collection.kind is Kind.CALENDAR else "text/vcard, text/x-vcard;q=0.5"
    url = account.object_url(collection, name)
    answer = _got(account, url, {"Accept": f"{accept}, */*;q=0.1"})
    if answer.status in (404, 410):
        return []
    if answer.status != 200 or answer.cut:
        too_long = f"it is larger than {MAX_OBJECT} bytes"
        message = f"The server lists it, but does not give it out: {too_long if answer.cut else refusals.said(answer)}."
        finding = Finding("object_unreadable", message, "error", collection.key, name)
        return [Item(name, _version(account, collection, name, answer), b"", (finding,))]
    return [Item(name, _version(account, collection, name, answer), answer.body)]


def _got(account: Account, url: str, headers: Mapping[str, str]) -> Answer:
    """An object that is whole: where the server says no length, and it has no last line, it must come twice.

    :raises ConnectionLostError: it ends somewhere else each time.
    """
    answer = account.ask("GET", url, headers=headers, limit=MAX_OBJECT)
    for _number in range(3):
        if answer.status != 200 or not answer.endless or answer.body[-40:].rstrip().upper().endswith(_LAST):
            return answer
        again = account.ask("GET", url, headers=headers, limit=MAX_OBJECT)
        if again.body == answer.body:
            return again
        answer = again
    raise ConnectionLostError("the server closes the connection in the middle of an object", **account.place)


def _version(account: Account, collection: Collection, name: str, answer: Answer) -> str:
    """The version of what a GET gave: as the listing has it where the two mean the same (proxies weaken ETags)."""
    own = version(answer.headers.get("ETag"))
    seen = account.known.get(collection.key, {}).get(name)
    if seen is not None and own is not None and seen.version.removeprefix("W/") == own.removeprefix("W/"):
        return seen.version
    if own is None or (seen is not None and seen.version.startswith(DIGEST)):
        return digest(answer.body)
    return own
