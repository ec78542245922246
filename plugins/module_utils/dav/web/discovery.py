# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where the calendars and address books are (RFC 6764, RFC 5397; RFC 4791 section 6.2, RFC 6352 section 7.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from ...errors import CollectionError, ProtocolError, ServerError
from ...transport.http import Answer
from ..model import Finding
from . import names, refusals, urls
from .account import Account
from .names import dav
from .xml import Response, hrefs, kinds

WELL_KNOWN = ("/.well-known/caldav", "/.well-known/carddav")
_START = (names.PRINCIPAL, names.PRINCIPAL_URL, names.RESOURCE_TYPE, names.CALENDAR_HOME, names.BOOK_HOME)
_OF_PRINCIPAL = (
    names.CALENDAR_HOME,
    names.BOOK_HOME,
    names.RESOURCE_TYPE,
    names.cal("calendar-user-address-set"),
    names.cs("calendar-proxy-read-for"),
    names.cs("calendar-proxy-write-for"),
)


@dataclass(frozen=True)
class Homes:
    """Where an account's collections are: addresses, the first of each kind for new ones.

    ``missing`` when nobody has made the account's home yet. ``addresses`` are how the account is called in
    invitations.
    """

    principal: str
    calendars: tuple[str, ...]
    books: tuple[str, ...]
    missing: bool = False
    addresses: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def all(self) -> tuple[str, ...]:
        """Every home, once."""
        return tuple({urls.decoded(one): one for one in (*self.calendars, *self.books)}.values())


def discover(account: Account) -> Homes:
    """An account's homes.

    :raises CollectionError: the server names none.
    """
    if account.server.principal:
        return _given(account, str(account.server.principal))
    seen: list[str] = []
    found: Homes | None = None
    for start, found_there in _starts(account):
        seen.append(f"{urlsplit(start).path} ({found_there})" if isinstance(found_there, str) else start)
        if isinstance(found_there, str):
            continue
        found = _joined(found, _homes(account, start, found_there))
        if found.calendars and found.books:
            return found
    if found is not None and found.all:
        return found
    return _as_home(account, seen)


def _given(account: Account, template: str) -> Homes:
    """The homes of a principal whose address is known; the address may be that of a home itself."""
    url = urls.folder(account.resolve(account.base, urls.filled(template, account.user)))
    found = account.properties(url, _OF_PRINCIPAL, "the account's principal can't be read")
    if found is None:
        return Homes(url, (url,), (url,), missing=True)
    homes = _of_principal(account, url, found)
    return homes if homes.all else Homes(url, (url,), (url,), addresses=homes.addresses, findings=homes.findings)


def _starts(account: Account) -> Iterator[tuple[str, Response | str]]:
    """The places at which a server may say where the account is, with what it says there, or why it says nothing."""
    asked = set()
    for start in (account.base, *(urljoin(account.base, one) for one in WELL_KNOWN)):
        answer = _first(account, start)
        if answer.url in asked:
            continue
        asked.add(answer.url)
        if answer.status != 207:
            if answer.status >= 500 and answer.status != 501:
                raise refusals.refused(answer, "the account's calendars can't be looked for", **account.place)
            yield start, refusals.said(answer)
            continue
        responses = account.understood(answer, "the account's calendars can't be looked for").responses
        yield answer.url, responses[0] if responses else "an empty answer"


def _first(account: Account, start: str) -> Answer:
    """What a server says at an address; a server that does not ask who we are is told."""
    answer = account.propfind(start, _START, 0)
    if answer.status == 207 and b"unauthenticated" in answer.body and account.http.authorizer.assume():
        answer = account.propfind(start, _START, 0)
    return answer


def _homes(account: Account, start: str, found: Response) -> Homes:
    principal = (*hrefs(found.props.get(names.PRINCIPAL)), *hrefs(found.props.get(names.PRINCIPAL_URL)))
    if not principal:
        return _of_principal(account, start, found)
    url = account.resolve(start, principal[0])
    if urls.decoded(url) == urls.decoded(start) and any(one in found.props for one in _OF_PRINCIPAL[:2]):
        return _of_principal(account, url, found)
    there = account.properties(url, _OF_PRINCIPAL, "the account's principal can't be read")
    if there is None:
        raise CollectionError(f"the server names a principal that is not there: {url}", **account.place)
    return _of_principal(account, url, there)


def _of_principal(account: Account, url: str, found: Response) -> Homes:
    def addresses(name: str) -> tuple[str, ...]:
        return tuple(urls.folder(account.resolve(url, one)) for one in hrefs(found.props.get(name)))

    called = hrefs(found.props.get(names.cal("calendar-user-address-set")))
    return Homes(
        principal=url,
        calendars=addresses(names.CALENDAR_HOME),
        books=addresses(names.BOOK_HOME),
        addresses=frozenset(one.lower() for one in called),
        findings=tuple(_delegations(found)),
    )


def _delegations(found: Response) -> Iterator[Finding]:
    """Whose calendars the account may see or change (Apple's "caldav-proxy")."""
    for name, right in (("calendar-proxy-read-for", "read"), ("calendar-proxy-write-for", "change")):
        others = [urls.name_of(one) for one in hrefs(found.props.get(names.cs(name)))]
        if others:
            yield Finding(
                "delegated_access",
                f"The account may {right} the calendars of {', '.join(sorted(others))}: this is not copied. "
                "Give it the same right on the target.",
                "warning",
            )


def _joined(first: Homes | None, second: Homes) -> Homes:
    """What two places say together: the first one counts where both say something."""
    if first is None:
        return second
    return Homes(
        first.principal,
        first.calendars or second.calendars,
        first.books or second.books,
        addresses=first.addresses or second.addresses,
        findings=first.findings or second.findings,
    )


def _as_home(account: Account, seen: Sequence[str]) -> Homes:
    """A server that knows no principals: its address is that of the home itself, if there is a collection."""
    answer = account.propfind(account.base, (names.RESOURCE_TYPE,), 0)
    try:
        found = account.understood(answer, "").responses if answer.status == 207 else ()
    except (ProtocolError, ServerError):
        found = ()
    if found and dav("collection") in kinds(found[0].props.get(names.RESOURCE_TYPE)):
        return Homes(account.base, (account.base,), (account.base,))
    raise CollectionError(
        f"the server says nowhere where the account's calendars and address books are (asked: {', '.join(seen)})",
        safe_next="Give as url the address that its documentation names for CalDAV, or principal; nothing was changed.",
        **account.place,
    )
