# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Lists of passwords as people make them, and the escrow as one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils import escrow_file, secrets
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError
from ansible_collections.atmail.migration.plugins.module_utils.escrow_file import Book, Cell, Entry, closed
from ansible_collections.atmail.migration.plugins.module_utils.password_list import PasswordList, from_options
from ansible_collections.atmail.migration.plugins.module_utils.progress import MAILBOXES
from ansible_collections.atmail.migration.plugins.module_utils.settings import snapshot
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Customer,
    Domain,
    Password,
    Source,
)
from ansible_collections.atmail.migration.plugins.module_utils.tasks import tasks

VAULT = "vault password"
LISTS = {
    "yaml": "ann@x: 0123\nBob@x: 'no'\n",
    "yaml list": "- {user: ann@x, password: 0123}\n- {user: Bob@x, password: no}\n",
    "json": '{"ann@x": "0123", "Bob@x": "no"}',
    "json list": '[{"email": "ann@x", "password": "0123"}, {"source_user": "Bob@x", "source_password": "no"}]',
    "csv": "\ufeffEmail,Password,Name\r\nann@x,0123,Ann\r\nBob@x,no,Bob\r\n",
    "csv with semicolons": 'user;password\nann@x;0123\n"Bob@x";no\n',
}


def read(text: str, password: str = VAULT) -> PasswordList:
    vaulted = secrets.encrypt(text.encode(), VAULT, random=os.urandom)
    return from_options({"content": vaulted, "vault_password": password}, "source_passwords")


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS.keys())
def test_a_list_in_every_shape(text: str) -> None:
    found = read(text)
    assert len(found) == 2
    assert (found.get("ann@x"), found.get("ANN@x"), found.get("Bob@x"), found.get("cy@x")) == (
        "0123",
        "0123",
        "no",
        None,
    )


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("ann@x", "invalid_input", "neither"),
        ("{unclosed: [", "invalid_input", "neither"),
        ("", "invalid_input", "neither"),
        ('{"ann@x": 123}', "invalid_input", "ann@x"),
        ('{"ann@x": ""}', "invalid_input", "ann@x"),
        ("user,password\nann@x,\n", "invalid_input", "entry 2"),
        ("user,password\nann@x,geheim\nann@x,other\n", "duplicate", "ann@x"),
        ('[{"user": "ann@x"}]', "invalid_input", "entry 1"),
    ],
)
def test_what_is_no_list_is_refused_without_a_secret(text: str, kind: str, part: str) -> None:
    with pytest.raises(MigrationError) as caught:
        read(text)
    assert caught.value.kind == kind
    assert part in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_snapshot_gives_the_passwords_that_are_in_clear_text() -> None:
    accounts = (
        Account("ann@x", "Ann@x", password=Password("PLAIN", "Ann's")),
        Account("bob@x", "bob@x", password=Password("SSHA", "abc")),
        Account("cy@x", "cy@x"),
    )
    customer = Customer("acme", Source("csv"), (Domain("x"),), accounts)
    text = snapshot.render(customer, VAULT, random=os.urandom)
    found = from_options({"content": text, "vault_password": VAULT}, "source_passwords")
    assert (found.get("ann@x"), found.get("bob@x"), found.get("cy@x")) == ("Ann's", None, None)


def test_what_can_not_be_opened(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="does not open"):
        read("ann@x: a", password="another")
    plain = tmp_path / "plain.yml"
    plain.write_text("ann@x: geheim\n")
    with pytest.raises(MigrationError, match="not encrypted"):
        from_options({"file": str(plain), "vault_password": VAULT}, "source_passwords")
    with pytest.raises(MigrationError, match="cannot be read"):
        from_options({"file": str(tmp_path / "none"), "vault_password": VAULT}, "source_passwords")
    assert len(from_options(None, "source_passwords")) == 0


def test_an_escrow_gives_the_generated_passwords_of_open_accounts(tmp_path: Path) -> None:
    entries = [
        Entry(f"{name}@x".encode(), f"generated {name}", (Cell("password", b"own", b"G" + name.encode()),), "now")
        for name in ("Ann", "bob")
    ]
    book = Book("acme", "here", "atmail", (entries[0], closed(entries[1])))
    path = tmp_path / "escrow.json"
    escrow_file.write(path, book, VAULT, random=os.urandom)
    found = from_options({"file": str(path), "vault_password": VAULT}, "source_passwords")
    assert (found.get("ann@x"), found.get("bob@x")) == ("generated Ann", None)
    assert escrow_file.load(path, VAULT, "acme") == book
    state = escrow_file.state(path)
    assert state
    assert (state.customer, state.accounts, state.since) == ("acme", 1, "now")
    options = {
        "mailboxes": [
            {"source_user": "ann@x"},
            {"source_user": "ANN@x", "source_password": "mine", "target_user": "t"},
        ],
        "source_passwords": {"file": str(path), "vault_password": VAULT},
    }
    first, second = tasks(options, MAILBOXES)
    assert (first.source.password, first.target.password) == ("generated Ann", None)
    assert second.source.password == "mine"


@pytest.mark.parametrize("cut", [10, 200, 400, -30])
def test_a_damaged_escrow_is_refused(tmp_path: Path, cut: int) -> None:
    book = Book("acme", "here", "atmail", (Entry(b"ann@x", "g", (Cell("password", None, b"G"),), "now"),))
    path = tmp_path / "escrow.json"
    escrow_file.write(path, book, VAULT, random=os.urandom)
    text = path.read_text()
    path.write_text(text[:cut] + "x" + text[cut:][1:])
    with pytest.raises(MigrationError) as caught:
        escrow_file.load(path, VAULT, "acme")
    assert caught.value.kind in ("escrow_invalid", "escrow_foreign")
    path.write_text(text[:cut])
    with pytest.raises(MigrationError):
        escrow_file.load(path, VAULT, "acme")
