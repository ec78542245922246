# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars and contacts out of Atmail's database: a side that is only read.

Calendars of Atmail 6 and 7 are iCalendar texts in SabreDAV's tables and come as they are. Contacts, and what is in the
calendars of Atmail 5, are rows; what they say is written as vCard and iCalendar, the same bytes for the same rows. What
can't be expressed is a finding with its row.
"""
