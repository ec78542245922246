# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A source's database, read into the canonical customer.

Every row ends as an object or as a finding that says why not: nothing is dropped silently. Reading costs a few queries
of whole tables, whatever the number of accounts. Readers know keys of the profile only (:mod:`..profiles.shape`), no
platform.
"""

from __future__ import annotations

from .customer import extract
from .site import Site, recognise

__all__ = ["Site", "extract", "recognise"]
