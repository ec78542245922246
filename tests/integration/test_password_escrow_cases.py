# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What users, operators and databases do while passwords are swapped; the core, straight to a real database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils import escrow_file
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError
from ansible_collections.atmail.migration.plugins.module_utils.settings import escrow_table

from tests.integration.escrow_lab import USER, EscrowLab, Stored
from tests.integration.settings_lab import VAULT_PASSWORD, SettingsLab
from tests.lab import passwords
from tests.lab.lab import Lab

ANN, BOB, CY = b"ann@acme.example", b"bob@acme.example", b"cy@acme.example"
THREE: Stored = {ANN: (b"Ann's own", None), BOB: (b"Bob's own", None), CY: (b"Cy's own", None)}


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EscrowLab]:
    with Lab.temporary(sites=("acme",), regions=("eu",)) as lab:
        made = EscrowLab(SettingsLab(lab, tmp_path_factory.mktemp("escrow")))
        made.clear(THREE)
        yield made


@pytest.fixture
def lab(module_lab: EscrowLab) -> EscrowLab:
    module_lab.again(THREE)
    return module_lab


def kinds(result: dict[str, Any]) -> dict[str, str]:
    return {finding["account"]: finding["kind"] for finding in result["findings"]}


def refused(lab: EscrowLab, state: str, kind: str, **changes: Any) -> MigrationError:
    """The run fails with this kind, and neither the database nor the file is touched."""
    before = lab.rows(), lab.escrow.read_bytes() if lab.escrow.exists() else None
    with pytest.raises(MigrationError) as caught:
        lab.core(state, **changes)
    assert caught.value.kind == kind
    assert caught.value.where["customer"] == changes.get("customer", "acme")
    assert (lab.rows(), lab.escrow.read_bytes() if lab.escrow.exists() else None) == before
    return caught.value


# what users do meanwhile


def test_a_password_changed_meanwhile_stays_and_is_reported(lab: EscrowLab) -> None:
    lab.core("escrowed")
    lab.change(BOB, b"Bob's new one")
    again = lab.core("escrowed")
    assert not again["changed"]
    assert kinds(again) == {"bob@acme.example": "password_changed_on_source"}
    back = lab.core("reinstated")
    assert back["summary"] == {"accounts": 0, "reinstated": 2, "proved": 2, "kept": 1, "gone": 0}
    assert kinds(back) == {"bob@acme.example": "password_changed_on_source"}
    assert lab.rows() == {**THREE, BOB: (b"Bob's new one", None)}


def test_another_password_that_is_the_same_to_a_collation_is_another(lab: EscrowLab) -> None:
    lab.core("escrowed")
    generated = lab.rows()
    new = (generated[ANN][0] or b"").swapcase(), (generated[BOB][0] or b"") + b" "
    lab.change(ANN, new[0])
    lab.change(BOB, new[1])
    back = lab.core("reinstated")
    assert back["summary"]["kept"] == 2
    # Nobody chooses such a password: it looks as if another escrow had set it.
    assert kinds(back)[""] == "escrow_open"
    assert lab.rows() == {**THREE, ANN: (new[0], None), BOB: (new[1], None)}


def test_an_account_that_goes_is_reported_and_its_original_stays_in_the_file(lab: EscrowLab) -> None:
    lab.core("escrowed")
    with lab.sql() as cursor:
        cursor.execute("DELETE FROM UserSession WHERE Account = %s", (BOB,))
    back = lab.core("reinstated", forget="removed")
    assert back["summary"]["gone"] == 1
    assert kinds(back) == {"bob@acme.example": "account_missing"}
    assert lab.escrow.exists()
    assert [entry.cells[0].original for entry in lab.book().entries if entry.account == BOB] == [b"Bob's own"]


def test_an_account_that_is_renamed_gets_its_original_under_its_new_name(lab: EscrowLab) -> None:
    lab.core("escrowed")
    with lab.sql() as cursor:
        cursor.execute("UPDATE UserSession SET Account = 'robert@acme.example' WHERE Account = %s", (BOB,))
    again = lab.core("escrowed")
    assert again["summary"]["in_place"] == 3
    assert "robert@acme.example" in lab.generated()
    assert lab.core("reinstated")["summary"]["proved"] == 3
    assert lab.rows() == {ANN: THREE[ANN], CY: THREE[CY], b"robert@acme.example": THREE[BOB]}


def test_a_row_that_is_doubled_gets_its_original_twice(lab: EscrowLab) -> None:
    lab.core("escrowed")
    with lab.sql() as cursor:
        cursor.execute("ALTER TABLE UserSession DROP PRIMARY KEY")
        try:
            cursor.execute(
                "INSERT INTO UserSession (Account, Password) SELECT Account, Password FROM UserSession"
                " WHERE Account = %s",
                (BOB,),
            )
            lab.core("reinstated")
            cursor.execute("SELECT Account, Password FROM UserSession ORDER BY Account")
            assert [stored for _unused, stored in cursor.fetchall()] == [
                "Ann's own",
                "Bob's own",
                "Bob's own",
                "Cy's own",
            ]
            lab.escrow.unlink()
            assert lab.core("escrowed")["summary"] == {"accounts": 2, "escrowed": 2, "in_place": 0, "left_out": 1}
            lab.core("reinstated")
        finally:
            cursor.execute("DELETE FROM UserSession")
            cursor.execute("ALTER TABLE UserSession ADD PRIMARY KEY (Account)")


