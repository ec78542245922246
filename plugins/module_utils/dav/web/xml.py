# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""WebDAV's XML: bodies that are sent, and answers that are read (RFC 4918 sections 13 and 14, RFC 6578).

An answer comes from someone else's server: no document type, no entities of its own, only so deep and so large.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import MissingLibraryError, ProtocolError
from . import names
from .names import dav

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DEFUSEDXML_WANTED = "0.7"
#: What XML 1.0 section 2.2 does not let in.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STATUS = re.compile(r"HTTP/\d(?:\.\d)?\s+(\d{3})\b", re.IGNORECASE)

for _space, _prefix in names.PREFIXES.items():
    ET.register_namespace(_prefix, _space)


@dataclass(frozen=True)
class Response:
    """What an answer says of one resource (RFC 4918 section 14.24).

    ``href`` as the server writes it; ``status`` is that of the resource as a whole (200 where it has properties);
    ``props`` are those that it has, ``refused`` the status of those that it has not or did not take; ``condition`` is
    the name of what was not fulfilled.
    """

    href: str
    status: int
    props: Mapping[str, Element] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    condition: str = ""


@dataclass(frozen=True)
class Multistatus:
    """A 207 answer; ``sync_token`` of RFC 6578 section 6.2."""

    responses: tuple[Response, ...]
    sync_token: str | None = None


def parse(data: bytes) -> Element:
    """The root of an answer.

    :raises ProtocolError: it is no XML, or has a document type.
    """
    try:
        import defusedxml.common
        import defusedxml.ElementTree
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library defusedxml (>= {DEFUSEDXML_WANTED}) is missing: {error}", library="defusedxml"
        ) from error
    try:
        root: Element = defusedxml.ElementTree.fromstring(data, forbid_dtd=True)
    except (ET.ParseError, defusedxml.common.DefusedXmlException, ValueError, LookupError) as error:
        raise ProtocolError(f"the server's answer is not XML that can be read: {error}") from error
    return root


def multistatus(data: bytes) -> Multistatus:
    """A 207 answer.

    :raises ProtocolError: it is none.
    """
    root = parse(data)
    if root.tag != dav("multistatus"):
        raise ProtocolError("the server's answer is XML, but not DAV's")
    found = [one for response in root.findall(dav("response")) for one in _responses(response)]
    token = root.find(dav("sync-token"))
    return Multistatus(tuple(found), text(token) or None)


def _responses(element: Element) -> Iterable[Response]:
    """What one ``response`` says: it may name several resources if it has a status only."""
    hrefs = [(one.text or "").strip() for one in element.findall(dav("href"))]
    own = element.find(dav("status"))
    props: dict[str, Element] = {}
    refused: dict[str, int] = {}
    for propstat in element.findall(dav("propstat")):
        status = status_of(propstat.find(dav("status")), 200)
        for prop in propstat.findall(dav("prop")):
            for one in prop:
                if 200 <= status < 300:
                    props[one.tag] = one
                else:
                    refused[one.tag] = status
    error = element.find(dav("error"))
    for href in hrefs:
        yield Response(href, status_of(own, 200), props, refused, condition_of(error))


def status_of(element: Element | None, default: int) -> int:
    """The number in ``HTTP/1.1 200 OK``."""
    match = _STATUS.search(element.text or "") if element is not None else None
    return int(match[1]) if match else default


def condition_of(error: Element | None) -> str:
    """The name of the first condition in a ``DAV:error`` (RFC 4918 section 16) that is a standard's."""
    if error is None:
        return ""
    standard = [one.tag for one in error if not one.tag.startswith((f"{{{names.SABRE}}}", f"{{{names.NEXTCLOUD}}}"))]
    return standard[0].rpartition("}")[2] if standard else ""


def text(element: Element | None) -> str:
    """The text of a property, without blanks around it; empty when it has none."""
    return (element.text or "").strip() if element is not None else ""


def hrefs(element: Element | None) -> list[str]:
    """The addresses in a property."""
    if element is None:
        return []
    return [one.text.strip() for one in element.iter(dav("href")) if one.text and one.text.strip()]


def kinds(element: Element | None) -> frozenset[str]:
    """The names of a property's children (``resourcetype``)."""
    return frozenset(one.tag for one in element) if element is not None else frozenset()


# what is sent


def legal(value: str) -> str:
    """A text without what can't be in XML; a name is not worth failing for."""
    return _ILLEGAL.sub("", value)


def element(tag: str, value: str | None = None, *children: Element) -> Element:
    """An element with a text, or with children."""
    found = ET.Element(tag)
    if value is not None:
        found.text = legal(value)
    found.extend(children)
    return found


def serialised(root: Element) -> bytes:
    """The document that is sent."""
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def propfind(wanted: Iterable[str]) -> bytes:
    """The body of a PROPFIND for these properties."""
    prop = element(dav("prop"), None, *(ET.Element(name) for name in wanted))
    return serialised(element(dav("propfind"), None, prop))
