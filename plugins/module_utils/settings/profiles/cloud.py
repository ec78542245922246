# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The cloud, as docs/cloud-schema.md describes it."""

from __future__ import annotations

from .shape import Column, Table, TargetProfile

CLOUD = TargetProfile(
    name="cloud",
    tables={
        "tenants": Table(
            ("tenants",),
            {
                "subscription": Column(("subscription",)),
                "region": Column(("region",)),
                "status": Column(("status",)),
                "migration_enabled": Column(("migration_enabled",)),
            },
        ),
        "domains": Table(
            ("domains",),
            {
                "name": Column(("name",)),
                "subscription": Column(("subscription",)),
                "status": Column(("status",)),
                "applied": Column(("migration_applied",)),
            },
        ),
        "accounts": Table(
            ("accounts",),
            {
                "address": Column(("address",)),
                "domain": Column(("domain",)),
                "display_name": Column(("display_name",)),
                "status": Column(("status",)),
                "quota_bytes": Column(("quota_bytes",)),
                "password": Column(("password",)),
                "password_status": Column(("password_status",)),
                "password_set_on": Column(("password_set_on",)),
                "migrate_status": Column(("migrate_status",)),
                "applied": Column(("migration_applied",)),
                "mailbox_server": Column(("mailbox_server",)),
                "mailbox_type": Column(("mailbox_type",)),
            },
        ),
    },
    active="active",
    disabled="disabled",
    migrated_word="migrated",
    changed_word="changed",
    none_word="none",
    unprovisioned_word="none",
    provisioned_word="provisioned",
    limits={"address": 320, "domain": 255, "display_name": 255, "password": 255},
)
