# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Everything of a customer out of a real Atmail database, onto a real cloud, and read back: the same. Killed or not."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.settings import snapshot
from pymysql.cursors import Cursor

from tests.integration.checks.customers import differences
from tests.integration.generations_lab import Generations
from tests.integration.settings_lab import MODULES, VAULT_PASSWORD, SettingsLab
from tests.lab import atmail
from tests.lab.atmail import AtmailAccount, AtmailAlias, SpamSetting
from tests.lab.generations import GENERATIONS, Generation
from tests.lab.lab import Lab

HOSTILE = 'O\'Brien "{{ 1 }}" \\ %s `x` -- ; \x00 é \r\n<b>&amp;</b>'
ACCOUNTS = (
    AtmailAccount(
        "ann@acme.example",
        "Ann's {{ secret }}",
        first_name="Ann",
        last_name="Lee",
        auto_reply=f"away {HOSTILE}",
        signature=f"<p>{HOSTILE}</p>",
        quota_kb=1024,
    ),
    AtmailAccount("bob@acme.example", "bob", "md5", forward="o'brien&sons@phone.example.net", quota_kb=0),
    AtmailAccount("dora+vip@acme.example", "dora", "md5_crypt", first_name="Dora"),
    AtmailAccount("off@acme.example", "off", "md5", enabled=False),
    AtmailAccount("zoe@bücher.example", "zoe", "md5"),
)
ALIASES = [
    AtmailAlias("info@acme.example", "ann@acme.example", "acme.example"),
    AtmailAlias("Team@acme.example", "ann@acme.example", "acme.example"),
    AtmailAlias("team@acme.example", "bob@acme.example", "acme.example"),
    AtmailAlias("team@acme.example", "partner@else.example.net", "acme.example"),
    AtmailAlias("ann+news@acme.example", "bob+lists@acme.example", "acme.example"),
    AtmailAlias("postmaster@acme.example", "ann@acme.example", "acme.example"),
    AtmailAlias("old@acme.example", "off@acme.example", "acme.example"),
    AtmailAlias("@mail.acme.example", "@acme.example", "mail.acme.example"),
    AtmailAlias("@acme.example", "postmaster@acme.example", "acme.example"),
]
SENDERS = [
    SpamSetting("GLOBAL", "whitelist_from", "*@partner.example\r"),
    SpamSetting("GLOBAL", "blacklist_from", "@casino.example"),
    SpamSetting("ann@acme.example", "whitelist_from", "mum@example.org\r"),
    SpamSetting("ann@acme.example", "blacklist_from", "*@spam*.example"),
]
WRITTEN = (
    "domains",
    "accounts",
    "forwards",
    "auto_replies",
    "account_sender_rules",
    "tenant_sender_rules",
    "aliases",
    "migration_notes",
)


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingsLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as lab:
        yield SettingsLab(lab, tmp_path_factory.mktemp("snapshots"))


@pytest.fixture(scope="module")
def old() -> Iterator[Generations]:
    with Generations.temporary() as found:
        yield found


@pytest.fixture
def lab(module_lab: SettingsLab) -> SettingsLab:
    module_lab.clear()
    with module_lab.source_sql() as cursor:
        fill(cursor)
    assert module_lab.extract(ignore_account_errors=True).changed
    return module_lab


def fill(cursor: Cursor, generation: Generation = GENERATIONS["7"]) -> None:
    """A customer who has a little of everything."""
    for account in ACCOUNTS:
        atmail.put_account(cursor, account, f"/usr/local/atmail/users/{account.address}", generation)
    atmail.put_aliases(cursor, ALIASES)
    atmail.put_spam_settings(cursor, SENDERS)
    cursor.execute("INSERT INTO Domains (Hostname, Enable) VALUES ('mail.acme.example', '1')")
    cursor.execute(
        "INSERT INTO Accounts (UserAccount, Account, Type, MailServer, UseSSL)"
        " VALUES ('ann.lee', 'ann@acme.example', 'pop3', 'pop.far.example', 1)"
    )
    shared = "Abook_shared" if generation.suffixes else "Abook"
    cursor.execute(
        f"INSERT INTO {shared} (id, Account, UserEmail, UserFirstName, UserLastName, UserWorkPhone)"
        " VALUES (70001, 'ann@acme.example', 'supplier@far.example', 'Su', 'Pplier', '+61 3 1')"
    )
    cursor.execute(
        "INSERT INTO AbookPermissions (AbookID, Account, Permissions, Type, Domain)"
        " VALUES (70001, 'All Users', 1, '', '')"
    )


