# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars and contacts out of a real MariaDB with the tables of every generation of Atmail."""

from __future__ import annotations

import base64
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.libraries import vobject
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.cards import Groups
from ansible_collections.atmail.migration.plugins.module_utils.dav.rows.side import Site, open_rows
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError, MissingTableError
from ansible_collections.atmail.migration.plugins.module_utils.platforms.reach import reached
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import Overrides

from tests.lab.atmail_dav import Amount, fill_account, put_calendar
from tests.lab.objects import Thing, events

from .dav_rows_lab import (
    ANN,
    BOB,
    account,
    appointment,
    calendar,
    collections,
    contact,
    event,
    everything,
    ics,
    put_group,
    site,
    statements,
    through_ssh,
)
from .generations_lab import Generations


@pytest.fixture(scope="module")
def generations() -> Iterator[Generations]:
    with Generations.temporary() as server:
        yield server


@pytest.mark.parametrize("generation", ["7", "7-early", "6"])
def test_calendars_come_as_they_are(generations: Generations, generation: str) -> None:
    atmail = generations.fresh(generation)
    first = calendar(atmail, ANN, "work", displayname="Wörk 😀"[:5], calendarcolor="#FF0000FF", calendarorder=2)
    calendar(atmail, "Bob@ACME.example", "home")
    texts = {f"{number}.ics": ics(f"uid-{number}", "Grüße {{ x }} '\"\\") for number in range(5)}
    for name, data in texts.items():
        event(atmail, first, name, data)
    with account(atmail) as source:
        found = collections(source)
        key = f"calendars/{first}"
        assert list(found) == [key, "contacts"]
        assert (found[key].slug, found[key].properties.color, found[key].properties.order) == ("work", "#FF0000FF", 2)
        items = everything(source, found[key])
        assert {name: item.data for name, item in items.items()} == texts
        changes = source.changes(found[key])
        assert changes.state == found[key].state
        assert source.changes(found[key], changes.state) == type(changes)({}, whole=False, state=changes.state)
    with account(atmail, BOB) as source:
        assert [each.slug for each in source.survey().collections] == ["home", "contacts"]


def test_an_unchanged_account_is_five_statements(generations: Generations) -> None:
    """Whatever there is in it: as many round trips as a site far away can bear."""
    atmail = generations.fresh("7")
    for number in range(3):
        event(atmail, calendar(atmail, ANN, f"c{number}"), "a.ics", ics("a"))
    contact(atmail, ANN, UserFirstName="Bob")
    with site(atmail) as opened:
        open_rows(opened, ANN).survey()  # what all accounts share
        before = statements(atmail)
        asking = statements(atmail) - before
        source = open_rows(opened, ANN)
        states = [source.changes(each, each.state) for each in source.survey().collections]
        assert all(not each.whole for each in states)
        assert statements(atmail) - before - 2 * asking <= 5


def test_every_change_of_a_row_is_seen(generations: Generations) -> None:
    """Whether or not a program has kept counters and ETags up to date."""
    atmail = generations.fresh("7")
    number = calendar(atmail, ANN, "work")
    event(atmail, number, "a.ics", ics("a"))
    event(atmail, number, "b.ics", ics("b"))
    key = f"calendars/{number}"
    changes = [
        ("UPDATE calendarobjects SET calendardata = %s WHERE uri = 'a.ics'", ics("a", "other"), {"a.ics"}, set()),
        ("UPDATE calendarobjects SET uri = %s WHERE uri = 'b.ics'", "c.ics", {"c.ics"}, {"b.ics"}),
        ("DELETE FROM calendarobjects WHERE uri = %s", "c.ics", set(), {"c.ics"}),
    ]
    for statement, value, changed, gone in changes:
        with account(atmail) as source:
            before = source.changes(collections(source)[key])
        atmail.sql(statement, value)
        with account(atmail) as source:
            found = collections(source)[key]
            after = source.changes(found, before.state)
            assert after.whole
            assert after.state == found.state != before.state
            assert {name for name, version in after.versions.items() if before.versions.get(name) != version} == changed
            assert before.versions.keys() - after.versions.keys() == gone


