# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""PostfixAdmin 2.3 to 3.3, as its own upgrade.php makes its tables in MySQL and MariaDB.

A mailbox is log-in and profile in one. How passwords are stored is said in a file of PostfixAdmin's only
(``$CONF['encrypt']``, by default MD5 crypt); a row says it itself by its shape or its prefix.
"""

from __future__ import annotations

from ...platforms.shape import Column, Table
from .other_extras import POSTFIXADMIN_EXTRAS
from .shape import Capability, SourceProfile

MAILBOX = {
    "account": Column(("username",)),
    "password": Column(("password",)),
    "first_name": Column(("name",), required=False),
    "maildir": Column(("maildir",), required=False),
    "quota": Column(("quota",), required=False),
    "enabled": Column(("active",), required=False),
    "phone": Column(("phone",), required=False),
    "other_address": Column(("email_other",), required=False),
}
WAYS = Table(
    ("alias",),
    {"address": Column(("address",)), "goto": Column(("goto",)), "enabled": Column(("active",), required=False)},
)
ALIAS_DOMAINS = Table(
    ("alias_domain",),
    {
        "name": Column(("alias_domain",)),
        "target": Column(("target_domain",)),
        "enabled": Column(("active",), required=False),
    },
    required=False,
)
VACATIONS = Table(
    ("vacation",),
    {
        "account": Column(("email",)),
        "subject": Column(("subject",)),
        "body": Column(("body",)),
        "starts": Column(("activefrom",), required=False),
        "ends": Column(("activeuntil",), required=False),
        "enabled": Column(("active",), required=False),
        "pause": Column(("interval_time",), required=False),
    },
    required=False,
)

POSTFIXADMIN = SourceProfile(
    name="postfixadmin",
    tables={
        "passwords": Table(("mailbox",), {key: MAILBOX[key] for key in ("account", "password")}),
        "users": Table(("mailbox",), {key: column for key, column in MAILBOX.items() if key != "password"}),
        "domains": Table(
            ("domain",),
            {
                "name": Column(("domain",)),
                "enabled": Column(("active",), required=False),
                "backup": Column(("backupmx",), required=False),
                "transport": Column(("transport",), required=False),
                "description": Column(("description",), required=False),
                "most_aliases": Column(("aliases",), required=False),
                "most_mailboxes": Column(("mailboxes",), required=False),
                "largest_quota": Column(("maxquota",), required=False),
                "whole_quota": Column(("quota",), required=False),
            },
        ),
        "ways": WAYS,
        "alias_domains": ALIAS_DOMAINS,
        "vacations": VACATIONS,
        "polled": Table(
            ("fetchmail",),
            {
                "account": Column(("mailbox",)),
                "protocol": Column(("protocol",)),
                "host": Column(("src_server",)),
                "port": Column(("src_port",), required=False),
                "user": Column(("src_user",)),
                "password": Column(("src_password",)),
                "auth": Column(("src_auth",), required=False),
                "folder": Column(("src_folder",), required=False),
                "tls": Column(("usessl",), required=False),
                "enabled": Column(("active",), required=False),
                "options": Column(("extra_options",), required=False),
                "fingerprint": Column(("sslfingerprint",), required=False),
                "delivery": Column(("mda",), required=False),
            },
            required=False,
        ),
        "config": Table(("config",), {"key": Column(("name",)), "value": Column(("value",))}, required=False),
    },
    quota_unit=1,
    settings={"version": ("", "version")},
    defaults={"password_type": "CRYPT"},
    no_domains=frozenset({"ALL"}),
    homeless=(
        ("users", "phone", "a telephone number"),
        ("users", "other_address", "an address for lost passwords"),
        ("domains", "description", "a description"),
        ("domains", "most_aliases", "a limit of aliases"),
        ("domains", "most_mailboxes", "a limit of mailboxes"),
        ("domains", "largest_quota", "a limit of a mailbox's quota"),
        ("domains", "whole_quota", "a quota of the whole domain"),
    ),
    capabilities=(
        Capability("aliases", "alias"),
        Capability("domain_aliases", "alias_domain"),
        Capability("automatic_replies", "vacation"),
        Capability("external_accounts", "fetchmail"),
    ),
    extras=POSTFIXADMIN_EXTRAS,
)
