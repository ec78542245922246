# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Whose SabreDAV's calendars are, and who else may see them, which owners set anew on the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...addresses import canonical_address
from ...platforms.texts import shown
from ...transport.database import text
from ..model import Finding
from .site import Site

_ROOT = "principals"
#: ``access`` of calendarinstances (Sabre\DAV\Sharing\Plugin): 0 and 1 are an owner's, others somebody else's.
_OWN = ("0", "1")
_PROXIES = {"calendar-proxy-read": "read", "calendar-proxy-write": "change"}


@dataclass(frozen=True)
class Owned:
    """A calendar that an account sees: its id, the id of the account's instance of it (SabreDAV 3.2), is it its own?"""

    calendar: str
    instance: str = ""
    own: bool = True


@dataclass(frozen=True)
class _Share:
    """Somebody may do something with another's calendar, or with all of them (``calendar`` empty)."""

    calendar: str
    owner: str
    guest: str
    right: str = "use"


def owned_by(site: Site, account: str) -> tuple[Owned, ...]:
    """The calendars that a canonical account sees."""
    return site.once("calendars", lambda: _all_owned(site)).get(account, ())


def shares(site: Site, account: str, names: Mapping[str, str]) -> Iterator[Finding]:
    """What an account shares and what is shared with it; ``names`` are those of its own calendars by id."""
    for share in site.once("shares", lambda: tuple(_all_shares(site))):
        if share.owner == account:
            what = f"the calendar {shown(names.get(share.calendar, ''))}" if share.calendar else "all its calendars"
            message = f"{shown(share.guest)} may {share.right} {what}: that is to be shared anew on the target"
            key = f"calendars/{share.calendar}" if share.calendar else ""
            yield Finding("calendar_shared", message, "warning", key)
        elif share.guest == account:
            message = (
                f"it may {share.right} a calendar of {shown(share.owner)}, which is copied for its owner alone: "
                "that is to be shared anew on the target"
            )
            yield Finding("calendar_of_another", message, "warning")
    for name, host in site.once("subscriptions", lambda: _all_subscriptions(site)).get(account, ()):
        message = f"the subscription of {shown(name) or 'a calendar'} at {shown(host)} is to be made anew on the target"
        yield Finding("calendar_subscribed", message, "warning")


def account_of(principal: str) -> str:
    """The canonical account of ``principals/users/<account>`` or ``principals/<account>``, or nothing."""
    parts = principal.strip("/").split("/")
    if parts[0] != _ROOT or len(parts) not in (2, 3):
        return ""
    return canonical_address(parts[-1])


def _all_owned(site: Site) -> dict[str, tuple[Owned, ...]]:
    found: dict[str, list[Owned]] = {}
    instances, calendars = site.table("calendar_instances"), site.table("calendars")
    if instances is not None:
        for number, calendar, owner, access in site.all(instances.select("id", "calendar", "owner", "access")):
            own = access is None or text(access) in _OWN
            each = Owned(text(calendar) or "", text(number) or "", own)
            found.setdefault(account_of(text(owner) or ""), []).append(each)
    elif calendars is not None and calendars.has("owner"):
        for number, owner in site.all(calendars.select("id", "owner")):
            found.setdefault(account_of(text(owner) or ""), []).append(Owned(text(number) or ""))
    return {account: tuple(each) for account, each in found.items()}


def _all_shares(site: Site) -> Iterator[_Share]:
    owners = {
        each.calendar: account
        for account, owned in site.once("calendars", lambda: _all_owned(site)).items()
        for each in owned
        if each.own
    }
    for account, owned in site.once("calendars", lambda: _all_owned(site)).items():
        for each in owned:
            if not each.own:
                yield _Share(each.calendar, owners.get(each.calendar, ""), account)
    principals = _principals(site)
    delegates, memberships = site.table("delegates"), site.table("memberships")
    for calendar, principal in site.all(delegates.select("calendar", "principal")) if delegates else ():
        guest = account_of(principals.get(text(principal) or "", "")) or f"principal {text(principal)}"
        yield _Share(text(calendar) or "", owners.get(text(calendar) or "", ""), guest)
    for group, member in site.all(memberships.select("group", "member")) if memberships else ():
        owner, _slash, proxy = principals.get(text(group) or "", "").rpartition("/")
        guest = account_of(principals.get(text(member) or "", ""))
        if proxy in _PROXIES and guest:
            yield _Share("", account_of(owner), guest, _PROXIES[proxy])


def _principals(site: Site) -> dict[str, str]:
    table = site.table("principals")
    return (
        {text(number) or "": text(uri) or "" for number, uri in site.all(table.select("id", "owner"))} if table else {}
    )


def _all_subscriptions(site: Site) -> dict[str, tuple[tuple[str, str], ...]]:
    """Account → name and host of each; the rest of an address may be as good as a password."""
    found: dict[str, list[tuple[str, str]]] = {}
    table = site.table("subscriptions")
    for owner, name, url in site.all(table.select("owner", "name", "url")) if table else ():
        found.setdefault(account_of(text(owner) or ""), []).append((text(name) or "", _host(text(url) or "")))
    return {account: tuple(each) for account, each in found.items()}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "an unknown address"
    except ValueError:
        return "an unknown address"
