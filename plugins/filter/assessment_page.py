# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: assessment_page
short_description: Make the page of an assessment
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Gives an assessment as sections of lines and tables, for a template.
  - Characters that do not print are shown as escapes, since names come from other people's servers. They are not
    escaped for any format, which is the template's work.
options:
  _input:
    description: The result of M(atmail.migration.source_info).
    type: dict
    required: true
  customer:
    description: The customer's name, for the title.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say what is to be decided
  ansible.builtin.debug:
    msg: "{{ (assess_result | atmail.migration.assessment_page('acme')).sections[1].lines }}"
"""

RETURN = r"""
_value:
  description: The title and the sections; a section has a title, lines, and tables with a head and rows.
  type: dict
  sample:
    title: Assessment of acme
    sections:
      - title: Domains
        lines: []
        tables:
          - head: [domain, accounts]
            rows: [[acme.example, "120"]]
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.settings.page import page


def assessment_page(result: Mapping[str, Any], customer: str) -> dict[str, Any]:
    """The page of a result of ``source_info``."""
    return page(customer, result)


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"assessment_page": assessment_page}
