# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin's own database, made and filled by its own programs, as a source and as a target."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.postfixadmin import SOURCE, TARGET, PostfixAdmin


@pytest.fixture(scope="module")
def host() -> Iterator[PostfixAdmin]:
    with PostfixAdmin.temporary() as made:
        yield made


def test_its_own_program_makes_the_tables_and_a_mailbox(host: PostfixAdmin) -> None:
    host.clear()
    unlimited = ("--aliases", "0", "--mailboxes", "0", "--maxquota", "0", "--quota", "0")
    host.cli("domain", "add", "acme.example", "--description", "Acme", *unlimited)
    secret = ("--password", "Secret1!", "--password2", "Secret1!")
    host.cli("mailbox", "add", "ann@acme.example", *secret, "--name", "Änn", "--quota", "100")
    for name, expected in ((SOURCE, (("ann@acme.example", "Änn", 100 << 20, 1),)), (TARGET, ())):
        with host.database.session(name) as cursor:
            cursor.execute("SELECT username, name, quota, active FROM mailbox")
            assert cursor.fetchall() == expected
