# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Invitations are kept back: what is said to which server, and what is put into objects where nothing else helps."""

from __future__ import annotations

import re

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.web.scheduling import (
    HEADERS,
    speaks,
    with_agent,
)
from ansible_collections.atmail.migration.plugins.module_utils.errors import ObjectRefusedError, SchedulingError
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transport.http_peer import Reply

from .odd import CALENDAR, EVENT, etag, multistatus, odd, response

AUTO = (("DAV", "1, 3, calendar-access, calendar-auto-schedule"),)


def invitation(*lines: str, end: str = "\r\n", component: str = "VEVENT") -> bytes:
    return end.join(
        ["BEGIN:VCALENDAR", f"BEGIN:{component}", "UID:1", *lines, f"END:{component}", "END:VCALENDAR", ""]
    ).encode()


def without_agent(data: bytes) -> bytes:
    """What it was before, if it had no such parameter itself."""
    return re.sub(rb";SCHEDULE-AGENT=CLIENT\r?\n ", b"", data)


ORGANIZED = invitation("ORGANIZER;CN=Ann:mailto:ann@acme.example", "ATTENDEE:mailto:bob@other.example")


def test_the_parameter_is_put_where_a_server_would_act_and_taken_away_byte_by_byte() -> None:
    changed = with_agent(ORGANIZED)
    assert b"ORGANIZER;SCHEDULE-AGENT=CLIENT\r\n ;CN=Ann:mailto:ann@acme.example\r\n" in changed
    assert b"ATTENDEE;SCHEDULE-AGENT=CLIENT\r\n :mailto:bob@other.example\r\n" in changed
    assert speaks(ORGANIZED)
    assert not speaks(changed)
    assert with_agent(changed) == changed
    assert without_agent(changed) == ORGANIZED


@pytest.mark.parametrize(
    "line",
    [
        "ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:bob@other.example",
        "ORGANIZER;SCHEDULE-AGENT=none;CN=Bob:mailto:bob@other.example",
        'ATTENDEE;CN="a:b";SCHEDULE-AGENT="CLIENT":mailto:bob@other.example',
        "ATTENDEE;CN=Bob;SCHEDULE-\r\n AGENT=CLIENT:mailto:bob@other.example",
        "X-ATTENDEE:mailto:bob@other.example",
        "ATTENDEES:mailto:bob@other.example",
        "DESCRIPTION:one\\n\r\n ATTENDEE:mailto:bob@other.example",
    ],
)
def test_what_says_nothing_to_a_server_stays_as_it_is(line: str) -> None:
    data = invitation(line)
    assert with_agent(data) == data
    assert not speaks(data)


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        (
            "ATTENDEE;SCHEDULE-AGENT=SERVER;CN=B:mailto:b@x",
            "ATTENDEE;SCHEDULE-AGENT=CLIENT\r\n ;CN=B:mailto:b@x",
        ),
        ("attendee:mailto:b@x", "attendee;SCHEDULE-AGENT=CLIENT\r\n :mailto:b@x"),
        ("ATTEN\r\n DEE:mailto:b@x", "ATTENDEE;SCHEDULE-AGENT=CLIENT\r\n :mailto:b@x"),
        (
            'ATTENDEE;CN="x;SCHEDULE-AGENT=CLIENT":mailto:b@x',
            'ATTENDEE;SCHEDULE-AGENT=CLIENT\r\n ;CN="x;SCHEDULE-AGENT=CLIENT":mailto:b@x',
        ),
        (
            "ATTENDEE:mailto:b@x?;SCHEDULE-AGENT=CLIENT:",
            "ATTENDEE;SCHEDULE-AGENT=CLIENT\r\n :mailto:b@x?;SCHEDULE-AGENT=CLIENT:",
        ),
    ],
)
def test_odd_lines_get_the_parameter_too(line: str, changed: str) -> None:
    assert with_agent(invitation(line)) == invitation(changed)


def test_attendees_of_an_alarm_are_nobodys_guests() -> None:
    data = invitation("BEGIN:VALARM", "ACTION:EMAIL", "ATTENDEE:mailto:ann@acme.example", "END:VALARM")
    assert with_agent(data) == data


def test_line_ends_of_the_object_are_kept() -> None:
    changed = with_agent(invitation("ORGANIZER:mailto:a@x", end="\n"))
    assert b"\r" not in changed
    assert without_agent(changed) == invitation("ORGANIZER:mailto:a@x", end="\n")


LINES = st.lists(
    st.sampled_from(
        [
            "ORGANIZER:mailto:a@x",
            "ATTENDEE;CN=Ä;PARTSTAT=ACCEPTED:mailto:b@x",
            "SUMMARY:x",
            "ATTENDEE;SCHEDULE-AGENT=SERVER:mailto:c@x",
            "BEGIN:VALARM",
            "END:VALARM",
            " folded",
            "",
        ]
    )
    | st.text(max_size=30)
)


