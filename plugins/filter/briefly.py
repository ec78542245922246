# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: briefly
short_description: Name the first of some findings or failures in one line
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Puts the first entries into one line, and says how many more there are.
  - Characters that do not print are shown as escapes, since names and messages come from other people's servers.
options:
  _input:
    description: Entries with C(message) or C(kind), and C(mailbox) or C(account).
    type: list
    elements: dict
    required: true
  limit:
    description: How many entries are named.
    type: int
    default: 5
"""

EXAMPLES = r"""
- name: Say which accounts were left out
  ansible.builtin.debug:
    msg: "{{ extract_result.findings | selectattr('level', 'eq', 'error') | atmail.migration.briefly }}"
"""

RETURN = r"""
_value:
  description: The line.
  type: str
  sample: "ann@acme.example: the address appears twice; bob@acme.example: there is no mailbox; and 3 more"
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.progress import clean


def briefly(entries: Sequence[Mapping[str, Any]], limit: int = 5) -> str:
    """The first ``limit`` of the entries in one line, and how many more there are."""
    named = [_name(entry) for entry in entries[:limit]]
    if len(entries) > limit:
        named.append(f"and {len(entries) - limit} more")
    return "; ".join(named)


def _name(entry: Mapping[str, Any]) -> str:
    place = str(entry.get("mailbox") or entry.get("account") or "")
    folder = f", folder {entry['folder']}" if entry.get("folder") else ""
    text = str(entry.get("message") or entry.get("kind") or "")
    return clean(f"{place}{folder}: {text}" if place else text)


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"briefly": briefly}
