# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Accounts and passwords from a real Atmail database through real SSH to a real cloud, and the log-ins after it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.settings_lab import VAULT_PASSWORD, SettingsLab
from tests.lab.atmail import AtmailAccount
from tests.lab.lab import Lab

pytestmark = pytest.mark.long

PASSWORDS = {
    "ann@acme.example": ("Pa$$w0rd! {{ x }}", "plain"),
    "bob@acme.example": ('bob\'s "secret" \\', "md5"),
    "cy@acme.example": ("cy é 漢 ( ) * %", "md5_crypt"),
}
SECRETS = [password for password, _stored in PASSWORDS.values()]


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingsLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as lab:
        yield SettingsLab(lab, tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def lab(module_lab: SettingsLab) -> SettingsLab:
    module_lab.clear()
    for address, (password, stored) in PASSWORDS.items():
        details = AtmailAccount(address, password, first_name="J&ouml;rg", last_name=address[0].upper(), quota_kb=1024)
        module_lab.site.add_account(address, password, stored=stored, details=details)
    return module_lab


def test_check_run_rerun_and_every_original_password_logs_in(lab: SettingsLab) -> None:
    assert lab.extract(check=True).changed
    assert not lab.snapshot.exists()
    assert lab.extract().changed
    assert lab.snapshot.stat().st_mode & 0o777 == 0o600
    kept = lab.snapshot.read_bytes()
    assert not lab.extract().changed
    assert lab.snapshot.read_bytes() == kept

    assert lab.apply(check=True).changed
    assert lab.target_rows() == ()
    first = lab.apply()
    assert first.changed
    assert first.result["summary"]["accounts_created"] == 3
    written = lab.target_rows()
    again = lab.apply()
    assert not again.changed
    assert again.result["summary"]["accounts_unchanged"] == 3
    assert lab.target_rows() == written

    for address, (password, _stored) in PASSWORDS.items():
        assert lab.logs_in(address, password), address
    assert not lab.logs_in("bob@acme.example", "another password")
    rows = lab.target_rows("address, display_name, quota_bytes, status, password_status, migrate_status")
    assert rows[0] == ("ann@acme.example", "Jörg A", 1024 * 1024, "active", "migrated", "provisioned")


def test_no_secret_shows_anywhere(lab: SettingsLab) -> None:
    outcomes = [lab.extract(check=True), lab.extract(), lab.apply(check=True), lab.apply()]
    hashes = [row[0] for row in lab.target_rows("password, address")]
    with lab.source_sql() as cursor:
        cursor.execute("SELECT Password FROM UserSession")
        hashes += [row[0] for row in cursor.fetchall()]
    for text in [outcome.output for outcome in outcomes] + [lab.snapshot.read_text(encoding="utf-8")]:
        for secret in [*SECRETS, *hashes, VAULT_PASSWORD, lab.source["database"]["password"]]:
            assert secret not in text
            assert json.dumps(secret)[1:-1] not in text
    shown = outcomes[3].result["diff"]["after"]["accounts"]
    assert [shown[address]["password"] for address in sorted(shown)] == [
        "{SSHA512} (changed)",
        "{PLAIN-MD5} (changed)",
        "{MD5-CRYPT} (changed)",
    ]


def test_ansible_vault_opens_the_secrets(lab: SettingsLab, tmp_path: Path) -> None:
    lab.extract(vault_id="acme")
    document = json.loads(lab.snapshot.read_text(encoding="utf-8"))
    (tmp_path / "secrets").write_text(document["secrets"])
    (tmp_path / "password").write_text(VAULT_PASSWORD)
    command = [str(Path(sys.executable).with_name("ansible-vault")), "view", "--vault-id", f"acme@{tmp_path}/password"]
    done = subprocess.run([*command, str(tmp_path / "secrets")], capture_output=True, check=True, timeout=60)
    passwords = json.loads(done.stdout)["accounts"]
    assert passwords["ann@acme.example"] == {"scheme": "PLAIN", "value": SECRETS[0]}
    assert passwords["cy@acme.example"]["scheme"] == "MD5-CRYPT"


def test_a_true_playbook_run_checks_runs_and_runs_again(lab: SettingsLab, tmp_path: Path) -> None:
    tasks = [
        {"atmail.migration.source_info": lab.connection(), "register": "info"},
        {"atmail.migration.settings_snapshot": lab.extracting()},
        {"atmail.migration.settings_apply": lab.applying(), "when": "not ansible_check_mode"},
        {"ansible.builtin.assert": {"that": ["info.counts.accounts == 3", "info.platform.version == '7.8.0'"]}},
    ]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    # What comes from the inventory is data of the play here: no password of the lab has a template in it.
    (tmp_path / "play.yml").write_text(json.dumps(play))
    outputs = [_play(tmp_path / "play.yml", *arguments) for arguments in (("--check",), (), ())]
    assert [_recap(output) for output in outputs] == ["changed=1", "changed=2", "changed=0"]
    assert not any(secret in output for secret in SECRETS for output in outputs)
    assert "{SSHA512} (changed)" in outputs[1]
    assert lab.logs_in("ann@acme.example", SECRETS[0])


def _play(path: Path, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "--diff", *arguments]
    python = f"ansible_python_interpreter={sys.executable}"
    env = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(path.parent / "tmp")}
    done = subprocess.run(
        [*command, "-e", python, str(path)], capture_output=True, text=True, env=env, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _recap(output: str) -> str:
    return next(word for word in output.rpartition("PLAY RECAP")[2].split() if word.startswith("changed="))


def test_a_disabled_user_a_disabled_domain_and_an_empty_password_keep_everybody_out(lab: SettingsLab) -> None:
    lab.site.add_account("off@acme.example", "off", stored="plain", enabled=False)
    with lab.source_sql() as cursor:
        cursor.execute("UPDATE UserSession SET Password = '' WHERE Account = 'bob@acme.example'")
    extracted = lab.extract()
    assert extracted.kinds("bob@acme.example") == {"password_empty"}
    assert extracted.result["counts"]["accounts_disabled"] == 1
    lab.apply()
    assert not lab.logs_in("off@acme.example", "off")
    assert not lab.logs_in("bob@acme.example", "")
    assert ("bob@acme.example", None, "none") in lab.target_rows("address, password, password_status")
    with lab.source_sql() as cursor:
        cursor.execute("UPDATE Domains SET Enable = '0'")
    assert lab.extract().kinds("@acme.example") == {"domain_disabled"}
    assert lab.apply().result["summary"]["domains_changed"] == 1
    assert not lab.logs_in("ann@acme.example", SECRETS[0])


def test_a_password_changed_on_the_source_follows_and_one_changed_on_the_cloud_stays(lab: SettingsLab) -> None:
    lab.extract()
    lab.apply()
    lab.site.add_account("ann@acme.example", "new on the source")
    lab.site.add_account("bob@acme.example", "also new on the source")
    with lab.target_sql() as cursor:
        cursor.execute("UPDATE accounts SET password = '{PLAIN}chosen on the cloud' WHERE address = 'bob@acme.example'")
    assert lab.extract().changed
    applied = lab.apply()
    assert applied.result["summary"]["passwords_set"] == 1
    assert applied.kinds("bob@acme.example") == {"password_changed_on_target"}
    assert lab.logs_in("ann@acme.example", "new on the source")
    assert lab.logs_in("bob@acme.example", "chosen on the cloud")
    assert not lab.apply().changed

    failed = lab.apply(on_password_conflict="keep_and_fail")
    assert failed.kind == "password_changed_on_target"
    assert failed.result["where"]["account"] == "bob@acme.example"
    assert lab.logs_in("bob@acme.example", "chosen on the cloud")
    assert lab.apply(on_password_conflict="replace").changed
    assert lab.logs_in("bob@acme.example", "also new on the source")


@pytest.mark.parametrize(
    ("policy", "kind", "name"),
    [
        ("replace", None, "Jörg A"),
        ("keep", None, "Anna"),
        ("keep_and_warn", None, "Anna"),
        ("keep_and_fail", "x", "Anna"),
    ],
)
def test_a_change_made_on_the_cloud_goes_by_the_policy(
    lab: SettingsLab, policy: str, kind: str | None, name: str
) -> None:
    lab.extract()
    lab.apply()
    with lab.target_sql() as cursor:
        cursor.execute("UPDATE accounts SET display_name = 'Anna' WHERE address = 'ann@acme.example'")
    outcome = lab.apply(on_conflict=policy)
    assert outcome.kind == (kind and "changed_on_target")
    assert outcome.kinds("ann@acme.example") == {"changed_on_target"}
    assert lab.target_rows("address, display_name")[0] == ("ann@acme.example", name)
    assert outcome.result["summary"]["conflicts"] == 1


def test_accounts_that_cannot_be_migrated_are_left_out_and_all_others_go_on(lab: SettingsLab) -> None:
    lab.site.add_account("lost@nowhere.example", "pw")
    with lab.source_sql() as cursor:
        cursor.execute("DELETE FROM Domains WHERE Hostname = 'nowhere.example'")
        cursor.execute("INSERT INTO Users (Account, UserQuota, MailDir) VALUES ('cy@acme.example', 77, '/x')")
        cursor.execute(
            "INSERT INTO UserSession (Account, Password) VALUES ('not an address', 'x'), ('no@acme.example', 'x')"
        )
        cursor.execute("INSERT INTO Users (Account, MailDir) VALUES ('ghost@acme.example', '/y')")
    outcome = lab.extract()
    assert outcome.kind == "several_failures"
    assert outcome.kinds("lost@nowhere.example") == {"domain_missing"}
    assert outcome.kinds("cy@acme.example") == {"duplicate"}
    assert outcome.kinds("not an address") == {"address_invalid"}
    assert "profile_missing" in outcome.kinds("no@acme.example")
    assert outcome.kinds("ghost@acme.example") == {"account_missing"}
    assert outcome.result["counts"] == {
        "domains": 1,
        "accounts": 3,
        "accounts_enabled": 3,
        "accounts_disabled": 0,
        "left_out": 3,
    }
    again = lab.extract(ignore_account_errors=True)
    assert not again.changed
    assert lab.extract(domains=["acme.example", "other.example"]).kind == "invalid_input"
    assert lab.apply().result["summary"]["accounts_created"] == 3


def test_an_address_in_two_spellings_is_left_out(lab: SettingsLab) -> None:
    """In a database whose collation tells case apart."""
    exact = "ALTER TABLE UserSession MODIFY Account varchar(128) CHARACTER SET utf8 COLLATE utf8_bin NOT NULL"
    with lab.source_sql() as cursor:
        cursor.execute(exact)
    try:
        with lab.source_sql() as cursor:
            cursor.execute("INSERT INTO UserSession (Account, Password) VALUES ('ANN@acme.example', 'other')")
        outcome = lab.extract()
        assert outcome.kind == "duplicate"
        assert outcome.result["where"]["account"].lower() == "ann@acme.example"
        assert [account["address"] for account in outcome.result["accounts"]] == ["bob@acme.example", "cy@acme.example"]
    finally:
        with lab.source_sql() as cursor:
            cursor.execute("DELETE FROM UserSession")
            cursor.execute(exact.replace("utf8_bin", "utf8_general_ci"))


def test_a_renamed_column_is_named_and_an_override_finds_it(lab: SettingsLab) -> None:
    with lab.source_sql() as cursor:
        cursor.execute("ALTER TABLE Users CHANGE UserQuota QuotaKB mediumint(8) unsigned")
        cursor.execute("RENAME TABLE Domains TO Vhosts")
    try:
        missing = lab.extract()
        assert missing.kind == "missing_table"
        assert missing.result["where"]["table"] == "Domains"
        missing = lab.extract(overrides={"tables": {"domains": "Vhosts"}})
        assert missing.kind == "missing_column"
        assert (missing.result["where"]["table"], missing.result["where"]["column"]) == ("Users", "UserQuota")
        assert not lab.snapshot.exists()
        names = {"tables": {"domains": "Vhosts"}, "columns": {"users": {"quota": "QuotaKB"}}}
        found = lab.extract(overrides=names)
        assert found.changed
        assert found.result["accounts"][0]["quota_bytes"] == 1024 * 1024
    finally:
        with lab.source_sql() as cursor:
            cursor.execute("ALTER TABLE Users CHANGE QuotaKB UserQuota mediumint(8) unsigned")
            cursor.execute("RENAME TABLE Vhosts TO Domains")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"tables": {"userz": "x"}}, "invalid_input"),
        ({"columns": {"users": {"quota": "a`b"}}}, "missing_column"),
        ({"columns": {"users": {"quota": 7}}}, "invalid_input"),
        ({"columns": {"users": "UserQuota"}}, "invalid_input"),
    ],
)
def test_a_wrong_override_is_refused(lab: SettingsLab, changes: dict[str, object], kind: str) -> None:
    assert lab.extract(overrides=changes).kind == kind


