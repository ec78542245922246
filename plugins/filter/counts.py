# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: counts
short_description: Count how often each value is in a list
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Gives each value and how often it is there, the most frequent first.
options:
  _input:
    description: The values.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Say how many findings of each kind there are
  ansible.builtin.debug:
    msg: "{{ assess_result.findings | map(attribute='kind') | atmail.migration.counts }}"
"""

RETURN = r"""
_value:
  description: Value to number.
  type: dict
  sample:
    password_policy: 12
    mailbox_missing: 1
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any


def counts(values: Iterable[Any]) -> dict[str, int]:
    """Each value and how often it is there, the most frequent first, then by name."""
    counted = Counter(str(value) for value in values)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"counts": counts}
