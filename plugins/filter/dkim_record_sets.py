# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: dkim_record_sets
short_description: Give the records of DKIM keys as sets for a dynamic update
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Gives what P(atmail.migration.dkim_key#module) has said of domains as P(atmail.migration.dns_records#module) takes
    it, the records of all keys that there are, and empty sets for those that may be removed.
options:
  _input:
    description: The results of the module.
    type: list
    elements: dict
    required: true
  zones:
    description: The zones that may be changed. What is in none of them is left out; when there are none, each domain is
      a zone of its own.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Publish what may be published
  atmail.migration.dns_records:
    customer: acme
    server: 192.0.2.53
    key: {name: migration.acme.example, secret: "{{ vault_acme_tsig_secret }}"}
    backup: /var/lib/migration/acme/dns-before.json
    records: "{{ keys.results | atmail.migration.dkim_record_sets(['acme.example']) }}"
"""

RETURN = r"""
_value:
  description: The sets.
  type: list
  elements: dict
  sample:
    - zone: acme.example
      name: spring._domainkey.acme.example
      type: TXT
      ttl: 3600
      values: ['"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="']
      check: dkim
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.dkim.sets import record_sets


def dkim_record_sets(found: list[dict[str, Any]], zones: list[str] | None = None) -> list[dict[str, Any]]:
    """Record sets for dns_records."""
    return record_sets(found, zones or [])


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"dkim_record_sets": dkim_record_sets}