def test_hostile_values_come_through_unharmed(lab: SettingsLab) -> None:
    name = 'O\'Brien "{{ 1 }}" 😀 \\ %s `x` -- ; \x00 é'
    password = "'; DROP TABLE accounts; -- {{ lookup('env', 'HOME') }} 😀 \\"
    lab.site.add_account("o'brien+{tag}@acme.example", "x")
    with lab.source_sql() as cursor:
        # The site's own columns are three-byte UTF-8, which can't hold every character.
        cursor.execute("ALTER TABLE Abook MODIFY UserFirstName varchar(128) CHARACTER SET utf8mb4")
        cursor.execute("ALTER TABLE UserSession MODIFY Password varchar(128) CHARACTER SET utf8mb4")
        cursor.execute("UPDATE Abook SET UserFirstName = %s, UserLastName = '' WHERE Account LIKE 'ann@%%'", (name,))
        cursor.execute("UPDATE UserSession SET Password = %s WHERE Account LIKE 'ann@%%'", (password,))
        cursor.execute("DELETE FROM Abook WHERE Account LIKE 'bob@%' OR Account LIKE 'cy@%'")
        cursor.execute("UPDATE Users SET FirstName = '', LastName = NULL")
        # latin1 in a latin1 column, and UTF-8 that a program put there
        for account, stored in (("bob", "4AFC7267656E"), ("cy", "4AC3BC7267656E")):
            cursor.execute(
                f"UPDATE UserSettings SET RealName = CONVERT(X'{stored}' USING latin1)"
                f" WHERE Account = '{account}@acme.example'"
            )
    assert lab.extract().changed
    assert lab.apply().changed
    names = dict(lab.target_rows("address, display_name"))
    assert names["ann@acme.example"] == name
    assert (names["bob@acme.example"], names["cy@acme.example"]) == ("Jürgen", "Jürgen")
    assert "o'brien+{tag}@acme.example" in names
    assert lab.logs_in("ann@acme.example", password)
    assert not lab.extract().changed
    assert not lab.apply().changed


