# SPDX-License-Identifier: GPL-3.0-or-later
"""What an assessment finds on real servers, and how fast; of other generations in `test_atmail_generations`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.settings_lab import SettingsLab
from tests.lab.atmail import AtmailAccount
from tests.lab.lab import Lab

ACCOUNTS = ("ann@acme.example", "bob@acme.example", "cy@acme.example")
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }}"
#: Tables that the lab's site does not have, as other versions have them; and what is in them.
FURTHER = """
CREATE TABLE Filter (id int, Account varchar(128), Header varchar(32)) CHARSET latin1;
CREATE TABLE MailSort_a (Account varchar(128), EmailFolder varchar(32)) CHARSET latin1;
CREATE TABLE MailSort_bo (Account varchar(128), EmailFolder varchar(32)) CHARSET utf8;
CREATE TABLE MailRelay (IPaddress varchar(15), DateAdded int, Account varchar(128));
CREATE TABLE EmailMessage_a (id int, EmailMessage text);
CREATE TABLE UserPgp_other (Account varchar(128), pubring blob);
CREATE TABLE SMSlog (id int);
CREATE TABLE SharedLookup (id int);
INSERT INTO Filter VALUES (1, 'Ann@acme.example', 'x'), (2, 'ann@acme.example', 'y'), (3, 'gone@other.example', 'z');
INSERT INTO MailSort_a VALUES ('ann@acme.example', 'x');
INSERT INTO MailSort_bo VALUES ('bob@acme.example', 'x'), ('bob@acme.example', 'y');
INSERT INTO MailRelay VALUES ('192.0.2.1', 1, 'ann@acme.example');
INSERT INTO EmailMessage_a VALUES (1, 'm'), (2, 'n');
INSERT INTO UserPgp_other VALUES ('7up@acme.example', 'k');
INSERT INTO SMSlog VALUES (1);
INSERT INTO SharedFiles (Account, Name) VALUES ('ann@acme.example', 'a'), ('ann@acme.example', 'b');
INSERT INTO AdminUsers (Username, UMasterAdmin) VALUES ('root', 1), ('sub', 0), ('other', NULL);
INSERT INTO awl (username, email, ip) VALUES ('ann@acme.example', 'x@y.example', '1');
INSERT INTO Abook (Account, UserEmail, UserPgpKey) VALUES ('ann@acme.example', 'x@y.example', 'k'),
  ('ann@acme.example', 'z@y.example', ''), ('bob@acme.example', 'x@y.example', NULL);
INSERT INTO AbookGroupNames (GroupName, Account) VALUES ('g', 'ann@acme.example');
INSERT INTO calendars (id, principaluri, uri) VALUES (1, 'principals/users/Ann@acme.example', 'c'),
  (2, 'principals/users/bob@acme.example', 'c');
INSERT INTO calendarobjects (calendarid, uri, size, componenttype) VALUES (1, 'a', 1, 'VEVENT'), (1, 'b', 1, NULL),
  (1, 'c', 1, 'VTODO'), (2, 'd', 1, 'VEVENT'), (99, 'e', 1, 'VTODO');
