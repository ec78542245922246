# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer whose mail server is run with PostfixAdmin, and the modules run as programs against it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Customer, Source
from ansible_collections.atmail.migration.plugins.module_utils.settings.snapshot import load

from tests.integration.settings_lab import VAULT_PASSWORD, Outcome, run_here
from tests.lab.postfixadmin import SOURCE, TARGET, VACATION_DOMAIN, PostfixAdmin

ANN, BOB, CY = "ann@acme.example", "bob@acme.example", "cy@acme.example"
BOBS_NAME = "O'Br\u00efen {{ 1 }} \U0001f600 \\ %s"
UNLIMITED = ("--aliases", "0", "--mailboxes", "0", "--maxquota", "0", "--quota", "0")
PASSWORDS = {
    "ann@acme.example": ("Pa$$w0rd! {{ x }}", "php_crypt:SHA512"),
    "bob@acme.example": ("bob's secret", "md5crypt"),
    "cy@acme.example": ("cy é 漢 ( )", "php_crypt:BLOWFISH"),
    "dee@other.example": ("dee-Secret-1", "dovecot:SSHA256"),
}


class PostfixAdminLab:
    """Both databases, and a folder for snapshots."""

    def __init__(self, host: PostfixAdmin, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self._made: dict[str, tuple[Any, ...]] = {}

    @property
    def snapshot(self) -> Path:
        """The customer's snapshot."""
        return self.folder / "acme.json"

    def clear(self) -> None:
        """Both databases empty, no snapshot, and the customer may be written to the target."""
        self.host.clear()
        self.host.enable_tenant("acme")
        self.snapshot.unlink(missing_ok=True)

    def fill(self) -> None:
        """Domains and mailboxes, made with PostfixAdmin's own command line; each with a password of another scheme.

        From the second time on the rows are those of the first.
        """
        if not self._made:
            for domain in ("acme.example", "other.example"):
                self.host.cli("domain", "add", domain, "--description", domain, *UNLIMITED)
            for address, (password, scheme) in PASSWORDS.items():
                self.add_mailbox(address, password, scheme)
            self._made = {table: self.sql(f"SELECT * FROM {table}") for table in ("domain", "mailbox", "alias")}
            return
        for table, rows in self._made.items():
            marks = ", ".join(["%s"] * len(rows[0]))
            for row in rows:
                self.sql(f"INSERT INTO {table} VALUES ({marks})", *row)

    def add_mailbox(self, address: str, password: str, scheme: str = "php_crypt:SHA512") -> None:
        """A mailbox of 100 MB; its user's name is the address's first part."""
        name = address.partition("@")[0].capitalize()
        arguments = ("--password", password, "--password2", password, "--name", name, "--quota", "100")
        self.host.cli("mailbox", "add", address, *arguments, scheme=scheme)

    def fill_more(self) -> None:
        """Some of everything that PostfixAdmin has."""
        for address, goto in (
            ("info@acme.example", f"{ANN},far@away.example"),
            ("@other.example", ANN),
            ("off@acme.example", BOB),
            ("o'brien+{tag}@acme.example", BOB),
        ):
            domain = address.partition("@")[2]
            self.sql("INSERT INTO alias (address, goto, domain) VALUES (%s, %s, %s)", address, goto, domain)
        self.sql("UPDATE alias SET active = 0 WHERE address = 'off@acme.example'")
        self.sql("INSERT INTO domain (domain, description, transport) VALUES ('alias.example', '', 'virtual')")
        self.sql("INSERT INTO alias_domain (alias_domain, target_domain) VALUES ('alias.example', 'acme.example')")
        self.sql("UPDATE alias SET goto = %s WHERE address = %s", f"{BOB},far@away.example,x@away.example", BOB)
        self.sql("UPDATE alias SET goto = 'far@away.example' WHERE address = %s", CY)
        self.sql(
            "UPDATE mailbox SET quota = 0, name = %s WHERE username = %s", "O'Br\u00efen {{ 1 }} \U0001f600 \\ %s", BOB
        )
        self.host.cli("mailbox", "update", "dee@other.example", "--active", "0")
        self.go_away(
            ANN, "\u00c4nn {{ x }}", "Away \U0001f600\r\n'; DROP --", "2026-11-01 00:00:00", "2026-12-24 23:59:00"
        )

    def sql(self, statement: str, *values: object, database: str = SOURCE) -> tuple[Any, ...]:
        """Run a statement as the administrator; all rows."""
        with self.host.database.session(database) as cursor:
            cursor.execute(statement, values or None)
            return tuple(cursor.fetchall())

    def go_away(self, address: str, subject: str, body: str, starts: str, ends: str) -> None:
        """As a user does in the browser (VacationHandler::set_away): a row, and another target of the own alias."""
        domain = address.partition("@")[2]
        self.sql(
            "INSERT INTO vacation (email, subject, body, cache, domain, active, activefrom, activeuntil)"
            " VALUES (%s, %s, %s, '', %s, 1, %s, %s)",
            *(address, subject, body, domain, starts, ends),
        )
        away = f"{address.replace('@', '#')}@{VACATION_DOMAIN}"
        self.sql("UPDATE alias SET goto = CONCAT(goto, ',', %s) WHERE address = %s", away, address)

    def extract(self, database: str = SOURCE, *, check: bool = False, **changes: Any) -> Outcome:
        """Run settings_snapshot on one of the databases."""
        options = {
            "customer": "acme",
            "profile": "postfixadmin",
            "database": self.host.options(database),
            "snapshot": str(self.snapshot),
            "vault_password": VAULT_PASSWORD,
            **changes,
        }
        return run_here("settings_snapshot", options, check=check)

    def apply(self, *, check: bool = False, settings: dict[str, str] | None = None, **changes: Any) -> Outcome:
        """Run settings_apply on the target."""
        options = {
            "customer": "acme",
            "profile": "postfixadmin",
            "database": self.host.options(TARGET),
            "overrides": {"settings": {"vacation_domain": VACATION_DOMAIN} if settings is None else settings},
            "snapshot": str(self.snapshot),
            "vault_password": VAULT_PASSWORD,
            "subscription": "acme",
            "region": "eu",
            **changes,
        }
        return run_here("settings_apply", options, check=check)

    def enable(self, *, check: bool = False, **changes: Any) -> Outcome:
        """Run tenant_migration on the target."""
        options = {
            "customer": "acme",
            "profile": "postfixadmin",
            "database": self.host.options(TARGET),
            "overrides": {"settings": {"vacation_domain": VACATION_DOMAIN}},
            "subscription": "acme",
            "region": "eu",
            **changes,
        }
        return run_here("tenant_migration", options, check=check)

    def customer(self, snapshot: Path | None = None) -> Customer:
        """The customer in a snapshot, without what is the source's own: how it spells users, and findings."""
        found = load(snapshot or self.snapshot, VAULT_PASSWORD)
        accounts = tuple(replace(each, source_user=each.address) for each in found.accounts)
        return replace(found, source=Source(""), accounts=accounts, findings=())

    def document(self) -> dict[str, Any]:
        """The snapshot, without its secrets."""
        found: dict[str, Any] = json.loads(self.snapshot.read_text(encoding="utf-8"))
        return found

    def logs_in(self, address: str, password: str) -> bool:
        """Does the Dovecot on the target take this password?"""
        command = ["doveadm", "-c", str(self.host.dovecot.configuration), "auth", "test", address, password]
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


__all__ = ["ANN", "BOB", "CY", "PASSWORDS", "SOURCE", "TARGET", "VACATION_DOMAIN", "PostfixAdminLab"]