def test_a_tenant_that_is_not_enabled_is_refused_also_in_check_mode(lab: SettingsLab) -> None:
    lab.extract()
    cases = [
        ("tenant_not_enabled", {}, "UPDATE tenants SET migration_enabled = 0"),
        ("tenant_suspended", {}, "UPDATE tenants SET migration_enabled = 1, status = 'suspended'"),
        ("tenant_elsewhere", {"region": "us"}, "UPDATE tenants SET status = 'active'"),
        ("tenant_unknown", {"subscription": "other"}, "UPDATE tenants SET status = 'active'"),
    ]
    for kind, changes, statement in cases:
        with lab.target_sql() as cursor:
            cursor.execute(statement)
        for check in (True, False):
            assert lab.apply(check=check, **changes).kind == kind
    assert lab.target_rows(table="domains") == ()
    assert lab.apply().changed


def test_a_domain_of_another_subscription_is_not_touched(lab: SettingsLab) -> None:
    lab.extract()
    lab.region.enable_tenant("globex")
    with lab.target_sql() as cursor:
        cursor.execute("INSERT INTO domains (name, subscription) VALUES ('acme.example', 'globex')")
    outcome = lab.apply()
    assert outcome.kind == "foreign_domain"
    assert lab.target_rows() == ()
    assert outcome.result["mailboxes"] == []