def test_strange_objects_are_named_and_the_others_come(generations: Generations) -> None:
    atmail = generations.fresh("7")
    number = calendar(atmail, ANN, "wo/rk", calendarcolor="red", timezone="Nowhere", components="VEVENT,VTODO")
    event(atmail, number, "a/b.ics", ics("slash"))
    event(atmail, number, "empty.ics", b"")
    event(atmail, number, "null.ics", None)
    event(atmail, number, "cut.ics", ics("cut")[:-30])
    event(atmail, number, "latin.ics", ics("latin", "Käse").decode().encode("latin-1"))
    event(atmail, number, "nul\0.ics", ics("nul"))
    with account(atmail) as source:
        survey = source.survey()
        found = survey.collections[0]
        assert {each.kind for each in survey.findings} == {"calendar_color", "calendar_time_zone", "collection_renamed"}
        assert (found.slug, found.properties.components) == (f"calendar-{number}", frozenset({"VEVENT", "VTODO"}))
        changes = source.changes(found)
        kinds = Counter((each.kind, each.level) for each in changes.findings)
        assert kinds == {("object_empty", "error"): 2, ("object_renamed", "note"): 2}
        items = everything(source, found)
        assert len(items) == len(changes.versions) == 4
        assert items["latin.ics"].data == ics("latin", "Käse").decode().encode("latin-1")
        assert [each.kind for each in items["cut.ics"].findings] == ["object_cut"]
        assert all("/" not in name and "\0" not in name for name in items)


def test_old_tables_keep_texts_in_columns_of_text(generations: Generations) -> None:
    atmail = generations.fresh("6")
    number = calendar(atmail, ANN, "work")
    for charset, name in (("latin1", "a.ics"), ("utf8", "b.ics")):
        atmail.sql(f"ALTER TABLE calendarObjects MODIFY calendardata mediumtext CHARACTER SET {charset}")
        event(atmail, number, name, None)
        atmail.sql("UPDATE calendarObjects SET calendardata = %s WHERE uri = %s", ics("x", "Käse").decode(), name)
        with account(atmail) as source:
            items = everything(source, collections(source)[f"calendars/{number}"])
            assert items[name].data == ics("x", "Käse")
    atmail.sql("ALTER TABLE calendarObjects MODIFY calendardata mediumblob")


def test_what_is_shared_is_said_to_both(generations: Generations) -> None:
    atmail = generations.fresh("7")
    number = calendar(atmail, ANN, "work", displayname="Work")
    atmail.sql(
        "INSERT INTO principals (id, uri) VALUES (1, %s), (2, %s), (3, %s)",
        *(f"principals/users/{each}" for each in (ANN, BOB, f"{ANN}/calendar-proxy-write")),
    )
    atmail.sql("INSERT INTO groupmembers (principal_id, member_id) VALUES (3, 2)")
    atmail.sql(
        "INSERT INTO calendarsubscriptions (uri, principaluri, source, displayname) VALUES ('s', %s, %s, 'Holidays')",
        f"principals/users/{ANN}",
        "webcal://feed.example/secret-word/x.ics",
    )
    atmail.sql("CREATE TABLE calendarDelegates (calendarid int, principalid int)")
    atmail.sql("INSERT INTO calendarDelegates VALUES (%s, 2)", number)
    try:
        with site(atmail) as opened:
            ann, bob = (open_rows(opened, each).survey() for each in (ANN, BOB))
    finally:
        atmail.sql("DROP TABLE calendarDelegates")
    assert Counter(each.kind for each in ann.findings) == {"calendar_shared": 2, "calendar_subscribed": 1}
    assert Counter(each.kind for each in bob.findings) == {"calendar_of_another": 2, "account_without_rows": 1}
    said = " ".join(each.message for each in ann.findings)
    assert "bob@acme.example may use the calendar Work" in said
    assert "feed.example" in said
    assert "secret-word" not in said


def test_calendars_of_sabredav_3_2(generations: Generations) -> None:
    atmail = generations.fresh("7")
    atmail.sql("RENAME TABLE calendars TO calendars_kept")
    atmail.sql("CREATE TABLE calendars (id int PRIMARY KEY, synctoken int, components varbinary(20))")
    atmail.sql(
        "CREATE TABLE calendarinstances (id int PRIMARY KEY, calendarid int, principaluri varbinary(100), access int,"
        " displayname varchar(100), uri varbinary(200))"
    )
    try:
        atmail.sql("INSERT INTO calendars VALUES (7, 1, 'VEVENT')")
        atmail.sql(
            "INSERT INTO calendarinstances VALUES (1, 7, %s, 1, 'Mine', 'work'), (2, 7, %s, 3, 'Theirs', 'shared')",
            *(f"principals/users/{each}" for each in (ANN, BOB)),
        )
        event(atmail, 7, "a.ics", ics("a"))
        with site(atmail) as opened:
            ann, bob = open_rows(opened, ANN), open_rows(opened, BOB)
            found = collections(ann)["calendars/7"]
            assert (found.slug, found.properties.name) == ("work", "Mine")
            assert set(everything(ann, found)) == {"a.ics"}
            assert [each.kind for each in ann.survey().findings] == ["calendar_shared"]
            survey = bob.survey()
            assert [each.key for each in survey.collections] == ["contacts"]
            assert [each.kind for each in survey.findings] == ["calendar_of_another"]
    finally:
        atmail.sql("DROP TABLE calendars, calendarinstances")
        atmail.sql("RENAME TABLE calendars_kept TO calendars")


