# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer out of PostfixAdmin's database to the cloud: the cloud holds the same, and original passwords log in."""

from __future__ import annotations

import base64
import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import Overrides
from ansible_collections.atmail.migration.plugins.module_utils.settings import apply as applying
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Customer, Source
from ansible_collections.atmail.migration.plugins.module_utils.settings.target import Place
from ansible_collections.atmail.migration.plugins.module_utils.settings.targets import open_target
from ansible_collections.atmail.migration.plugins.module_utils.transport.database import Database, DatabaseServer

from tests.integration.postfixadmin_lab import ANN, PASSWORDS, PostfixAdminLab
from tests.integration.settings_lab import Outcome
from tests.lab.lab import Lab
from tests.lab.postfixadmin import PostfixAdmin


@dataclass(frozen=True)
class Move:
    """A PostfixAdmin and a region of the cloud that its customer moves to."""

    source: PostfixAdminLab
    region: dict[str, Any]

    def apply(self, **changes: Any) -> Outcome:
        """Run settings_apply on the cloud."""
        return self.source.apply(profile="cloud", database=self.database(), overrides={"settings": {}}, **changes)

    def database(self) -> dict[str, Any]:
        """The option ``database`` for the cloud."""
        known = {key: value for key, value in self.region["database"].items() if key not in ("socket", "ca")}
        return {**known, "ca_path": self.region["ca"]}

    def on_the_cloud(self) -> Customer:
        """What the cloud holds of the customer."""
        with Database(DatabaseServer(**self.database()), read_only=True) as database:
            target = open_target("cloud", database, Overrides())
            return applying.read(target, "acme", Place("acme", "eu"), Source(""))

    def logs_in(self, address: str, password: str) -> bool:
        """Does the cloud's Dovecot take this password?"""
        context = ssl.create_default_context(cafile=self.region["ca"])
        with imaplib.IMAP4_SSL(self.region["imap"]["host"], self.region["imap"]["port"], ssl_context=context) as client:
            try:
                client.authenticate("PLAIN", lambda _challenge: f"\0{address}\0{password}".encode())
            except imaplib.IMAP4.error:
                return False
            return True


@contextmanager
def _moving(folder: Any) -> Iterator[Move]:
    with PostfixAdmin.temporary() as host, Lab.temporary(sites=(), regions=("eu",)) as lab:
        lab.region("eu").enable_tenant("acme", "Acme")
        source = PostfixAdminLab(host, folder)
        source.clear()
        source.fill()
        yield Move(source, lab.describe()["regions"]["eu"])


@pytest.fixture(scope="module")
def move(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Move]:
    with _moving(tmp_path_factory.mktemp("snapshots")) as made:
        yield made


def test_the_cloud_holds_the_same_and_every_original_password_logs_in(move: Move) -> None:
    lab = move.source
    lab.fill_more()
    lab.sql(
        "INSERT INTO fetchmail (domain, mailbox, src_server, src_user, src_password, protocol, usessl, src_folder, mda,"
        " active) VALUES ('acme.example', %s, 'mail.far.example', 'ann', %s, 'IMAP', 1, '', '', 1)",
        *(ANN, base64.b64encode("p\u00e4ss".encode()).decode()),
    )
    assert lab.extract().changed
    wanted = lab.customer()
    first = move.apply()
    assert first.result["summary"]["accounts_created"] == len(PASSWORDS)
    again = move.apply()
    assert not again.changed, again.result["diff"]
    assert replace(move.on_the_cloud(), source=wanted.source) == wanted
    for address, (password, _scheme) in PASSWORDS.items():
        assert move.logs_in(address, password) == (address != "dee@other.example"), address
    assert not move.logs_in(ANN, "another password")
    (polled,) = next(each for each in wanted.accounts if each.address == ANN).external
    assert polled.password == "p\u00e4ss"
