# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""No invitation leaves, and none arrives at others' calendars, on servers that send them by themselves (RFC 6638)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.scheduling import with_agent

from tests.integration.settings_lab import Outcome, run_here
from tests.lab.cyrus_dav import CyrusDav
from tests.lab.objects import Thing
from tests.lab.radicale import DavCloud

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
    """Recipient and subject of all mail since the last call, and which of Bob's collections something has come into."""
    mail = sorted((each.recipient, str(each.message["Subject"])) for each in cyrus.trap.caught())
    cyrus.trap.forget()
    return mail + [(BOB, place) for place in ("Inbox", "Default") if _emptied(cyrus, place)]


def _emptied(cyrus: CyrusDav, place: str) -> bool:
    """Whether Bob had something in a collection; it is gone then, without a word to anybody."""
    answer = ask(cyrus, BOB, "PROPFIND", f"{place}/", Depth="1")
    assert answer.status_code == 207
    names = list(filter(None, re.findall(rf"{place}/([^/<]*)</(?:D:)?href>", answer.text)))
    for name in names:
        assert ask(cyrus, BOB, "DELETE", f"{place}/{name}", Scheduling_Enabled="F").status_code == 204
    return bool(names)


def test_the_trap_catches_what_a_plain_client_causes(cyrus: CyrusDav) -> None:
    """The counter-proof: without any care invitations, answers and cancellations do go out."""
    for name, text in (("invites", INVITES), ("invited", INVITED)):
        assert ask(cyrus, ANN, "PUT", f"Default/{name}.ics", text.format(uid=name)).status_code == 201
    assert left(cyrus) == [(CAROL, "Invitation: Lunch"), (CAROL, "RSVP: Dinner"), (BOB, "Inbox"), (BOB, "Default")]
    for name in ("invites", "invited"):
        assert ask(cyrus, ANN, "DELETE", f"Default/{name}.ics").status_code == 204
    assert left(cyrus) == [(CAROL, "Canceled: Lunch"), (CAROL, "RSVP: Dinner")]


@dataclass(frozen=True)
class Copy:
    """Ann's calendar `work` on a server that schedules nothing, and the module that copies it to Cyrus."""

    source: DavCloud
    cyrus: CyrusDav
    slug: str
    folder: Path

    def put(self, name: str, data: str) -> None:
        """Have Ann write an event where it comes from."""
        (self.source.radicale.place(ANN) / self.slug / f"{name}.ics").write_bytes(data.replace("\n", "\r\n").encode())

    def remove(self, name: str) -> None:
        (self.source.radicale.place(ANN) / self.slug / f"{name}.ics").unlink()

    def run(self, **options: Any) -> Outcome:
        return run_here(
            "dav_sync",
            {
                "source": {"protocol": "dav", **self.source.options()},
                "target": self.cyrus.options(),
                "accounts": [{"source_user": ANN, "target_password": "any"}],
                "ledger": str(self.folder / f"{self.slug}.sqlite3"),
                "quarantine": str(self.folder / "quarantine"),
                **options,
            },
        )

    def there(self) -> dict[str, str]:
        """What Cyrus has, unfolded."""
        found = {}
        listed = ask(self.cyrus, ANN, "PROPFIND", f"{self.slug}/", Depth="1").text
        for name in re.findall(r"/([^/<]+\.ics)</(?:D:)?href>", listed):
            text = ask(self.cyrus, ANN, "GET", f"{self.slug}/{name}").text
            found[name] = re.sub(r"\r?\n[ \t]", "", text)
        return found


@pytest.fixture(scope="module")
def source() -> Iterator[DavCloud]:
    with DavCloud.temporary({ANN: "secret"}) as cloud:
        yield cloud


@pytest.fixture
def copy(source: DavCloud, cyrus: CyrusDav, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Copy]:
    """One calendar with both events in it, and nothing in the trap."""
    slug = re.sub(r"\W+", "-", request.node.name)
    texts = {name: text.format(uid=f"{slug}-{name}") for name, text in (("invites", INVITES), ("invited", INVITED))}
    things = [Thing(f"{name}.ics", text.replace("\n", "\r\n").encode()) for name, text in texts.items()]
    place = source.radicale.write(ANN, slug, things, D__displayname=slug)
    left(cyrus)
    yield Copy(source, cyrus, slug, tmp_path)
    shutil.rmtree(place)


