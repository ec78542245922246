# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: password_escrow_info
short_description: Say whether a customer's passwords are swapped, and warn as long as they are
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Reads what can be seen of an escrow file without its vault password. Connects to nothing.
  - As long as accounts have generated passwords on the source, it warns. Every role of this collection runs it.
attributes:
  check_mode:
    support: full
    description: Only reads.
  diff_mode:
    support: none
    description: Changes nothing.
options:
  escrow:
    description: Path of the customer's escrow file. A file that is not there is an escrow that never was.
    type: path
    required: true
seealso:
  - module: atmail.migration.password_escrow
"""

EXAMPLES = r"""
- name: Look whether originals are still to be put back
  atmail.migration.password_escrow_info:
    escrow: /var/lib/migration/acme/escrow.json
  register: escrow
"""

RETURN = r"""
open:
  description: Whether accounts may have generated passwords on the source.
  returned: success
  type: bool
  sample: true
accounts:
  description: How many.
  returned: success
  type: int
  sample: 120
since:
  description: Since when (UTC); empty when the escrow is not open.
  returned: success
  type: str
  sample: "2026-11-23T20:15:00Z"
escrow_customer:
  description: Whose escrow it is; empty when there is no file.
  returned: success
  type: str
  sample: acme
kind:
  description: The kind of failure when the module fails, to match on.
  returned: failure
  type: str
  sample: escrow_invalid
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    escrow: /var/lib/migration/acme/escrow.json
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Keep the file, it may be the only place where passwords still are.
"""

from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.settings.escrow_run import escrow_info

SPEC = ArgumentSpec(options={"escrow": {"type": "path", "required": True}})


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return escrow_info(call.params, warn=call.warn)


if __name__ == "__main__":
    main()
