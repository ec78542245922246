# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin to write to: its own tables, and the two that docs/postfixadmin-target.sql adds."""

from __future__ import annotations

from collections.abc import Mapping

from ...platforms.shape import Column, Table


def _same(*names: str) -> dict[str, Column]:
    """Columns that go by the same name as the key."""
    return {name: Column((name,)) for name in names}


def _may_have(names: Mapping[str, str]) -> dict[str, Column]:
    """Columns that not every version has."""
    return {key: Column((name,), required=False) for key, name in names.items()}


_DATES = _may_have({"created": "created", "modified": "modified"})
_ENABLED = {"enabled": Column(("active",))}

TABLES: Mapping[str, Table] = {
    "tenants": Table(("atmail_migration_tenants",), _same("subscription", "region", "status", "migration_enabled")),
    "notes": Table(("atmail_migration_notes",), _same("subscription", "kind", "name", "applied")),
    "domains": Table(
        ("domain",),
        {
            "name": Column(("domain",)),
            **_same("description", "transport"),
            **_ENABLED,
            **_may_have({"backup": "backupmx", "expiry_days": "password_expiry"}),
            **_DATES,
        },
    ),
    "mailboxes": Table(
        ("mailbox",),
        {
            "account": Column(("username",)),
            **_same("domain", "password", "name", "maildir", "quota"),
            **_ENABLED,
            **_may_have({"local_part": "local_part", "expires": "password_expiry"}),
            **_DATES,
        },
    ),
    "ways": Table(("alias",), {**_same("address", "goto", "domain"), **_ENABLED, **_DATES}),
    "alias_domains": Table(
        ("alias_domain",),
        {"name": Column(("alias_domain",)), "target": Column(("target_domain",)), **_ENABLED, **_DATES},
    ),
    "vacations": Table(
        ("vacation",),
        {
            "account": Column(("email",)),
            **_same("domain", "subject", "body"),
            **_ENABLED,
            **_may_have({"starts": "activefrom", "ends": "activeuntil", "cache": "cache"}),
            **_DATES,
        },
        required=False,
    ),
}
