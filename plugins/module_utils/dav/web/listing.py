# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is in a collection, or changed in it: by tokens (RFC 6578), else by a listing with ETags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...errors import CollectionError
from ..model import Changes, Collection, Finding
from . import names, refusals, urls
from .account import Account, Known
from .names import dav
from .survey import state_of
from .xml import Multistatus, Response, element, kinds, serialised, text

#: So many answers may tell one change: a server that pages for longer than that pages in circles.
_MAX_PAGES = 10_000
_STATE = (names.SYNC_TOKEN, names.CTAG, dav("supported-report-set"))
#: What a version that was made of an object's text begins with: for servers without ETags.
DIGEST = "sha256:"
_LINE_END = re.compile(rb"\r?\n")
#: Reads objects and gives their texts by their names.
Reader = Callable[[Collection, Iterable[str]], Mapping[str, bytes]]


@dataclass
class _Seen:
    """What the answers to one question said of objects."""

    found: dict[str, Known] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


class _TooOldError(Exception):
    """The server does not know the token any more, or does not do this at all."""


def changes(account: Account, collection: Collection, since: str | None, read: Reader) -> Changes:
    """What is in a collection, or what changed since a state. ``read`` is for servers without ETags.

    :raises CollectionError: the collection is not there or can't be listed.
    """
    account.fourths.pop(collection.key, None)
    if since is not None and since.startswith("sync:"):
        try:
            return _by_token(account, collection, since.removeprefix("sync:"), read)
        except _TooOldError:
            pass
    elif since is not None and since == _state(account, collection):
        return Changes({}, whole=False, state=since)
    if (collection.state or "").startswith("sync:"):
        try:
            return _by_token(account, collection, "", read)
        except _TooOldError:
            pass
    return _by_listing(account, collection, read)


def version(etag: str | None) -> str | None:
    """An ETag in one form, however a server writes it (RFC 9110 section 8.8.3; some leave the quotes out)."""
    value = (etag or "").strip()
    weak = value[:2] in ("W/", "w/")
    opaque = value[2:].strip() if weak else value
    if len(opaque) >= 2 and opaque[0] == opaque[-1] == '"':
        opaque = opaque[1:-1]
    if not opaque:
        return None
    return f'{"W/" if weak else ""}"{opaque}"'


def digest(data: bytes) -> str:
    """The version of an object at a server that has no ETags."""
    return DIGEST + hashlib.sha256(_LINE_END.sub(b"\r\n", data)).hexdigest()


def _state(account: Account, collection: Collection) -> str | None:
    """The collection's state now.

    :raises CollectionError: it is not there any more.
    """
    url = account.url(collection.key)
    found = account.properties(url, _STATE, "the collection can't be looked at", collection=collection.key)
    if found is None:
        raise CollectionError("the collection is not there any more", **account.where(collection))
    return state_of(found)


# by tokens


def _by_token(account: Account, collection: Collection, token: str, read: Reader) -> Changes:
    seen = _Seen()
    state = token
    for _number in range(_MAX_PAGES):
        answer, page, more = _page(account, collection, state)
        for name, response in _objects(account, collection, page.responses, answer):
            _note(collection, seen, name, response)
        if not page.sync_token:
            raise _TooOldError
        if not more:
            state = page.sync_token
            break
        if page.sync_token == state:
            raise CollectionError("the server lists its changes in circles", **account.where(collection))
        state = page.sync_token
    else:
        raise CollectionError("the server lists its changes without an end", **account.where(collection))
    whole = not token
    return _told(account, collection, seen, whole=whole, state=f"sync:{state}", read=read)


def _page(account: Account, collection: Collection, token: str) -> tuple[str, Multistatus, bool]:
    """One page of changes, where it came from, and whether there are more (RFC 6578 section 3.6)."""
    body = serialised(
        element(
            dav("sync-collection"),
            None,
            element(names.SYNC_TOKEN, token),
            element(dav("sync-level"), "1"),
            element(dav("prop"), None, element(names.ETAG)),
        )
    )
    answer = account.xml("REPORT", account.url(collection.key), body, depth=0)
    if answer.status in (404, 410):
        raise CollectionError("the collection is not there any more", **account.where(collection))
    if answer.status != 207:
        if 400 <= answer.status < 500 or answer.status in (500, 501):
            raise _TooOldError  # whatever the reason is: the whole listing shows whether it is more than that
        raise refusals.refused(answer, "the changes can't be listed", **account.where(collection))
    page = account.understood(answer, "the changes can't be listed", **account.where(collection))
    own = [one for one in page.responses if _same(answer.url, one.href, answer.url)]
    return answer.url, page, any(one.status == 507 for one in own)


def _same(base: str, href: str, url: str) -> bool:
    return urls.decoded(urls.resolve(base, href)) == urls.decoded(url)


# by a listing


def _by_listing(account: Account, collection: Collection, read: Reader) -> Changes:
    state = _state(account, collection)  # before the listing: what comes meanwhile is then seen the next time
    answer = account.propfind(account.url(collection.key), (names.RESOURCE_TYPE, names.ETAG), 1)
    if answer.status in (404, 410):
        raise CollectionError("the collection is not there any more", **account.where(collection))
    listed = account.understood(answer, "the collection can't be listed", **account.where(collection))
    own = [one for one in listed.responses if _same(answer.url, one.href, answer.url)]
    if not own or any(one.status == 507 for one in own):
        raise CollectionError("the server lists only a part of the collection", **account.where(collection))
    seen = _Seen()
    for name, response in _objects(account, collection, listed.responses, answer.url):
        if response.status not in (404, 410):
            _note(collection, seen, name, response)
    return _told(account, collection, seen, whole=True, state=state, read=read)


def _objects(
    account: Account, collection: Collection, responses: Iterable[Response], base: str
) -> Iterator[tuple[str, Response]]:
    """The objects among what an answer speaks of, by their names."""
    here = account.url(collection.key)
    for response in responses:
        url = urls.resolve(base, response.href)
        if urls.decoded(url) in (urls.decoded(here), urls.decoded(base)):
            continue
        is_folder = response.href.endswith("/") or dav("collection") in kinds(response.props.get(names.RESOURCE_TYPE))
        inside = urls.inside(here, url) or urls.inside(base, url)
        if inside and not is_folder and account.http.allowed(url):
            yield urls.name_of(url), response


def _note(collection: Collection, seen: _Seen, name: str, response: Response) -> None:
    """Take down what an answer says of an object; what comes later counts."""
    seen.gone.discard(name)
    if response.status in (404, 410):
        seen.found.pop(name, None)
        seen.gone.add(name)
    elif response.status >= 300:
        seen.found[name] = Known(response.href, f"status:{response.status}")
        message = f"The server lists it, but does not let it be read (status {response.status})."
        seen.findings.append(Finding("object_unreadable", message, "error", collection.key, name))
    else:
        seen.found[name] = Known(response.href, version(text(response.props.get(names.ETAG))) or "")


def _told(
    account: Account, collection: Collection, seen: _Seen, *, whole: bool, state: str | None, read: Reader
) -> Changes:
    bare = [name for name, known in seen.found.items() if not known.version]
    account.remember(collection, seen.found)
    if bare:
        texts = read(collection, bare)
        for name in bare:
            if name in texts:
                seen.found[name] = Known(seen.found[name].href, digest(texts[name]))
            else:
                del seen.found[name]  # gone since it was listed
        account.remember(collection, seen.found)
    return Changes(
        {name: known.version for name, known in seen.found.items()},
        whole=whole,
        removed=frozenset() if whole else frozenset(seen.gone),
        state=state,
        findings=tuple(seen.findings),
    )
