# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer without an admin user, all the way by playbooks: swapped, migrated, back, and who can log in where."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.lab import Lab

from .playbook_runs import Operator, Run

pytestmark = pytest.mark.long

WARNING = "accounts have a generated password on the source since"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.temporary(("acme",), ("eu",), scale="test") as made:
        with made.site("acme").database.session() as cursor:
            # Without an admin user nobody opens the mailbox of an account that may not log in.
            cursor.execute("UPDATE Users SET UserStatus = 0")
            cursor.execute("GRANT UPDATE (Password, PasswordMD5) ON atmail.UserSession TO migration@127.0.0.1")
        yield made


def logs_in(side: dict[str, Any], ca: str, user: str, password: str) -> bool:
    context = ssl.create_default_context(cafile=ca)
    with imaplib.IMAP4_SSL("127.0.0.1", side["imap"]["port"], ssl_context=context, timeout=30) as client:
        try:
            client.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())
        except imaplib.IMAP4.error:
            return False
        return True


def said(run: Run) -> str:
    """What a run says, its lines put together again."""
    return " ".join(run.text.split())


def test_the_whole_way_without_an_admin_user(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    operator = Operator(lab, tmp_path_factory.mktemp("escrow"))
    variables = operator.inventory / "group_vars" / "customers.yml"
    lines = variables.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if "admin_user" in line)
    variables.write_text("\n".join(lines[:first] + lines[first + 2 :]) + "\n")
    source, target = operator.lab["sites"]["acme"], operator.lab["regions"]["eu"]
    accounts = {one["address"]: one["password"] for one in source["accounts"]}
    user, *others = sorted(accounts)
    source_ca = target_ca = target["ca"]

    run = operator.run("escrow", "--limit", "acme")
    assert run.code == 0, run.text
    assert WARNING in said(run)
    assert not logs_in(source, source_ca, user, accounts[user])

    # Users' own passwords, and not the generated ones, are extracted and set; mail is copied with the generated ones.
    run = operator.run("migrate", "--limit", "acme")
    assert run.code == 0, run.text
    assert WARNING in said(run)
    assert all(logs_in(target, target_ca, name, password) for name, password in accounts.items())
    assessed = operator.evidence("acme", "assessment")
    assert assessed["counts"]["mailboxes"] == len(accounts)

    # A password that is changed meanwhile is carried over, and stays on the source.
    changed = others[0]
    with lab.site("acme").database.session() as cursor:
        cursor.execute("UPDATE UserSession SET Password = 'Chosen-meanwhile-1' WHERE Account = %s", (changed,))
    accounts[changed] = "Chosen-meanwhile-1"
    for playbook in ("extract", "provision"):
        run = operator.run(playbook, "--limit", "acme")
        assert run.code == 0, run.text
    assert logs_in(target, target_ca, changed, accounts[changed])

    run = operator.run("reinstate", "--limit", "acme")
    assert run.code == 0, run.text
    assert operator.evidence("acme", "reinstate")["summary"]["kept"] == 1
    run = operator.run("extract", "--limit", "acme")
    assert run.recap["acme"]["changed"] == 0, run.text
    assert WARNING not in said(run)
    assert all(logs_in(source, source_ca, name, password) for name, password in accounts.items())
    assert operator.files_with_secrets() == []
