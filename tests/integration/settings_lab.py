# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A site and a cloud for the settings tests, and the three modules run as programs against them."""

from __future__ import annotations

import contextlib
import imaplib
import importlib
import io
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.testing import patch_module_args
from ansible_collections.atmail.migration.plugins.module_utils.platforms.shape import Overrides
from ansible_collections.atmail.migration.plugins.module_utils.settings.apply import read
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Customer, Source
from ansible_collections.atmail.migration.plugins.module_utils.settings.snapshot import load
from ansible_collections.atmail.migration.plugins.module_utils.settings.target import Place
from ansible_collections.atmail.migration.plugins.module_utils.settings.targets.cloud import CloudTarget
from ansible_collections.atmail.migration.plugins.module_utils.transport.database import Database, DatabaseServer

from tests.lab.lab import Lab

from .checks import prefork

VAULT_PASSWORD = "vault-password-of-the-tests"
MODULES = "ansible_collections.atmail.migration.plugins.modules"
SOURCE_TABLES = (
    "UserSession",
    "Users",
    "UserSettings",
    "Abook",
    "AbookPermissions",
    "Accounts",
    "Domains",
    "MailAliases",
    "SpamSettings",
)
TARGET_TABLES = (
    "migration_notes",
    "shared_contacts",
    "tenant_sender_rules",
    "domain_sender_rules",
    "aliases",
    "accounts",
    "domains",
    "tenants",
)


@dataclass(frozen=True)
class Outcome:
    """What a module printed."""

    code: int
    result: dict[str, Any]
    output: str

    @property
    def kind(self) -> str | None:
        """The kind of failure; None when the module succeeded."""
        assert (self.code != 0) == bool(self.result.get("failed")), self.output
        return self.result.get("kind") if self.code else None

    @property
    def changed(self) -> bool:
        """Fails when the module failed."""
        assert self.code == 0, self.output
        return bool(self.result["changed"])

    def kinds(self, account: str) -> set[str]:
        """The findings of an account."""
        return {finding["kind"] for finding in self.result["findings"] if finding["account"] == account}


def run_module(module: str, options: dict[str, Any], *, check: bool = False) -> Outcome:
    """Run a module as Ansible does on a host: a Python program with its options on standard input."""
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
    started = prefork.start(f"{MODULES}.{module}")
    started.give(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    out, err = started.communicate(timeout=120)
    assert "Traceback" not in err, err
    return Outcome(started.returncode or 0, json.loads(out), out + err)


def run_here(module: str, options: dict[str, Any], *, check: bool = False) -> Outcome:
    """The same in this process: for tests that run modules by the dozen."""
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
    said = io.StringIO()
    code = 0
    with patch_module_args(arguments), contextlib.redirect_stdout(said):
        try:
            importlib.import_module(f"{MODULES}.{module}").main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Outcome(code, json.loads(said.getvalue()), said.getvalue())


class SettingsLab:
    """One customer ``acme`` that moves to region ``eu``, and a folder for snapshots."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.site = lab.site("acme")
        self.region = lab.region("eu")
        self.folder = folder
        shown = lab.describe()
        self.source, self.target = shown["sites"]["acme"], shown["regions"]["eu"]

    @property
    def snapshot(self) -> Path:
        """The customer's snapshot."""
        return self.folder / "acme.json"

    def clear(self) -> None:
        """No account on either side, no snapshot; the tenant is enabled, the site has its usual settings."""
        with self.source_sql() as cursor:
            for table in SOURCE_TABLES:
                cursor.execute(f"DELETE FROM `{table}`")
            cursor.execute("UPDATE Config SET keyValue = 'MD5' WHERE keyName = 'userPasswordEncryptionType'")
            cursor.execute("UPDATE Config SET keyValue = 'sql' WHERE keyName = 'authType'")
        with self.target_sql() as cursor:
            for table in TARGET_TABLES:
                cursor.execute(f"DELETE FROM `{table}`")
        self.region.enable_tenant("acme", "Acme")
        self.snapshot.unlink(missing_ok=True)

    @contextmanager
    def source_sql(self) -> Iterator[Any]:
        """The source's database as its administrator."""
        with self.site.database.session() as cursor:
            yield cursor

    @contextmanager
    def target_sql(self) -> Iterator[Any]:
        """The target's database as its administrator."""
        with self.region.database.session() as cursor:
            yield cursor

    def target_rows(self, columns: str = "*", table: str = "accounts") -> tuple[Any, ...]:
        """All rows of a table of the target."""
        with self.target_sql() as cursor:
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
            return tuple(cursor.fetchall())

    def connection(
        self, *, ssh: dict[str, Any] | None = None, database: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Options that reach the source; ``ssh`` and ``database`` change some of them."""
        known = {key: value for key, value in self.source["database"].items() if key != "socket"}
        return {
            "customer": "acme",
            "ssh": {**self.source["ssh"], **(ssh or {})},
            "database": {**known, **(database or {})},
        }

    def extracting(self, **changes: Any) -> dict[str, Any]:
        """Options of settings_snapshot."""
        return {**self.connection(), "snapshot": str(self.snapshot), "vault_password": VAULT_PASSWORD, **changes}

    def applying(self, *, database: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """Options of settings_apply."""
        known = {key: value for key, value in self.target["database"].items() if key not in ("socket", "ca")}
        return {
            "customer": "acme",
            "database": {**known, "ca_path": self.target["ca"], **(database or {})},
            "snapshot": str(self.snapshot),
            "vault_password": VAULT_PASSWORD,
            "subscription": "acme",
            "region": "eu",
            **changes,
        }

    def run(self, module: str, options: dict[str, Any], *, check: bool = False) -> Outcome:
        """Run a module with these options."""
        return run_module(module, options, check=check)

    def extract(self, *, check: bool = False, **changes: Any) -> Outcome:
        """Run settings_snapshot."""
        return self.run("settings_snapshot", self.extracting(**changes), check=check)

    def apply(self, *, check: bool = False, **changes: Any) -> Outcome:
        """Run settings_apply."""
        return self.run("settings_apply", self.applying(**changes), check=check)

    def customer(self) -> Customer:
        """The customer in the snapshot."""
        return load(self.snapshot, VAULT_PASSWORD)

    def there(self) -> Customer:
        """The customer as the cloud holds it, read with the migration's own rights."""
        known = {key: value for key, value in self.target["database"].items() if key not in ("socket", "ca")}
        with Database(DatabaseServer(**known, ca_path=self.target["ca"]), read_only=True) as database:
            target = CloudTarget.open(database, Overrides())
            return read(target, "acme", Place("acme", "eu"), Source("cloud"))

    def logs_in(self, address: str, password: str) -> bool:
        """Does the cloud's Dovecot take this password?"""
        context = ssl.create_default_context(cafile=self.target["ca"])
        imap = self.target["imap"]
        with imaplib.IMAP4_SSL(imap["host"], imap["port"], ssl_context=context, timeout=30) as client:
            try:
                client.authenticate("PLAIN", lambda _challenge: f"\0{address}\0{password}".encode())
            except imaplib.IMAP4.error:
                return False
            return True
