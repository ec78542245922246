# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""No invitation leaves, and none arrives at others' calendars, on servers that send them by themselves (RFC 6638)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from tests.lab.cyrus_dav import CyrusDav

ANN, BOB, CAROL = "ann@acme.example", "bob@acme.example", "carol@outside.example"
#: Ann invites Bob, who is on the same server, and Carol, who is not.
INVITES = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//lab//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
DTSTART:20270101T100000Z
DTEND:20270101T110000Z
SUMMARY:Lunch
ORGANIZER:mailto:ann@acme.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@acme.example
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@acme.example
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:carol@outside.example
END:VEVENT
END:VCALENDAR
"""
#: Carol has invited Ann, who said yes.
INVITED = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//lab//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
DTSTART:20270102T100000Z
DTEND:20270102T110000Z
SUMMARY:Dinner
ORGANIZER:mailto:carol@outside.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:carol@outside.example
ATTENDEE;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:ann@acme.example
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(scope="module")
def cyrus() -> Iterator[CyrusDav]:
    with CyrusDav.temporary(ANN, BOB) as server:
        yield server


def ask(cyrus: CyrusDav, user: str, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = cyrus.url.rstrip("/") + cyrus.calendars(user) + path
    with requests.Session() as session:
        session.trust_env = False
        text = body.replace("\n", "\r\n").encode()
        kind = "text/calendar" if method == "PUT" else "application/xml"
        return session.request(
            method, url, data=text, auth=(user, "any"), headers={"Content-Type": kind, **named}, timeout=30
        )


def left(cyrus: CyrusDav) -> list[tuple[str, str]]:
    """Recipient and subject of all mail since the last call, and what has come into Bob's scheduling inbox."""
    mail = sorted((each.recipient, str(each.message["Subject"])) for each in cyrus.trap.caught())
    cyrus.trap.forget()
    answer = ask(cyrus, BOB, "PROPFIND", "Inbox/", Depth="1")
    assert answer.status_code == 207
    names = list(filter(None, re.findall(r"Inbox/([^/<]*)</(?:D:)?href>", answer.text)))
    for name in names:
        assert ask(cyrus, BOB, "DELETE", f"Inbox/{name}").status_code == 204
    return mail + [(BOB, "scheduling inbox") for name in names]


def test_the_trap_catches_what_a_plain_client_causes(cyrus: CyrusDav) -> None:
    """The counter-proof: without any care invitations, answers and cancellations do go out."""
    for name, text in (("invites", INVITES), ("invited", INVITED)):
        assert ask(cyrus, ANN, "PUT", f"Default/{name}.ics", text.format(uid=name)).status_code == 201
    assert left(cyrus) == [(CAROL, "Invitation: Lunch"), (CAROL, "RSVP: Dinner"), (BOB, "scheduling inbox")]
    for name in ("invites", "invited"):
        assert ask(cyrus, ANN, "DELETE", f"Default/{name}.ics").status_code == 204
    assert left(cyrus) == [(CAROL, "Canceled: Lunch"), (CAROL, "RSVP: Dinner"), (BOB, "scheduling inbox")]
