# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The names of properties and reports, as ElementTree writes them."""

from __future__ import annotations

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
CARDDAV = "urn:ietf:params:xml:ns:carddav"
CALENDAR_SERVER = "http://calendarserver.org/ns/"
APPLE = "http://apple.com/ns/ical/"
CYRUS = "http://cyrusimap.org/ns/"
SABRE = "http://sabredav.org/ns"
NEXTCLOUD = "http://nextcloud.com/ns"
OWNCLOUD = "http://owncloud.org/ns"

#: Prefixes for what we send: some servers know theirs only.
PREFIXES = {DAV: "D", CALDAV: "C", CARDDAV: "CR", CALENDAR_SERVER: "CS", APPLE: "ICAL"}


def dav(name: str) -> str:
    """A name of RFC 4918 and its relatives."""
    return f"{{{DAV}}}{name}"


def cal(name: str) -> str:
    """A name of CalDAV (RFC 4791, RFC 6638)."""
    return f"{{{CALDAV}}}{name}"


def card(name: str) -> str:
    """A name of CardDAV (RFC 6352)."""
    return f"{{{CARDDAV}}}{name}"


def cs(name: str) -> str:
    """A name of Apple's calendar server."""
    return f"{{{CALENDAR_SERVER}}}{name}"


def apple(name: str) -> str:
    """A name of Apple's calendar client."""
    return f"{{{APPLE}}}{name}"


# what is asked of whom
RESOURCE_TYPE, DISPLAY_NAME, ETAG = dav("resourcetype"), dav("displayname"), dav("getetag")
SYNC_TOKEN, CTAG = dav("sync-token"), cs("getctag")
PRINCIPAL, PRINCIPAL_URL = dav("current-user-principal"), dav("principal-URL")
OWNER, PRIVILEGES = dav("owner"), dav("current-user-privilege-set")
CALENDAR_HOME, BOOK_HOME = cal("calendar-home-set"), card("addressbook-home-set")
CALENDAR_DATA, ADDRESS_DATA = cal("calendar-data"), card("address-data")
