# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`dav_sync` from a CalDAV and CardDAV server, and from Atmail 7's rows, to Radicale behind HAProxy.

`make dav` runs the first two of these with 3 calendars of 1,000 events and 4,000 contacts in each of two accounts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.identity import uid_of

from tests.lab.objects import events
from tests.lab.radicale import DavCloud

from .dav_rows_lab import account, calendar
from .dav_sync_lab import ANN, BOB, USERS, Way, clouds_differ, fill, said, side
from .generations_lab import PASSWORD, READER, Atmail, Generations

#: Events of a calendar, of which each account has three.
COUNT = int(os.environ.get("DAV_OBJECTS", "12"))


@pytest.fixture(scope="module")
def here() -> Iterator[DavCloud]:
    with DavCloud.temporary(dict.fromkeys(USERS, "x")) as made:
        yield made


@pytest.fixture(scope="module")
def there() -> Iterator[DavCloud]:
    with DavCloud.temporary(dict.fromkeys(USERS, "x")) as made:
        yield made


@pytest.fixture(scope="module")
def generations() -> Iterator[Generations]:
    with Generations.temporary() as server:
        yield server


def remove(place: Path) -> None:
    """Remove a folder with everything in it, as the lab's Radicale notices it at once."""
    for path in sorted(place.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    place.rmdir() if place.is_dir() else place.unlink()


@pytest.fixture
def way(here: DavCloud, there: DavCloud, tmp_path: Path) -> Way:
    for cloud in (here, there):
        for user in USERS:
            cloud.radicale.place(user).mkdir(parents=True, exist_ok=True)
            for place in cloud.radicale.place(user).iterdir():
                remove(place)
    # a full calendar on the disk is read by Radicale when it is asked for first, which takes minutes
    return Way(here.options(timeout=600.0), there, tmp_path / "ledger")


def entry(result: dict[str, Any], user: str = ANN) -> dict[str, Any]:
    """What happened to an account."""
    return next(one for one in result["accounts"] if one["source_user"] == user)


def test_two_accounts_are_the_same_and_a_rerun_writes_nothing(way: Way, here: DavCloud, there: DavCloud) -> None:
    for user in USERS:
        fill(here, user, COUNT)
    planned = way.run(check_mode=True)
    assert planned["summary"]["objects_copied"] == 2 * 7 * COUNT
    assert way.wrote == Counter()
    first = way.run()
    assert (first["changed"], first["summary"]["accounts_failed"]) == (True, 0)
    assert first["summary"] | {"bytes_copied": 0} == planned["summary"] | {"accounts_unchanged": 0}
    assert (way.wrote["PUT"], way.wrote["MKCALENDAR"], way.wrote["MKCOL"]) == (2 * 7 * COUNT, 6, 4)
    assert clouds_differ(here, there) == []
    second = way.run()
    assert (second["changed"], way.wrote) == (False, Counter())
    assert second["summary"]["accounts_unchanged"] == 2
    ten_changes(here)
    third = way.run()
    assert (third["changed"], way.wrote) == (True, Counter(PUT=7, DELETE=3))
    assert clouds_differ(here, there) == []
    assert way.run()["changed"] is False


def ten_changes(cloud: DavCloud) -> None:
    """Four events changed, three new, three gone, as clients would do it."""
    with side(cloud, ANN) as opened:
        work = next(one for one in opened.survey().collections if one.slug == "cal-1")
        versions = opened.changes(work).versions
        names = sorted(versions)
        for item in opened.read(work, names[:4]):
            data = item.data.replace(b"\r\nEND:VEVENT", b"\r\nX-CHANGED:1\r\nEND:VEVENT")
            opened.put(work, item.name, data, version=item.version)
        for thing in events(3, "new ones"):
            opened.put(work, thing.name, thing.data, version=None)
        for name in names[4:7]:
            opened.remove(work, name, version=versions[name])


def test_two_accounts_from_atmail_7(generations: Generations, way: Way, there: DavCloud) -> None:
    atmail = generations.fresh("7")
    for user in USERS:
        put_rows(atmail, user, COUNT)
    database = {"host": "127.0.0.1", "port": generations.server.setup.port, "name": atmail.database, "user": READER}
    way.source = {"protocol": "atmail", "database": {**database, "password": PASSWORD, "tls": False, "timeout": 30.0}}
    first = way.run()
    assert (first["summary"]["accounts_failed"], first["summary"]["objects_copied"]) == (0, 2 * 7 * COUNT)
    for user in USERS:
        with account(atmail, user, groups="apple") as source, side(there, user) as target:
            assert said(source) == said(target)
    assert (way.run()["changed"], way.wrote) == (False, Counter())
    atmail.sql("UPDATE Abook SET UserFirstName = 'Changed' WHERE Account = %s LIMIT 6", ANN)
    number = atmail.sql("SELECT MIN(id) FROM calendars")[0][0]
    atmail.sql("DELETE FROM calendarobjects WHERE calendarid = %s LIMIT 2", number)
    atmail.sql(
        "UPDATE calendarobjects SET calendardata = REPLACE(calendardata, 'SUMMARY:', 'SUMMARY:X') WHERE"
        " calendarid = %s LIMIT 2",
        number,
    )
    third = way.run()
    assert (way.wrote, third["summary"]["accounts_failed"]) == (Counter(PUT=8, DELETE=2), 0)
    assert way.run()["changed"] is False


def put_rows(atmail: Atmail, user: str, count: int) -> None:
    """3 calendars of ``count`` events, and as many contacts as two books of twice as many."""
    with atmail.server.session(atmail.database) as cursor:
        for number in range(3):
            row = calendar(atmail, user, f"cal-{number}", displayname=f"Kalender {number}")
            cursor.executemany(
                "INSERT INTO calendarobjects (calendarid, uri, calendardata, lastmodified, etag, size, componenttype)"
                " VALUES (%s, %s, %s, 1400000000, MD5(calendardata), LENGTH(calendardata), 'VEVENT')",
                [(row, thing.name, thing.data) for thing in events(count, f"{user} {number}")],
            )
        cursor.executemany(
            "INSERT INTO Abook (Account, UserFirstName, UserLastName, UserEmail, UserHomePhone, EntryID)"
            " VALUES (%s, %s, %s, %s, '+49 30 1', %s)",
            [(user, f"Jürgen {n}", "O'Brien {{ 7*7 }}", f"p{n}@x.example", f"{user}-{n}") for n in range(4 * count)],
        )


def test_the_modes_of_a_target_in_use(way: Way, here: DavCloud, there: DavCloud) -> None:
    things = list(events(6, "in use"))
    here.radicale.write(ANN, "work", things, D__displayname="Arbeit")
    there.radicale.write(ANN, "work", things[:3], D__displayname="Arbeit")
    own = next(iter(events(1, "the user's own")))
    there.radicale.write(ANN, "work", [own], D__displayname="Arbeit")
    way.users = [ANN]
    with side(there, ANN) as opened:
        work = opened.survey().collections[0]
        item = next(opened.read(work, [things[0].name]))
        changed = item.data.replace(b"\r\nEND:VEVENT", b"\r\nX-MINE:1\r\nEND:VEVENT")
        opened.put(work, item.name, changed, version=item.version)
    stopped = way.run()
    assert [one["kind"] for one in entry(stopped)["failures"]] == ["target_in_use"]
    assert way.wrote == Counter()
    assert entry(way.run(used_target="mirror"))["failures"] == []
    assert way.wrote == Counter(PUT=4)  # two were the same already
    with side(here, ANN) as one, side(there, ANN) as other:
        assert said(other)["Arbeit"] - said(one)["Arbeit"] != Counter()
        assert said(one)["Arbeit"] - said(other)["Arbeit"] == Counter()
    saved = list(way.ledger.parent.rglob("*.ics"))
    assert any(b"X-MINE" in path.read_bytes() for path in saved)
    assert {oct(path.stat().st_mode & 0o777) for path in saved} == {"0o600"}


def test_after_the_cut_over_the_users_own_stays(way: Way, here: DavCloud, there: DavCloud) -> None:
    things = list(events(8, "cut-over"))
    here.radicale.write(ANN, "work", things[:6], D__displayname="Arbeit")
    way.users = [ANN]
    assert entry(way.run())["failures"] == []
    with side(there, ANN) as opened:
        work = opened.survey().collections[0]
        items = {item.name: item for item in opened.read(work, [thing.name for thing in things[:6]])}
        moved, changed, gone = (items[thing.name] for thing in things[:3])
        other = opened.make(work.kind, "private", work.properties)
        opened.put(other, moved.name, moved.data, version=None)
        for item in (moved, gone):
            opened.remove(work, item.name, version=item.version)
        mine = changed.data.replace(b"\r\nEND:VEVENT", b"\r\nX-MINE:1\r\nEND:VEVENT")
        opened.put(work, changed.name, mine, version=changed.version)
    with side(here, ANN) as opened:
        work = opened.survey().collections[0]
        for item in opened.read(work, [thing.name for thing in things[:4]]):
            data = item.data.replace(b"\r\nEND:VEVENT", b"\r\nX-OLD:1\r\nEND:VEVENT")
            opened.put(work, item.name, data, version=item.version)
        for thing in things[6:]:
            opened.put(work, thing.name, thing.data, version=None)
    result = entry(way.run(phase="catch_up"))
    assert (result["failures"], way.wrote) == ([], Counter(PUT=3))
    assert {one["kind"] for one in result["findings"]} == {"target_wins", "removed_on_target"}
    with side(there, ANN) as opened:
        found = {one.slug: list(opened.changes(one).versions) for one in opened.survey().collections}
    assert sorted(found["work"]) == sorted(thing.name for thing in (things[1], *things[3:]))
    assert found["private"] == [things[0].name]
    assert (way.run(phase="catch_up")["changed"], way.wrote) == (False, Counter())
    with pytest.raises(Exception, match="never goes back"):
        way.run(phase="mirror")
    assert way.run(phase="closed")["phase"] == {"before": "catch_up", "after": "closed"}


def test_a_source_that_is_suddenly_empty_empties_nothing(way: Way, here: DavCloud) -> None:
    fill(here, ANN, 10)
    way.users = [ANN]
    assert entry(way.run())["failures"] == []
    for place in here.radicale.place(ANN).iterdir():
        remove(place)
    stopped = entry(way.run())
    assert ([one["kind"] for one in stopped["failures"]], way.wrote) == (["too_many_removals"], Counter())
    assert entry(way.run(allow_removals=1.0))["objects_removed"] == 70


def test_one_account_does_not_stop_the_others(way: Way, here: DavCloud, there: DavCloud) -> None:
    fill(here, BOB, 2)
    options = way.options(
        accounts=[
            {"source_user": "nobody@acme.example", "target_user": ANN, "source_password": "wrong"},
            {"source_user": BOB, "source_password": "x"},
        ],
        source={"protocol": "dav", "url": here.url, "ca_path": str(here.ca)},
    )
    result = Way.run(way, **options)
    assert [bool(one["failures"]) for one in result["accounts"]] == [True, False]
    assert result["accounts"][0]["failures"][0]["kind"] == "auth_failed"
    assert clouds_differ(here, there, [BOB]) == []


def test_uids_are_what_they_were(way: Way, here: DavCloud, there: DavCloud) -> None:
    things = list(events(5, "uids"))
    here.radicale.write(ANN, "work", things, D__displayname="Arbeit")
    way.run()
    with side(there, ANN) as opened:
        work = opened.survey().collections[0]
        found = {item.name: uid_of(item.data) for item in opened.read(work, list(opened.changes(work).versions))}
    assert found == {thing.name: uid_of(thing.data) for thing in things}
    assert work.properties.name == "Arbeit"


def test_as_a_module(way: Way, here: DavCloud) -> None:
    """Check, run, run again, as an operator does it: what is shown, and what is never shown."""
    fill(here, ANN, 2)
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": sys.executable, "migration_progress": "lines"},
            "tasks": [{"name": "Copy", "atmail.migration.dav_sync": way.options()}],
        }
    ]
    book = way.ledger.with_name("play.json")
    book.write_text(json.dumps(play))
    planned, first, second = (played(book, *more) for more in (["--check", "--diff"], [], []))
    assert [line for line in planned.splitlines() if line.startswith("  calendar")] == [
        f"  calendar Kalender {number}: make, 2 to copy" for number in range(3)
    ]
    assert [line.split() for line in first.splitlines() if line.startswith("  ann@")] == [
        [ANN, "14", "14", "0", "0", line.split()[-2], "0"] for line in first.splitlines() if line.startswith("  ann@")
    ]
    assert ["changed=1" in text for text in (planned, first, second)] == [True, True, False]
    assert "ok=1" in second
    assert not any(here.admin_password in text for text in (planned, first, second))


def played(book: Path, *more: str) -> str:
    """What a playbook prints."""
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        "localhost,",
        "-c",
        "local",
        str(book),
        *more,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr
