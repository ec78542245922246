# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars and contacts out of ``.ics`` and ``.vcf`` files, as programs export them: a side that is only read."""
