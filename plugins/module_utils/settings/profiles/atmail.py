# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Atmail 7 (and 6, as far as its tables are the same): one database, no sharding."""

from __future__ import annotations

from .atmail_extras import ATMAIL_EXTRAS
from .shape import Capability, Column, SourceProfile, Table

ATMAIL = SourceProfile(
    name="atmail",
    tables={
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
            {
                "account": Column(("Account",)),
                "disabled": Column(("UserStatus",)),
                "quota": Column(("UserQuota",)),
                "first_name": Column(("FirstName",), required=False, html=True),
                "last_name": Column(("LastName",), required=False, html=True),
                "maildir": Column(("MailDir",), required=False),
                "forward": Column(("Forward",), required=False),
                "auto_reply": Column(("AutoReply",), required=False),
            },
        ),
        "domains": Table(("Domains",), {"name": Column(("Hostname",)), "enabled": Column(("Enable",), required=False)}),
        # A 7.x user's own entry in the global address book holds the name that others see.
        "contacts": Table(
            ("Abook",),
            {
                "account": Column(("Account",)),
                "first_name": Column(("UserFirstName",), required=False, html=True),
                "last_name": Column(("UserLastName",), required=False, html=True),
                "own": Column(("Global",), required=False),
            },
            required=False,
            sharded=True,
        ),
        "preferences": Table(
            ("UserSettings",),
            {"account": Column(("Account",)), "name": Column(("RealName",), required=False, html=True)},
            required=False,
            sharded=True,
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
    },
    quota_unit=1024,
    companions=("password_md5",),
    settings={
        "version": ("global", "version"),
        "password_type": ("global", "userPasswordEncryptionType"),
        "auth_type": ("dovecot", "authType"),
    },
    capabilities=(
        Capability("global_address_book", "Abook", "Global"),
        Capability("contact_groups", "AbookGroupNames"),
        Capability("aliases", "MailAliases"),
        Capability("spam_lists", "SpamSettings"),
        Capability("classes_of_service", "Groups"),
        Capability("calendars", "calendars"),
        Capability("calendar_sync_tokens", "calendars", "synctoken"),
        Capability("calendar_changes", "calendarchanges"),
        Capability("external_accounts", "Accounts"),
        Capability("late_config", "Config", "keyName"),
    ),
    generations=(("late_config", "7"), ("calendar_sync_tokens", "7"), ("global_address_book", "6/7")),
    extras=ATMAIL_EXTRAS,
    supported_from="7.8",
)