def test_an_account_on_the_target_only_stays(lab: SettingsLab) -> None:
    lab.extract()
    lab.apply()
    with lab.source_sql() as cursor:
        cursor.execute("DELETE FROM UserSession WHERE Account = 'cy@acme.example'")
    lab.extract()
    with lab.target_sql() as cursor:
        cursor.execute("INSERT INTO accounts (address, domain) VALUES ('only@acme.example', 'acme.example')")
    outcome = lab.apply()
    assert not outcome.changed
    assert outcome.kinds("only@acme.example") == {"not_in_snapshot"}
    assert len(lab.target_rows()) == 4


def test_source_info_counts_and_finds_the_account_without_a_mailbox(lab: SettingsLab) -> None:
    lab.site.deliver("ann@acme.example", b"Subject: x\n\nhello\n", 1_400_000_000)
    with lab.source_sql() as cursor:
        cursor.execute("INSERT INTO UserSession (Account, Password) VALUES ('no@acme.example', 'x')")
        cursor.execute("INSERT INTO SharedFiles (Account, Name) VALUES ('ann@acme.example', 'a.doc')")
        cursor.execute("UPDATE Users SET MailDir = '' WHERE Account = 'cy@acme.example'")
    imap = {
        **lab.source["imap"],
        "ca_path": lab.lab.describe()["ca"],
        "admin_user": lab.source["master_user"],
        "admin_password": lab.source["master_password"],
    }
    try:
        outcome = lab.run("source_info", {**lab.connection(), "imap": imap})
    finally:
        with lab.source_sql() as cursor:
            cursor.execute("DELETE FROM SharedFiles")
    assert not outcome.changed
    result = outcome.result
    assert (result["platform"]["version"], result["platform"]["generation"]) == ("7.8.0", "7")
    assert result["password_schemes"] == {"MD5-CRYPT": 1, "PLAIN": 2, "PLAIN-MD5": 1}
    assert result["read_only_enforced"] is True
    (files,) = (each for each in result["not_migrated"] if each["what"] == "storage_files")
    assert (files["count"], files["accounts"]) == (1, 1)
    ann = next(account for account in result["accounts"] if account["address"] == "ann@acme.example")
    assert (ann["messages"], ann["folders"]) == (1, 1)
    assert ann["bytes"] > 15
    assert result["counts"]["messages"] == 1
    assert "mailbox_missing" in outcome.kinds("no@acme.example")
    assert "mailbox_missing" in outcome.kinds("cy@acme.example")
    message = next(each for each in result["findings"] if each["account"] == "no@acme.example")
    assert message["kind"] == "mailbox_missing", message
    pop3 = {**imap, "protocol": "pop3", "port": lab.source["pop3"]["port"]}
    by_pop3 = lab.run("source_info", {**lab.connection(), "imap": pop3})
    (same,) = [account for account in by_pop3.result["accounts"] if account["address"] == "ann@acme.example"]
    assert {name: same[name] for name in ("messages", "folders", "bytes")} == {
        name: ann[name] for name in ("messages", "folders", "bytes")
    }
    refused = lab.run("source_info", {**lab.connection(), "imap": {**imap, "ca_path": None}})
    assert refused.kind == "certificate_untrusted"
    refused = lab.run("source_info", {**lab.connection(), "imap": {**imap, "port": 1}})
    assert refused.kind == "connection_refused"
    refused = lab.run("source_info", {**lab.connection(), "imap": {**imap, "admin_password": "wrong"}})
    assert refused.kind == "auth_failed"


