# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which cards a server has as vCard 4.0.

Servers that know 4.0 give every card out as 3.0 unless they are asked for 4.0, and then every card as 4.0 (RFC 6352
section 10.4). What they search in is what they have (section 8.6): so they are asked which cards' VERSION is 4.0.
"""

from __future__ import annotations

from ...errors import ProtocolError, ServerError
from ..model import Collection
from . import names, urls
from .account import Account
from .names import card, dav
from .xml import element, serialised

_SUPPORTED = card("supported-address-data")
#: A version that no card has: a server that finds some passes the filter over.
_NOBODYS = "no card has this version"


def fourths(account: Account, collection: Collection) -> frozenset[str]:
    """The names of cards that are 4.0; none where the server does not convert, or can't say it.

    Kept until something is written there, or changes are asked for.
    """
    known = account.fourths.get(collection.key)
    if known is None:
        try:
            known = _asked(account, collection) if _converts(account, collection) else frozenset()
        except (ProtocolError, ServerError):
            known = frozenset()  # what can't be asked here is no reason not to read
        account.fourths[collection.key] = known
    return known


def _converts(account: Account, collection: Collection) -> bool:
    """Whether the server knows 4.0 (RFC 6352 section 6.2.2); that does not change."""
    if collection.key not in account.converting:
        account.converting[collection.key] = _knows(account, collection)
    return account.converting[collection.key]


def _knows(account: Account, collection: Collection) -> bool:
    found = account.properties(account.url(collection.key), (_SUPPORTED,), "it can't be looked at")
    types = found.props.get(_SUPPORTED) if found is not None else None
    return types is not None and any(one.get("version") == "4.0" for one in types.iter(card("address-data-type")))


def _asked(account: Account, collection: Collection) -> frozenset[str]:
    found = _with_version(account, collection, "4.0")
    return frozenset() if found and _with_version(account, collection, _NOBODYS) else found


def _with_version(account: Account, collection: Collection, version: str) -> frozenset[str]:
    match = element(card("text-match"), version)
    match.attrib.update({"collation": "i;ascii-casemap", "match-type": "equals"})
    prop_filter = element(card("prop-filter"), None, match)
    prop_filter.set("name", "VERSION")
    prop = element(dav("prop"), None, element(names.ETAG))
    body = serialised(element(card("addressbook-query"), None, prop, element(card("filter"), None, prop_filter)))
    answer = account.xml("REPORT", account.url(collection.key), body, depth=1)
    said = account.understood(answer, "cards can't be searched for", **account.where(collection))
    return frozenset(urls.name_of(urls.resolve(answer.url, one.href)) for one in said.responses if one.status < 300)
