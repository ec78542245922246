# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Objects written and removed, never over what somebody else wrote (RFC 4791 section 5.3.2, RFC 9110 section 13)."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import ObjectChangedError, ObjectRefusedError, SchedulingError
from ...transport.http import Answer
from ..model import Collection, Item, Kind
from . import names, refusals, scheduling, urls
from .account import Account, Known
from .listing import DIGEST, digest, version
from .reading import read
from .scheduling import Scheduling
from .xml import text

_TYPES = {Kind.CALENDAR: "text/calendar; charset=utf-8", Kind.ADDRESS_BOOK: "text/vcard; charset=utf-8"}
_STORED = (200, 201, 204)


def put(
    account: Account, way: Scheduling, collection: Collection, name: str, data: bytes, known: str | None
) -> str | None:
    """Write a new object, or over the version that is ``known``; see :meth:`..sides.Target.put`."""
    where = account.where(collection, name)
    if not urls.usable(name):
        raise ObjectRefusedError(f"an object can't be called {name!r} there", **where, condition="name")
    url, sent = account.object_url(collection, name), data
    if collection.kind is Kind.CALENDAR:
        sent = _prepared(account, way, collection, name, data, known)
    headers = {"Content-Type": _TYPES[collection.kind], **scheduling.HEADERS}
    answer = account.ask("PUT", url, sent, {**headers, **_condition(account, collection, name, known)})
    account.fourths.pop(collection.key, None)
    if answer.status == 412 and (answer.repeated or _weak(known)):
        answer = _looked_after(account, collection, name, sent, known, answer, headers)
    if answer.status not in _STORED:
        raise refusals.not_stored(answer, collection.kind, len(sent), collection.max_size, **where)
    etag = version(answer.headers.get("ETag"))
    stored = etag if etag is not None and not _weak(etag) else None
    account.remember(collection, {name: Known(account.href(collection, name), stored or "")})
    return stored


def remove(account: Account, way: Scheduling, collection: Collection, name: str, known: str) -> None:
    """Remove this version of an object; see :meth:`..sides.Target.remove`."""
    where = account.where(collection, name)
    if not urls.usable(name):
        raise ObjectRefusedError(f"no object can be called {name!r} there", **where, condition="name")
    if collection.kind is Kind.CALENDAR:
        _check(account, way, collection, name)
    url = account.object_url(collection, name)
    answer = account.ask("DELETE", url, headers={**scheduling.HEADERS, **_condition(account, collection, name, known)})
    now = _now(account, collection, name) if answer.status == 412 else known
    if answer.status == 412 and _weak(known) and now == known:
        answer = account.ask("DELETE", url, headers=scheduling.HEADERS)
    if answer.status in (200, 202, 204, 404, 410) or now is None:  # what is not there fits no version, either
        return
    if answer.status == 412:
        raise ObjectChangedError("it was changed meanwhile, so it is not removed", **where)
    raise refusals.not_stored(answer, collection.kind, 0, None, **where)


def _prepared(
    account: Account, way: Scheduling, collection: Collection, name: str, data: bytes, known: str | None
) -> bytes:
    """What is sent of a calendar object, so that nobody is invited."""
    if way.way == "unsafe" and scheduling.speaks(data):
        raise SchedulingError(
            "the target would send invitations for it, and can't be told otherwise", **account.where(collection, name)
        )
    if known is not None:
        _check(account, way, collection, name)
    return way.prepared(data)


def _check(account: Account, way: Scheduling, collection: Collection, name: str) -> None:
    """Where a parameter keeps invitations back: one that is not there yet can't be put in without a cancellation.

    RFC 6638 section 3.2.1.2: a change from SERVER to CLIENT, or a removal, makes the server send CANCEL to attendees.
    """
    if way.way not in ("agent", "unsafe"):
        return
    for item in read(account, collection, [name]):
        if scheduling.speaks(item.data):
            raise ObjectRefusedError(
                "the target would send cancellations for it if it were changed or removed",
                safe_next="Change or remove it with a calendar program if it is to be, or switch scheduling off on the "
                "target and set scheduling: off. Everything else is copied.",
                **account.where(collection, name),
                condition="scheduling",
            )


# versions


def _weak(known: str | None) -> bool:
    """Whether a version is one that conditions of HTTP do not take (RFC 9110 section 13.1.1)."""
    return known is not None and known.startswith(("W/", DIGEST))


def _condition(account: Account, collection: Collection, name: str, known: str | None) -> Mapping[str, str]:
    """The header that lets a server act on this version only.

    A server without ETags can't be asked for that: it is looked at right before, which is the best that there is.
    """
    if known is None:
        return {"If-None-Match": "*"}
    if known.startswith(DIGEST):
        if _now(account, collection, name) != known:
            raise ObjectChangedError("it was changed meanwhile", **account.where(collection, name))
        return {}
    return {"If-Match": known}


def _now(account: Account, collection: Collection, name: str) -> str | None:
    """The present version of an object; None when it is gone."""
    url = account.object_url(collection, name)
    where = account.where(collection, name)
    found = account.properties(url, (names.ETAG,), "the object can't be looked at", **where)
    if found is None:
        return None
    etag = version(text(found.props.get(names.ETAG)))
    return etag if etag is not None else next((digest(item.data) for item in _texts(account, collection, name)), None)


def _texts(account: Account, collection: Collection, name: str) -> list[Item]:
    return list(read(account, collection, [name]))


def _looked_after(
    account: Account,
    collection: Collection,
    name: str,
    sent: bytes,
    known: str | None,
    answer: Answer,
    headers: Mapping[str, str],
) -> Answer:
    """A refusal that may be none: the first of two requests was done, or the server does not compare weak ETags."""
    url = account.object_url(collection, name)
    if answer.repeated and any(digest(item.data) == digest(sent) for item in _texts(account, collection, name)):
        return Answer(204, {}, b"", url)
    if _weak(known) and _now(account, collection, name) == known:
        return account.ask("PUT", url, sent, headers)
    return answer
