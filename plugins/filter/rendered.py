# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: rendered
short_description: Render a page with everything escaped
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Renders a template of one's own with data of other people's servers. Every value is escaped for the page's format,
    and none of them is ever a template.
  - M(ansible.builtin.template) knows no autoescape.
options:
  _input:
    description: What the template knows as C(page).
    type: dict
    required: true
  template:
    description:
      - Path of the template in Jinja2's language.
      - It ends in C(.html.j2) or in C(.md.j2), which says how values are escaped.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write a page
  ansible.builtin.copy:
    content: "{{ {'title': customer} | atmail.migration.rendered(role_path ~ '/templates/page.html.j2') }}"
    dest: page.html
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
  sample: "<!DOCTYPE html>…"
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.atmail.migration.plugins.plugin_utils.rendering import rendered as render


def rendered(page: Mapping[str, Any], template: str) -> str:
    """The page of a template with these values."""
    return render(template, {"page": page})


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"rendered": rendered}
