# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: given
short_description: Take what the inventory gives of some variables, and name what is undefined in them
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Looks at variables value by value. What refers to something that is undefined, or can't be decrypted, is left out
    and named, instead of making the whole task fail.
  - It is for M(atmail.migration.intake_info), which says what is still missing.
options:
  _terms:
    description: Names of variables. One that is not there at all is left out.
    type: list
    elements: str
    required: true
seealso:
  - module: atmail.migration.intake_info
"""

EXAMPLES = r"""
- name: Say what the inventory refers to and does not define
  ansible.builtin.debug:
    msg: "{{ lookup('atmail.migration.given', 'migration_source', 'migration_target').undefined }}"
"""

RETURN = r"""
_raw:
  description: One dictionary, with C(given) (variable to value) and C(undefined) (place to message).
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from jinja2.exceptions import UndefinedError

_NOTHING = object()


class LookupModule(LookupBase):
    """The lookup for Ansible."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """What is there of the variables, and what is not."""
        self.set_options(var_options=variables, direct=kwargs)
        there = variables or {}
        undefined: dict[str, str] = {}
        values = {}
        for term in terms:
            value = self._value(there[term], term, undefined) if term in there else _NOTHING
            if value is not _NOTHING:
                values[term] = value
        return [{"given": values, "undefined": undefined}]

    def _value(self, raw: Any, place: str, undefined: dict[str, str]) -> Any:
        """A value with all its templates resolved, without the parts that can't be."""
        if isinstance(raw, Mapping):
            parts = {key: self._value(value, f"{place}.{key}", undefined) for key, value in raw.items()}
            return {key: value for key, value in parts.items() if value is not _NOTHING}
        if isinstance(raw, (list, tuple)):
            found = [self._value(value, f"{place}[{number}]", undefined) for number, value in enumerate(raw)]
            return [value for value in found if value is not _NOTHING]
        try:
            value = self._templar.template(raw) if self._templar else raw
            str(value)  # a value that is encrypted in place is decrypted here
        except (AnsibleError, UndefinedError) as error:
            undefined[place] = str(getattr(error, "_original_message", "") or error).strip().splitlines()[0]
            return _NOTHING
        return value
