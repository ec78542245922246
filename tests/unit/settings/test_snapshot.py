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
from ansible_collections.atmail.migration.plugins.module_utils.settings import snapshot
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import (
    Account,
    Customer,
    Domain,
    Finding,
    Password,
    Source,
    address_fault,
)
from hypothesis import given, settings
from hypothesis import strategies as st

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
LOCAL = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=12)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    address = f"{draw(LOCAL)}@a.example".lower()
    if address_fault(address):
        address = "plain@a.example"
    return Account(
        address=address,
        source_user=draw(TEXT),
        display_name=draw(TEXT),
        enabled=draw(st.booleans()),
        quota_bytes=draw(st.none() | st.integers(min_value=1, max_value=2**63)),
        password=draw(st.none() | st.builds(Password, st.just("PLAIN"), TEXT.filter(bool))),
    )


CUSTOMERS = st.builds(
    Customer,
    name=TEXT,
    source=st.builds(Source, TEXT, TEXT),
    domains=st.lists(st.builds(Domain, TEXT, st.booleans()), max_size=3).map(tuple),
    accounts=st.lists(accounts(), max_size=4, unique_by=lambda account: account.address).map(tuple),
    findings=st.lists(st.builds(Finding, TEXT, TEXT, TEXT, st.just("note")), max_size=3).map(tuple),
)
ONE = Customer(
    "acme",
    Source("atmail", "7.8.0"),
    (Domain("a.example"),),
    (Account("ann@a.example", "Ann@a.example", "Ann", password=Password("PLAIN", "geheim")),),
    (Finding("ann@a.example", "password_policy", "m"),),
)


@settings(max_examples=40, deadline=None)
@given(customer=CUSTOMERS)
def test_what_is_written_is_read_and_rendering_again_keeps_every_byte(customer: Customer) -> None:
    text = snapshot.render(customer.sorted(), "password", random=os.urandom)
    back = snapshot.parse(text, "password")
    assert back == customer.sorted()
    assert snapshot.render(back, "password", random=os.urandom, old=text) == text


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
        "ann@a.example": {"scheme": "PLAIN", "value": "other"}
    }


def test_no_secret_stands_outside_of_the_vault() -> None:
    text = snapshot.render(ONE, "p", random=os.urandom)
    assert "geheim" not in text
    assert json.loads(text)["accounts"][0]["password_scheme"] == "PLAIN"


def damaged(**changes: Any) -> str:
    document = json.loads(snapshot.render(ONE, "p", random=os.urandom))
    return json.dumps({**document, **changes})


def account(**changes: Any) -> list[dict[str, Any]]:
    return [{**snapshot.public_account(ONE.accounts[0]), **changes}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not json",
        damaged(format="other"),
        damaged(version=2),
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
    with pytest.raises(SnapshotError, match="version 2"):
        snapshot.parse(damaged(version=2), "p")


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
