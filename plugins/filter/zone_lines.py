# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: zone_lines
short_description: Write record sets as lines of a zone file
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Gives record sets, as P(atmail.migration.dns_readiness_info#module) has them, for somebody who sets them by hand.
options:
  _input:
    description: The record sets.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Print what has to be set at the cut-over
  ansible.builtin.debug:
    msg: "{{ dns.records | selectattr('when', 'equalto', 'cut_over') | atmail.migration.zone_lines | split('\n') }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: str
  sample: acme.example. 300 IN MX 10 mx1-eu.atmailcloud.com.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.dns.finding import Record
from ansible_collections.atmail.migration.plugins.module_utils.dns.lines import zone_lines


def lines_of(records: Iterable[Mapping[str, Any]]) -> str:
    """Record sets that dns_readiness_info has given, as lines of a zone file."""
    return zone_lines(
        [
            Record(
                zone=one["zone"],
                name=one["name"],
                kind=one["type"],
                ttl=one["ttl"],
                values=tuple(one["values"]),
                when=one["when"],
                replaces=one["replaces"],
                why=one["why"],
            )
            for one in records
        ]
    )


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"zone_lines": lines_of}