@pytest.mark.parametrize("generation", ["7", "6", "5", "open", "open-whole"])
def test_contacts_of_every_generation(generations: Generations, generation: str) -> None:
    atmail = generations.fresh(generation)
    contact(atmail, ANN, UserFirstName="J&ouml;rg", UserLastName="O'Brien {{ x }}", UserEmail="joerg@b.example")
    contact(atmail, ANN, UserWorkCompany='"Quotes", Ltd; \\', UserInfo="one\r\ntwo")
    contact(atmail, "Ann@Acme.example", UserEmail="upper@b.example")
    contact(atmail, BOB, UserEmail="bobs@b.example")
    if generation == "7":
        contact(atmail, ANN, UserEmail=ANN, Global=1)
    with account(atmail) as source:
        book = collections(source)["contacts"]
        cards = [vobject().readOne(item.data.decode()) for item in everything(source, book).values()]
        assert sorted(card.fn.value for card in cards) == [
            '"Quotes", Ltd; \\',
            "Jörg O'Brien {{ x }}",
            "upper@b.example",
        ]
        assert {card.note.value for card in cards if hasattr(card, "note")} == {"one\ntwo"}
        assert source.changes(book).state == book.state
        assert [item.data for item in everything(source, book).values()] == [
            item.data for item in everything(source, book).values()
        ]


def test_photos_in_a_column_of_text(generations: Generations) -> None:
    atmail = generations.fresh("7")
    picture = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400
    contact(atmail, ANN, UserFirstName="A", UserPhoto=base64.b64encode(picture).decode())
    contact(atmail, ANN, UserFirstName="B", UserPhoto="https://a.example/b.png")
    contact(atmail, ANN, UserFirstName="C", UserPhoto="c.jpg")
    with account(atmail) as source:
        items = list(everything(source, collections(source)["contacts"]).values())
    cards = [vobject().readOne(each.data.decode()) for each in items]
    photos = {card.fn.value: card.contents.get("photo", []) for card in cards}
    assert [each.value for each in photos["A"]] == [picture]
    assert [each.value for each in photos["B"]] == ["https://a.example/b.png"]
    assert photos["C"] == []
    assert [each.kind for item in items for each in item.findings] == ["photo_unknown"]


@pytest.mark.parametrize("groups", ["vcard", "apple", "categories"])
@pytest.mark.parametrize("generation", ["7", "5"])
def test_groups_in_both_layouts(generations: Generations, generation: str, groups: Groups) -> None:
    atmail = generations.fresh(generation)
    numbers = [contact(atmail, ANN, UserFirstName=name, UserEmail2=f"{name}@b.example") for name in ("x", "y", "z")]
    put_group(atmail, ANN, "Team, A", {numbers[0]: "X@b.example", numbers[1]: "y@b.example", 999: "else@where.example"})
    put_group(atmail, BOB, "Bob's", {numbers[2]: "z@b.example"})
    with account(atmail, groups=groups) as source:
        book = collections(source)["contacts"]
        changes = source.changes(book)
        items = everything(source, book)
        assert source.changes(book).state == book.state
    cards = [vobject().readOne(item.data.decode()) for item in items.values()]
    uids = {card.fn.value: card.uid.value for card in cards}
    kinds = [each.kind for each in changes.findings]
    strangers = generation == "5"
    if groups == "categories":
        team = {
            card.fn.value
            for card in cards
            if getattr(card, "categories", None) and card.categories.value == ["Team, A"]
        }
        assert team == {"x", "y", *(["else@where.example"] if strangers else [])}
    else:
        (card,) = [card for card in cards if card.fn.value == "Team, A"]
        member = "member" if groups == "vcard" else "x-addressbookserver-member"
        expected = {f"urn:uuid:{uids[name]}" for name in ("x", "y")}
        if strangers:
            expected.add("mailto:else@where.example" if groups == "vcard" else f"urn:uuid:{uids['else@where.example']}")
        assert {each.value for each in card.contents[member]} == expected
    assert kinds == (["group_member_gone"] if not strangers else [] if groups == "vcard" else ["group_member_added"])