@given(LINES)
def test_no_object_speaks_any_more_whatever_it_was(lines: list[str]) -> None:
    data = invitation(*lines)
    changed = with_agent(data)
    assert not speaks(changed)
    assert with_agent(changed) == changed
    if not speaks(data):
        assert changed == data
    elif b"SCHEDULE-AGENT" not in data:
        assert without_agent(changed) == data


# which server is told how


def way(**answers: Reply | str) -> tuple[list[str], bytes, dict[str, str]]:
    """Kinds of findings, what was sent of an object with an organizer, and with which headers."""
    sent: list[bytes] = []
    home = multistatus(response("/home/"))
    with odd({"PROPFIND /home/": home, "PUT": Reply(201), **answers}) as (side, peer):
        findings = [one.kind for one in side.survey().findings]
        side.put(CALENDAR, "new.ics", ORGANIZED, version=None)
        sent = [one.body for one in peer.seen if one.method == "PUT"]
        return findings, sent[0], dict(peer.seen[-1].headers)


def test_a_server_that_schedules_nothing_gets_objects_as_they_are() -> None:
    findings, sent, headers = way()
    assert (findings, sent) == ([], ORGANIZED)
    assert {name: headers[name] for name in HEADERS} == dict(HEADERS)


@pytest.mark.parametrize(
    "shown", [("Server", "Cyrus-HTTP/3.6.1-4+deb12u5 Cyrus-SASL/2.1.28"), ("X-Sabre-Version", "4.4")]
)
def test_servers_that_can_be_told_by_a_header_are_known(shown: tuple[str, str]) -> None:
    findings, sent, _headers = way(OPTIONS=Reply(200, headers=(*AUTO, shown)))
    assert (findings, sent) == (["scheduling_header"], ORGANIZED)


def test_sabre_is_known_by_how_it_refuses() -> None:
    error = b'<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>NotFound</s:exception></d:error>'
    findings, sent, _headers = way(OPTIONS=Reply(200, headers=AUTO), GET=Reply(404, error))
    assert (findings, sent) == (["scheduling_header"], ORGANIZED)


@pytest.mark.parametrize("server", ["Cyrus-HTTP/2.5.10", "DAViCal/1.1", "Cyrus"])
def test_any_other_server_is_told_in_the_object(server: str) -> None:
    findings, sent, _headers = way(OPTIONS=Reply(200, headers=(*AUTO, ("Server", server))))
    assert (findings, sent) == (["scheduling_agent"], with_agent(ORGANIZED))


def refusing(existing: bytes) -> dict[str, Reply | str]:
    return {
        "PROPFIND /home/": multistatus(response("/home/")),
        "OPTIONS": Reply(200, headers=AUTO),
        "GET": Reply(200, existing, (("ETag", '"1"'),)),
        "PUT": Reply(204),
        "DELETE": Reply(204),
        "PROPFIND": multistatus(response("/home/cal/x.ics", etag('"1"'))),
    }


def test_what_would_send_cancellations_is_neither_changed_nor_removed() -> None:
    with odd(refusing(ORGANIZED)) as (side, peer):
        for _number in range(2):
            with pytest.raises(ObjectRefusedError) as caught:
                side.put(CALENDAR, "x.ics", EVENT, version='"1"')
            assert caught.value.where["condition"] == "scheduling"
            with pytest.raises(ObjectRefusedError):
                side.remove(CALENDAR, "x.ics", version='"1"')
        assert peer.count("PUT") + peer.count("DELETE") == 0


def test_what_was_written_by_agent_can_be_changed_and_removed() -> None:
    with odd(refusing(with_agent(ORGANIZED))) as (side, peer):
        side.put(CALENDAR, "x.ics", ORGANIZED, version='"1"')
        side.remove(CALENDAR, "x.ics", version='"1"')
        assert (peer.count("PUT"), peer.count("DELETE")) == (1, 1)


def test_refuse_writes_nothing_that_would_have_to_be_changed() -> None:
    with odd(refusing(EVENT), scheduling="refuse") as (side, peer):
        assert [one.kind for one in side.survey().findings] == ["scheduling_unsafe"]
        with pytest.raises(SchedulingError):
            side.put(CALENDAR, "x.ics", ORGANIZED, version=None)
        side.put(CALENDAR, "y.ics", EVENT, version=None)
        assert peer.count("PUT") == 1


def test_off_writes_as_it_is_and_says_that_the_server_announces_it_still() -> None:
    with odd(refusing(EVENT), scheduling="off") as (side, peer):
        assert [one.kind for one in side.survey().findings] == ["scheduling_off"]
        side.put(CALENDAR, "x.ics", ORGANIZED, version=None)
        assert peer.seen[-1].body == ORGANIZED


def test_a_source_is_not_asked_how_it_schedules() -> None:
    home = multistatus(response("/home/"))
    with odd({"PROPFIND /home/": home}, name="source") as (side, peer):
        side.survey()
        assert peer.count("OPTIONS") == 0
