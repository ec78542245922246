# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's two customers, whole: migrated by the playbooks, and looked at by raw IMAP and POP3 only."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from imaplib import IMAP4_SSL
from pathlib import Path
from typing import Any

import pytest

from tests.lab.lab import Lab
from tests.lab.state import RegionOptions

from .checks import wire
from .checks.mail import Place
from .checks.picture import differences, look, placeholders
from .playbook_runs import Operator

pytestmark = pytest.mark.long

CUSTOMERS = ("acme", "globex")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator who has migrated both customers, to regions that write down what is said to them."""
    options = {region: RegionOptions(rawlog=True) for region in ("eu", "us")}
    with Lab.temporary(CUSTOMERS, ("eu", "us"), scale="demo", region_options=options) as lab:
        operator = Operator(lab, tmp_path_factory.mktemp("operator"))
        run = operator.run("migrate")
        assert run.code == 0, run.text
        yield operator


def place(operator: Operator, side: Mapping[str, Any], user: str) -> Place:
    """A mailbox on a site or in a region, by its master user."""
    ports = side["imap"]["port"], side["pop3"]["port"]
    return Place(*ports, operator.lab["ca"], user, "", side["master_user"], side["master_password"])


def sides(operator: Operator, customer: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    site = operator.lab["sites"][customer]
    return site, operator.lab["regions"][site["region"]]


def test_every_mailbox_is_the_same_to_the_last_detail(operator: Operator) -> None:
    """UIDVALIDITY, UIDs, bytes, flags, keywords, INTERNALDATE, subscriptions, POP3 UIDL: of every mailbox."""
    mailboxes = folders = messages = 0
    for customer in CUSTOMERS:
        site, region = sides(operator, customer)
        for account in site["accounts"]:
            source = look(place(operator, site, account["address"]))
            target = look(place(operator, region, account["address"]))
            assert differences(source, target) == [], account["address"]
            assert placeholders(target) == []
            mailboxes += 1
            folders += len(source.folders)
            messages += source.count
    assert mailboxes >= 12
    assert folders >= 60
    assert messages >= 5000


def log_in(session: IMAP4_SSL, credentials: bytes) -> str:
    """SASL PLAIN, which takes any password."""
    return session.authenticate("PLAIN", lambda _challenge: credentials)[0]


def test_everybody_logs_in_with_the_original_password(operator: Operator) -> None:
    stored = set()
    for customer in CUSTOMERS:
        site, region = sides(operator, customer)
        context = ssl.create_default_context(cafile=operator.lab["ca"])
        for account in site["accounts"]:
            with IMAP4_SSL("127.0.0.1", region["imap"]["port"], ssl_context=context) as session:
                credentials = f"\0{account['address']}\0{account['password']}".encode()
                if account["enabled"]:
                    assert log_in(session, credentials) == "OK"
                    stored.add(account["stored"])
                else:
                    with pytest.raises(IMAP4_SSL.error, match="AUTHENTICATIONFAILED"):
                        log_in(session, credentials)
    assert stored == {"plain", "md5", "md5_crypt"}


def test_the_second_run_says_nothing_to_the_target_that_could_change_it(operator: Operator) -> None:
    rawlogs = {customer: Path(sides(operator, customer)[1]["rawlog"]) for customer in CUSTOMERS}
    users = [(customer, each["address"]) for customer in CUSTOMERS for each in sides(operator, customer)[0]["accounts"]]
    for customer, user in users:
        wire.forget(rawlogs[customer], user)
    before = {region: operator.target_state(region) for region in ("eu", "us")}
    run = operator.run("migrate")
    assert run.code == 0, run.text
    assert {region: operator.target_state(region) for region in ("eu", "us")} == before
    assert {host: counts["changed"] for host, counts in run.recap.items()} == dict.fromkeys(CUSTOMERS, 0)
    for customer, user in users:
        assert wire.commands(rawlogs[customer], user), user
        assert wire.writes(rawlogs[customer], user) == [], user
