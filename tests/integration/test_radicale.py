# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The lab's server of calendars and contacts: who gets in, and that it knows what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.lab.lab import Lab
from tests.lab.radicale import DavCloud
from tests.lab.state import RegionOptions

ANN, BOB = "ann@acme.example", "bob@acme.example"
PRINCIPAL = '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'
LISTING = (
    '<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>'
)
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lab//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260102T100000Z\r\nSUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


class Client:
    """Plain requests to one server."""

    def __init__(self, url: str, ca: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca
        self.session.auth = (user, password)

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(
            method, self.url + path, data=body.encode(), headers=named, allow_redirects=False, timeout=30
        )

    def principal(self) -> str:
        """The path of the user's principal, empty where he does not get in."""
        answer = self.ask("PROPFIND", "/", PRINCIPAL, Depth="0")
        return answer.text.rpartition("<href>")[2].partition("<")[0] if answer.status_code == 207 else ""


@pytest.fixture(scope="module")
def cloud() -> Iterator[DavCloud]:
    with DavCloud.temporary({ANN: "secret", BOB: "other"}) as dav:
        yield dav


def client(cloud: DavCloud, user: str, password: str) -> Client:
    return Client(cloud.url, str(cloud.ca), user, password)


def test_accounts_and_the_administrator_get_in(cloud: DavCloud) -> None:
    known = {
        (ANN, "secret"): f"/{ANN.replace('@', '%40')}/",
        (ANN, "wrong"): "",
        ("carol@acme.example", "secret"): "",
        (f"{ANN}*migration", cloud.admin_password): f"/{ANN.replace('@', '%40')}/",
        ("carol@acme.example*migration", cloud.admin_password): "",
        (f"{ANN}*{BOB}", "other"): "",
        ("migration", cloud.admin_password): "/migration/",
    }
    assert {who: client(cloud, *who).principal() for who in known} == known


def test_only_the_administrator_sees_others_calendars(cloud: DavCloud) -> None:
    assert client(cloud, ANN, "secret").ask("MKCALENDAR", f"/{ANN}/private/").status_code == 201
    assert client(cloud, BOB, "other").ask("PROPFIND", f"/{ANN}/private/", Depth="0").status_code == 403
    assert client(cloud, "migration", cloud.admin_password).ask("PROPFIND", f"/{ANN}/private/").status_code == 207


def test_uids_are_known_whatever_happened(cloud: DavCloud) -> None:
    ann = client(cloud, ANN, "secret")

    def put(calendar: str, name: str, uid: str) -> int:
        return ann.ask("PUT", f"/{ANN}/{calendar}/{name}.ics", EVENT.format(uid=uid), If_None_Match="*").status_code

    for calendar in ("one", "two"):
        assert ann.ask("MKCALENDAR", f"/{ANN}/{calendar}/").status_code == 201
        assert [put(calendar, name, name) for name in "abc"] == [201] * 3
    assert [put("one", "a", "z"), put("one", "d", "b")] == [412, 409]
    assert ann.ask("DELETE", f"/{ANN}/one/b.ics").status_code == 200
    assert [put("one", "d", "b"), put("one", "e", "b")] == [201, 409]
    moved = f"{cloud.url}{ANN}/two/moved.ics"
    assert ann.ask("MOVE", f"/{ANN}/two/a.ics", Destination=moved).status_code == 201
    assert [put("two", "a", "a"), put("two", "a", "q")] == [409, 201]
    assert ann.ask("DELETE", f"/{ANN}/two/").status_code == 200
    assert ann.ask("MKCALENDAR", f"/{ANN}/two/").status_code == 201
    assert put("two", "x", "a") == 201
    assert ann.ask("REPORT", f"/{ANN}/two/", LISTING).text.count("<getetag>") == 1


def test_it_tells_what_it_was_asked(cloud: DavCloud) -> None:
    since = cloud.radicale.log_size()
    client(cloud, ANN, "secret").ask("OPTIONS", f"/{ANN}/it's%20%C3%A4/")
    assert cloud.radicale.requests(since) == [("OPTIONS", f"/{ANN}/it's ä/")]


def test_in_a_region_dovecot_says_who_they_are() -> None:
    options = {"eu": RegionOptions(dav=True)}
    with Lab.temporary(sites=(), region_options=options) as lab:
        lab.region("eu").add_account(ANN, "of her own")
        lab.region("eu").add_account(BOB, "his own", enabled=False)
        told = lab.describe()
        dav, ca = told["regions"]["eu"]["dav"], told["ca"]
        known = {
            (ANN, "of her own"): True,
            (ANN, "wrong"): False,
            (BOB, "his own"): False,
            (f"{ANN}*{dav['admin_user']}", dav["admin_password"]): True,
            (f"carol@acme.example*{dav['admin_user']}", dav["admin_password"]): False,
            (dav["admin_user"], dav["admin_password"]): True,
        }
        seen = {who: bool(Client(dav["url"], ca, *who).principal()) for who in known}
        places = {path.name for path in Path(lab.region("eu").dav.data / "collection-root").iterdir()}
    assert seen == known
    assert places == {ANN, BOB, "migration"}
