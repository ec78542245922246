# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The cloud, as docs/cloud-schema.md describes it."""

from __future__ import annotations

from ...platforms.shape import Column, Table
from .shape import TargetProfile


def _columns(*names: str) -> dict[str, Column]:
    """Columns that go by the same name as the key."""
    return {name: Column((name,)) for name in names}


def _may_have(*names: str) -> dict[str, Column]:
    """Columns that a cloud may do without: what they would hold is reported then."""
    return {name: Column((name,), required=False) for name in names}


_APPLIED = {"applied": Column(("migration_applied",))}

CLOUD = TargetProfile(
    name="cloud",
    tables={
        "tenants": Table(("tenants",), _columns("subscription", "region", "status", "migration_enabled")),
        "domains": Table(("domains",), {**_columns("name", "subscription", "status"), **_APPLIED}),
        "accounts": Table(
            ("accounts",),
            {
                **_columns("address", "domain", "display_name", "status", "quota_bytes"),
                **_columns("password", "password_status", "password_set_on"),
                **_columns("migrate_status", "mailbox_server", "mailbox_type"),
                **_APPLIED,
                **_may_have("id", "reply_to", "signature", "time_zone", "language"),
                "keep_copy": Column(("keep_forwarded",), required=False),
            },
        ),
        "forwards": Table(("forwards",), _columns("account_id", "target"), required=False),
        "auto_replies": Table(
            ("auto_replies",), _columns("account_id", "status", "subject", "body", "starts", "ends"), required=False
        ),
        "external": Table(
            ("external_accounts",),
            _columns("account_id", "protocol", "host", "user", "port", "tls", "password"),
            required=False,
        ),
        "account_rules": Table(("account_sender_rules",), _columns("account_id", "verdict", "pattern"), required=False),
        "aliases": Table(("aliases",), _columns("domain", "local_part", "target", "status"), required=False),
        "domain_rules": Table(("domain_sender_rules",), _columns("domain", "verdict", "pattern"), required=False),
        "tenant_rules": Table(("tenant_sender_rules",), _columns("subscription", "verdict", "pattern"), required=False),
        "contacts": Table(
            ("shared_contacts",),
            {**_columns("id", "subscription", "source_key", "owner", "name", "emails", "fields"), **_APPLIED},
            required=False,
        ),
        "permissions": Table(
            ("shared_contact_permissions",), _columns("contact_id", "subject", "rights"), required=False
        ),
        "notes": Table(("migration_notes",), _columns("subscription", "kind", "name", "applied"), required=False),
    },
    active="active",
    disabled="disabled",
    migrated_word="migrated",
    changed_word="changed",
    none_word="none",
    unprovisioned_word="none",
    provisioned_word="provisioned",
    limits={
        "domains.key": 255,
        "accounts.key": 320,
        "accounts.password": 255,
        "accounts.display_name": 255,
        "accounts.reply_to": 320,
        "accounts.signature": 1_000_000,
        "accounts.time_zone": 64,
        "accounts.language": 35,
        "accounts.forwards": 320,
        "accounts.auto_reply": 1_000_000,
        "accounts.auto_reply_subject": 998,
        "accounts.allowed": 320,
        "accounts.blocked": 320,
        "accounts.external": 255,
        "aliases.key": 320,
        "aliases.targets": 320,
        "senders.allowed": 320,
        "senders.blocked": 320,
        "contacts.key": 255,
        "contacts.name": 255,
        "contacts.owner": 320,
        "contacts.permissions": 330,
    },
)