"""
NEW = ("Filter", "MailSort_a", "MailSort_bo", "MailRelay", "EmailMessage_a", "UserPgp_other", "SMSlog", "SharedLookup")
FILLED = ("SharedFiles", "AdminUsers", "awl", "AbookGroupNames", "calendars", "calendarobjects")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingsLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as made:
        lab = SettingsLab(made, tmp_path_factory.mktemp("snapshots"))
        lab.clear()
        for address in ACCOUNTS:
            lab.site.add_account(address, "secret", details=AtmailAccount(address, "secret", first_name=HOSTILE))
        for number in range(60):
            message = b"Subject: %d\n\n%b\n" % (number, b"x" * 70 * (number + 1))
            lab.site.deliver(ACCOUNTS[0], message * 10, 1_400_000_000 + number)
        yield lab


def run_sql(lab: SettingsLab, script: str | Sequence[str]) -> None:
    statements = script.split(";\n") if isinstance(script, str) else script
    with lab.source_sql() as cursor:
        for statement in statements:
            if statement.strip():
                cursor.execute(statement)


@contextmanager
def further(lab: SettingsLab) -> Iterator[None]:
    run_sql(lab, FURTHER)
    try:
        yield
    finally:
        run_sql(lab, [f"DROP TABLE {name}" for name in NEW] + [f"DELETE FROM {name}" for name in FILLED])
        run_sql(lab, ["DELETE FROM Abook WHERE `Global` = 0"])


def imap(lab: SettingsLab) -> dict[str, Any]:
    return {
        **lab.source["imap"],
        "ca_path": lab.lab.describe()["ca"],
        "admin_user": lab.source["master_user"],
        "admin_password": lab.source["master_password"],
    }


def staying(result: dict[str, Any]) -> dict[str, int | None]:
    return {each["what"]: each["count"] for each in result["not_migrated"]}


def test_everything_is_counted_whose_it_is_and_what_stays_is_named(lab: SettingsLab) -> None:
    with further(lab):
        outcome = lab.run("source_info", lab.connection())
        extracted = lab.extract()
        limited = lab.run("source_info", {**lab.connection(), "domains": ["acme.example"]})
    result = outcome.result
    assert outcome.code == 0, outcome.output
    assert result["support"]["settings"] == "supported"
    assert staying(result) == {
        "archive_vault": None,
        "storage_files": 2,
        "tasks": 2,
        "user_defaults": 3,
        "administrators": 1,
        "subadministrators": 2,
        "plugins": None,
        "classes_of_service": 3,
        "learned_senders": 1,
        "filters": 3,
        "folder_rules": 3,
        "sms": 1,
        "relay_entries": 1,
        "mail_in_sql": 2,
        "pgp_keys": 1,
        "contact_pgp_keys": 1,
    }
    assert all(each["reason"] and each["label"] for each in result["not_migrated"])
    counted = {name: result["counts"][name] for name in ("contacts", "contact_groups", "calendars", "events")}
    assert counted == {"contacts": 3, "contact_groups": 1, "calendars": 2, "events": 3}
    ann = next(account for account in result["accounts"] if account["address"] == ACCOUNTS[0])
    expected = {
        "calendars": 1,
        "contact_groups": 1,
        "contact_pgp_keys": 1,
        "contacts": 2,
        "events": 2,
        "filters": 2,
        "folder_rules": 1,
        "learned_senders": 1,
        "storage_files": 2,
        "tasks": 1,
        "user_defaults": 1,
    }
    assert {name: number for name, number in ann["counts"].items() if name in expected} == expected
    assert ann["display_name"].startswith("<script>")
    # The snapshot's run says the same, in the same words.
    assert extracted.result["not_migrated"] == result["not_migrated"]
    words = {each["what"]: each["reason"] for each in result["not_migrated"]}
    said = [finding for finding in extracted.result["findings"] if finding["kind"] in words]
    assert all(finding["message"].endswith(words[finding["kind"]]) for finding in said)
    assert {(finding["account"], finding["kind"]) for finding in said} == {
        (ACCOUNTS[0], "filters"),
        ("", "filters"),
        (ACCOUNTS[0], "folder_rules"),
        (ACCOUNTS[1], "folder_rules"),
        ("", "pgp_keys"),
        (ACCOUNTS[0], "contact_pgp_keys"),
    }
    # One filter is somebody's of another domain, and one task nobody's.
    assert (staying(limited.result)["filters"], staying(limited.result)["tasks"]) == (2, 1)


def test_measuring_reads_a_little_changes_nothing_and_the_estimate_says_what_it_is_based_on(
    lab: SettingsLab, tmp_path: Path
) -> None:
    hello = {key: lab.target["imap"][key] for key in ("host", "port")}
    estimate = {"measure": True, "target": {**hello, "ca_path": lab.target["ca"]}, "connections": 3}
    options = {**lab.connection(), "imap": imap(lab), "estimate": estimate}
    before = files(lab)
    measured = lab.run("source_info", options).result["estimate"]
    assert files(lab) == before
    assert {name: rate["basis"] for name, rate in measured["rates"].items()} == dict.fromkeys(
        measured["rates"], "measured"
    )
    assert "read from the source" in measured["rates"]["bytes_per_second"]["note"]
    assert measured["connections"] == {"on_peak": 3, "off_peak": None}
    assert measured["waves"][0]["mailboxes"] == 3

    # A bound that lets nothing through, and a target that is not there: assumptions, and a finding.
    small = {**estimate, "measure_bytes": 10, "target": {**hello, "port": 1}}
    outcome = lab.run("source_info", {**options, "estimate": small})
    rates = outcome.result["estimate"]["rates"]
    assert (rates["bytes_per_second"]["basis"], rates["log_in"]["basis"]) == ("assumed", "measured")
    assert outcome.kinds("") >= {"not_measured"}

    # What an earlier run took counts more, and what is given the most; all with the pace.
    run = {"mailboxes": [{"messages_copied": 1000, "bytes_copied": 50_000_000, "seconds": 10}]}
    (tmp_path / "seed.json").write_text(json.dumps(run))
    known = {
        "earlier": [str(tmp_path / "none.json"), str(tmp_path / "seed.json")],
        "rates": {"messages_per_second": 10},
    }
    pace = {
        "connections": 1,
        "messages_per_second": 1,
        "off_peak": {"start": "22:00", "end": "06:00", "connections": 2},
    }
    later = lab.run("source_info", {**options, "estimate": known, "pace": pace}).result["estimate"]
    assert later["rates"]["bytes_per_second"]["basis"] == "earlier"
    assert later["rates"]["messages_per_second"]["basis"] == "given"
    # sixty messages, one a second
    assert later["first_copy"]["around_the_clock"]["low"] == pytest.approx(60, rel=0.1)
    assert later["first_copy"]["nights"] == {"low": 1, "likely": 1, "high": 1}

    wrong = lab.run("source_info", {**options, "estimate": {"rates": {"log_in": -1}}})
    assert (wrong.kind, wrong.result["where"]["option"]) == ("invalid_input", "estimate.rates.log_in")
    (tmp_path / "seed.json").write_text("{")
    assert lab.run("source_info", {**options, "estimate": {"earlier": known["earlier"]}}).kind == "invalid_input"


def files(lab: SettingsLab) -> list[str]:
    """The messages' names in the Maildir hold their flags."""
    place = lab.site.maildir(ACCOUNTS[0])
    return sorted(file.name for folder in ("cur", "new") for file in (place / folder).iterdir())


