# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's two customers, whole: migrated by the playbooks, and looked at by raw IMAP and POP3 only."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from imaplib import IMAP4_SSL
from pathlib import Path
from typing import Any

import pytest

from tests.lab.lab import Lab
from tests.lab.state import RegionOptions

from .checks import wire
from .checks.mail import Place
from .checks.picture import differences, look, placeholders
from .playbook_runs import Operator

pytestmark = pytest.mark.long

CUSTOMERS = ("acme", "globex")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator who has migrated both customers, to regions that write down what is said to them."""
    options = {region: RegionOptions(rawlog=True, dav=True) for region in ("eu", "us")}
    with Lab.temporary(CUSTOMERS, ("eu", "us"), scale="demo", region_options=options) as lab:
        operator = Operator(lab, tmp_path_factory.mktemp("operator"))
        run = operator.run("migrate")
        assert run.code == 0, run.text
        yield operator


def place(operator: Operator, side: Mapping[str, Any], user: str) -> Place:
    """A mailbox on a site or in a region, by its master user."""
    ports = side["imap"]["port"], side["pop3"]["port"]
    return Place(*ports, operator.lab["ca"], user, "", side["master_user"], side["master_password"])


def sides(operator: Operator, customer: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    site = operator.lab["sites"][customer]
    return site, operator.lab["regions"][site["region"]]


def test_every_mailbox_is_the_same_to_the_last_detail(operator: Operator) -> None:
    """UIDVALIDITY, UIDs, bytes, flags, keywords, INTERNALDATE, subscriptions, POP3 UIDL: of every mailbox."""
    mailboxes = folders = messages = 0
    for customer in CUSTOMERS:
        site, region = sides(operator, customer)
        for account in site["accounts"]:
            source = look(place(operator, site, account["address"]))
            target = look(place(operator, region, account["address"]))
            assert differences(source, target) == [], account["address"]
            assert placeholders(target) == []
            mailboxes += 1
            folders += len(source.folders)
            messages += source.count
    assert mailboxes >= 12
    assert folders >= 60
    assert messages >= 5000


def log_in(session: IMAP4_SSL, credentials: bytes) -> str:
    """SASL PLAIN, which takes any password."""
    return session.authenticate("PLAIN", lambda _challenge: credentials)[0]


def test_everybody_logs_in_with_the_original_password(operator: Operator) -> None:
    stored = set()
    for customer in CUSTOMERS:
        site, region = sides(operator, customer)
        context = ssl.create_default_context(cafile=operator.lab["ca"])
        for account in site["accounts"]:
            with IMAP4_SSL("127.0.0.1", region["imap"]["port"], ssl_context=context) as session:
                credentials = f"\0{account['address']}\0{account['password']}".encode()
                if account["enabled"]:
                    assert log_in(session, credentials) == "OK"
                    stored.add(account["stored"])
                else:
                    with pytest.raises(IMAP4_SSL.error, match="AUTHENTICATIONFAILED"):
                        log_in(session, credentials)
    assert stored == {"plain", "md5", "md5_crypt"}


#: What a request to a CalDAV and CardDAV server does that changes nothing there.
READING = {"OPTIONS", "PROPFIND", "REPORT", "GET", "HEAD"}


def on_disk(place: Path) -> list[bytes]:
    """The objects of an account of Radicale, whose files are the objects themselves."""
    files = [*place.rglob("*.ics"), *place.rglob("*.vcf")]
    return [file.read_bytes() for file in files if ".Radicale.cache" not in file.parts]


def test_everybodys_calendars_and_contacts_are_there(operator: Operator) -> None:
    """As the database's own rows say, whatever our modules say of it."""
    everything = 0
    for customer in CUSTOMERS:
        site, _region = sides(operator, customer)
        dav = operator.servers.region(site["region"]).dav
        with operator.servers.site(customer).database.session() as cursor:
            for account in site["accounts"]:
                user = account["address"]
                cursor.execute(
                    "SELECT o.calendardata FROM calendarobjects o JOIN calendars c ON c.id = o.calendarid"
                    " WHERE c.principaluri = %s",
                    (f"principals/users/{user}",),
                )
                wanted = sorted(uid(as_bytes(row[0])) for row in cursor.fetchall())
                cursor.execute("SELECT UserEmail FROM Abook WHERE Account = %s AND COALESCE(`Global`, 0) = 0", (user,))
                addresses = [str(row[0]).encode() for row in cursor.fetchall() if row[0]]
                found = on_disk(dav.place(user))
                events = [one for one in found if b"BEGIN:VCALENDAR" in one]
                cards = b"".join(one.replace(b"\r\n ", b"") for one in found if b"BEGIN:VCARD" in one)
                assert sorted(map(uid, events)) == wanted
                assert [address for address in addresses if address not in cards] == [], user
                everything += len(found)
        proof = operator.evidence(customer, "proof")["calendars_and_contacts"]
        assert proof["content_identical"] is True
        assert sum(one["events"] + one["contacts"] for one in proof["accounts"]) > 0
    assert everything > 100


def uid(text: bytes) -> bytes:
    """The UID of an object's first event or task; all that is in it has the same."""
    found = re.search(rb"BEGIN:(?:VEVENT|VTODO|VJOURNAL)\r?\n(?:.*\n)*?UID:(.*?)\r?\n", text.replace(b"\r\n ", b""))
    assert found, text
    return found[1]


def as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def test_the_second_run_says_nothing_to_the_target_that_could_change_it(operator: Operator) -> None:
    rawlogs = {customer: Path(sides(operator, customer)[1]["rawlog"]) for customer in CUSTOMERS}
    users = [(customer, each["address"]) for customer in CUSTOMERS for each in sides(operator, customer)[0]["accounts"]]
    for customer, user in users:
        wire.forget(rawlogs[customer], user)
    before = {region: operator.target_state(region) for region in ("eu", "us")}
    servers = [operator.servers.region(region).dav for region in ("eu", "us")]
    asked = [server.log_size() for server in servers]
    run = operator.run("migrate")
    assert run.code == 0, run.text
    assert {region: operator.target_state(region) for region in ("eu", "us")} == before
    assert {host: counts["changed"] for host, counts in run.recap.items()} == dict.fromkeys(CUSTOMERS, 0)
    for customer, user in users:
        assert wire.commands(rawlogs[customer], user), user
        assert wire.writes(rawlogs[customer], user) == [], user
    for server, since in zip(servers, asked, strict=True):
        assert {method for method, _path in server.requests(since)} <= READING
        assert server.requests(since)
