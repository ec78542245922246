# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The snapshot file: the same data is the same bytes, and what is not ours is not taken."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils import secrets
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError, SnapshotError
from ansible_collections.atmail.migration.plugins.module_utils.settings import document, snapshot
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Customer,
    Domain,
    ExternalAccount,
    Finding,
    Password,
    Source,
)
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from .customers import CUSTOMERS

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "snapshot.schema.json").read_text(encoding="utf-8"))

ONE = Customer(
    "acme",
    Source("atmail", "7.8.0"),
    (Domain("a.example"),),
    (Account("ann@a.example", "Ann@a.example", "Ann", password=Password("PLAIN", "geheim")),),
    findings=(Finding("ann@a.example", "password_policy", "m"),),
)


@settings(max_examples=40, deadline=None)
@given(customer=CUSTOMERS)
def test_what_is_written_is_read_and_rendering_again_keeps_every_byte(customer: Customer) -> None:
    text = snapshot.render(customer.sorted(), "password", random=os.urandom)
    back = snapshot.parse(text, "password")
    assert back == customer.sorted()
    assert snapshot.render(back, "password", random=os.urandom, old=text) == text
    Draft202012Validator(SCHEMA).validate(json.loads(text))


def test_the_schema_is_one_and_knows_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"].keys() == json.loads(snapshot.render(ONE, "p", random=os.urandom)).keys()
    assert SCHEMA["properties"]["version"] == {"const": snapshot.VERSION}


def test_a_file_of_version_1_is_read_and_written_as_the_present_one() -> None:
    old = json.loads(snapshot.render(ONE, "p", random=os.urandom))
    known = ("address", "source_user", "display_name", "enabled", "quota_bytes", "password_scheme")
    old = {key: old[key] for key in ("format", "customer", "source", "domains", "accounts", "findings")}
    old["accounts"] = [{key: account[key] for key in known} for account in old["accounts"]]
    plain = b'{"ann@a.example":{"scheme":"PLAIN","value":"geheim"}}'
    text = json.dumps({**old, "version": 1, "secrets": secrets.encrypt(plain, "p", random=os.urandom)})
    assert snapshot.parse(text, "p") == ONE
    new = snapshot.render(ONE, "p", random=os.urandom, old=text)
    assert (json.loads(new)["version"], snapshot.parse(new, "p")) == (2, ONE)


def test_the_order_of_rows_does_not_matter() -> None:
    other = Account("bob@a.example", "bob@a.example")
    one, two = replace(ONE, accounts=(*ONE.accounts, other)), replace(ONE, accounts=(other, *ONE.accounts))
    assert one.sorted() == two.sorted()


def test_a_changed_name_keeps_the_ciphertext_and_a_changed_password_does_not() -> None:
    first = snapshot.render(ONE, "p", random=os.urandom)
    renamed = replace(ONE, accounts=(replace(ONE.accounts[0], display_name="Anna"),))
    second = snapshot.render(renamed, "p", random=os.urandom, old=first)
    assert json.loads(first)["secrets"] == json.loads(second)["secrets"]
    assert first != second
    moved = replace(ONE, accounts=(replace(ONE.accounts[0], password=Password("PLAIN", "other")),))
    third = snapshot.render(moved, "p", random=os.urandom, old=first)
    assert json.loads(first)["secrets"] != json.loads(third)["secrets"]
    assert json.loads(secrets.decrypt(json.loads(third)["secrets"], "p")) == {
        "accounts": {"ann@a.example": {"scheme": "PLAIN", "value": "other"}},
        "external": {},
    }


def test_no_secret_stands_outside_of_the_vault() -> None:
    external = ExternalAccount("imap", "far.example", "ann", password="versteckt")
    customer = replace(ONE, accounts=(replace(ONE.accounts[0], external=(external,)),))
    text = snapshot.render(customer, "p", random=os.urandom)
    assert "geheim" not in text
    assert "versteckt" not in text
    assert snapshot.parse(text, "p") == customer
    assert json.loads(text)["accounts"][0]["password_scheme"] == "PLAIN"


