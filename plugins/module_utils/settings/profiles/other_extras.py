# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What sources other than Atmail keep besides accounts, and what can't be seen in them (H40)."""

from __future__ import annotations

from .shape import Extra, unseen
from .shape import staying as stays

_ELSEWHERE = (unseen("contacts_elsewhere"), unseen("calendars_elsewhere"), unseen("filters_elsewhere"))

#: PostfixAdmin 2.3 to 4; a table that a version does not have is not counted.
POSTFIXADMIN_EXTRAS: tuple[Extra, ...] = (
    stays("administrators", "admin", column="superadmin"),
    stays("subadministrators", "admin", column="superadmin", only="unset"),
    stays("vacation_senders", "vacation_notification", owner="on_vacation"),
    stays("app_passwords", "mailbox_app_password", owner="username"),
    stays("second_factors", "mailbox", owner="username", column="totp_secret"),
    stays("signing_keys", "dkim", owner="domain_name"),
    stays("usage_records", "quota2", owner="username"),
    stays("log_entries", "log"),
    *_ELSEWHERE,
)
#: Files of accounts hold what is in them, and nothing else can be seen.
CSV_EXTRAS: tuple[Extra, ...] = _ELSEWHERE
