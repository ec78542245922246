# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Atmail in all generations.

* 7 and 6: one table of each kind. Late 7 has another layout of ``Config``.
* 5 and Open: ``UserSettings_a`` … ``UserSettings_z`` and ``UserSettings_other``, on large sites by two letters
  (``UserSettings_jo``), and so ``Abook``, ``SpamDB`` and others; shared contacts have a table of their own. Open knows
  no domains, aliases and classes of service.
"""

from __future__ import annotations

from . import atmail_contacts
from .shape import Column, Table


def columns(**names: str) -> dict[str, Column]:
    """Columns that are there in every generation, by key."""
    return {key: Column((name,)) for key, name in names.items()}


def optional(*, html: bool = False, **names: str) -> dict[str, Column]:
    """Columns that are not everywhere; ``html``: they went through PHP's htmlentities() or htmlspecialchars()."""
    return {key: Column((name,), required=False, html=html) for key, name in names.items()}


TABLES = {
    "passwords": Table(
        ("UserSession",),
        {
            "account": Column(("Account",)),
            "password": Column(("Password",)),
            "password_md5": Column(("PasswordMD5",), required=False),
        },
    ),
    "users": Table(
        ("Users",),
        columns(account="Account", disabled="UserStatus", quota="UserQuota")
        | optional(maildir="MailDir", group="Ugroup")
        | {"keep_copy": Column((), required=False)}  # no generation is known to have one, but an operator's may
        | optional(html=True, first_name="FirstName", last_name="LastName", forward="Forward", auto_reply="AutoReply"),
    ),
    "preferences": Table(
        ("UserSettings",),
        columns(account="Account")
        | optional(signature="Signature")
        | optional(html=True, name="RealName", reply_to="ReplyTo", time_zone="TimeZone", language="Language"),
        required=False,
        sharded=True,
    ),
    "groups": Table(("Groups",), columns(name="GroupName") | optional(quota="GroupQuota"), required=False),
    # Commercial sites have both; Open has neither.
    "domains": Table(
        ("Domains",),
        columns(name="Hostname") | optional(enabled="Enable"),
        required=False,
        required_with=("aliases",),
    ),
    "aliases": Table(
        ("MailAliases",),
        columns(name="AliasName", target="AliasTo") | optional(domain="Domain", folder="AliasMailDir"),
        required=False,
    ),
    "sender_rules": Table(
        ("SpamSettings",), columns(owner="username", preference="preference", value="value"), required=False
    ),
    "blocked_senders": Table(("SpamDB",), columns(account="Account", sender="SpamEmail"), required=False, sharded=True),
    "external": Table(
        ("Accounts",),
        columns(account="Account", user="UserAccount", protocol="Type", host="MailServer") | optional(tls="UseSSL"),
        required=False,
    ),
    # A 7.x user's own entry in the global address book holds the name that others see.
    "contacts": atmail_contacts.TABLE,
    "shared_contacts": Table(("Abook_shared",), atmail_contacts.COLUMNS, required=False),
    "permissions": Table(
        ("AbookPermissions",),
        columns(contact="AbookID", subject="Account", rights="Permissions"),
        required=False,
    ),
    "config": Table(
        ("Config",),
        {
            "section": Column(("section",), required=False),
            "key": Column(("keyName", "key")),
            "value": Column(("keyValue", "value")),
        },
        required=False,
    ),
}
#: What overrides may name of the site's own settings: key → (section, key) of its ``Config``.
SETTINGS = {
    "version": ("global", "version"),
    "password_type": ("global", "userPasswordEncryptionType"),
    "auth_type": ("dovecot", "authType"),
}
#: What is only counted (``settings/profiles/atmail_extras.py``), under names that overrides may have, too.
COUNTED = frozenset(
    {
        "address_lookups",
        "administrators",
        "archive_vault",
        "billing",
        "calendar_shares",
        "calendars",
        "classes_of_service",
        "contact_groups",
        "contact_pgp_keys",
        "contacts",
        "events",
        "filters",
        "folder_rules",
        "learned_senders",
        "mail_in_sql",
        "pgp_keys",
        "plugins",
        "relay_entries",
        "shared_groups",
        "sms",
        "storage_files",
        "subadministrators",
        "tasks",
        "user_defaults",
    }
)
