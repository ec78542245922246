# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Addresses of collections and objects, as servers write them: whole or as a path, encoded well, badly or not."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

from ...errors import ProtocolError

#: A percent sign that encodes nothing.
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: What stands as it is in an address (RFC 3986 section 3.3), and the percent signs that are there already.
_AS_IT_IS = "%/:?#[]@!$&'()*+,;=~"
#: What stands as it is in a segment that we write; fewer than may, as servers disagree on the others.
_IN_SEGMENT = "-._~@"


def encoded(href: str) -> str:
    """An address as it must be sent, whatever a server left unencoded in it (blanks, letters beyond ASCII, ``%``)."""
    return quote(_LONE_PERCENT.sub("%25", href.strip()), safe=_AS_IT_IS)


def resolve(base: str, href: str) -> str:
    """The whole address of what is called ``href`` in an answer from ``base``.

    A whole address that names the same host counts as a path: behind a proxy servers often do not know how they are
    called from outside (http instead of https, another port).

    :raises ProtocolError: it is no address.
    """
    try:
        found = urljoin(base, encoded(href))
        here, there = urlsplit(base), urlsplit(found)
        if there.hostname == here.hostname and there.scheme in ("http", "https"):
            there = there._replace(scheme=here.scheme, netloc=here.netloc)
        there.port  # noqa: B018 - raises for a port that is none
    except ValueError as error:
        raise ProtocolError(f"the server names an address that is none: {href[:200]!r}") from error
    return there._replace(fragment="").geturl()


def key_of(base: str, url: str) -> str:
    """How a collection is called: its path, or its whole address if it is not where ``base`` is.

    Always in one encoding: the same server may write ``%C3``, ``%c3`` and ``@``, ``%40``.
    """
    here, there = urlsplit(base), urlsplit(url)
    there = there._replace(path="/".join(_once(one) for one in there.path.split("/")))
    if (here.scheme, here.netloc) == (there.scheme, there.netloc):
        return there.path + (f"?{there.query}" if there.query else "")
    return there.geturl()


def _once(encoded_segment: str) -> str:
    try:
        return segment(unquote_to_bytes(encoded_segment).decode())
    except UnicodeDecodeError:
        return encoded_segment


def folder(url: str) -> str:
    """The address with a slash at its end, as collections have it (RFC 4918 section 5.2)."""
    return url if url.endswith("/") else f"{url}/"


def decoded(url: str) -> str:
    """A path by which two addresses of the same thing can be known as such, however they are encoded."""
    return unquote(urlsplit(url).path, errors="replace").rstrip("/") or "/"


def name_of(url: str) -> str:
    """The last segment of an address, decoded; as it stands where it is no UTF-8."""
    segment = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return segment


def inside(collection: str, url: str) -> bool:
    """Whether an address is of an object right in a collection."""
    here, there = decoded(collection), urlsplit(url).path
    parent = there.rstrip("/").rpartition("/")[0]
    return (unquote(parent, errors="replace").rstrip("/") or "/") == here


def segment(name: str) -> str:
    """A name as a segment of an address."""
    return quote(name, safe=_IN_SEGMENT)


def usable(name: str) -> bool:
    """Whether an object or a collection can be called so: one segment, and nothing that means another place."""
    return bool(name) and name not in (".", "..") and "/" not in name and name.isprintable()


def filled(template: str, user: str) -> str:
    """A template of an address with the user in it."""
    return template.replace("{user}", segment(user))
