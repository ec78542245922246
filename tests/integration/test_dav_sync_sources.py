# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`dav_sync` from Atmail 5's rows, and from files, to Radicale behind HAProxy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.files.side import open_files

from tests.lab.atmail_dav import Amount, fill_account
from tests.lab.objects import contacts, events
from tests.lab.radicale import DavCloud

from .dav_rows_lab import account, appointment
from .dav_sync_lab import ANN, BOB, USERS, Way, said, side
from .generations_lab import PASSWORD, READER, Generations


@pytest.fixture(scope="module")
def there() -> Iterator[DavCloud]:
    with DavCloud.temporary(dict.fromkeys(USERS, "x")) as made:
        yield made


def test_atmail_5(there: DavCloud, tmp_path: Path) -> None:
    with Generations.temporary() as generations:
        atmail = generations.fresh("5")
        for user in USERS:
            atmail.account(user, time_zone="W. Europe Standard Time")
            with atmail.server.session(atmail.database) as cursor:
                fill_account(cursor, user, Amount({"Work": 14}, 12, groups=2), atmail.generation)
        appointment(atmail, ANN, Title="Never", DateStart="0000-00-00 00:00:00")
        database = {"host": "127.0.0.1", "port": generations.server.setup.port, "name": atmail.database, "user": READER}
        source = {"protocol": "atmail", "database": {**database, "password": PASSWORD, "tls": False, "timeout": 30.0}}
        way = Way(source, there, tmp_path / "ledger")
        first = way.run()
        assert first["summary"]["accounts_failed"] == 0
        kinds = {each["kind"] for entry in first["accounts"] for each in entry["findings"]}
        assert "appointment_without_start" in kinds
        assert "altered_by_target" not in kinds
        for user in USERS:
            with account(atmail, user, groups="apple") as rows, side(there, user) as target:
                assert said(rows) == said(target)
        assert (way.run()["changed"], way.wrote) == (False, Counter())
        atmail.sql("UPDATE Calander_a SET Title = 'Changed {{ x }}' WHERE UserTo = %s AND IsRecurring = 1 LIMIT 1", ANN)
        atmail.sql("DELETE FROM Abook_b WHERE Account = %s AND UserEmail LIKE 'person11@%%'", BOB)
        assert way.run()["summary"]["accounts_failed"] == 0
        assert way.wrote == Counter(PUT=1, DELETE=1)
        assert way.run()["changed"] is False


def test_files(there: DavCloud, tmp_path: Path) -> None:
    for user in USERS:
        folder = tmp_path / "files" / user
        folder.mkdir(parents=True)
        (folder / "Work.ics").write_bytes(whole(each.data for each in events(20, f"{user} work")))
        (folder / "friends.vcf").write_bytes(b"".join(each.data for each in contacts(15, f"{user} friends")))
    way = Way({"protocol": "files", "path": str(tmp_path / "files")}, there, tmp_path / "ledger")
    first = way.run()
    assert (first["summary"]["accounts_failed"], first["summary"]["objects_copied"]) == (0, 70)
    for user in USERS:
        with side(there, user) as target:
            everything = said(target)
        assert said(open_files(tmp_path / "files", user)).items() <= everything.items()
    assert (way.run()["changed"], way.wrote) == (False, Counter())
    work = tmp_path / "files" / ANN / "Work.ics"
    work.write_bytes(work.read_bytes().replace(b"SUMMARY:", b"SUMMARY:New ", 1))
    assert way.run()["summary"]["accounts_failed"] == 0
    assert way.wrote == Counter(PUT=1)
    # half a file is no reason to remove what is in the other half
    work.write_bytes(work.read_bytes()[:-200])
    assert way.run()["summary"]["accounts_failed"] == 1
    assert way.wrote == Counter()


def whole(texts: Iterator[bytes]) -> bytes:
    """One file with what is in all of these, as programs export a calendar."""
    inner = [text.split(b"PRODID:-//lab//EN\r\n", 1)[1].rsplit(b"END:VCALENDAR", 1)[0] for text in texts]
    head = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lab//EN\r\nX-WR-CALNAME:Work\r\nMETHOD:PUBLISH\r\n"
    return head + b"".join(inner) + b"END:VCALENDAR\r\n"
