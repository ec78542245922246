# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer out of one PostfixAdmin into another: everything arrives, passwords log in, and a rerun writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.postfixadmin_lab import ANN, BOB, CY, PASSWORDS, TARGET, VACATION_DOMAIN, PostfixAdminLab
from tests.lab.postfixadmin import PostfixAdmin


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostfixAdminLab]:
    with PostfixAdmin.temporary() as host:
        yield PostfixAdminLab(host, tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def lab(module_lab: PostfixAdminLab) -> PostfixAdminLab:
    module_lab.clear()
    module_lab.fill()
    return module_lab


def there(lab: PostfixAdminLab, statement: str, *values: object) -> tuple[Any, ...]:
    """Run a statement on the target as its administrator."""
    return lab.sql(statement, *values, database=TARGET)


def target_rows(lab: PostfixAdminLab) -> dict[str, tuple[object, ...]]:
    """All rows of all tables of the target."""
    tables = ("domain", "mailbox", "alias", "alias_domain", "vacation", "quota2", "atmail_migration_notes")
    return {table: there(lab, f"SELECT * FROM {table} ORDER BY 1") for table in tables}


def test_everything_arrives_and_a_second_run_changes_nothing(lab: PostfixAdminLab, tmp_path: Path) -> None:
    lab.fill_more()
    lab.extract()
    checked = lab.apply(check=True)
    assert checked.changed
    assert there(lab, "SELECT * FROM mailbox") == ()
    applied = lab.apply()
    assert applied.changed
    assert applied.result["diff"] == checked.result["diff"]
    assert applied.result["summary"]["accounts_created"] == len(PASSWORDS)
    written = target_rows(lab)
    again = lab.apply()
    assert not again.changed, again.result["diff"]
    assert target_rows(lab) == written
    wanted = lab.customer()
    back = tmp_path / "back.json"
    assert lab.extract(TARGET, snapshot=str(back), ignore_account_errors=False).changed
    assert lab.customer(back) == wanted
    for address, (password, _scheme) in PASSWORDS.items():
        assert lab.logs_in(address, password) == (address != "dee@other.example"), address
    assert not lab.logs_in(ANN, "another password")


def test_postfixadmin_itself_reads_what_was_written(lab: PostfixAdminLab) -> None:
    """Its own program shows forwards, the user who is away, aliases of domains, and when a password expires."""
    lab.fill_more()
    lab.extract()
    lab.apply()
    assert "Active: YES" in lab.host.cli("mailbox", "view", BOB, database=TARGET)
    assert there(lab, "SELECT maildir, local_part FROM mailbox WHERE username = %s", BOB) == (
        ("acme.example/bob/", "bob"),
    )
    goto = dict(there(lab, "SELECT address, goto FROM alias"))
    assert goto[ANN] == f"{ANN},ann#acme.example@{VACATION_DOMAIN}"
    assert goto[BOB] == f"far@away.example,x@away.example,{BOB}"
    assert goto[CY] == "far@away.example"
    assert there(lab, "SELECT alias_domain, target_domain FROM alias_domain") == (("alias.example", "acme.example"),)
    (valid,) = there(lab, "SELECT MIN(password_expiry > NOW()) FROM mailbox")
    assert valid == (1,)
    # A user who comes back does so in PostfixAdmin, and what it takes away is told, not undone.
    there(lab, "UPDATE alias SET goto = %s WHERE address = %s", ANN, ANN)
    there(lab, "UPDATE vacation SET active = 0 WHERE email = %s", ANN)
    outcome = lab.apply(on_conflict="keep_and_warn")
    assert not outcome.changed
    assert "changed_on_target" in outcome.kinds(ANN)


def test_changes_on_the_source_follow_and_those_on_the_target_stay(lab: PostfixAdminLab) -> None:
    lab.fill_more()
    lab.extract()
    lab.apply()
    there(lab, "INSERT INTO quota2 (username, bytes, messages) VALUES (%s, 77, 7)", ANN)
    # people on the target
    there(lab, "UPDATE alias SET goto = CONCAT('own@away.example,root,', goto) WHERE address = %s", BOB)
    there(lab, "UPDATE mailbox SET name = 'Theirs' WHERE username = %s", CY)
    there(lab, "UPDATE mailbox SET password = '{PLAIN}chosen there' WHERE username = %s", BOB)
    lab.sql(
        "INSERT INTO alias (address, goto, domain) VALUES ('mine@acme.example', %s, 'acme.example')",
        ANN,
        database=TARGET,
    )
    # people on the source
    lab.sql("UPDATE alias SET goto = %s WHERE address = %s", f"{BOB},far@away.example,new@away.example", BOB)
    lab.sql("UPDATE alias SET goto = address WHERE address = %s", ANN)
    lab.sql("DELETE FROM vacation WHERE email = %s", ANN)
    lab.sql("DELETE FROM alias WHERE address = 'info@acme.example'")
    lab.sql("UPDATE alias SET active = 1 WHERE address = 'off@acme.example'")
    lab.sql("DELETE FROM alias_domain")
    lab.sql("UPDATE mailbox SET name = 'Ours', quota = 5 WHERE username = %s", CY)
    lab.sql("UPDATE mailbox SET active = 0 WHERE username = %s", CY)
    lab.sql("UPDATE mailbox SET password = '{PLAIN}new on the source' WHERE username IN (%s, %s)", ANN, BOB)
    lab.sql("UPDATE domain SET active = 0 WHERE domain = 'other.example'")
    lab.extract()
    outcome = lab.apply(on_conflict="keep_and_warn")
    assert outcome.changed
    assert {"changed_on_target"} <= outcome.kinds(CY)
    assert {"password_changed_on_target"} <= outcome.kinds(BOB)
    goto = dict(there(lab, "SELECT address, goto FROM alias"))
    assert set(goto[BOB].split(",")) == {"own@away.example", "root", "far@away.example", "new@away.example", BOB}
    assert goto[ANN] == ANN
    assert goto["mine@acme.example"] == ANN
    assert "info@acme.example" not in goto
    assert there(lab, "SELECT email FROM vacation") == ()
    assert there(lab, "SELECT * FROM alias_domain") == ()
    active = dict(there(lab, "SELECT address, active FROM alias"))
    assert (active["off@acme.example"], active[CY], active[BOB]) == (1, 0, 1)
    assert dict(there(lab, "SELECT domain, active FROM domain"))["other.example"] == 0
    assert there(lab, "SELECT name, quota, active FROM mailbox WHERE username = %s", CY) == (("Theirs", 5, 0),)
    assert lab.logs_in(ANN, "new on the source")
    assert lab.logs_in(BOB, "chosen there")
    assert there(lab, "SELECT * FROM quota2") == ((ANN, 77, 7),)
    assert not lab.apply(on_conflict="keep_and_warn").changed
    assert lab.apply(on_conflict="replace", on_password_conflict="replace").changed
    assert lab.logs_in(BOB, "new on the source")
    assert not lab.apply(on_conflict="replace", on_password_conflict="replace").changed


def test_a_customer_that_is_not_enabled_and_a_domain_of_another_are_left_alone(lab: PostfixAdminLab) -> None:
    lab.extract()
    for kind, statement in (
        ("tenant_not_enabled", "UPDATE atmail_migration_tenants SET migration_enabled = 0"),
        ("tenant_suspended", "UPDATE atmail_migration_tenants SET migration_enabled = 1, status = 'suspended'"),
        ("tenant_elsewhere", "UPDATE atmail_migration_tenants SET status = 'active', region = 'us'"),
        ("tenant_unknown", "DELETE FROM atmail_migration_tenants"),
    ):
        there(lab, statement)
        for check in (True, False):
            assert lab.apply(check=check).kind == kind
    lab.host.enable_tenant("acme")
    assert not lab.enable().changed
    assert lab.enable(state="disabled").changed
    assert lab.apply().kind == "tenant_not_enabled"
    assert lab.enable(check=True).changed
    assert lab.enable().changed
    there(lab, "INSERT INTO domain (domain, description, transport) VALUES ('acme.example', '', '')")
    outcome = lab.apply(ignore_account_errors=True)
    assert outcome.kinds(ANN) == {"foreign_domain"}
    assert there(lab, "SELECT username FROM mailbox") == (("dee@other.example",),)
    # Handed over by the administrator, it is the customer's.
    lab.sql(
        "INSERT INTO atmail_migration_notes VALUES (NULL, 'acme', 'domains', 'acme.example', '{}')", database=TARGET
    )
    assert lab.apply().changed
    assert not lab.apply().changed


def test_a_database_that_can_do_no_transactions_is_refused(lab: PostfixAdminLab) -> None:
    lab.extract()
    there(lab, "ALTER TABLE alias ENGINE = MyISAM")
    try:
        outcome = lab.apply()
        assert outcome.kind == "unsupported"
        assert outcome.result["where"]["table"] == "alias"
        assert there(lab, "SELECT * FROM domain") == ()
    finally:
        there(lab, "ALTER TABLE alias ENGINE = InnoDB")
    there(lab, "RENAME TABLE atmail_migration_notes TO elsewhere")
    try:
        missing = lab.apply()
        assert missing.kind == "missing_table"
        assert missing.result["where"]["table"] == "atmail_migration_notes"
        assert lab.apply(overrides={"tables": {"notes": "elsewhere"}}).changed
    finally:
        there(lab, "RENAME TABLE elsewhere TO atmail_migration_notes")


def test_a_failure_in_the_middle_writes_nothing(lab: PostfixAdminLab) -> None:
    lab.fill_more()
    lab.extract()
    there(lab, "CREATE TRIGGER refuse BEFORE INSERT ON alias_domain FOR EACH ROW SIGNAL SQLSTATE '45000'")
    try:
        assert lab.apply().kind == "database_error"
        assert all(rows == () for rows in target_rows(lab).values())
    finally:
        there(lab, "DROP TRIGGER refuse")
    assert lab.apply().changed


def test_what_the_target_has_no_place_for_is_told(lab: PostfixAdminLab) -> None:
    lab.fill_more()
    lab.sql("UPDATE vacation SET activeuntil = '2038-01-17 12:00:00'")
    there(lab, "ALTER TABLE mailbox MODIFY name varchar(255) CHARACTER SET utf8mb3 NOT NULL")
    lab.sql("ALTER TABLE alias MODIFY address varchar(255) CHARACTER SET utf8mb4 NOT NULL")
    kanji = "\u6f22@acme.example"
    lab.sql("INSERT INTO alias (address, goto, domain) VALUES (%s, %s, 'acme.example')", kanji, ANN)
    try:
        lab.extract()
        outcome = lab.apply(settings={}, ignore_account_errors=True)
        assert outcome.changed
        assert "no_place" in outcome.kinds(ANN)  # nothing tells the vacation domain
        assert "value_unfit" in outcome.kinds(BOB)
        assert "value_unfit" in outcome.kinds(kanji)
        names = dict(there(lab, "SELECT username, name FROM mailbox"))
        assert names[BOB] == "O'Br\u00efen {{ 1 }} ? \\ %s"
        assert there(lab, "SELECT * FROM vacation") == ()
        assert not lab.apply(settings={}, ignore_account_errors=True).changed
        # Once somebody on the target is away, its vacation domain can be seen.
        there(lab, "UPDATE alias SET goto = 'x,a#b@away.lab' WHERE address = 'off@acme.example'")
        assert lab.apply(settings={}, ignore_account_errors=True).changed
        assert dict(there(lab, "SELECT address, goto FROM alias"))[ANN].endswith("ann#acme.example@away.lab")
        assert lab.apply(settings={"encrypt": "x"}).kind == "invalid_input"
    finally:
        lab.sql("DELETE FROM alias WHERE address = %s", kanji)
        lab.sql("ALTER TABLE alias MODIFY address varchar(255) CHARACTER SET latin1 COLLATE latin1_general_ci NOT NULL")
        there(lab, "ALTER TABLE mailbox MODIFY name varchar(255) CHARACTER SET utf8mb4 NOT NULL")


def test_a_mailbox_takes_over_an_alias_of_its_address(lab: PostfixAdminLab) -> None:
    """PostfixAdmin has one row for both: what people made there stays, and a copy is kept."""
    lab.extract()
    lab.apply(domains=["other.example"])
    there(lab, "INSERT INTO domain (domain, description, transport) VALUES ('acme.example', '', '')")
    lab.sql(
        "INSERT INTO atmail_migration_notes VALUES (NULL, 'acme', 'domains', 'acme.example', '{}')", database=TARGET
    )
    lab.sql(
        "INSERT INTO alias (address, goto, domain) VALUES (%s, 'far@away.example', 'acme.example')",
        ANN,
        database=TARGET,
    )
    lab.apply()
    assert dict(there(lab, "SELECT address, goto FROM alias"))[ANN] == f"far@away.example,{ANN}"
    assert not lab.apply().changed


def test_an_account_without_a_password_lets_nobody_in(lab: PostfixAdminLab) -> None:
    lab.sql("UPDATE mailbox SET password = '' WHERE username = %s", ANN)
    lab.extract()
    lab.apply()
    assert not lab.logs_in(ANN, "")
    assert not lab.logs_in(ANN, "!")
    assert not lab.apply().changed


def test_a_domain_that_stands_for_another_one_and_is_switched_off(lab: PostfixAdminLab) -> None:
    """For one of ours it is PostfixAdmin's own table, for one elsewhere an alias; it stays off through both."""
    lab.fill_more()
    lab.sql("UPDATE alias_domain SET active = 0")
    lab.extract()
    lab.apply()
    rows = "SELECT alias_domain, target_domain, active FROM alias_domain"
    assert there(lab, rows) == (("alias.example", "acme.example", 0),)
    lab.sql("UPDATE alias_domain SET target_domain = 'other.example'")
    lab.extract()
    assert lab.apply().changed
    assert there(lab, rows) == (("alias.example", "other.example", 0),)
    lab.sql("UPDATE alias_domain SET target_domain = 'far.example'")
    lab.extract()
    assert lab.apply().changed
    assert there(lab, rows) == ()
    aliases = "SELECT goto, active FROM alias WHERE address = '@alias.example'"
    assert there(lab, aliases) == (("@far.example", 0),)
    assert not lab.apply().changed
    lab.sql("UPDATE alias_domain SET active = 1, target_domain = 'acme.example'")
    lab.extract()
    assert lab.apply().changed
    assert there(lab, rows) == (("alias.example", "acme.example", 1),)
    assert there(lab, aliases) == ()
    assert not lab.apply().changed
