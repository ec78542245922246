# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Databases of platforms: how one is reached, what its tables are called, how their rows are read.

What accounts and settings, and calendars and contacts, have in common when they are read out of a database or a dump of
one. Which tables there are and what their values mean is said by those who read them (``settings/profiles``,
``dav/rows``), and here where both do.
"""