def test_what_was_extracted_and_applied_reads_back_the_same_and_a_second_run_changes_nothing(lab: SettingsLab) -> None:
    wanted = lab.customer()
    assert len(wanted.aliases) >= 7
    assert wanted.senders
    assert wanted.contacts
    assert any(account.auto_reply and "{{ 1 }}" in account.auto_reply.text for account in wanted.accounts)
    assert any(account.external for account in wanted.accounts)
    checked = lab.apply(check=True)
    assert checked.changed
    assert lab.target_rows(table="domains") == ()
    applied = lab.apply()
    assert applied.changed
    assert applied.result["diff"] == checked.result["diff"]
    assert applied.result["summary"] == checked.result["summary"]
    assert applied.result["summary"]["aliases_created"] == len(wanted.aliases)
    assert differences(wanted, lab.there()) == []
    before = {table: lab.target_rows(table=table) for table in WRITTEN}
    again = lab.apply()
    assert not again.changed
    assert again.result["summary"]["aliases_unchanged"] == len(wanted.aliases)
    assert {table: lab.target_rows(table=table) for table in WRITTEN} == before


@pytest.mark.parametrize("name", ["6", "5", "5-large"])
def test_other_generations_come_as_they_are_too(module_lab: SettingsLab, old: Generations, name: str) -> None:
    """From tables that are spread over many, by a user who may only read."""
    lab, site = module_lab, old.fresh(name)
    lab.clear()
    with site.server.session(site.database) as cursor:
        fill(cursor, GENERATIONS[name])
    wanted = site.extract()
    assert (len(wanted.accounts), len(wanted.aliases), len(wanted.contacts)) == (len(ACCOUNTS), 7, 1)
    snapshot.write(lab.snapshot, snapshot.render(wanted, VAULT_PASSWORD, random=os.urandom))
    assert lab.apply().changed
    assert differences(wanted, lab.there()) == []
    assert not lab.apply().changed


def test_changes_on_the_source_follow_and_the_targets_own_stay(lab: SettingsLab) -> None:
    lab.apply()
    with lab.source_sql() as cursor:
        cursor.execute("DELETE FROM MailAliases WHERE AliasName = 'info@acme.example'")
        cursor.execute("DELETE FROM MailAliases WHERE AliasTo = 'partner@else.example.net'")
        cursor.execute("UPDATE Users SET Forward = 'new@phone.example.net' WHERE Account = 'bob@acme.example'")
        cursor.execute("UPDATE Users SET AutoReply = '' WHERE Account = 'ann@acme.example'")
        cursor.execute("DELETE FROM SpamSettings WHERE value = 'mum@example.org\\r'")
        cursor.execute("DELETE FROM AbookPermissions")
    with lab.target_sql() as cursor:
        cursor.execute(
            "INSERT INTO aliases (domain, local_part, target) VALUES ('acme.example', 'team', 'own@far.example'),"
            " ('acme.example', 'made-there', 'ann@acme.example')"
        )
        cursor.execute("INSERT INTO forwards SELECT id, 'own@far.example' FROM accounts WHERE address LIKE 'bob@%'")
    assert lab.extract(ignore_account_errors=True).changed
    assert not lab.apply(phase="closed").changed
    result = lab.apply().result
    assert result["summary"]["aliases_removed"] == 1
    there = lab.there()
    aliases = {each.address: each.targets for each in there.aliases}
    assert "info@acme.example" not in aliases
    assert aliases["made-there@acme.example"] == ("ann@acme.example",)
    assert aliases["team@acme.example"] == ("ann@acme.example", "bob@acme.example", "own@far.example")
    accounts = {each.address: each for each in there.accounts}
    assert accounts["bob@acme.example"].forwards == ("new@phone.example.net", "own@far.example")
    assert accounts["ann@acme.example"].auto_reply is None
    assert accounts["ann@acme.example"].allowed == ()
    assert there.contacts == ()
    assert not lab.apply().changed
    with lab.target_sql() as cursor:
        cursor.execute("DELETE FROM forwards WHERE target = 'new@phone.example.net'")
    assert not lab.apply(phase="catch_up").changed
    assert not lab.apply(on_conflicts={"forwards": "keep"}).changed
    assert lab.apply().result["summary"]["forwards_set"] == 1