def test_new_accounts_are_added_by_a_second_run(lab: EscrowLab) -> None:
    lab.core("escrowed")
    new: Stored = {b"dee@acme.example": (b"Dee's own", None)}
    lab.put({**lab.rows(), **new})
    again = lab.core("escrowed")
    assert again["summary"] == {"accounts": 4, "escrowed": 1, "in_place": 3, "left_out": 0}
    lab.core("reinstated")
    assert lab.rows() == {**THREE, **new}


def test_only_some_accounts_or_domains(lab: EscrowLab) -> None:
    lab.core("escrowed", accounts=["ANN@acme.example", "bob@acme.example"])
    assert lab.rows()[CY] == THREE[CY]
    assert lab.core("reinstated", accounts=["bob@acme.example"])["state"]["accounts"] == 1
    assert lab.rows()[BOB] == THREE[BOB]
    assert lab.rows()[ANN] != THREE[ANN]
    assert lab.core("reinstated")["state"]["open"] is False
    assert lab.rows() == THREE
    refused(lab, "escrowed", "invalid_input", accounts=["nobody@acme.example"])
    assert lab.core("escrowed", domains=["other.example"])["changed"] is False


def test_a_source_restored_from_a_backup_of_the_time_between(lab: EscrowLab) -> None:
    lab.core("escrowed")
    backup = lab.rows()
    lab.core("reinstated")
    lab.put(backup)
    assert lab.core("reinstated")["summary"]["reinstated"] == 3
    assert lab.rows() == THREE
    lab.put(backup)
    assert lab.core("escrowed")["summary"]["in_place"] == 0
    assert lab.core("escrowed")["state"]["accounts"] == 3
    lab.core("reinstated", forget="removed")
    assert lab.rows() == THREE
    assert not lab.escrow.exists()


# what operators do


def test_a_wrong_vault_password(lab: EscrowLab) -> None:
    lab.core("escrowed")
    refused(lab, "reinstated", "escrow_invalid", vault_password="another one")
    refused(lab, "escrowed", "escrow_invalid", vault_password="another one")


def test_another_customer_or_another_source(lab: EscrowLab) -> None:
    lab.core("escrowed")
    refused(lab, "reinstated", "escrow_foreign", customer="globex")
    book = lab.book()
    elsewhere = escrow_file.Book(book.customer, "10.0.0.1:3306/atmail", book.profile, book.entries)
    escrow_file.write(lab.escrow, elsewhere, VAULT_PASSWORD, random=bytes)
    error = refused(lab, "reinstated", "escrow_foreign")
    assert "moved" in error.safe_next
    assert lab.core("reinstated", moved=True)["summary"]["proved"] == 3
    assert lab.rows() == THREE


def test_a_file_that_is_no_escrow(lab: EscrowLab) -> None:
    lab.escrow.write_text("{}")
    refused(lab, "escrowed", "escrow_invalid")
    lab.escrow.write_text('{"format": "atmail.migration/escrow", "version": 99}')
    refused(lab, "reinstated", "escrow_invalid")


def test_the_file_is_lost(lab: EscrowLab) -> None:
    lab.core("escrowed")
    kept = lab.escrow.read_bytes()
    lab.escrow.unlink()
    refused(lab, "reinstated", "escrow_open")
    refused(lab, "escrowed", "escrow_open")
    lab.escrow.write_bytes(kept)
    lab.core("reinstated")
    assert lab.rows() == THREE


def test_two_runs_at_once(lab: EscrowLab, monkeypatch: pytest.MonkeyPatch) -> None:
    with escrow_file.locked(lab.escrow):
        refused(lab, "escrowed", "escrow_busy")
    monkeypatch.setattr(escrow_table, "_LOCK_SECONDS", 0)
    with lab.sql() as cursor:
        cursor.execute("SELECT GET_LOCK('atmail.migration.atmail', 0)")
        refused(lab, "escrowed", "escrow_busy")
        cursor.execute("SELECT RELEASE_LOCK('atmail.migration.atmail')")


def test_another_database_without_these_accounts(lab: EscrowLab) -> None:
    lab.core("escrowed")
    kept = lab.rows()
    lab.put({})
    error = refused(lab, "reinstated", "escrow_unproved")
    assert "right one" in error.message
    lab.put(kept)
    lab.core("reinstated")
    assert lab.rows() == THREE


# what databases are like


