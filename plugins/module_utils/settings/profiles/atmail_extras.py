# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What Atmail 5, 6 and 7 keep besides accounts: what is counted of it, and what stays behind (H40).

One list for all generations: what a site has no table for is not counted. Tables of Atmail 5 may be sharded by letters.
"""

from __future__ import annotations

from .shape import Extra, unseen
from .shape import staying as stays

_CALENDARS = ("calendars", "calendarid", "id")
_PRINCIPAL = "principals/users/"

ATMAIL_EXTRAS: tuple[Extra, ...] = (
    Extra("contacts", "Abook", owner="Account", column="Global", only="unset"),
    Extra("contact_groups", "AbookGroupNames", owner="Account"),
    Extra("contact_groups", "AbookGroup", owner="Account", distinct="GroupName", unless="AbookGroupNames"),
    Extra("calendars", "calendars", owner="principaluri", prefix=_PRINCIPAL),
    Extra(
        "events",
        "calendarobjects",
        owner="principaluri",
        prefix=_PRINCIPAL,
        through=_CALENDARS,
        column="componenttype",
        only="<>VTODO",
    ),
    # The first calendars of Atmail 6 do not say what an object is, but in its text.
    Extra(
        "events",
        "calendarobjects",
        owner="principaluri",
        prefix=_PRINCIPAL,
        through=_CALENDARS,
        column="calendardata",
        only="!~BEGIN:VTODO",
        lacking="componenttype",
    ),
    Extra("events", "Calander", owner="UserTo", column="Task", only="unset"),
    unseen("archive_vault"),
    stays("storage_files", "SharedFiles", owner="Account"),
    stays(
        "tasks",
        "calendarobjects",
        owner="principaluri",
        prefix=_PRINCIPAL,
        through=_CALENDARS,
        column="componenttype",
        only="=VTODO",
    ),
    stays(
        "tasks",
        "calendarobjects",
        owner="principaluri",
        prefix=_PRINCIPAL,
        through=_CALENDARS,
        column="calendardata",
        only="~BEGIN:VTODO",
        lacking="componenttype",
    ),
    stays("tasks", "Calander", owner="UserTo", column="Task"),
    stays("user_defaults", "UserSettings", owner="Account"),
    stays("administrators", "AdminUsers", column="UMasterAdmin"),
    stays("subadministrators", "AdminUsers", column="UMasterAdmin", only="unset"),
    unseen("plugins"),
    stays("classes_of_service", "Groups"),
    stays("learned_senders", "awl", owner="username"),
    stays("filters", "Filter", owner="Account"),
    stays("folder_rules", "MailSort", owner="Account"),
    stays("sms", "SMS*"),
    stays("billing", "ClientBilling"),
    stays("billing", "ClientPayment"),
    stays("relay_entries", "MailRelay"),
    stays("mail_in_sql", "EmailMessage"),
    stays("pgp_keys", "UserPgp", owner="Account"),
    stays("contact_pgp_keys", "Abook", owner="Account", column="UserPgpKey"),
    stays("calendar_shares", "calendarDelegates"),
    stays("calendar_shares", "CalendarPermissions"),
    stays("address_lookups", "SharedLookup"),
    stays("shared_groups", "AbookGroup_shared", owner="Account"),
)
