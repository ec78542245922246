# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
#
# What it does is in the action plugin of this name.
from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: Keep what a phase of a migration has found
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Writes files to the folder of a customer's evidence, on the controller, wherever the customer's host is. Each is put
    in place at once, so that a run that is ended leaves the old one or the new one.
  - A record of a run is no change of anything, so C(changed) is always false.
options:
  folder:
    description: The folder, which is made with mode C(0700) when it is not there.
    type: path
    required: true
  files:
    description: Names of files, and their text. They get mode C(0600).
    type: dict
    required: true
attributes:
  check_mode:
    description: Writes nothing.
    support: full
  diff_mode:
    description: Shows nothing.
    support: none
"""

EXAMPLES = r"""
- name: Keep what was found
  atmail.migration.evidence:
    folder: "{{ migration_evidence_dir }}"
    files:
      seed.json: "{{ seed_result | to_nice_json }}"
"""

RETURN = r"""
"""