def test_a_user_who_may_not_write_is_refused_before_anything_is_written(lab: EscrowLab) -> None:
    with lab.sql() as cursor:
        cursor.execute(f"REVOKE UPDATE (PasswordMD5) ON atmail.UserSession FROM {USER}@127.0.0.1")
    try:
        refused(lab, "escrowed", "database_error")
        assert not lab.escrow.exists()
    finally:
        with lab.sql() as cursor:
            cursor.execute(f"GRANT UPDATE (PasswordMD5) ON atmail.UserSession TO {USER}@127.0.0.1")


@pytest.mark.parametrize("column", ["Password", "PasswordMD5"])
def test_a_column_that_is_too_short_is_refused_before_anything_is_written(lab: EscrowLab, column: str) -> None:
    lab.put({ANN: (b"short", b"md5")})
    with lab.sql() as cursor:
        cursor.execute(f"ALTER TABLE UserSession MODIFY {column} varchar(16)")
    try:
        assert "too short" in refused(lab, "escrowed", "invalid_input").message
        assert not lab.escrow.exists()
    finally:
        with lab.sql() as cursor:
            cursor.execute(f"ALTER TABLE UserSession MODIFY {column} varchar(128)")


def test_bytes_of_any_kind_come_back(lab: EscrowLab) -> None:
    with lab.sql() as cursor:
        cursor.execute("ALTER TABLE UserSession MODIFY Password varchar(128) CHARACTER SET latin1")
    try:
        odd: Stored = {ANN: (b"gr\xf6\xdfe \x80\x81", None), BOB: (b"utf-8 \xc3\xa9", None), CY: (b" \\'\"%s{{", None)}
        lab.put(odd)
        with lab.sql() as cursor:
            for account, (stored, _unused) in odd.items():
                cursor.execute("UPDATE UserSession SET Password = %s WHERE Account = %s", (stored, account))
        assert lab.rows() == odd
        assert lab.core("escrowed")["summary"]["escrowed"] == 3
        lab.core("reinstated")
        assert lab.rows() == odd
    finally:
        lab.put({})
        with lab.sql() as cursor:
            cursor.execute("ALTER TABLE UserSession MODIFY Password varchar(128) CHARACTER SET utf8")


@pytest.mark.parametrize(
    ("setting", "stored", "shape"),
    [
        ("PLAIN", b"anything", b"mIgr8-"),
        ("PLAIN", hashlib.md5(b"x").hexdigest().encode(), b"mIgr8-"),
        ("MD5", hashlib.md5(b"x").hexdigest().encode(), b"e5c"),
        ("MD5", b"", b"e5c"),
        ("MD5_CRYPT", passwords.atmail("x", "md5_crypt").encode(), b"$1$mIgr8"),
        ("MD5_CRYPT", None, b"$1$mIgr8"),
        ("OTHER", b"$6$saltsalt$" + b"a" * 86, b"$6$mIgr8"),
        ("OTHER", b"{SSHA512}" + b"YWJj" * 24, b"{SSHA512}"),
        ("ENCRYPTED", b"{PLAIN}x", b"{PLAIN}mIgr8-"),
    ],
)
def test_a_generated_password_is_stored_as_the_source_understands_it(
    lab: EscrowLab, setting: str, stored: bytes | None, shape: bytes
) -> None:
    lab.setting(setting)
    try:
        lab.put({ANN: (stored, None)})
        lab.core("escrowed")
        assert (lab.rows()[ANN][0] or b"").startswith(shape)
        lab.core("reinstated")
        assert lab.rows() == {ANN: (stored, None)}
    finally:
        lab.setting("PLAIN")


def test_what_nobody_understands_is_left_alone_unless_the_operator_knows(lab: EscrowLab) -> None:
    lab.setting("ENCRYPTED")
    try:
        aes: Stored = {ANN: (b"0123456789abcdef" * 4, None), BOB: (None, None)}
        lab.put(aes)
        done = lab.core("escrowed")
        assert not done["changed"]
        assert set(kinds(done).values()) == {"password_unswappable"}
        assert lab.rows() == aes
        assert lab.core("escrowed", stored_as="PLAIN-MD5")["summary"]["escrowed"] == 2
        lab.core("reinstated")
        assert lab.rows() == aes
    finally:
        lab.setting("PLAIN")


def test_users_of_other_servers_and_directories_are_left_alone(lab: EscrowLab) -> None:
    lab.put({**THREE, b"zoe@elsewhere.example": (b"Zoe's own", None)})
    done = lab.core("escrowed")
    assert kinds(done) == {"zoe@elsewhere.example": "mailbox_external"}
    assert lab.rows()[b"zoe@elsewhere.example"] == (b"Zoe's own", None)
    lab.core("reinstated")
    with lab.sql() as cursor:
        cursor.execute("UPDATE Config SET keyValue = 'ldap' WHERE keyName = 'authType'")
    try:
        refused(lab, "escrowed", "unsupported")
    finally:
        with lab.sql() as cursor:
            cursor.execute("UPDATE Config SET keyValue = 'sql' WHERE keyName = 'authType'")


def test_a_full_disk(lab: EscrowLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that can't be written to: nothing is swapped."""
    real = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "escrow.json.new":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    refused(lab, "escrowed", "escrow_invalid")