def test_appointments_of_atmail_5(generations: Generations) -> None:
    atmail = generations.fresh("5")
    atmail.account(ANN, time_zone="AUS Eastern Standard Time")
    series = appointment(atmail, ANN, Title="Stand-up", IsRecurring=1, EntryID="entry-1")
    appointment(
        atmail,
        ANN,
        Title="Stand-up, late",
        DateStart="2014-03-10 12:00:00",
        DateEnd="2014-03-10 12:30:00",
        IsException=1,
        EntryID="entry-1",
    )
    appointment(atmail, ANN, Title="An exception of nothing", IsException=1, Ref=999)
    appointment(atmail, ANN, Title="K&auml;se <b>\"'{{ x }}", AllDayEvent=1, CalNameID=4)
    appointment(atmail, ANN, Title="Buy milk", Task=1)
    appointment(atmail, ANN, Title="Never", DateStart="0000-00-00 00:00:00")
    atmail.sql("INSERT INTO CalendarNames (id, CalName) VALUES (4, 'Team')")
    for owner in (BOB, ANN):  # numbers of others' shards are the same
        kind = 1 if owner == ANN else 0
        atmail.sql(
            "INSERT INTO recurrencePatterns (account, linkid, RecurrenceType, DayOfWeekMask, NoEndDate)"
            " VALUES (%s, %s, %s, 2, 1)",
            owner,
            series,
            kind,
        )
    with account(atmail) as source:
        found = collections(source)
        assert {key: each.properties.name for key, each in found.items()} == {
            "appointments": "Calendar",
            "appointments/4": "Team",
            "tasks": "Tasks",
            "contacts": "Contacts",
        }
        assert found["tasks"].properties.components == frozenset({"VTODO"})
        assert "TZID:Australia/Sydney" in (found["appointments"].properties.timezone or "")
        changes = source.changes(found["appointments"])
        assert {each.kind for each in changes.findings} == {"exception_unknown", "appointment_without_start"}
        texts = [item.data.decode() for item in everything(source, found["appointments"]).values()]
        (repeated,) = [each for each in texts if "RRULE:FREQ=WEEKLY" in each]
        assert "UID:entry-1" in repeated
        assert "RRULE:FREQ=WEEKLY;BYDAY=MO" in repeated
        assert "RECURRENCE-ID;TZID=Australia/Sydney:20140310T090000" in repeated
        assert len(texts) == 2
        (team,) = everything(source, found["appointments/4"]).values()
        assert "SUMMARY:Käse <b>\"'{{ x }}" in team.data.decode()
        assert "DTSTART;VALUE=DATE:20140303" in team.data.decode()
        (task,) = everything(source, found["tasks"]).values()
        assert "BEGIN:VTODO" in task.data.decode()
        state = found["appointments"].state
    atmail.sql("UPDATE recurrencePatterns SET DayOfWeekMask = 6 WHERE account = %s", ANN)
    with account(atmail) as source:
        assert collections(source)["appointments"].state != state


def test_the_time_zone_that_nobody_has_said(generations: Generations) -> None:
    atmail = generations.fresh("5")
    appointment(atmail, ANN, Title="Lunch")
    with account(atmail) as source:
        assert [each.kind for each in source.survey().findings] == ["time_zone_unknown"]
        (item,) = everything(source, collections(source)["appointments"]).values()
        assert "DTSTART:20140303T090000" in item.data.decode()
    with account(atmail, overrides=Overrides(settings={"time_zone": "Europe/Berlin"})) as source:
        survey = source.survey()
        assert survey.findings == ()
        (item,) = everything(source, survey.collections[0]).values()
        assert "DTSTART;TZID=Europe/Berlin:20140303T090000" in item.data.decode()


def test_overrides(generations: Generations) -> None:
    atmail = generations.fresh("5")
    atmail.sql("CREATE TABLE Termine LIKE Calander_a")
    try:
        atmail.sql("ALTER TABLE Termine CHANGE UserTo Besitzer varchar(64)")
        atmail.sql("INSERT INTO Termine (Besitzer, Title, DateStart) VALUES (%s, 'x', '2014-03-03 09:00:00')", ANN)
        # what accounts may be called is no business of calendars, but has to be something that there is
        own = Overrides(
            {"appointments": "Termine", "passwords": "Konten", "tasks": "x"}, {"appointments": {"account": "Besitzer"}}
        )
        with account(atmail, overrides=own) as source:
            assert len(source.changes(collections(source)["appointments"]).versions) == 1
    finally:
        atmail.sql("DROP TABLE Termine")
    for wrong in (
        Overrides({"apointments": "x"}),
        Overrides(columns={"contacts": {"colour": "x"}}),
        Overrides(settings={"zone": "x"}),
    ):
        with pytest.raises(InputError), site(atmail, wrong):
            pass


