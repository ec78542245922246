# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Quotas as a source writes them."""

from __future__ import annotations


def quota(value: str | None, unit: int) -> int | None:
    """Bytes; None is unlimited (0, NULL or nothing in the source); negative for what is no quota."""
    if value is None or not value.strip():
        return None
    try:
        number = int(value)
    except ValueError:
        return -1
    return number * unit or None
