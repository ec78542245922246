# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The lab's SabreDAV: Atmail's tables are what its clients see, and its mail goes to the trap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests.lab import ports
from tests.lab.sabre import Sabre
from tests.lab.throwaway import throw_away

ANN = "ann@acme.example"
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lab//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\nSUMMARY:Lunch\r\nORGANIZER:mailto:ann@acme.example\r\n"
    "ATTENDEE:mailto:carol@outside.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture(scope="module")
def sabre() -> Iterator[Sabre]:
    with Sabre.temporary({ANN: "secret"}) as server:
        yield server


def ask(sabre: Sabre, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
    how = HTTPDigestAuth(ANN, "secret") if sabre.setup.digest else (ANN, "secret")
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method, sabre.url.rstrip("/") + path, data=body.encode(), headers=headers, auth=how, timeout=30
        )


def test_what_clients_write_is_in_atmails_tables(sabre: Sabre) -> None:
    assert ask(sabre, "MKCALENDAR", f"{sabre.calendars(ANN)}work/").status_code == 201
    assert ask(sabre, "PUT", f"{sabre.calendars(ANN)}work/1.ics", EVENT).status_code == 201
    with sabre.database.session() as cursor:
        cursor.execute(
            "SELECT c.principaluri, c.uri, o.uri, o.calendardata FROM calendars c JOIN calendarobjects o"
            " ON o.calendarid = c.id"
        )
        assert cursor.fetchall() == ((f"principals/users/{ANN}".encode(), b"work", b"1.ics", EVENT.encode()),)


def test_only_what_is_posted_to_the_outbox_is_mailed(sabre: Sabre) -> None:
    assert ask(sabre, "MKCALENDAR", f"{sabre.calendars(ANN)}home/").status_code == 201
    assert ask(sabre, "PUT", f"{sabre.calendars(ANN)}home/1.ics", EVENT).status_code == 201
    assert ask(sabre, "DELETE", f"{sabre.calendars(ANN)}home/1.ics").status_code == 204
    assert not sabre.trap.caught()
    posted = {
        "Content-Type": "text/calendar",
        "Originator": f"mailto:{ANN}",
        "Recipient": "mailto:carol@outside.example",
    }
    assert ask(sabre, "POST", f"{sabre.calendars(ANN)}outbox", EVENT, **posted).status_code == 200
    (mail,) = sabre.trap.caught()
    assert (mail.recipient, mail.message["Subject"]) == ("carol@outside.example", "Invitation for: Lunch")


def test_users_can_log_in_by_digest(sabre: Sabre) -> None:
    def digest(folder: Path) -> Sabre:
        setup = replace(sabre.setup, port=ports.claim(folder, 1)[0], digest=True)
        return Sabre("digest", folder / "sabre", sabre.database, sabre.trap, setup)

    with throw_away("sabre", digest) as server:
        assert ask(server, "PROPFIND", "/", Depth="0").status_code == 207
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request("PROPFIND", server.url, auth=(ANN, "secret"), timeout=30)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Digest realm="SabreDAV",qop="auth",')