def test_a_snapshot_of_another_customer_or_with_another_password_is_refused(lab: SettingsLab) -> None:
    lab.extract()
    kept = lab.snapshot.read_bytes()
    assert lab.extract(customer="globex").kind == "invalid_input"
    assert lab.apply(customer="globex").kind == "invalid_input"
    assert lab.extract(vault_password="other").kind == "snapshot_invalid"
    assert lab.apply(vault_password="other").kind == "snapshot_invalid"
    assert lab.apply(snapshot=str(lab.folder / "none.json")).kind == "invalid_input"
    assert lab.snapshot.read_bytes() == kept


def test_every_way_of_not_getting_in_has_its_kind(lab: SettingsLab, tmp_path: Path) -> None:
    source = lab.source
    key = tmp_path / "key"
    ssh_keygen = shutil.which("ssh-keygen")
    assert ssh_keygen
    subprocess.run([ssh_keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=60)
    kind, data = key.with_suffix(".pub").read_text().split()[:2]
    (tmp_path / "empty").write_text("")
    (tmp_path / "changed").write_text(f"[127.0.0.1]:{source['ssh']['port']} {kind} {data}\n")
    cases: list[tuple[dict[str, object], dict[str, object], str]] = [
        ({}, {"password": "wrong"}, "auth_failed"),
        ({}, {"name": "other"}, "auth_failed"),
        ({}, {"port": 1}, "connection_failed"),
        ({"key_file": str(key)}, {}, "auth_failed"),
        ({"host": "no-such-host.invalid"}, {}, "unknown_host"),
        ({"port": 1}, {}, "connection_refused"),
        ({"known_hosts": str(tmp_path / "empty")}, {}, "host_key_unknown"),
        ({"known_hosts": str(tmp_path / "changed")}, {}, "host_key_changed"),
        ({"key_file": str(tmp_path / "none")}, {}, "invalid_input"),
    ]
    for ssh, database, expected in cases:
        outcome = lab.extract(**lab.connection(ssh=ssh, database=database))
        assert outcome.kind == expected, outcome.output
        assert outcome.result["where"]["customer"] == "acme"
        assert outcome.result["safe_next"]
    assert not lab.snapshot.exists()


def test_every_way_of_not_reaching_the_target_has_its_kind(lab: SettingsLab) -> None:
    lab.extract()
    cases: list[tuple[dict[str, object], str]] = [
        ({"password": "wrong"}, "auth_failed"),
        ({"port": 1}, "connection_refused"),
        ({"host": "no-such-host.invalid"}, "unknown_host"),
        ({"ca_path": None}, "certificate_untrusted"),
        ({"tls": False}, "auth_failed"),  # the user may log in with TLS only
        ({"host": "192.0.2.1", "tls": False}, "invalid_input"),
    ]
    for database, expected in cases:
        outcome = lab.apply(database=database)
        assert outcome.kind == expected, outcome.output
    assert lab.target_rows() == ()


def test_a_missing_column_on_the_target_is_named_and_nothing_is_written(lab: SettingsLab) -> None:
    lab.extract()
    with lab.target_sql() as cursor:
        cursor.execute("ALTER TABLE accounts CHANGE migration_applied noted text")
    try:
        outcome = lab.apply()
        assert outcome.kind == "missing_column"
        assert outcome.result["where"]["column"] == "migration_applied"
        assert lab.target_rows(table="domains") == ()
        assert lab.apply(overrides={"columns": {"accounts": {"applied": "noted"}}}).changed
    finally:
        with lab.target_sql() as cursor:
            cursor.execute("ALTER TABLE accounts CHANGE noted migration_applied text")


def test_a_failure_in_the_middle_writes_nothing(lab: SettingsLab) -> None:
    """The accounts' insert fails after the domains' was done."""
    lab.extract()
    with lab.target_sql() as cursor:
        cursor.execute("CREATE TRIGGER refuse BEFORE INSERT ON accounts FOR EACH ROW SIGNAL SQLSTATE '45000'")
    try:
        assert lab.apply().kind == "database_error"
        assert lab.target_rows(table="domains") == ()
    finally:
        with lab.target_sql() as cursor:
            cursor.execute("DROP TRIGGER refuse")
    assert lab.apply().changed