def damaged(**changes: Any) -> str:
    document = json.loads(snapshot.render(ONE, "p", random=os.urandom))
    return json.dumps({**document, **changes})


def account(**changes: Any) -> list[dict[str, Any]]:
    return [{**document.public_account(ONE.accounts[0]), **changes}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not json",
        damaged(format="other"),
        damaged(version=3),
        damaged(version="1"),
        damaged(accounts=None),
        damaged(accounts=[1]),
        damaged(accounts=[{}]),
        damaged(accounts=account() * 2),
        damaged(accounts=account(address="Ann@a.example")),
        damaged(accounts=account(address="x")),
        damaged(accounts=account(enabled="yes")),
        damaged(accounts=account(quota_bytes=-1)),
        damaged(accounts=account(quota_bytes=True)),
        damaged(accounts=account(password_scheme="PLAIN-MD5")),
        damaged(accounts=account(password_scheme=None)),
        damaged(accounts=account(display_name=None)),
        damaged(accounts=account(forwards="bob@a.example")),
        damaged(accounts=account(auto_reply={})),
        damaged(accounts=account(external=[{"protocol": "uucp"}])),
        damaged(aliases=[{"address": "x@a.example", "kind": "list", "targets": ["a@a.example"], "enabled": True}]),
        damaged(aliases=[{"address": "x@a.example", "kind": "address", "targets": [], "enabled": True}]),
        damaged(senders=[{"domain": "", "allowed": [], "blocked": []}] * 2),
        damaged(contacts=[{}]),
        damaged(domains=[{"name": 1, "enabled": True}]),
        damaged(source={}),
        damaged(findings=[{"account": "", "kind": "x", "level": "loud", "message": ""}]),
        damaged(secrets="x"),
        damaged(secrets=secrets.encrypt(b"[]", "p", random=os.urandom)),
        damaged(secrets=secrets.encrypt(b"geheim", "p", random=os.urandom)),
        damaged(secrets=secrets.encrypt(b'{"ann@a.example": {"scheme": "PLAIN"}}', "p", random=os.urandom)),
    ],
)
def test_what_is_not_a_whole_snapshot_is_refused_and_says_nothing_secret(text: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        snapshot.parse(text, "p")
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None or "geheim" not in str(caught.value.__cause__)


def test_a_newer_version_is_named() -> None:
    with pytest.raises(SnapshotError, match="version 3"):
        snapshot.parse(damaged(version=3), "p")


def test_another_vault_password_does_not_replace_the_secrets() -> None:
    with pytest.raises(SnapshotError):
        snapshot.render(ONE, "other", random=os.urandom, old=snapshot.render(ONE, "p", random=os.urandom))


def test_a_file_that_is_not_ours_is_not_overwritten() -> None:
    with pytest.raises(SnapshotError):
        snapshot.render(ONE, "p", random=os.urandom, old="somebody's notes")


def test_the_file_is_the_owners_only_and_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "acme.json"
    snapshot.write(path, "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    held = path.open(encoding="utf-8")
    snapshot.write(path, "two")
    assert held.read() == "one"
    held.close()
    assert snapshot.read(path) == "two"
    assert [entry.name for entry in path.parent.iterdir()] == ["acme.json"]


def test_paths_that_do_not_work_are_named(tmp_path: Path) -> None:
    assert snapshot.read(tmp_path / "none") is None
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    with pytest.raises(SnapshotError):
        snapshot.read(tmp_path / "file")
    with pytest.raises(InputError):
        snapshot.read(tmp_path)
    with pytest.raises(InputError):
        snapshot.write(tmp_path / "file" / "below", "x")
    with pytest.raises(InputError):
        snapshot.load(tmp_path / "none", "p")