def test_loops_are_refused_with_the_whole_way_and_the_rest_is_applied(lab: SettingsLab) -> None:
    with lab.source_sql() as cursor:
        cursor.execute("UPDATE Users SET Forward = 'loop@mail.acme.example' WHERE Account = 'bob@acme.example'")
        cursor.execute(
            "INSERT INTO MailAliases (AliasName, AliasTo, Domain)"
            " VALUES ('loop@acme.example', 'bob@acme.example', 'acme.example')"
        )
    lab.extract(ignore_account_errors=True)
    outcome = lab.apply()
    assert outcome.kind == "loop"
    way = "bob@acme.example → loop@mail.acme.example → loop@acme.example → bob@acme.example"
    assert any(way in finding["message"] for finding in outcome.result["findings"])
    assert {"source_user": "bob@acme.example", "target_user": "bob@acme.example"} in outcome.result["mailboxes"]
    there = lab.there()
    assert len(there.accounts) == len(ACCOUNTS)
    assert next(each for each in there.accounts if each.address == "bob@acme.example").forwards == ()
    assert any(each.address == "loop@acme.example" for each in there.aliases)
    assert not lab.apply(ignore_account_errors=True).changed


@pytest.mark.parametrize("table", ["accounts", "aliases", "shared_contacts"])
def test_a_run_that_is_killed_while_it_writes_has_written_nothing(lab: SettingsLab, table: str) -> None:
    with slow(lab, table):
        options = {**lab.applying(), "_ansible_check_mode": False}
        with subprocess.Popen(
            [sys.executable, "-m", f"{MODULES}.settings_apply"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as run:
            assert run.stdin
            run.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode())
            run.stdin.close()
            try:
                session = writing(lab)
            finally:
                run.send_signal(signal.SIGKILL)
        end(lab, session)
    for each in WRITTEN:
        assert lab.target_rows(table=each) == ()
    assert lab.apply().changed
    assert differences(lab.customer(), lab.there()) == []


def test_a_target_that_refuses_one_row_gets_none(lab: SettingsLab) -> None:
    with trigger(lab, "aliases", "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"):
        assert lab.apply().kind == "database_error"
    for each in WRITTEN:
        assert lab.target_rows(table=each) == ()


@contextlib.contextmanager
def trigger(lab: SettingsLab, table: str, statement: str) -> Iterator[None]:
    """Every row that is inserted meets this statement first."""
    with lab.target_sql() as cursor:
        cursor.execute(f"CREATE TRIGGER meddling BEFORE INSERT ON {table} FOR EACH ROW {statement}")
    try:
        yield
    finally:
        with lab.target_sql() as cursor:
            cursor.execute("DROP TRIGGER meddling")


def slow(lab: SettingsLab, table: str) -> contextlib.AbstractContextManager[None]:
    """Every row takes a minute, which is time enough to be killed."""
    return trigger(lab, table, "SET @waited = SLEEP(60)")


def writing(lab: SettingsLab) -> int:
    """Wait until the run is in the middle of its transaction; its session's number."""
    for _attempt in range(600):
        found = _sessions(lab)
        if found:
            return int(found[0][0])
        time.sleep(0.05)
    raise AssertionError("the run never came to write")


def end(lab: SettingsLab, session: int) -> None:
    """A server notices at last that nobody is there any more; waits until it has rolled back."""
    with lab.target_sql() as cursor, contextlib.suppress(Exception):
        cursor.execute(f"KILL {session}")
    for _attempt in range(600):
        with lab.target_sql() as cursor:
            cursor.execute("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = %s", (session,))
            if cursor.fetchall()[0][0] == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the session does not end")


def _sessions(lab: SettingsLab) -> tuple[tuple[Any, ...], ...]:
    with lab.target_sql() as cursor:
        cursor.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'")
        return tuple(cursor.fetchall())
