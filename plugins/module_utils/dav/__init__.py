# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars and contacts: read where they are, planned, written to a CalDAV and CardDAV server, compared (H02, H03).

``model`` and ``sides`` are the seam: ``web/`` (CalDAV, CardDAV), ``rows/`` (Atmail's tables) and ``files/`` (``.ics``
and ``.vcf``) are the sides; the planner and the runs know nothing of how a side is reached.
"""
