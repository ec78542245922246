# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where Atmail keeps users' calendars and contacts.

* 7 and 6: the tables of SabreDAV. Early ones have ``calendarObjects`` with SabreDAV 1.5's columns (``ctag``; no UID,
  ETag, size and kind), late ones ``calendarobjects`` with those of 3.0; from SabreDAV 3.2 on, which calendar belongs to
  whom is in ``calendarinstances``. Contacts are not in SabreDAV's tables but in ``Abook``, their groups in two tables.
* 5: ``Calander_a`` … ``Calander_other`` (the misspelling is Atmail's) in Outlook's terms, what repeats in
  ``recurrencePatterns``, no time zone; ``Abook_a`` …, and the members of a group are addresses.
"""

from __future__ import annotations

from . import atmail_contacts
from .atmail import columns, optional
from .shape import Table

#: What an operator may say of a site: the time zone of users who have none of their own.
SETTINGS = ("time_zone",)

TABLES = {
    "calendars": Table(
        ("calendars",),
        columns(id="id")
        | optional(
            owner="principaluri",
            name="displayname",
            slug="uri",
            description="description",
            order="calendarorder",
            color="calendarcolor",
            time_zone="timezone",
            components="components",
            transparent="transparent",
        ),
        required=False,
    ),
    "calendar_instances": Table(
        ("calendarinstances",),
        columns(id="id", calendar="calendarid", owner="principaluri", slug="uri")
        | optional(
            access="access",
            name="displayname",
            description="description",
            order="calendarorder",
            color="calendarcolor",
            time_zone="timezone",
            transparent="transparent",
        ),
        required=False,
    ),
    "events": Table(
        ("calendarobjects",),
        columns(id="id", calendar="calendarid", name="uri", data="calendardata")
        | optional(modified="lastmodified", etag="etag"),
        required=False,
        required_with=("calendars",),
    ),
    "principals": Table(("principals",), columns(id="id", owner="uri"), required=False),
    "memberships": Table(("groupmembers",), columns(group="principal_id", member="member_id"), required=False),
    "delegates": Table(("calendarDelegates",), columns(calendar="calendarid", principal="principalid"), required=False),
    "subscriptions": Table(
        ("calendarsubscriptions",),
        columns(owner="principaluri") | optional(name="displayname", url="source"),
        required=False,
    ),
    "appointments": Table(
        ("Calander",),
        columns(id="id", account="UserTo", start="DateStart", end="DateEnd")
        | optional(html=True, title="Title", location="Location", note="CalMessage")
        | optional(
            sender="UserFrom",
            importance="Importance",
            category="Type",
            task="Task",
            ref="Ref",
            uid="EntryID",
            modified="DateModified",
            all_day="AllDayEvent",
            alert="Alert",
            alert_at="DateAlert",
            recurring="IsRecurring",
            exception="IsException",
            availability="Availability",
            calendar="CalNameID",
        ),
        required=False,
        sharded=True,
    ),
    "recurrences": Table(
        ("recurrencePatterns",),
        columns(id="id", event="linkid", kind="RecurrenceType")
        | optional(
            account="account",
            start="PatternStartDate",
            end="PatternEndDate",
            endless="NoEndDate",
            count="Occurences",
            interval="skipInterval",
            days="DayOfWeekMask",
            day="DayOfMonth",
            instance="Instance",
            month="MonthOfYear",
        ),
        required=False,
    ),
    "calendar_names": Table(("CalendarNames",), columns(id="id", name="CalName"), required=False),
    "calendar_rights": Table(("CalendarPermissions",), columns(event="CalID", subject="Account"), required=False),
    "contacts": atmail_contacts.TABLE,
    "contact_groups": Table(
        ("AbookGroupNames",), columns(id="id", name="GroupName", account="Account"), required=False
    ),
    "group_members": Table(
        ("AbookGroup",),
        columns(account="Account")
        | optional(group="GroupID", contact="AbookID", id="id", group_name="GroupName", email="GroupEmail"),
        required=False,
        sharded=True,
    ),
    "contact_rights": Table(("AbookPermissions",), columns(contact="AbookID", subject="Account"), required=False),
    "preferences": Table(
        ("UserSettings",),
        columns(account="Account") | optional(html=True, time_zone="TimeZone"),
        required=False,
        sharded=True,
    ),
}