def test_a_mailbox_with_very_many_folders_is_measured(lab: SettingsLab) -> None:
    """More answers than a log-in takes."""
    place = lab.site.maildir(ACCOUNTS[1])
    for number in range(600):
        for part in ("cur", "new", "tmp"):
            (place / f".f{number}" / part).mkdir(parents=True)
    lab.site.give_to_owner(place)
    outcome = lab.run("source_info", {**lab.connection(), "imap": imap(lab)})
    bob = next(account for account in outcome.result["accounts"] if account["address"] == ACCOUNTS[1])
    assert bob["folders"] >= 600, outcome.output


def test_the_role_writes_pages_in_which_nothing_of_a_source_does_anything(tmp_path: Path) -> None:
    """From files, so that no server is needed."""
    accounts = tmp_path / "accounts.csv"
    # Characters that an address may have, and a weak password, so that a finding names it.
    name = "o'brien&{{7*7}}|*c*`x`"
    accounts.write_text(
        f"address;name;password\nann@acme.example;Ann;Secret-1!\n{name}@acme.example;{HOSTILE};weak-2\n"
    )
    accounts.chmod(0o600)
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "migration_state_dir": str(tmp_path / "state"),
        "migration_source": {"profile": "csv", "csv": {"accounts": str(accounts)}},
    }
    (tmp_path / "hosts.yml").write_text(json.dumps({"customers": {"hosts": {"acme": variables}}}))
    evidence = tmp_path / "state" / "acme" / "evidence"
    pages = [evidence / "assessment.md", evidence / "assessment.html"]
    played(tmp_path, "--check")
    assert not evidence.exists()
    output = played(tmp_path)
    markdown, html = (page.read_text() for page in pages)
    assert "<script" not in html + markdown
    assert "o&#39;brien&amp;{{7*7}}|*c*`x`@acme.example" in html
    assert r"o'brien&amp;\{\{7\*7\}\}\|\*c\*\`x\`&#64;acme.example" in markdown
    assert "* 2 accounts in 1 domain." in markdown
    assert "| calendars | not visible from here: ask |" in markdown
    assert not any(secret in markdown + html + output for secret in ("Secret-1!", "weak-2"))


def played(folder: Path, *arguments: str) -> str:
    """Run the playbook; what it said."""
    program = [str(Path(sys.executable).with_name("ansible-playbook")), "atmail.migration.assess"]
    done = subprocess.run(
        [*program, "-i", str(folder / "hosts.yml"), *arguments],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(folder / ".ansible"), "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
