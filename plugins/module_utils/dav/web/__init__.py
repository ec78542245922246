# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Calendars and address books behind CalDAV (RFC 4791) and CardDAV (RFC 6352): a source, and the target."""
