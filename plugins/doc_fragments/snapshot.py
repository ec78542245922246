# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options for a snapshot."""

from __future__ import annotations


class ModuleDocFragment:
    """A customer's snapshot."""

    DOCUMENTATION = r"""
options:
  snapshot:
    description:
      - Path of the customer's snapshot, a JSON file that only its owner may read.
      - Its secrets are one Ansible Vault text; all else in it is readable.
    type: path
    required: true
  vault_password:
    description: The Ansible Vault password of the snapshot's secrets.
    type: str
    required: true
  ignore_account_errors:
    description:
      - Whether to succeed although accounts had to be left out.
      - Either way everything else is done, and the accounts are in RV(findings) with level V(error).
    type: bool
    default: false
requirements:
  - cryptography >= 42
"""