def test_nothing_is_written(generations: Generations) -> None:
    atmail = generations.fresh("7")
    event(atmail, calendar(atmail, ANN, "work"), "a.ics", ics("a"))
    contact(atmail, ANN, UserFirstName="x")
    before = atmail.checksums()
    with account(atmail) as source:
        for each in source.survey().collections:
            everything(source, each)
    assert atmail.checksums() == before


def test_an_account_without_rows(generations: Generations) -> None:
    atmail = generations.fresh("7")
    with account(atmail, "nobody@acme.example") as source:
        survey = source.survey()
        assert [each.kind for each in survey.findings] == ["account_without_rows"]
        assert source.changes(survey.collections[0]).versions == {}


def test_a_name_that_its_column_is_too_narrow_for(generations: Generations) -> None:
    atmail = generations.fresh("5")
    user = "a" * 60 + "@acme.example"
    atmail.insert("Calander", user, UserTo=user[:64], Title="x", DateStart="2014-03-03 09:00:00")
    with account(atmail, user) as source:
        assert "account_cut" in {each.kind for each in source.survey().findings}


def test_a_database_of_something_else(generations: Generations) -> None:
    atmail = generations.fresh("open")
    for table in [name for name in atmail.tables() if name.startswith("Abook")]:
        atmail.sql(f"DROP TABLE `{table}`")
    generations.made.discard("open")
    with pytest.raises(MissingTableError), site(atmail):
        pass
    with atmail.server.session(None) as cursor:
        cursor.execute(f"DROP DATABASE `{atmail.database}`")


@pytest.mark.parametrize("generation", ["7", "7-early", "6", "5", "open"])
def test_everything_that_the_lab_puts_comes_out(generations: Generations, generation: str) -> None:
    atmail = generations.fresh(generation)
    amount = Amount({"Work": 12, "Family": 3}, 11, groups=2)
    with atmail.server.session(atmail.database) as cursor:
        for _time in range(2):
            fill_account(cursor, ANN, amount, atmail.generation)
    with account(atmail) as source:
        survey = source.survey()
        found = {each.properties.name: everything(source, each) for each in survey.collections}
        findings = [each for collection in survey.collections for each in source.changes(collection).findings]
        findings += [each for items in found.values() for item in items.values() for each in item.findings]
    assert [each for each in findings if each.level == "error"] == []
    assert len(found["Contacts"]) == 13
    calendars = sum(len(items) for name, items in found.items() if name != "Contacts")
    assert calendars == (0 if generation == "open" else 15)


def test_many_events_and_a_large_one_through_the_tunnel(generations: Generations) -> None:
    """A collection is listed by one statement, and read by few, none of them with all of it in memory."""
    atmail = generations.fresh("7")
    attachment = "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 1_250_000
    things = [*events(2_000, "many"), Thing("large.ics", ics("large", more=attachment)), *events(50, "more")]
    with atmail.server.session(atmail.database) as cursor:
        number = put_calendar(cursor, ANN, "work", things)
    with through_ssh(atmail) as way, Site(way.connect, Overrides(), connections=2) as opened:
        source = open_rows(opened, ANN)
        collection = collections(source)[f"calendars/{number}"]
        before = statements(atmail)
        items = everything(source, collection)
        assert statements(atmail) - before < 25
        assert {name: item.data for name, item in items.items()} == {each.name: each.data for each in things}
        with ThreadPoolExecutor(4) as pool:
            names = [each.name for each in things]
            parts = [names[start::4] for start in range(4)]
            read = pool.map(lambda part: [item.name for item in source.read(collection, part)], parts)
            assert sorted(name for part in read for name in part) == sorted(names)


def test_a_dump_is_a_source_too(generations: Generations, tmp_path: Path) -> None:
    atmail = generations.fresh("7")
    with atmail.server.session(atmail.database) as cursor:
        fill_account(cursor, ANN, Amount({"Work": 5}, 4, groups=1), atmail.generation)
    command = ["mariadb-dump", "--no-defaults", f"--socket={atmail.server.socket}", "--default-character-set=utf8mb4"]
    dump = tmp_path / "dump.sql"
    dump.write_bytes(subprocess.run([*command, atmail.database], check=True, capture_output=True).stdout)
    options = {"dump": {"path": str(dump), "allow_truncated": False}}
    with account(atmail) as source:
        expected = {each.key: everything(source, each) for each in source.survey().collections}
    with reached(options) as way, Site(way.connect, Overrides()) as opened:
        source = open_rows(opened, ANN)
        assert {each.key: everything(source, each) for each in source.survey().collections} == expected
