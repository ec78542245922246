# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A CalDAV server that answers as a test says: for what no real server does on demand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Collection, Kind
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.server import WebServer
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.side import WebSide, open_web

from tests.unit.transport.http_peer import Peer, Reply, Request, serving

SPACES = (
    'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:R="urn:ietf:params:xml:ns:carddav" '
    'xmlns:S="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"'
)
CALENDAR = Collection(Kind.CALENDAR, "/home/cal/", "cal")
BOOK = Collection(Kind.ADDRESS_BOOK, "/home/book/", "book")
EVENT = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

Answer = Reply | str | Callable[[Request], "Reply | str"]


def multistatus(*responses: str, token: str = "") -> str:
    """A 207 answer of these responses."""
    tail = f"<sync-token>{token}</sync-token>" if token else ""
    return f'<?xml version="1.0"?><multistatus {SPACES}>{"".join(responses)}{tail}</multistatus>'


def response(href: str, props: str = "", status: str = "200 OK", whole: str = "") -> str:
    """One resource with these properties; ``whole`` is a status for all of it."""
    if whole:
        return f"<response><href>{escape(href)}</href><status>HTTP/1.1 {whole}</status></response>"
    stat = f"<propstat><prop>{props}</prop><status>HTTP/1.1 {status}</status></propstat>"
    return f"<response><href>{escape(href)}</href>{stat}</response>"


def etag(value: str) -> str:
    """The property."""
    return f"<getetag>{escape(value)}</getetag>"


def folder(kind: str = "C:calendar", more: str = "") -> str:
    """What a collection says that it is."""
    return f"<resourcetype><collection/><{kind}/>{more}</resourcetype>"


@dataclass
class Odd:
    """Answers by method and path; a path's own answer counts more than its method's. What is not there is a 404."""

    answers: dict[str, Answer] = field(default_factory=dict)

    def __call__(self, request: Request) -> Reply:
        found = self.answers.get(f"{request.method} {request.path}", self.answers.get(request.method))
        if found is None:
            return Reply(404, b"nothing there")
        told = found(request) if callable(found) else found
        return Reply(207, told.encode(), (("Content-Type", "application/xml"),)) if isinstance(told, str) else told


@contextmanager
def odd(answers: Mapping[str, Answer], name: str = "target", **options: object) -> Iterator[tuple[WebSide, Peer]]:
    """A side at such a server, and the server. What is not said otherwise: Ann's home is ``/home/``."""
    scheduling = options.pop("scheduling", "auto")
    usual: dict[str, Answer] = {
        "PROPFIND /": multistatus(
            response(
                "/",
                "<current-user-principal><href>/ann/</href></current-user-principal>",
            )
        ),
        "PROPFIND /ann/": multistatus(
            response(
                "/ann/",
                "<C:calendar-home-set><href>/home/</href></C:calendar-home-set>"
                "<R:addressbook-home-set><href>/home/</href></R:addressbook-home-set>",
            )
        ),
        "OPTIONS": Reply(200, headers=(("DAV", "1, 3, calendar-access"),)),
    }
    with serving(Odd({**usual, **answers})) as peer:
        given = {"url": peer.url, "allow_plaintext": True, "timeout": 5.0, **options}
        with closing(open_web(WebServer.from_options(name, given), "ann", "p", scheduling=scheduling)) as side:  # type: ignore[arg-type]  # the test says what
            yield side, peer


def hrefs(request: Request) -> list[str]:
    """What a report asks for."""
    return re.findall(r"<\w+:href>([^<]*)</\w+:href>", request.body.decode())
