# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The option for a part of a customer."""

from __future__ import annotations


class ModuleDocFragment:
    """A part of a customer."""

    DOCUMENTATION = r"""
options:
  domains:
    description: The mail domains to work on; all of the customer's when empty.
    type: list
    elements: str
    default: []
"""