def kinds(outcome: Outcome) -> set[str]:
    return {finding["kind"] for account in outcome.result["accounts"] for finding in account["findings"]}


def changed(text: str, copy: Copy) -> str:
    """An hour later, and without Carol where she was asked."""
    later = (
        text.replace("T100000Z", "T120000Z").replace("T110000Z", "T130000Z").replace("DTSTAMP", "SEQUENCE:1\nDTSTAMP")
    )
    return later.replace("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:carol@outside.example\n", "").format(
        uid=f"{copy.slug}-{'invites' if text is INVITES else 'invited'}"
    )


@pytest.mark.case(104)
def test_nothing_leaves_while_a_mirror_brings_changes_and_removes(copy: Copy) -> None:
    first = copy.run()
    assert first.code == 0, first.output
    assert kinds(first) >= {"scheduling_header"}
    assert len(copy.there()) == 2
    assert not left(copy.cyrus)

    copy.put("invites", changed(INVITES, copy))
    copy.put("invited", changed(INVITED, copy).replace("ACCEPTED;RSVP", "DECLINED;RSVP"))
    assert copy.run().result["summary"]["objects_changed"] == 2
    there = "".join(copy.there().values())
    assert "carol@outside.example" not in copy.there()["invites.ics"]
    assert there.count("T120000Z") == 2
    assert "SCHEDULE-AGENT" not in there
    assert not left(copy.cyrus)

    for name in ("invites", "invited"):
        copy.remove(name)
    assert copy.run().result["summary"]["objects_removed"] == 2
    assert not copy.there()
    assert not left(copy.cyrus)


@pytest.mark.case(104)
def test_nothing_leaves_in_a_catch_up_and_afterwards_users_do_invite(copy: Copy) -> None:
    assert copy.run().code == 0
    copy.put("invites", changed(INVITES, copy))
    copy.put("more", INVITES.format(uid=f"{copy.slug}-more"))
    assert copy.run(phase="catch_up").result["summary"]["objects_copied"] == 1
    assert len(copy.there()) == 3
    assert not left(copy.cyrus)

    own = changed(INVITED, copy).replace("ACCEPTED;RSVP", "DECLINED;RSVP")
    assert ask(copy.cyrus, ANN, "PUT", f"{copy.slug}/invited.ics", own).status_code == 204
    assert ask(copy.cyrus, ANN, "DELETE", f"{copy.slug}/more.ics").status_code == 204
    assert left(copy.cyrus) == [(CAROL, "Canceled: Lunch"), (CAROL, "RSVP: Dinner")]


@pytest.mark.case(104)
def test_nothing_leaves_where_objects_say_who_sends(copy: Copy) -> None:
    """What servers that heed no header are told; Cyrus does as they do, and heeds the header besides."""
    first = copy.run(scheduling="agent")
    assert first.code == 0, first.output
    assert kinds(first) >= {"scheduling_agent"}
    there = "".join(copy.there().values())
    assert there.count("ORGANIZER;SCHEDULE-AGENT=CLIENT:") == 2
    assert there.count("SCHEDULE-AGENT=CLIENT") == there.count("ORGANIZER") + there.count("ATTENDEE")
    assert not copy.run(scheduling="agent").result["changed"]
    copy.put("invites", changed(INVITES, copy))
    assert copy.run(scheduling="agent").result["summary"]["objects_changed"] == 1
    assert not left(copy.cyrus)


def test_the_parameter_alone_keeps_the_server_quiet(cyrus: CyrusDav) -> None:
    """Without any header, as a server would take it that knows neither."""
    left(cyrus)
    for name, text in (("a-invites", INVITES), ("a-invited", INVITED)):
        told = with_agent(text.format(uid=name).encode()).decode()
        assert ask(cyrus, ANN, "PUT", f"Default/{name}.ics", told).status_code == 201
        assert ask(cyrus, ANN, "DELETE", f"Default/{name}.ics").status_code == 204
    assert not left(cyrus)
