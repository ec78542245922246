# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer in CSV files: what another provider, or a spreadsheet, has to say of accounts, aliases and lists (H07)."""

from __future__ import annotations

from .customer import CsvFiles, read_files

__all__ = ["CsvFiles", "read_files"]
